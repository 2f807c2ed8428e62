// The clock panel: the demo's time in UTC, and moving it forward.

import * as api from "./api.js";
import { toast } from "./dialogs.js";
import { fill, h } from "./dom.js";
import { longDay, span, time } from "./format.js";
import { t } from "./i18n.js";
import { now, on, refreshChats, refreshClock, setClock, state } from "./state.js";

const panel = document.getElementById("clock");
const STEPS = [
  ["clock-hour", "plus_hour", 3600],
  ["clock-day", "plus_day", 86400],
  ["clock-week", "plus_week", 7 * 86400],
];
const MINUTE = 60;

const clockTime = h("time", { class: "clock-time", "data-testid": "clock-now" });
const clockDay = h("p", { class: "clock-day" });
const offset = h("p", { class: "quiet", role: "status", "data-testid": "clock-offset" });
const buttons = STEPS.map(([id, , seconds]) =>
  h("button", { class: "secondary", "data-testid": id, onclick: () => advance(seconds) }),
);
const help = h("p", { class: "quiet" });
let busy = false;

function tick() {
  const unix = now();
  clockTime.textContent = `${time(unix)} UTC`;
  clockTime.dateTime = new Date(unix * 1000).toISOString();
  clockDay.textContent = longDay(unix);
}

function render() {
  tick();
  STEPS.forEach(([, word], i) => {
    buttons[i].textContent = t(word);
    buttons[i].disabled = busy;
  });
  panel.classList.toggle("busy", busy);
  panel.setAttribute("aria-busy", String(busy));
  const ahead = state.clock?.offset_seconds ?? 0;
  if (busy) fill(offset, h("span", { class: "spinner" }), t("clock_busy"));
  else fill(offset, ahead < MINUTE ? t("clock_real") : t("clock_ahead", { span: span(ahead) }));
  fill(help, t("clock_help"));
}

/** Answers once everything due on the way has happened and the bot is idle. */
async function advance(seconds) {
  busy = true;
  render();
  try {
    setClock(await api.advance(seconds));
  } catch (error) {
    toast(t("failed", { reason: error.message }), "bad");
    await refreshClock();
  }
  busy = false;
  render();
  state.people.forEach((person) => refreshChats(person.id));
}

fill(
  panel,
  h("div", { class: "clock-face" }, clockTime, clockDay),
  offset,
  h("div", { class: "clock-steps" }, buttons),
  help,
);
on("clock", render);
on("lang", render);
setInterval(tick, 1000);
render();
