// One Bot API Message as a bubble (or a service line).

import { h, icon, starred } from "./dom.js";
import { rich } from "./entities.js";
import { bytes, hue, money, nameOf, stamp, time } from "./format.js";
import { knows, t } from "./i18n.js";
import { lightbox } from "./dialogs.js";

/** A one-line summary for lists and service lines. */
export function preview(message) {
  if (message.deleted) return t("deleted");
  const service = serviceText(message);
  if (service) return service;
  const text = message.text ?? message.caption;
  if (message.photo) return `🖼 ${text || t("photo")}`;
  if (message.document) return `📎 ${text || message.document.file_name || t("document")}`;
  if (message.invoice) return `🧾 ${message.invoice.title}`;
  if (text) return text.replace(/\s+/g, " ");
  return otherKind(message);
}

const OTHERS = ["sticker", "video", "voice", "audio", "animation", "contact", "location", "dice", "poll"];

function otherKind(message) {
  const kind = OTHERS.find((name) => message[name]);
  if (kind === "dice") return `${message.dice.emoji} ${message.dice.value}`;
  if (kind === "contact") return `${t("contact")}: ${nameOf(message.contact)} ${message.contact.phone_number}`;
  return t(kind ?? "unknown_kind");
}

/** The words of a service message, or null for an ordinary one. */
export function serviceText(message) {
  const paid = message.successful_payment;
  if (paid) return t("service_paid", { amount: money(paid.total_amount, paid.currency) });
  const back = message.refunded_payment;
  if (back) return t("service_refunded", { amount: money(back.total_amount, back.currency) });
  if (message.new_chat_members) return t("service_joined", { name: message.new_chat_members.map(nameOf).join(", ") });
  if (message.left_chat_member) return t("service_left", { name: nameOf(message.left_chat_member) });
  const who = nameOf(message.sender_chat ?? message.from);
  if (message.pinned_message) return t("service_pinned", { name: who });
  if (message.new_chat_title) return t("service_title", { name: message.new_chat_title });
  if (message.forum_topic_created) return t("service_topic", { name: message.forum_topic_created.name });
  if (message.forum_topic_edited) return t("service_topic_named", { name: message.forum_topic_edited.name });
  if (message.forum_topic_closed) return t("service_topic_closed", { name: who });
  if (message.forum_topic_reopened) return t("service_topic_reopened", { name: who });
  if (message.write_access_allowed) return t("service_writing");
  if (message.migrate_to_chat_id || message.migrate_from_chat_id) return t("service_migrated");
  if (message.group_chat_created || message.supergroup_chat_created) return t("service_created");
  return null;
}

/**
 * Fill `item` (an `li`) with the message. `view` says who looks: `{ person, isGroup, topic, first, last }`;
 * `act` is what can be done: `{ button(message, button, node), pay(message), command(text), link(url, event) }`.
 */
export function renderMessage(item, message, view, act) {
  const out = String(message.from?.id) === String(view.person) && !message.sender_chat;
  const service = message.deleted ? null : serviceText(message);
  item.className = "row";
  item.classList.toggle("out", out);
  item.classList.toggle("service", Boolean(service));
  item.classList.toggle("first", view.first);
  item.classList.toggle("last", view.last);
  if (service) {
    const mark = message.successful_payment ? "check" : message.refunded_payment ? "receipt" : null;
    const look = mark ? "service-line money" : "service-line";
    item.replaceChildren(h("p", { class: look }, mark && icon(mark), h("span", {}, starred(service))));
    return;
  }
  const bubble = h("div", { class: "bubble" }, message.deleted ? tombstone(message) : content(message, view, out, act));
  const keyboard = message.deleted ? null : keyboardOf(message, act);
  if (keyboard) bubble.classList.add("with-keyboard");
  item.replaceChildren(h("div", { class: "stack" }, bubble, keyboard));
}

function tombstone(message) {
  return h("p", { class: "tombstone" }, t("deleted"), meta(message));
}

function content(message, view, out, act) {
  const parts = [];
  if (view.isGroup && !out && view.first) parts.push(sender(message));
  if (view.topic && view.first) parts.push(h("p", { class: "quiet in-topic" }, view.topic));
  if (message.forward_origin) parts.push(h("p", { class: "quiet" }, t("forwarded")));
  if (message.reply_to_message && !message.reply_to_message.forum_topic_created) {
    parts.push(reply(message.reply_to_message));
  }
  const media = mediaOf(message, act);
  parts.push(media);
  const text = message.text ?? message.caption;
  if (text !== undefined) {
    const entities = message.entities ?? message.caption_entities ?? [];
    parts.push(h("div", { class: "text", dir: "auto" }, rich(text, entities, act), meta(message)));
  } else {
    if (!media) parts.push(h("div", { class: "text" }, otherKind(message), meta(message)));
    else parts.push(h("div", { class: message.photo ? "meta-over" : "meta-under" }, meta(message)));
  }
  return parts;
}

