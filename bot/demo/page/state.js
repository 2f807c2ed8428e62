// What the page knows, and how it stays true: loading, server-sent events, the location hash, unread counts.

import * as api from "./api.js";

export const state = {
  people: [],
  person: null,
  chat: null,
  world: null,
  starting: null, // { person, payload } of a link to the bot that waits for START
  clock: null, // { now, offset_seconds } with `at`, the browser's time of the answer in ms
};
const chatsOf = new Map(); // person id -> chats
const messagesOf = new Map(); // "person:chat" -> messages
const actions = new Map(); // "person:chat" -> { action, timer }
const bus = new EventTarget();

export const on = (name, listener) => bus.addEventListener(name, (event) => listener(event.detail));
export const emit = (name, detail) => bus.dispatchEvent(new CustomEvent(name, { detail }));

const keyOf = (person, chat) => `${person}:${chat}`;
const same = (a, b) => String(a) === String(b);

export const personById = (id) => state.people.find((person) => same(person.id, id)) ?? null;
export const chatsFor = (person) => chatsOf.get(String(person)) ?? null;
export const chatById = (person, chat) => chatsFor(person)?.find((item) => same(item.id, chat)) ?? null;
export const messagesFor = (person, chat) => messagesOf.get(keyOf(person, chat)) ?? null;
export const actionIn = (person, chat) => actions.get(keyOf(person, chat))?.action ?? null;

/** The demo's time in Unix seconds. */
export function now() {
  if (!state.clock) return Date.now() / 1000;
  return Date.parse(state.clock.now) / 1000 + (Date.now() - state.clock.at) / 1000;
}

// --- the address: #person=1001&chat=1001 -------------------------------------------------------

const wide = window.matchMedia("(min-width: 760px)");
export const isWide = () => wide.matches;

/** Choose a person, and a chat of theirs or (null) the list of chats. */
export function open(person, chat) {
  const hash = chat === null ? `#person=${person}` : `#person=${person}&chat=${chat}`;
  if (location.hash === hash) followHash();
  else location.hash = hash;
}

/** Take person and chat from the location; on a wide screen some chat is always open. */
export function followHash() {
  const query = new URLSearchParams(location.hash.slice(1));
  const person = personById(query.get("person")) ?? state.people[0] ?? null;
  if (!person) return;
  state.person = person.id;
  const chats = chatsFor(person.id) ?? [];
  const wanted = query.get("chat");
  const chat = chats.find((item) => same(item.id, wanted)) ?? (isWide() ? (chats[0] ?? null) : null);
  state.chat = chat?.id ?? null;
  if (!same(state.chat, state.starting?.person)) state.starting = null;
  emit("open");
  if (state.chat !== null) refreshMessages(state.person, state.chat);
}

// --- unread ------------------------------------------------------------------------------------

const READ = "xuka.read";
const read = JSON.parse(sessionStorage.getItem(READ) ?? "{}");

/** How many messages of others came after the newest one this person has seen here. */
export function unread(person, chat) {
  const list = messagesFor(person, chat) ?? [];
  const seen = read[keyOf(person, chat)] ?? 0;
  return list.filter((m) => m.message_id > seen && !m.deleted && !same(m.from?.id, person) && !furniture(m)).length;
}

/** What is in a group from its beginning is no news. */
const furniture = (message) => message.forum_topic_created || message.supergroup_chat_created;

export function unreadOfPerson(person) {
  return (chatsFor(person) ?? []).reduce((sum, chat) => sum + unread(person, chat.id), 0);
}

function markRead(person, chat) {
  const newest = messagesFor(person, chat)?.at(-1)?.message_id ?? 0;
  const key = keyOf(person, chat);
  if (read[key] === newest) return;
  read[key] = newest; // also downwards: after a restart with a fresh home, ids begin again
  sessionStorage.setItem(READ, JSON.stringify(read));
  emit("chats");
}

const isOpen = (person, chat) =>
  same(person, state.person) && same(chat, state.chat) && document.visibilityState === "visible";

// --- loading -----------------------------------------------------------------------------------

const running = new Map(); // name -> "running" | "again"

