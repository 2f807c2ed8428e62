// The foot of the conversation: text, attachments, the bot's commands, START.

import * as api from "./api.js";
import { toast } from "./dialogs.js";
import { fill, h, icon, iconButton } from "./dom.js";
import { bytes } from "./format.js";
import { t } from "./i18n.js";
import { closedHere, topicNow } from "./room.js";
import { chatById, emit, messagesFor, on, refreshMessages, state } from "./state.js";
import { setBlocked, startPrivate } from "./conversation.js";

const form = document.getElementById("compose");
const input = document.getElementById("composer");
const menuButton = document.getElementById("menu");
const attachButton = document.getElementById("attach");
const sendButton = document.getElementById("send");
const startButton = document.getElementById("start");
const readOnly = document.getElementById("read-only");
const heldBar = document.getElementById("held");
const popover = document.getElementById("popover");
const picker = document.getElementById("picker");

const drafts = new Map(); // "person:chat" -> text
let owner = null; // whose draft is in the field
let held = null; // what the next sending is about: { kind: "photo" | "document", file } or { kind: "edit", message }
let commands = [];

// --- text --------------------------------------------------------------------------------------

const LINES = 160; // px: about seven lines, then it scrolls

function grow() {
  input.style.height = "auto";
  input.style.height = `${Math.min(input.scrollHeight, LINES)}px`;
  sendButton.disabled = input.value.trim() === "" && !held?.file;
}

/** Put a text into the field, ready to send. */
export function compose(text) {
  input.value = text;
  grow();
  input.focus();
}

async function submit() {
  const { person, chat } = state;
  const text = input.value.trim();
  const about = held;
  if ((!text && !about?.file) || chat === null) return;
  input.value = "";
  hold(null);
  closePopover();
  try {
    const topic = topicNow() ?? undefined;
    if (about?.file) await api.sendFile(person, chat, about.kind, about.file, text, topic);
    else if (about) await api.edit(person, chat, about.message.message_id, text);
    else await api.sendText(person, chat, text, topic);
    emit("sent");
    await refreshMessages(person, chat);
  } catch (error) {
    toast(t("failed", { reason: error.message }), "bad");
    if (!input.value) compose(text);
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  submit();
});
input.addEventListener("input", () => {
  grow();
  suggest();
});
input.addEventListener("keydown", (event) => {
  if (popoverKeys(event)) return;
  if (event.key === "ArrowUp" && input.value === "" && held === null) {
    event.preventDefault();
    editOwn(ownLast());
    return;
  }
  if (event.key === "Escape" && held) {
    event.stopPropagation();
    letGo();
    return;
  }
  // While an input method is choosing characters, Enter belongs to it.
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing && event.keyCode !== 229) {
    event.preventDefault();
    submit();
  }
});

// --- attachments and edits -----------------------------------------------------------------------

const HELD_ICONS = { photo: "image", document: "document", edit: "edit" };

function hold(next) {
  held = next;
  heldBar.hidden = next === null;
  renderPlaceholder();
  if (next) {
    fill(
      heldBar,
      icon(HELD_ICONS[next.kind]),
      h("span", { class: "held-name" }, next.file ? next.file.name : `${t("editing")}: ${next.message.text}`),
      next.file && h("small", {}, bytes(next.file.size)),
      iconButton("close", t("cancel"), letGo, { kind: "small" }),
    );
    input.focus();
  }
  grow();
}

function letGo() {
  if (held?.message) input.value = "";
  hold(null);
  input.focus();
}

/** Change one's own text: by a double click on it, or with the arrow key up in the empty field. */
function editOwn(message) {
  if (!message?.text || message.deleted || String(message.from?.id) !== String(state.person)) return;
  hold({ kind: "edit", message });
  compose(message.text);
}

document.getElementById("messages").addEventListener("dblclick", (event) => {
  const id = Number(event.target.closest(".bubble")?.closest("[data-id]")?.dataset.id);
  editOwn(messagesFor(state.person, state.chat)?.find((message) => message.message_id === id));
});

function ownLast() {
  const list = messagesFor(state.person, state.chat) ?? [];
  return list.findLast((m) => m.text && !m.deleted && String(m.from?.id) === String(state.person));
}

function pick(kind) {
  closePopover();
  picker.accept = kind === "photo" ? "image/*" : "";
  picker.dataset.kind = kind;
  picker.value = "";
  picker.click();
}

picker.addEventListener("change", () => {
  if (picker.files[0]) hold({ kind: picker.dataset.kind, file: picker.files[0] });
});
input.addEventListener("paste", (event) => {
  const image = [...event.clipboardData.files].find((file) => file.type.startsWith("image/"));
  if (!image) return;
  event.preventDefault();
  hold({ kind: "photo", file: image });
});
attachButton.addEventListener("click", () => {
  const choice = (kind) => option([icon(HELD_ICONS[kind]), h("span", {}, t(`attach_${kind}`))], () => pick(kind));
  togglePopover(attachButton, t("attach"), ["photo", "document"].map(choice));
});

// --- the popover: commands and attachments -------------------------------------------------------

function option(children, onclick, testid) {
  const props = { class: "option", role: "menuitem", tabindex: "-1", "data-testid": testid, onclick };
  return h("button", props, children);
}

