// The fault panel: switches that make Telegram or the supplier misbehave.

import * as api from "./api.js";
import { toast } from "./dialogs.js";
import { fill, h } from "./dom.js";
import { lang, t } from "./i18n.js";
import { emit, on } from "./state.js";

const panel = document.getElementById("panel-faults");
let faults = [];

const isOn = (fault) => fault.on || fault.times > 0;

async function refresh() {
  try {
    faults = await api.faults();
  } catch (error) {
    console.warn("faults", error.message);
  }
  render();
}

async function flip(fault) {
  try {
    await api.setFault(fault.name, !isOn(fault));
  } catch (error) {
    toast(t("failed", { reason: error.message }), "bad");
  }
  await refresh();
}

function row(fault) {
  const title = (lang() === "zh" ? fault.title_zh : fault.title_en) ?? fault.name;
  const note = lang() === "en" && fault.description;
  const id = `fault-${fault.name}`;
  const props = {
    role: "switch",
    class: "switch",
    "aria-checked": String(isOn(fault)),
    "data-testid": id,
    "data-focus": id,
    onclick: () => flip(fault),
  };
  const words = h("span", { class: "words" }, h("strong", {}, title), note && h("small", {}, note));
  const times = fault.times > 0 && h("span", { class: "chip" }, `×${fault.times}`);
  return h("li", {}, h("button", props, words, times, h("span", { class: "track", "aria-hidden": "true" })));
}

// Titles begin with whose fault it is: "Telegram is down", "eSIM Access: wallet empty".
const SYSTEMS = ["Telegram", "eSIM Access", "Airalo", "Reloadly", "DingConnect"];
const systemOf = (fault) => SYSTEMS.find((name) => fault.title_en.startsWith(name)) ?? "…";

const opened = new Set(["Telegram"]);

function group([system, own]) {
  const on = own.filter(isOn).length;
  const summary = h(
    "summary",
    { "data-focus": `fault-group-${system}` },
    h("strong", {}, system),
    on ? h("span", { class: "chip bad" }, String(on)) : h("small", {}, String(own.length)),
  );
  const keep = (event) => opened[event.target.open ? "add" : "delete"](system);
  const props = { class: "fold", open: opened.has(system) || on > 0, ontoggle: keep };
  return h("details", props, summary, h("ul", { class: "switches" }, own.map(row)));
}

function render() {
  const focus = document.activeElement?.dataset?.focus;
  const help = h("p", { class: "quiet" }, t(faults.length ? "fault_help" : "fault_none"));
  const groups = new Map();
  for (const fault of faults) groups.set(systemOf(fault), [...(groups.get(systemOf(fault)) ?? []), fault]);
  fill(panel, help, [...groups].map(group));
  if (focus?.startsWith("fault-")) panel.querySelector(`[data-focus="${focus}"]`)?.focus();
  emit("fault-count", faults.filter(isOn).length);
}

on("fault", refresh);
on("loaded", refresh);
on("lang", render);