/** Run a load now; calls during it lead to one more run after it, never to parallel ones. */
async function once(name, load) {
  if (running.has(name)) {
    running.set(name, "again");
    return;
  }
  do {
    running.set(name, "running");
    try {
      await load();
    } catch (error) {
      console.warn(name, error.message);
    }
  } while (running.get(name) === "again");
  running.delete(name);
}

export function refreshMessages(person, chat) {
  const key = keyOf(person, chat);
  return once(`messages ${key}`, async () => {
    const list = await api.messages(person, chat);
    messagesOf.set(key, list);
    if (isOpen(person, chat)) markRead(person, chat);
    emit("messages", key);
    emit("chats");
  });
}

/** Whether the open chat is gone, or the one that the address names has only now come. */
function astray() {
  const gone = state.chat !== null && !chatById(state.person, state.chat);
  const wanted = chatById(state.person, new URLSearchParams(location.hash.slice(1)).get("chat"));
  return gone || (wanted !== null && !same(wanted.id, state.chat));
}

export function refreshChats(person) {
  return once(`chats ${person}`, async () => {
    const chats = await api.chats(person);
    chatsOf.set(String(person), chats);
    if (same(person, state.person) && astray()) followHash();
    emit("chats");
    await Promise.all(chats.filter((c) => !messagesFor(person, c.id)).map((c) => refreshMessages(person, c.id)));
  });
}

export function setClock(answer) {
  state.clock = { ...answer, at: Date.now() };
  emit("clock");
}

export const refreshClock = () => once("clock", async () => setClock(await api.clock()));

export const refreshPeople = () =>
  once("people", async () => {
    state.people = await api.people();
    emit("people");
    await Promise.all(state.people.map((person) => refreshChats(person.id)));
  });

/** Only the list itself: balances change, chats are told by events. */
export const refreshPeopleOnly = () =>
  once("people", async () => {
    state.people = await api.people();
    emit("people");
  });

async function load() {
  await Promise.all([
    refreshPeople(),
    refreshClock(),
    once("world", async () => {
      state.world = await api.world();
      emit("world");
    }),
  ]);
  followHash();
}

/** The bot as the host tells of it. */
export const bot = () => state.world?.bot ?? null;

// --- events ------------------------------------------------------------------------------------

const ACTION_MS = 5000; // Telegram shows a chat action for five seconds, or until a message comes

function showAction(person, chat, action) {
  const key = keyOf(person, chat);
  clearTimeout(actions.get(key)?.timer);
  const timer = setTimeout(() => clearAction(key), ACTION_MS);
  actions.set(key, { action, timer });
  emit("action", key);
}

function clearAction(key) {
  if (!actions.has(key)) return;
  clearTimeout(actions.get(key).timer);
  actions.delete(key);
  emit("action", key);
}

/** Who can see a chat: in a private one its person, else everybody with it in the list. */
function watchers(chat) {
  if (chat > 0) return [chat];
  return state.people.map((person) => person.id).filter((person) => chatById(person, chat));
}

function receive(event) {
  const { type, chat_id: chat } = event;
  if (type === "clock") refreshClock();
  else if (type === "chat") for (const { id } of state.people) refreshChats(id);
  else if (type === "chat_action") for (const person of watchers(chat)) showAction(person, chat, event.action);
  else if (["message", "edited", "deleted"].includes(type)) {
    if (chatById(chat, chat)?.started === false) refreshChats(chat);
    for (const person of watchers(chat)) {
      if (type === "message" && event.message.from?.is_bot) clearAction(keyOf(person, chat));
      refreshMessages(person, chat);
    }
  } else emit(type, event); // call, fault, commands
}

const EVENTS = ["message", "edited", "deleted", "chat", "chat_action", "commands", "call", "fault", "clock"];

/**
 * Follow the server-sent events. Everything is read once they flow, at first and after each break,
 * so that nothing falls between reading and following.
 */
export function listen() {
  const source = new EventSource("/events");
  for (const type of EVENTS) source.addEventListener(type, (message) => receive(JSON.parse(message.data)));
  source.onerror = () => emit("online", false);
  source.onopen = async () => {
    emit("online", true);
    messagesOf.clear();
    await load();
    emit("loaded");
  };
}

window.addEventListener("hashchange", followHash);
wide.addEventListener("change", followHash);
document.addEventListener("visibilitychange", () => {
  if (state.chat !== null && isOpen(state.person, state.chat)) markRead(state.person, state.chat);
});
