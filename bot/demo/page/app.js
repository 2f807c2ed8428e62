// Starts the page: language, theme, loading, events.

import "./people.js";
import "./conversation.js";
import "./room.js";
import "./composer.js";
import "./replykeys.js";
import "./clock.js";
import "./tools.js";
import "./log.js";
import "./faults.js";
import "./try.js";
import { fill, icon } from "./dom.js";
import { lang, locale, setLang, t } from "./i18n.js";
import { emit, listen, on } from "./state.js";

const THEMES = ["auto", "light", "dark"];
const THEME_ICONS = { auto: "auto", light: "sun", dark: "moon" };
const root = document.documentElement;
const themeButton = document.getElementById("theme");
const langButtons = [...document.querySelectorAll("[data-lang]")];
const banner = document.getElementById("offline");
let theme = localStorage.getItem("xuka.theme") ?? "auto";

function renderTheme() {
  root.dataset.theme = theme;
  fill(themeButton, icon(THEME_ICONS[theme]));
  themeButton.setAttribute("aria-label", t(`theme_${theme}`));
  themeButton.title = t(`theme_${theme}`);
}

function renderChrome() {
  root.lang = locale();
  for (const button of langButtons) button.setAttribute("aria-pressed", String(button.dataset.lang === lang()));
  for (const node of document.querySelectorAll("[data-word]")) node.textContent = t(node.dataset.word);
  for (const node of document.querySelectorAll("[data-label]")) node.setAttribute("aria-label", t(node.dataset.label));
  renderTheme();
}

themeButton.addEventListener("click", () => {
  theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
  localStorage.setItem("xuka.theme", theme);
  renderTheme();
});
for (const button of langButtons) {
  button.addEventListener("click", () => {
    setLang(button.dataset.lang);
    renderChrome();
    emit("lang");
  });
}
on("online", (online) => (banner.hidden = online));

renderChrome();
on("loaded", () => document.body.classList.add("ready"));
listen();
