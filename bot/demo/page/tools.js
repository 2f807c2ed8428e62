// The right side: its tabs, and its being a drawer where the screen is narrow.

import { arrowKeys, fill, h, icon } from "./dom.js";
import { t } from "./i18n.js";
import { emit, on } from "./state.js";

const TABS = ["try", "log", "faults"];
const aside = document.getElementById("tools");
const toggle = document.getElementById("tools-toggle");
const close = document.getElementById("tools-close");
const tablist = document.getElementById("tabs");
const title = document.getElementById("tools-title");
const docked = window.matchMedia("(min-width: 1120px)");
const KEY = "xuka.tools";

let tab = "try";
let broken = 0;
let isOpen = docked.matches && localStorage.getItem(KEY) !== "closed";

function show() {
  document.body.classList.toggle("tools-open", isOpen);
  toggle.setAttribute("aria-expanded", String(isOpen));
  aside.inert = !isOpen;
}

function setOpen(next) {
  if (isOpen === next) return;
  isOpen = next;
  if (docked.matches) localStorage.setItem(KEY, isOpen ? "open" : "closed");
  show();
  if (docked.matches) return;
  if (isOpen) close.focus();
  else toggle.focus();
}

function choose(name) {
  tab = name;
  renderTabs();
  emit("tab", name);
}

function renderTabs() {
  fill(
    tablist,
    TABS.map((name) =>
      h(
        "button",
        {
          role: "tab",
          id: `tab-${name}`,
          "data-testid": `tab-${name}`,
          "aria-selected": String(name === tab),
          "aria-controls": `panel-${name}`,
          tabindex: name === tab ? "0" : "-1",
          onclick: () => choose(name),
        },
        icon({ try: "try", log: "log", faults: "fault" }[name]),
        h("span", {}, t(`tab_${name}`)),
        name === "faults" && broken > 0 && h("span", { class: "badge bad" }, broken),
      ),
    ),
  );
  for (const name of TABS) document.getElementById(`panel-${name}`).hidden = name !== tab;
}

function renderWords() {
  title.textContent = t("tools");
  aside.setAttribute("aria-label", t("tools"));
  for (const button of [toggle, close]) {
    button.setAttribute("aria-label", t(button === close ? "close" : "tools"));
    button.title = button.getAttribute("aria-label");
  }
  renderTabs();
}

arrowKeys(tablist, "button", ["ArrowLeft", "ArrowRight"]);
tablist.addEventListener("focusin", (event) => {
  const name = event.target.id?.replace("tab-", "");
  if (TABS.includes(name) && name !== tab) {
    choose(name);
    document.getElementById(`tab-${name}`).focus();
  }
});
toggle.addEventListener("click", () => setOpen(!isOpen));
close.addEventListener("click", () => setOpen(false));
document.getElementById("scrim").addEventListener("click", () => setOpen(false));
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && isOpen && !docked.matches && !document.querySelector("dialog[open]")) setOpen(false);
});
docked.addEventListener("change", () => {
  isOpen = docked.matches && localStorage.getItem(KEY) !== "closed";
  show();
});
on("close-drawer", () => !docked.matches && setOpen(false));
on("lang", renderWords);
on("fault-count", (count) => {
  if (broken === count) return;
  broken = count;
  renderTabs();
});
fill(toggle, icon("panel"));
fill(close, icon("close"));
renderWords();
show();