function openPopover(button, label, options, focus) {
  fill(popover, options);
  popover.hidden = false;
  popover.setAttribute("aria-label", label);
  popover.dataset.for = button.id;
  popover.classList.add("popover");
  menuButton.setAttribute("aria-expanded", String(button === menuButton));
  attachButton.setAttribute("aria-expanded", String(button === attachButton));
  if (focus) popover.querySelector("button")?.focus();
}

function closePopover() {
  if (popover.hidden) return;
  popover.hidden = true;
  popover.classList.remove("popover");
  menuButton.setAttribute("aria-expanded", "false");
  attachButton.setAttribute("aria-expanded", "false");
}

function togglePopover(button, label, options) {
  if (!popover.hidden && popover.dataset.for === button.id) closePopover();
  else openPopover(button, label, options, true);
}

function commandOptions(prefix) {
  const found = commands.filter((item) => item.command.startsWith(prefix));
  return found.map((item) =>
    option(
      [h("strong", {}, `/${item.command}`), h("span", {}, item.description)],
      () => {
        input.value = `/${item.command}`;
        submit();
        input.focus();
      },
      `command-${item.command}`,
    ),
  );
}

async function loadCommands() {
  const { person, chat } = state;
  if (chat === null) return;
  try {
    const answer = await api.commands(person, chat);
    if (person === state.person && chat === state.chat) commands = answer ?? [];
  } catch {
    commands = [];
  }
}

menuButton.addEventListener("click", async () => {
  await loadCommands(); // they may have changed with the language
  const options = commandOptions("");
  togglePopover(menuButton, t("commands"), options.length ? options : h("p", { class: "quiet" }, t("no_commands")));
});

/** While "/…" is typed, offer the commands that begin so. */
function suggest() {
  const match = /^\/(\w*)$/.exec(input.value);
  const options = match ? commandOptions(match[1].toLowerCase()) : [];
  if (options.length) openPopover(menuButton, t("commands"), options, false);
  else closePopover();
}

/** Arrow keys go from the text into the open list. True when the key was used up. */
function popoverKeys(event) {
  if (popover.hidden) return false;
  if (event.key === "ArrowUp" || event.key === "ArrowDown") {
    const options = [...popover.querySelectorAll("button")];
    options.at(event.key === "ArrowUp" ? -1 : 0)?.focus();
    event.preventDefault();
    return true;
  }
  return false;
}

popover.addEventListener("keydown", (event) => {
  const options = [...popover.querySelectorAll("button")];
  const at = options.indexOf(document.activeElement);
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) {
    event.preventDefault();
    options.at((at + step + options.length) % options.length)?.focus();
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || popover.hidden) return;
  event.stopImmediatePropagation();
  const back = popover.contains(document.activeElement);
  closePopover();
  if (back) input.focus();
}, true);
document.addEventListener("click", (event) => {
  if (!popover.contains(event.target) && !event.target.closest("#menu, #attach, #composer")) closePopover();
});

// --- START, and chats one may only read -----------------------------------------------------------

function renderState() {
  const chat = chatById(state.person, state.chat);
  const empty = chat !== null && messagesFor(state.person, state.chat)?.length === 0;
  const blocked = chat?.type === "private" && chat.blocked;
  const starting = state.starting !== null && chat?.type === "private";
  const closed = closedHere();
  const mayPost = !blocked && !starting && !closed && (chat?.type !== "channel" || ["creator", "administrator"].includes(chat.status));
  startButton.hidden = !(blocked || starting || (empty && chat.type === "private"));
  startButton.textContent = t(blocked && !starting ? "unblock" : "start");
  readOnly.hidden = chat === null || mayPost || starting;
  readOnly.textContent = t(blocked ? "blocked" : (closed ?? "read_only"));
  form.hidden = chat === null || !mayPost;
  renderPlaceholder();
}

function renderPlaceholder() {
  const anonymous = chatById(state.person, state.chat)?.anonymous;
  input.placeholder = t(held?.file ? "caption" : anonymous ? "message_anonymous" : "message");
}

startButton.addEventListener("click", () => {
  if (state.starting) startPrivate(state.starting.payload);
  else if (chatById(state.person, state.chat)?.blocked) setBlocked(false);
  else startPrivate("");
});

function renderWords() {
  for (const [node, key] of [[menuButton, "commands"], [attachButton, "attach"], [sendButton, "send"]]) {
    node.setAttribute("aria-label", t(key));
    node.title = t(key);
  }
  input.setAttribute("aria-label", t("message"));
  renderState();
}

on("open", () => {
  const next = state.chat === null ? null : `${state.person}:${state.chat}`;
  if (owner !== next) {
    if (owner) drafts.set(owner, input.value);
    owner = next;
    input.value = drafts.get(next) ?? "";
    hold(null);
    closePopover();
    loadCommands();
  }
  renderState();
});
on("messages", renderState);
on("topic", renderState);
on("chats", renderState);
on("commands", loadCommands);
on("lang", renderWords);
fill(sendButton, icon("send"));
fill(menuButton, icon("slash"));
fill(attachButton, icon("attach"));
renderWords();
grow();
