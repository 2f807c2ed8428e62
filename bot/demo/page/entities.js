// Telegram's message entities as DOM nodes. Offsets are UTF-16 code units, as JavaScript's are.

import { h } from "./dom.js";
import { parseUrl } from "./format.js";
import { t } from "./i18n.js";

const TAGS = { bold: "strong", italic: "em", underline: "u", strikethrough: "s", code: "code" };

/** Nodes for a text; `actions.command(text)` and `actions.link(url, event)` are called on a click. */
export function rich(text, entities = [], actions = {}) {
  const sorted = entities
    .filter((entity) => entity.length > 0)
    .sort((a, b) => a.offset - b.offset || b.length - a.length);
  return nodes(text, 0, text.length, sorted, actions);
}

const BLOCKS = new Set(["pre", "blockquote", "expandable_blockquote"]);

/** Blocks break the line themselves: one line end beside them is theirs. */
function between(text, afterBlock, beforeBlock) {
  let part = text;
  if (afterBlock && part.startsWith("\n")) part = part.slice(1);
  if (beforeBlock && part.endsWith("\n")) part = part.slice(0, -1);
  return part;
}

function nodes(text, from, to, entities, actions) {
  const result = [];
  let at = from;
  let afterBlock = false;
  for (let i = 0; i < entities.length; ) {
    const entity = entities[i];
    const end = Math.min(entity.offset + entity.length, to);
    if (entity.offset < at || end <= entity.offset) {
      i += 1;
      continue;
    }
    const block = BLOCKS.has(entity.type);
    result.push(between(text.slice(at, entity.offset), afterBlock, block));
    afterBlock = block;
    const inner = [];
    for (i += 1; i < entities.length && entities[i].offset < end; i += 1) inner.push(entities[i]);
    const children = nodes(text, entity.offset, end, inner, actions);
    result.push(wrap(entity, text.slice(entity.offset, end), children, actions));
    at = end;
  }
  result.push(between(text.slice(at, to), afterBlock, false));
  return result;
}

function wrap(entity, raw, children, actions) {
  if (entity.type in TAGS) return h(TAGS[entity.type], {}, children);
  switch (entity.type) {
    case "pre":
      return h("pre", { "data-language": entity.language }, h("code", {}, children));
    case "blockquote":
      return h("blockquote", {}, children);
    case "expandable_blockquote":
      return quote(children);
    case "spoiler":
      return spoiler(children);
    case "text_link":
      return link(entity.url, children, actions);
    case "url":
      return link(/^[a-z]+:\/\//i.test(raw) ? raw : `https://${raw}`, children, actions);
    case "email":
      return link(`mailto:${raw}`, children, actions);
    case "bot_command":
      return h("button", { class: "inline-link", onclick: () => actions.command?.(raw) }, children);
    case "mention":
    case "text_mention":
    case "hashtag":
    case "cashtag":
    case "phone_number":
      return h("span", { class: "mark" }, children);
    default:
      return h("span", {}, children);
  }
}

/** Only addresses that cannot run anything become links. */
function link(address, children, actions) {
  const url = parseUrl(address);
  if (!url || !["http:", "https:", "mailto:", "tg:", "tel:"].includes(url.protocol)) return h("span", {}, children);
  const onclick = (event) => actions.link?.(url.href, event);
  return h("a", { href: url.href, target: "_blank", rel: "noopener noreferrer", onclick }, children);
}

function quote(children) {
  const onclick = () => node.classList.toggle("open");
  const onkeydown = (event) => event.key === "Enter" && onclick();
  const node = h("blockquote", { class: "expandable", tabindex: "0", onclick, onkeydown }, children);
  return node;
}

function spoiler(children) {
  const show = () => {
    node.classList.add("shown");
    node.removeAttribute("role");
    node.removeAttribute("aria-label");
    node.removeAttribute("tabindex");
  };
  const node = h(
    "span",
    { class: "spoiler", role: "button", tabindex: "0", "aria-label": t("spoiler"), onclick: show },
    children,
  );
  node.addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      show();
    }
  });
  return node;
}
