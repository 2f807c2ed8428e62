// The middle: the open chat's header and messages, and what a press does.

import * as api from "./api.js";
import { alertBox, toast } from "./dialogs.js";
import { fill, h, iconButton } from "./dom.js";
import { dayKey, dayName, parseUrl } from "./format.js";
import { t } from "./i18n.js";
import { actionText, renderMessage, serviceText } from "./message.js";
import { linkSheet, paySheet } from "./pay.js";
import { addSheet, roomMenu, topicName, topicNow, visible } from "./room.js";
import { actionIn, chatById, isWide, messagesFor, now, on, open, personById } from "./state.js";
import { refreshChats, refreshMessages, state } from "./state.js";
import { chatAvatar, chatKind, chatName } from "./people.js";

const pane = document.getElementById("conversation");
const head = document.getElementById("chat-head");
const scroller = document.getElementById("scroller");
const list = document.getElementById("messages");
const newest = document.getElementById("newest");

const shown = new Map(); // message id -> { item, json }
let shownKey = null;
const keyNow = () => `${state.person}:${state.chat}`;
const listKey = () => `${keyNow()}:${topicNow()}`;

// --- header ------------------------------------------------------------------------------------

function renderHead() {
  const chat = chatById(state.person, state.chat);
  document.body.classList.toggle("chat-open", state.chat !== null);
  if (!chat) {
    fill(head, h("p", { class: "quiet" }, t("choose_chat")));
    return;
  }
  const action = actionIn(state.person, state.chat);
  fill(
    head,
    iconButton("back", t("back"), () => open(state.person, null), { kind: "back" }),
    chatAvatar(chat),
    h(
      "div",
      { class: "head-words" },
      h("h2", { "data-testid": "chat-title" }, chatName(chat)),
      h("p", { class: action ? "action" : "", role: "status" }, action ? [actionText(action), dots()] : chatKind(chat)),
    ),
    chat.type === "private" ? chat.started && blockButton(chat) : roomMenu(chat),
  );
}

function blockButton(chat) {
  const props = { "data-testid": "block", "aria-pressed": String(chat.blocked) };
  return iconButton("block", t(chat.blocked ? "unblock" : "block"), () => setBlocked(!chat.blocked), props);
}

/** Block or unblock the bot for the chosen person. */
export async function setBlocked(on) {
  const { person } = state;
  try {
    await api.block(person, on);
  } catch (error) {
    toast(t("failed", { reason: error.message }), "bad");
  }
  await refreshChats(person);
}

const dots = () => h("span", { class: "dots", "aria-hidden": "true" }, h("i"), h("i"), h("i"));

// --- messages ----------------------------------------------------------------------------------

const nearBottom = () => scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 80;

// Whether the newest message is to stay in view. Only a person's scrolling up ends that: while a
// smooth scroll is under way the end is out of sight too.
const calm = window.matchMedia("(prefers-reduced-motion: reduce)");
let pinned = true;
let lastTop = 0;

function pin(next) {
  pinned = next;
  if (pinned) newest.hidden = true;
}

function toBottom(smooth) {
  pin(true);
  const behavior = smooth && !calm.matches ? "smooth" : "instant";
  scroller.scrollTo({ top: scroller.scrollHeight, behavior });
}

function author(message) {
  return String(message.sender_chat?.id ?? message.from?.id ?? "");
}

const RUN_SECONDS = 300;

/** Whether two neighbours belong to one run of bubbles. */
function together(a, b) {
  if (!a || !b || serviceText(a) || serviceText(b)) return false;
  if (a.message_thread_id !== b.message_thread_id) return false;
  return author(a) === author(b) && dayKey(a.date) === dayKey(b.date) && b.date - a.date < RUN_SECONDS;
}

/** Bring the list up to date, touching only what changed, so that focus and scroll stay. */
function renderMessages() {
  const chat = chatById(state.person, state.chat);
  const messages = state.chat === null ? [] : visible(messagesFor(state.person, state.chat) ?? []);
  const fresh = shownKey !== listKey();
  if (fresh) {
    shown.clear();
    list.replaceChildren();
    shownKey = listKey();
    list.lang = personById(state.person)?.language_code ?? ""; // picks the right Chinese glyphs
  }
  const stick = fresh || pinned;
  const before = shown.size;
  const isGroup = chat !== null && chat?.type !== "private";
  const wanted = [];
  let day = null;
  messages.forEach((message, i) => {
    if (dayKey(message.date) !== day) {
      day = dayKey(message.date);
      wanted.push(dayLine(message, day));
    }
    const first = !together(messages[i - 1], message);
    const last = !together(message, messages[i + 1]);
    const topic = chat?.topics ? topicName(message) : null;
    wanted.push(itemFor(message, { person: state.person, isGroup, topic, first, last }, fresh));
  });
  arrange(wanted);
  const ids = new Set(messages.map((message) => message.message_id));
  for (const id of shown.keys()) if (!ids.has(id)) shown.delete(id);
  pane.classList.toggle("empty", chat !== null && messages.length === 0);
  fill(document.getElementById("empty-note"), emptyNote(chat));
  if (stick) toBottom(!fresh && shown.size > before);
  else if (shown.size > before) newest.hidden = false;
}

/** What an empty chat says: the bot's own description if it has set one. */
function emptyNote(chat) {
  if (chat?.type !== "private") return t("empty_group");
  return [chat.description && h("span", { class: "description" }, chat.description), h("span", {}, t("empty_private"))];
}

