// The log panel: every call of the bot, newest first, with its request and answer to unfold.

import * as api from "./api.js";
import { fill, h } from "./dom.js";
import { knows, t } from "./i18n.js";
import { on } from "./state.js";

const panel = document.getElementById("panel-log");
const SHOWN = 200;
const KEPT = 2000;
const POLLING = new Set(["getUpdates"]);

let calls = []; // oldest first
let side = "all";
const rows = new Map(); // call id -> node

const filter = h("input", { type: "search", class: "field", "data-testid": "log-filter", autocomplete: "off" });
const polling = h("input", { type: "checkbox", "data-testid": "log-polling" });
const pollingWord = h("span");
const sides = h("div", { class: "segments", role: "group" });
const list = h("ol", { class: "log", "data-testid": "log" });
const help = h("p", { class: "quiet" });

const json = (value) => (typeof value === "string" ? value : JSON.stringify(value, null, 2));

function good(call) {
  return call.status >= 200 && call.status < 300;
}

/** A supplier's path by its last two parts; the whole is in the tooltip. */
const shortMethod = (method) => (method.includes("/") ? method.split("/").filter(Boolean).slice(-2).join("/") : method);

function detail(call) {
  return [
    [t("log_request"), call.request],
    [t("log_response"), call.answer],
  ].map(([title, value]) => [h("h4", {}, title), h("pre", { tabindex: "0" }, json(value) ?? "")]);
}

function row(call) {
  if (rows.has(call.id)) return rows.get(call.id);
  const body = h("div", { class: "call-detail" });
  const node = h(
    "li",
    {},
    h(
      "details",
      { class: good(call) ? "call" : "call bad", ontoggle: (event) => event.target.open && fill(body, detail(call)) },
      h(
        "summary",
        {},
        h("span", { class: `side ${call.to === "telegram" ? "telegram" : "supplier"}`, title: call.to }),
        h("span", { class: "method", title: call.method }, shortMethod(call.method)),
        h("span", { class: "status" }, call.status || "—"),
        h("span", { class: "ms" }, `${Math.round(call.ms)} ms`),
        h("time", {}, call.time.slice(11, 19)),
      ),
      body,
    ),
  );
  rows.set(call.id, node);
  return node;
}

function matches(call, words) {
  if (side === "telegram" && call.to !== "telegram") return false;
  if (side === "supplier" && call.to === "telegram") return false;
  if (!polling.checked && POLLING.has(call.method) && good(call)) return false;
  if (!words) return true;
  call.search ??= `${call.to} ${call.method} ${call.status} ${json(call.request)} ${json(call.answer)}`.toLowerCase();
  return call.search.includes(words);
}

function render() {
  const words = filter.value.trim().toLowerCase();
  const found = [];
  for (let i = calls.length - 1; i >= 0 && found.length < SHOWN; i -= 1) {
    if (matches(calls[i], words)) found.push(row(calls[i]));
  }
  fill(list, found.length ? found : h("li", { class: "quiet" }, t("log_empty")));
}

function renderWords() {
  filter.placeholder = t("log_filter");
  filter.setAttribute("aria-label", t("log_filter"));
  pollingWord.textContent = t("log_polling");
  help.textContent = t("log_help");
  fill(
    sides,
    ["all", "telegram", "supplier"].filter((name) => knows(`log_${name}`)).map((name) =>
      h(
        "button",
        {
          "aria-pressed": String(side === name),
          onclick: () => {
            side = name;
            renderWords();
            render();
          },
        },
        t(`log_${name}`),
      ),
    ),
  );
  rows.clear();
  render();
}

let waiting = false;

/** Take calls in, each once; a burst is drawn once. */
function add(fresh) {
  const newest = calls.at(-1)?.id ?? 0;
  calls = calls.concat(fresh.filter((call) => call.id > newest)).slice(-KEPT);
  if (panel.hidden || waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    render();
  });
}

async function loadCalls() {
  calls = [];
  rows.clear();
  try {
    add(await api.calls(0));
  } catch (error) {
    console.warn("calls", error.message);
  }
}

const pollingLabel = h("label", { class: "check" }, polling, pollingWord);
fill(panel, help, filter, h("div", { class: "log-bar" }, sides, pollingLabel), list);
filter.addEventListener("input", render);
polling.addEventListener("change", render);
on("call", (event) => add([event.call]));
on("tab", (name) => name === "log" && render());
on("lang", renderWords);
on("loaded", loadCalls);
renderWords();
