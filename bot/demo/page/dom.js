// Small helpers to build DOM nodes. Data only ever becomes a text node or an attribute, never markup.

const SVG = "http://www.w3.org/2000/svg";

/** Build an element: `on…` properties are listeners, `vars` are CSS variables, the rest are attributes. */
export function h(tag, props, ...children) {
  const node = document.createElement(tag);
  if (tag === "button") node.type = "button"; // else it would send a form around it
  for (const [key, value] of Object.entries(props ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (key === "vars") {
      for (const [name, v] of Object.entries(value)) node.style.setProperty(name, v);
    } else node.setAttribute(key, value === true ? "" : String(value));
  }
  node.append(...solid(children));
  return node;
}

/** Replace what a node holds. */
export function fill(node, ...children) {
  node.replaceChildren(...solid(children));
  return node;
}

function solid(children) {
  return children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false);
}

const ICONS = {
  attach: ["M20 11.5 12.2 19.3a5 5 0 0 1-7-7l8.4-8.5a3.4 3.4 0 0 1 4.8 4.8l-8.5 8.4a1.7 1.7 0 0 1-2.4-2.4l7.1-7"],
  auto: ["M12 4a8 8 0 1 0 0 16Z", "M12 4a8 8 0 0 1 0 16"],
  back: ["M15 5l-7 7 7 7"],
  block: ["M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17Z", "M6 6l12 12"],
  chat: ["M4 6.5A2.5 2.5 0 0 1 6.5 4h11A2.5 2.5 0 0 1 20 6.5v7a2.5 2.5 0 0 1-2.5 2.5H11l-4.5 4v-4A2.5 2.5 0 0 1 4 13.5Z"],
  check: ["M5 12.5l4.5 4.5L19 7.5"],
  clock: ["M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17Z", "M12 7.5V12l3 2"],
  close: ["M6 6l12 12M18 6 6 18"],
  document: ["M7 3.5h7l4 4v13H7Z", "M14 3.5v4h4"],
  down: ["M6 9.5l6 6 6-6"],
  edit: ["M5 19l.8-3.7L16 5.1l2.9 2.9L8.7 18.2Z"],
  fault: ["M12 4 2.8 19.5h18.4Z", "M12 10v4.5M12 17v.3"],
  image: ["M4 5.5h16v13H4Z", "M4 16l4.5-4.5 4 4 3-3L20 17", "M15.5 9.3v.1"],
  link: ["M8 16 16 8M9.5 8H16v6.5"],
  lock: ["M6.5 11h11v8.5h-11Z", "M9 11V8a3 3 0 0 1 6 0v3"],
  log: ["M5 6.5h14M5 12h14M5 17.5h9"],
  more: ["M12 6v.2M12 12v.2M12 18v.2"],
  moon: ["M19.5 14.5A8 8 0 0 1 9.5 4.5a8 8 0 1 0 10 10Z"],
  panel: ["M4 5h16v14H4Z", "M14.5 5v14"],
  pin: ["M9 4h6l-.7 6.2 3.2 3.3H6.5l3.2-3.3Z", "M12 13.5V20"],
  receipt: ["M6.5 3.5h11v17l-2.7-1.7L12 20.5l-2.8-1.7-2.7 1.7Z", "M9.5 8.5h5M9.5 12.5h5"],
  send: ["M4.5 11.8 19.5 4.5l-5 15-3.4-5.6Z", "M11.1 13.9l8.4-9.4"],
  slash: ["M14.5 6l-5 12"],
  star: ["M12 3.2l2.7 5.6 6.1.8-4.5 4.2 1.1 6.1L12 17l-5.4 2.9 1.1-6.1-4.5-4.2 6.1-.8Z"],
  sun: ["M12 8.2a3.8 3.8 0 1 0 0 7.6 3.8 3.8 0 0 0 0-7.6Z", "M12 3v1.5M12 19.5V21M3 12h1.5M19.5 12H21M5.6 5.6l1.1 1.1M17.3 17.3l1.1 1.1M18.4 5.6l-1.1 1.1M6.7 17.3l-1.1 1.1"],
  try: ["M9.5 4h5M10.5 4v5.5L5.5 18.5A1.3 1.3 0 0 0 6.7 20.5h10.6a1.3 1.3 0 0 0 1.2-2l-5-9V4", "M8 15h8"],
};

/** A decorative line icon of 24 × 24, in the text's colour. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  for (const d of ICONS[name]) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", d);
    svg.append(path);
  }
  return svg;
}

/** A round button with an icon; `label` is its name and its tooltip. */
export function iconButton(name, label, onclick, { kind = "", ...props } = {}) {
  const look = `icon-button ${kind}`.trim();
  return h("button", { class: look, title: label, "aria-label": label, onclick, ...props }, icon(name));
}

/** A text in which each ⭐ is drawn (not every machine has the emoji) and still read as text. */
export function starred(text) {
  const parts = text.split(/⭐\uFE0F?/);
  const star = () => h("span", { class: "star" }, icon("star"), h("span", { class: "sr" }, "⭐"));
  return parts.flatMap((part, i) => (i === 0 ? [part] : [star(), part]));
}

/** Move the focus with the arrow keys among the elements that match, within a container. */
export function arrowKeys(container, selector, keys = ["ArrowUp", "ArrowDown"]) {
  container.addEventListener("keydown", (event) => {
    const step = event.key === keys[0] ? -1 : event.key === keys[1] ? 1 : 0;
    const edge = event.key === "Home" ? 0 : event.key === "End" ? -1 : null;
    if (!step && edge === null) return;
    const items = [...container.querySelectorAll(selector)];
    const at = items.indexOf(document.activeElement?.closest(selector));
    if (at < 0) return;
    event.preventDefault();
    items.at(step ? (at + step + items.length) % items.length : edge).focus();
  });
}