/** Put the nodes in order with the fewest moves. */
function arrange(wanted) {
  let at = list.firstChild;
  for (const node of wanted) {
    if (node === at) at = at.nextSibling;
    else list.insertBefore(node, at);
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

const dayLines = new Map();

function dayLine(message, day) {
  const key = `${shownKey}:${day}`;
  if (!dayLines.has(key)) dayLines.set(key, h("li", { class: "day" }, h("span")));
  const node = dayLines.get(key);
  node.firstChild.textContent = `${dayName(message.date, now())} · UTC`; // the bot writes local times
  return node;
}

function itemFor(message, view, quiet) {
  const json = JSON.stringify([message, view]);
  const known = shown.get(message.message_id);
  if (known?.json === json) return known.item;
  const id = message.message_id;
  const item = known?.item ?? h("li", { "data-testid": `message-${id}`, "data-id": id });
  const focused = known && item.contains(document.activeElement) ? document.activeElement : null;
  renderMessage(item, message, view, act);
  if (focused) refocus(item, focused);
  if (!known && !quiet) item.classList.add("arriving");
  if (known && known.text !== textOf(message)) flash(item);
  shown.set(id, { item, json, text: textOf(message) });
  return item;
}

const textOf = (message) => JSON.stringify([message.text, message.caption, message.deleted]);

function flash(item) {
  item.classList.remove("changed");
  void item.offsetWidth; // restarts the animation
  item.classList.add("changed");
}

/** After an edit took the focused button away, keep the keyboard where it was. */
function refocus(item, old) {
  const buttons = [...item.querySelectorAll("button:not(:disabled)")];
  (buttons.find((button) => button.textContent === old.textContent) ?? buttons[0])?.focus({ preventScroll: true });
}

// --- what a press does ---------------------------------------------------------------------------

const act = {
  pay: (message) => paySheet(state.person, state.chat, message),
  command: (text) => send(text),
  link: (url, event) => {
    if (followTelegramLink(url)) event.preventDefault();
  },
  button: press,
};

async function send(text) {
  const { person, chat } = state;
  try {
    await api.sendText(person, chat, text, topicNow() ?? undefined);
    pin(true);
    await refreshMessages(person, chat);
  } catch (error) {
    toast(t("failed", { reason: error.message }), "bad");
  }
}

async function press(message, button, node) {
  if (button.url) {
    if (!followTelegramLink(button.url)) openLink(button.url);
    return;
  }
  if (button.copy_text) {
    await navigator.clipboard?.writeText(button.copy_text.text).catch(() => {});
    toast(t("copied"));
    return;
  }
  if (button.callback_data === undefined) {
    toast(t("cannot_button"));
    return;
  }
  const { person, chat } = state;
  node.classList.add("busy");
  node.setAttribute("aria-busy", "true");
  try {
    const result = await api.press(person, chat, message.message_id, button.text);
    if (result?.url) followTelegramLink(result.url) || openLink(result.url);
    else showAnswer(result?.answer);
  } catch (error) {
    toast(t("failed", { reason: error.message }), "bad");
  }
  node.classList.remove("busy");
  node.removeAttribute("aria-busy");
  refreshMessages(person, chat);
}

function showAnswer(answer) {
  if (!answer) return;
  if (answer.url) followTelegramLink(answer.url) || openLink(answer.url);
  if (!answer.text) return;
  if (answer.show_alert) alertBox(chatName(chatById(state.person, state.person)), answer.text);
  else toast(answer.text);
}

function openLink(address) {
  const url = parseUrl(address);
  if (url && ["http:", "https:"].includes(url.protocol)) window.open(url.href, "_blank", "noopener,noreferrer");
  else toast(t("other_link", { url: address }));
}

/**
 * `https://t.me/<bot>?start=x` opens the private chat with a START button, `?startgroup=x` asks where to add
 * the bot, `https://t.me/$x` opens the pay sheet;
 * true when it was such a link.
 */
function followTelegramLink(address) {
  const url = parseUrl(address);
  if (!url || url.hostname !== "t.me") return false;
  if (url.pathname.startsWith("/$")) {
    linkSheet(state.person, url.href);
    return true;
  }
  const username = chatById(state.person, state.person)?.username;
  if (url.pathname.slice(1).toLowerCase() !== username?.toLowerCase()) return false;
  const { person } = state;
  for (const kind of ["startgroup", "startchannel"]) {
    if (!url.searchParams.has(kind)) continue;
    addSheet(kind, url.searchParams.get(kind));
    return true;
  }
  const payload = url.searchParams.get("start");
  if (payload !== null) state.starting = { person, payload };
  open(person, person);
  return true;
}

/** Send /start with a payload in this person's private chat, and show that chat. */
export async function startPrivate(payload) {
  const { person } = state;
  state.starting = null;
  open(person, person);
  try {
    await api.start(person, person, payload);
  } catch (error) {
    toast(t("failed", { reason: error.message }), "bad");
  }
  refreshMessages(person, person);
}

// --- wiring ------------------------------------------------------------------------------------

function renderAll() {
  shownKey = null;
  renderHead();
  renderMessages();
}

scroller.addEventListener("scroll", () => {
  if (nearBottom()) pin(true);
  else if (scroller.scrollTop < lastTop) pin(false);
  lastTop = scroller.scrollTop;
});
on("sent", () => pin(true));
newest.addEventListener("click", () => toBottom(true));
new ResizeObserver(() => {
  if (pinned) toBottom(false);
}).observe(scroller);
on("open", renderAll);
on("topic", renderMessages);
on("moved", (chat) => open(state.person, chat));
on("lang", renderAll);
on("world", renderHead);
on("chats", renderHead);
on("messages", (key) => key === keyNow() && renderMessages());
on("action", (key) => key === keyNow() && renderHead());
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !isWide() && !document.querySelector("dialog[open], .popover") && state.chat !== null) {
    if (!document.body.classList.contains("tools-open")) open(state.person, null);
  }
});