function meta(message) {
  const at = message.edit_date ?? message.date;
  return h(
    "span",
    { class: "meta", title: stamp(at) },
    message.edited && !message.deleted && h("span", { class: "edited" }, t("edited")),
    h("time", { datetime: new Date(message.date * 1000).toISOString() }, time(message.date)),
  );
}

function sender(message) {
  const who = message.sender_chat ?? message.from;
  return h("p", { class: "sender", vars: { "--hue": hue(who?.id ?? 0) } }, nameOf(who));
}

function reply(message) {
  return h(
    "blockquote",
    { class: "reply" },
    h("strong", {}, nameOf(message.sender_chat ?? message.from)),
    h("span", {}, preview(message)),
  );
}

function mediaOf(message, act) {
  if (message.photo) return photo(message);
  if (message.invoice) return invoice(message, act);
  const file = message.document ?? message.video ?? message.audio ?? message.voice ?? message.animation;
  return file ? fileCard(message, file) : null;
}

const PHOTO_WIDTH = 340;
const PHOTO_HEIGHT = 420;

function photo(message) {
  const largest = message.photo.at(-1);
  const scale = Math.min(PHOTO_WIDTH / largest.width, PHOTO_HEIGHT / largest.height, 1);
  const width = Math.max(Math.round(largest.width * scale), 120);
  const source = message.x.file?.url;
  const alt = message.caption ?? t("photo");
  // The size is known before the picture is, so nothing jumps when it arrives.
  const image = h("img", { src: source, alt, width: largest.width, height: largest.height, loading: "lazy" });
  const onclick = () => lightbox(source, alt);
  return h("button", { class: "photo", "aria-label": t("open_photo"), vars: { "--w": `${width}px` }, onclick }, image);
}

function fileCard(message, file) {
  const name = file.file_name ?? t("document");
  return h(
    "a",
    {
      class: "file",
      href: message.x.file?.url,
      download: name,
      "aria-label": t("download", { name }),
    },
    h("span", { class: "file-icon" }, icon("document")),
    h("span", { class: "file-words" }, h("strong", {}, name), h("small", {}, bytes(file.file_size))),
  );
}

const isPaid = (message) => (message.x?.invoice?.paid ?? 0) > 0;

function invoice(message, act) {
  const { title, description, total_amount, currency } = message.invoice;
  const amount = money(total_amount, currency);
  const settled = isPaid(message);
  const hasOwnButton = message.reply_markup?.inline_keyboard?.flat().some((button) => button.pay);
  const sign = h("span", { class: "invoice-icon" }, icon("receipt"));
  const chip = settled && h("span", { class: "chip" }, icon("check"), t("paid"));
  return h(
    "div",
    { class: "invoice" },
    h("div", { class: "invoice-head" }, sign, h("span", {}, t("invoice"))),
    h("strong", {}, title),
    h("p", {}, description),
    h("div", { class: "invoice-amount" }, h("span", {}, starred(amount)), chip),
    !hasOwnButton && !settled && h(
      "button",
      { class: "primary", "data-testid": `pay-${message.message_id}`, onclick: () => act.pay(message) },
      h("span", {}, starred(t("pay", { amount }))),
    ),
  );
}

/** Rows of buttons exactly as sent; a pay button of a settled invoice says so. */
function keyboardOf(message, act) {
  const rows = message.reply_markup?.inline_keyboard ?? [];
  if (rows.length === 0) return null;
  return h(
    "div",
    { class: "keyboard", role: "group" },
    rows.map((row) => h("div", { class: "keys" }, row.map((button) => keyOf(message, button, act)))),
  );
}

function keyOf(message, button, act) {
  const settled = button.pay && isPaid(message);
  const mark = button.url ? "link" : button.copy_text ? "document" : null;
  const node = h(
    "button",
    {
      class: "key",
      "data-style": button.style,
      disabled: settled,
      "data-testid": button.pay ? `pay-${message.message_id}` : null,
      onclick: () => (button.pay ? act.pay(message) : act.button(message, button, node)),
    },
    h("span", { class: "label" }, settled ? t("paid") : starred(button.text)),
    mark && icon(mark),
  );
  return node;
}

/** What the bot is doing, as words: "typing…". */
export const actionText = (action) => t(knows(action) ? action : "typing");
