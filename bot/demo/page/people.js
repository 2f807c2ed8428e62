// The left side: the people, and the chosen person's chats.

import { arrowKeys, fill, h } from "./dom.js";
import { hue, initials, nameOf, shortWhen } from "./format.js";
import { knows, t } from "./i18n.js";
import { preview, serviceText } from "./message.js";
import { bot, chatsFor, messagesFor, now, on, open, personById, state, unread, unreadOfPerson } from "./state.js";

const peopleList = document.getElementById("people");
const chatList = document.getElementById("chats");
const chatTitle = document.getElementById("chats-title");

/** A private chat carries the bot's name, as in any messenger. */
export const chatName = (chat) =>
  chat.title || (chat.type === "private" && nameOf(bot())) || "Xuka";

/** "bot", or what kind of room it is and how many are in it. */
export function chatKind(chat) {
  if (chat.type === "private") return t("bot");
  const kind = t(chat.type === "channel" ? "channel" : "group");
  return chat.members ? `${kind} · ${t("members", { n: chat.members })}` : kind;
}

function roleName(role) {
  const key = `role_${(role ?? "").replaceAll(" ", "_")}`;
  return knows(key) ? t(key) : (role ?? "");
}

const LANGUAGES = { zh: "中文", "zh-hans": "简体中文", "zh-hant": "繁體中文", en: "English" };
const languageName = (code) => LANGUAGES[(code ?? "").toLowerCase()] ?? code ?? "";

const badge = (count) =>
  count > 0 && h("span", { class: "badge", "aria-label": t("unread", { n: count }) }, count > 99 ? "99+" : count);

function avatar(id, name) {
  return h("span", { class: "avatar", "aria-hidden": "true", vars: { "--hue": hue(id) } }, initials(name));
}

/** A private chat shows the bot's own picture. */
export const chatAvatar = (chat) =>
  chat.type === "private"
    ? h("img", { class: "avatar", src: "/page/icon.svg", alt: "" })
    : avatar(chat.id, chatName(chat));

function personRow(person) {
  const current = String(person.id) === String(state.person);
  return h(
    "li",
    {},
    h(
      "button",
      {
        class: "person",
        "data-testid": `person-${person.id}`,
        "data-focus": `person-${person.id}`,
        "aria-current": current ? "true" : null,
        onclick: () => open(person.id, null),
      },
      avatar(person.id, person.name),
      h(
        "span",
        { class: "words" },
        h("span", { class: "line" }, h("strong", {}, person.name), badge(current ? 0 : unreadOfPerson(person.id))),
        h("small", {}, [roleName(person.role), languageName(person.language_code)].filter(Boolean).join(" · ")),
      ),
    ),
  );
}

function chatRow(chat) {
  const list = messagesFor(state.person, chat.id) ?? [];
  const last = list.at(-1) ?? null;
  const current = String(chat.id) === String(state.chat);
  const when = last && h("time", {}, shortWhen(last.date, now()));
  const mine = last && String(last.from?.id) === String(state.person) && !serviceText(last);
  return h(
    "li",
    {},
    h(
      "button",
      {
        class: "chat",
        "data-testid": `chat-${chat.id}`,
        "data-focus": `chat-${chat.id}`,
        "aria-current": current ? "true" : null,
        onclick: () => open(state.person, chat.id),
      },
      chatAvatar(chat),
      h(
        "span",
        { class: "words" },
        h("span", { class: "line" }, h("strong", {}, chatName(chat)), when),
        h(
          "span",
          { class: "line" },
          h("small", {}, mine && h("span", { class: "mine" }, `${t("you")}: `), last ? preview(last) : chatKind(chat)),
          badge(unread(state.person, chat.id)),
        ),
      ),
    ),
  );
}

/** Rebuild the two lists; the focus stays on the row it was on. */
function render() {
  const focus = document.activeElement?.dataset?.focus;
  fill(peopleList, state.people.map(personRow));
  const person = personById(state.person);
  fill(chatTitle, person ? t("chats_of", { name: person.name }) : t("chats"));
  const chats = chatsFor(state.person) ?? [];
  fill(chatList, chats.length ? chats.map(chatRow) : h("li", { class: "quiet" }, t("no_chats")));
  if (focus) document.querySelector(`[data-focus="${focus}"]`)?.focus({ preventScroll: true });
  const total = state.people.reduce((sum, one) => sum + unreadOfPerson(one.id), 0);
  document.title = total > 0 ? `(${total}) ${t("app_title")}` : t("app_title");
}

let waiting = false;

/** Many changes in one moment are one drawing. */
function renderSoon() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    render();
  });
}

arrowKeys(peopleList, "button");
arrowKeys(chatList, "button");
for (const name of ["people", "chats", "messages", "open", "lang", "world", "clock"]) on(name, renderSoon);
