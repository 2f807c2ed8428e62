// The pay sheet: amount, title, who pays; then what became of it.

import * as api from "./api.js";
import { openDialog } from "./dialogs.js";
import { fill, h, icon, iconButton, starred } from "./dom.js";
import { money } from "./format.js";
import { t } from "./i18n.js";
import { personById, refreshMessages, refreshPeopleOnly } from "./state.js";

/** Open the sheet for an invoice message of a chat. */
export function paySheet(person, chat, message) {
  const { title, description, total_amount, currency } = message.invoice;
  const amount = money(total_amount, currency);
  const payer = personById(person);
  const foot = h("div", { class: "sheet-foot" });
  const status = h("div", { class: "sheet-status", role: "status", "data-testid": "pay-result" });
  const dialog = openDialog(
    { class: "sheet", "aria-label": t("pay_title"), "data-testid": "pay-sheet" },
    h("div", { class: "sheet-head" }, h("h2", {}, t("pay_title")), iconButton("close", t("close"), () => dialog.close())),
    h("div", { class: "sheet-amount" }, starred(amount)),
    h("strong", { class: "sheet-title" }, title),
    h("p", { class: "sheet-text" }, description),
    h("dl", { class: "sheet-facts" }, facts(payer, currency)),
    status,
    foot,
  );
  let busy = false;
  dialog.addEventListener("cancel", (event) => busy && event.preventDefault());

  async function settle(request, show) {
    busy = true;
    foot.querySelectorAll("button").forEach((button) => (button.disabled = true));
    fill(status, h("span", { class: "spinner" }), t("pay_working"));
    let result;
    try {
      result = await request();
    } catch (error) {
      result = { ok: false, error: error.message };
    }
    busy = false;
    refreshMessages(person, chat);
    refreshPeopleOnly();
    show(result ?? {});
  }

  function shown(result) {
    const ok = result.ok !== false;
    dialog.classList.add(ok ? "succeeded" : "failed");
    const reason = reasonFor(result);
    fill(
      status,
      h("span", { class: "sheet-mark" }, icon(ok ? "check" : "close")),
      h("strong", {}, t(ok ? "pay_done" : "pay_failed")),
      !ok && h("span", {}, reason),
    );
    const props = { class: "primary", "data-testid": "pay-close", onclick: () => dialog.close() };
    const button = h("button", props, t("ok"));
    fill(foot, button);
    button.focus();
  }

  const confirm = h(
    "button",
    {
      class: "primary",
      "data-testid": "pay-confirm",
      onclick: () => settle(() => api.pay(person, chat, message.message_id), shown),
    },
    h("span", {}, starred(t("pay_confirm", { amount }))),
  );
  const refuse = h(
    "button",
    {
      class: "secondary",
      "data-testid": "pay-decline",
      onclick: () => settle(() => api.decline(person, chat, message.message_id), () => dialog.close()),
    },
    t("pay_decline"),
  );
  fill(foot, confirm, refuse, h("p", { class: "quiet" }, t("pay_note")));
  confirm.focus();
}

/** Why nothing was paid: the bot's own words, or what Telegram would say. */
function reasonFor(result) {
  if (result.error_message) return result.error_message;
  if (["timed_out", "insufficient_stars"].includes(result.status)) return t(`pay_${result.status}`);
  return result.error ?? t("pay_failed_note");
}

function facts(payer, currency) {
  const rows = [[t("pay_from"), payer?.name]];
  if (currency === "XTR" && payer) rows.push([t("pay_balance"), starred(money(payer.stars, "XTR"))]);
  return rows.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value)));
}
