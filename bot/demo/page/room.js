// What groups and channels have beside messages: topics, the pinned message, the administrator's menu.

import * as api from "./api.js";
import { openDialog, toast } from "./dialogs.js";
import { arrowKeys, fill, h, icon, iconButton } from "./dom.js";
import { t } from "./i18n.js";
import { preview } from "./message.js";
import { chatById, chatsFor, emit, messagesFor, on, open, refreshChats, state } from "./state.js";

const bar = document.getElementById("topics");
const pinnedBar = document.getElementById("pinned");
const GENERAL = 1;

const chosen = new Map(); // "person:chat" -> a topic's thread; none: all of them
const key = () => `${state.person}:${state.chat}`;
const chatNow = () => chatById(state.person, state.chat);

export const isAdmin = (chat) => ["creator", "administrator"].includes(chat?.status);

/** The topic a message of a forum belongs to. */
export const threadOf = (message) => (message.is_topic_message ? message.message_thread_id : GENERAL);

/** The open topic's thread, or null when all of them are shown (or there are none). */
export function topicNow() {
  const thread = chosen.get(key()) ?? null;
  return chatNow()?.topics?.some((topic) => topic.message_thread_id === thread) ? thread : null;
}

/** The topic's name for a message that is shown among those of all topics, or null. */
export function topicName(message) {
  if (topicNow() !== null) return null;
  const found = chatNow()?.topics?.find((topic) => topic.message_thread_id === threadOf(message));
  return found ? nameOfTopic(found) : null;
}

const nameOfTopic = (topic) => (topic.message_thread_id === GENERAL ? t("topic_general") : topic.name);

/** The messages of the open topic. */
export function visible(messages) {
  const thread = topicNow();
  return thread === null ? messages : messages.filter((message) => threadOf(message) === thread);
}

/** Why the person cannot write in the open topic, as a word of the page; null when they can. */
export function closedHere() {
  const chat = chatNow();
  const topic = chat?.topics?.find((one) => one.message_thread_id === (topicNow() ?? GENERAL));
  return topic?.closed && !isAdmin(chat) ? "topic_is_closed" : null;
}

function choose(thread) {
  if (thread === null) chosen.delete(key());
  else chosen.set(key(), thread);
  emit("topic");
}

function topicButton(thread, label, closed) {
  const props = {
    class: "topic",
    "data-testid": `topic-${thread ?? "all"}`,
    "aria-pressed": String(topicNow() === thread),
    onclick: () => choose(thread),
  };
  return h("button", props, label, closed && icon("lock"), closed && h("span", { class: "sr" }, t("topic_closed_mark")));
}

function renderTopics() {
  const topics = chatNow()?.topics ?? [];
  bar.hidden = topics.length === 0;
  const focused = document.activeElement?.dataset?.testid;
  fill(
    bar,
    topics.length > 0 && topicButton(null, t("topic_all"), false),
    topics.map((topic) => topicButton(topic.message_thread_id, nameOfTopic(topic), topic.closed)),
  );
  if (focused) bar.querySelector(`[data-testid="${focused}"]`)?.focus({ preventScroll: true });
}

function renderPinned() {
  const ids = chatNow()?.pinned ?? [];
  const messages = messagesFor(state.person, state.chat) ?? [];
  const message = messages.find((one) => one.message_id === ids.at(-1) && !one.deleted);
  pinnedBar.hidden = !message;
  if (!message) return;
  fill(pinnedBar, icon("pin"), h("strong", {}, t("pinned")), h("span", {}, preview(message)));
  pinnedBar.onclick = () => {
    if (topicNow() !== null && topicNow() !== threadOf(message)) choose(null);
    const item = document.querySelector(`#messages > [data-id="${message.message_id}"]`);
    item?.scrollIntoView({ block: "center" });
    item?.classList.add("changed");
  };
}

// --- the administrator's menu --------------------------------------------------------------------

/** The button of the menu, for the administrators of a room; false for everybody else. */
export function roomMenu(chat) {
  if (!isAdmin(chat)) return false;
  return iconButton("more", t("room_menu"), () => openMenu(chat), { "data-testid": "room-menu" });
}

function openMenu(chat) {
  const dialog = openDialog(
    { class: "alert", "aria-label": t("room_menu"), "data-testid": "room-options" },
    h("strong", {}, chat.title),
    choices(chat).map(([word, act, body]) =>
      h(
        "button",
        {
          class: "option",
          "data-testid": `room-${word}`,
          onclick: () => {
            dialog.close();
            change(act, body);
          },
        },
        t(word),
      ),
    ),
    h("button", { class: "primary", onclick: () => dialog.close() }, t("close")),
  );
}

/** Let the person choose the group or channel that a link asks to add the bot to. */
export function addSheet(kind, start) {
  const isChannel = kind === "startchannel";
  const rooms = chatsFor(state.person).filter((chat) => isAdmin(chat) && (chat.type === "channel") === isChannel);
  const body = isChannel ? { status: "administrator" } : { status: "member", start };
  const add = (chat) => {
    dialog.close();
    open(state.person, chat.id);
    change("bot", chat.bot === "administrator" ? { start } : body, chat.id);
  };
  const dialog = openDialog(
    { class: "alert", "aria-label": t("bot_add"), "data-testid": "add-bot" },
    h("strong", {}, t(isChannel ? "add_to_channel" : "add_to_group")),
    rooms.length === 0 && h("p", {}, t("add_nowhere")),
    rooms.map((chat) =>
      h("button", { class: "option", "data-testid": `add-${chat.id}`, onclick: () => add(chat) }, chat.title),
    ),
    h("button", { class: "primary", onclick: () => dialog.close() }, t("close")),
  );
}

/** What this administrator can do now: words, and the act with its body. */
function choices(chat) {
  const found = [];
  if (chat.type !== "channel") {
    const word = chat.anonymous ? "write_as_self" : "write_anonymously";
    found.push([word, "member", { anonymous: !chat.anonymous }]);
  }
  const there = !["left", "kicked"].includes(chat.bot);
  if (chat.bot !== "administrator") found.push(["bot_admin", "bot", { status: "administrator" }]);
  if (!there && chat.type !== "channel") found.push(["bot_add", "bot", { status: "member" }]);
  if (chat.bot === "administrator" && chat.type !== "channel") found.push(["bot_demote", "bot", { status: "member" }]);
  if (there) found.push(["bot_remove", "bot", { status: chat.type === "group" ? "left" : "kicked" }]);
  const topic = chat.topics?.find((one) => one.message_thread_id === topicNow());
  if (topic) {
    const body = { message_thread_id: topic.message_thread_id, closed: !topic.closed };
    found.push([topic.closed ? "topic_reopen" : "topic_close", "topics", body]);
  }
  if (chat.type === "group" && chat.status === "creator") found.push(["room_upgrade", "upgrade", {}]);
  return found;
}

async function change(act, body, chat = state.chat) {
  const { person } = state;
  try {
    const answer = await api.act(person, chat, act, body);
    await refreshChats(person);
    if (answer.chat_id) emit("moved", answer.chat_id);
  } catch (error) {
    toast(t("failed", { reason: error.message }), "bad");
  }
}

function render() {
  renderTopics();
  renderPinned();
}

arrowKeys(bar, "button", ["ArrowLeft", "ArrowRight"]);
for (const name of ["open", "lang", "chats", "topic"]) on(name, render);
on("messages", (changed) => changed === key() && renderPinned());
