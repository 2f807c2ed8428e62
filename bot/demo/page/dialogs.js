// Toasts, alerts and the picture viewer. Modal things are <dialog>s: focus stays inside, Esc closes.

import { h, iconButton } from "./dom.js";
import { t } from "./i18n.js";

const TOAST_MS = 4500;

/** A short note at the top of the conversation; screen readers are told. */
export function toast(text, kind = "note") {
  const region = document.getElementById("toasts");
  const node = h("div", { class: `toast ${kind}`, "data-testid": "toast" }, text);
  while (region.children.length > 2) region.firstChild.remove();
  region.append(node);
  setTimeout(() => node.classList.add("leaving"), TOAST_MS);
  setTimeout(() => node.remove(), TOAST_MS + 300);
}

/** Show a <dialog> with these children; removed from the page once closed. */
export function openDialog(properties, ...children) {
  const dialog = h("dialog", properties, children);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.requestClose?.() ?? dialog.close();
  });
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/** Telegram's alert of a callback answer: stays until it is closed. */
export function alertBox(title, text) {
  const dialog = openDialog(
    { class: "alert", role: "alertdialog", "aria-label": title, "data-testid": "alert" },
    h("strong", {}, title),
    h("p", {}, text),
    h("button", { class: "primary", onclick: () => dialog.close() }, t("ok")),
  );
}

export function lightbox(source, alt) {
  const dialog = openDialog(
    { class: "lightbox", "aria-label": alt },
    h("img", { src: source, alt, onclick: () => dialog.close() }),
    iconButton("close", t("close"), () => dialog.close()),
  );
}

