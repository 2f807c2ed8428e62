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

function render() {
  const focus = document.activeElement?.dataset?.focus;
  const help = h("p", { class: "quiet" }, t(faults.length ? "fault_help" : "fault_none"));
  fill(panel, help, h("ul", { class: "switches" }, faults.map(row)));
  if (focus?.startsWith("fault-")) panel.querySelector(`[data-focus="${focus}"]`)?.focus();
  emit("fault-count", faults.filter(isOn).length);
}

on("fault", refresh);
on("loaded", refresh);
on("lang", render);
