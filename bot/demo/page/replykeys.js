// The keyboard a bot may put in place of the phone's: its rows, shown above the composer.

import * as api from "./api.js";
import { toast } from "./dialogs.js";
import { fill, h } from "./dom.js";
import { t } from "./i18n.js";
import { messagesFor, on, refreshMessages, state } from "./state.js";

const box = document.getElementById("reply-keys");
const used = new Set(); // "person:chat:message" of one-time keyboards

/** The keyboard in force: the newest one sent that no later message took away. */
function current() {
  const message = messagesFor(state.person, state.chat)?.findLast((m) => m.x?.keyboard && !m.deleted);
  const keyboard = message?.x.keyboard;
  const name = `${state.person}:${state.chat}:${message?.message_id}`;
  return keyboard?.keyboard && !used.has(name) ? { name, ...keyboard } : null;
}

async function send(keyboard, text) {
  const { person, chat } = state;
  if (keyboard.one_time_keyboard) used.add(keyboard.name);
  try {
    await api.sendText(person, chat, text);
  } catch (error) {
    toast(t("failed", { reason: error.message }), "bad");
  }
  await refreshMessages(person, chat);
  render();
}

function render() {
  const keyboard = state.chat === null ? null : current();
  box.hidden = keyboard === null;
  const rows = keyboard?.keyboard ?? [];
  const key = (button) => {
    const text = typeof button === "string" ? button : button.text;
    const onclick = () => send(keyboard, text);
    return h("button", { class: "key", onclick }, h("span", { class: "label" }, text));
  };
  fill(box, rows.map((row) => h("div", { class: "keys" }, row.map(key))));
}

on("open", render);
on("messages", render);
