// The pay sheet: amount, title, who pays and with what; then what became of it. A subscription's sheet
// shows, once it runs, until when it is paid, and lets the person cancel it or take it up again.

import * as api from "./api.js";
import { openDialog, toast } from "./dialogs.js";
import { fill, h, icon, iconButton, starred } from "./dom.js";
import { longDay, money } from "./format.js";
import { t } from "./i18n.js";
import { personById, refreshMessages, refreshPeopleOnly } from "./state.js";

const DAY = 24 * 3600;
const CARDS = ["test", "declined"];

/** Open the sheet for an invoice message of a chat. */
export function paySheet(person, chat, message) {
  openSheet(person, chat, { what: { message_id: message.message_id }, invoice: message.invoice, period: 0 });
}

/** Open the sheet of an invoice behind a link (`https://t.me/$…`); it is paid in the private chat. */
export async function linkSheet(person, link) {
  try {
    const { invoice, subscription_period: period, subscription } = await api.invoiceBehind(person, link);
    const bill = { what: { link }, invoice, period };
    if (subscription) runningSheet(person, bill, subscription);
    else openSheet(person, person, bill);
  } catch (error) {
    toast(t("failed", { reason: error.message }), "bad");
  }
}

/** The dialog with its lasting parts; what changes is in `facts`, `status` and `foot`. */
function frame({ invoice, period }, title) {
  const parts = {
    facts: h("dl", { class: "sheet-facts" }),
    status: h("div", { class: "sheet-status", role: "status", "data-testid": "pay-result" }),
    foot: h("div", { class: "sheet-foot" }),
  };
  const dialog = openDialog(
    { class: "sheet", "aria-label": title, "data-testid": "pay-sheet" },
    h("div", { class: "sheet-head" }, h("h2", {}, title), iconButton("close", t("close"), () => dialog.close())),
    h("div", { class: "sheet-amount" }, starred(money(invoice.total_amount, invoice.currency))),
    period > 0 && h("span", { class: "quiet" }, t("pay_every", { n: period / DAY })),
    h("strong", { class: "sheet-title" }, invoice.title),
    h("p", { class: "sheet-text" }, invoice.description),
    parts.facts,
    parts.status,
    parts.foot,
  );
  return { dialog, ...parts };
}

/** Run a request while the sheet waits; its answer, or a refusal of the same shape. */
async function settled({ dialog, status, foot }, request) {
  const hold = (event) => event.preventDefault();
  dialog.addEventListener("cancel", hold);
  foot.querySelectorAll("button").forEach((button) => (button.disabled = true));
  fill(status, h("span", { class: "spinner" }), t("pay_working"));
  try {
    return (await request()) ?? {};
  } catch (error) {
    return { ok: false, error: error.message };
  } finally {
    dialog.removeEventListener("cancel", hold);
  }
}

function openSheet(person, chat, bill) {
  const { invoice, period, what } = bill;
  const amount = money(invoice.total_amount, invoice.currency);
  const sheet = frame(bill, t("pay_title"));
  const card = invoice.currency === "XTR" ? null : cardChoice();
  fill(sheet.facts, facts(person, invoice.currency, card));

  async function pay(body) {
    const result = await settled(sheet, () => api.pay(person, chat, body));
    refreshMessages(person, chat);
    refreshPeopleOnly();
    return result;
  }

  const label = t(period > 0 ? "pay_subscribe" : "pay_confirm", { amount });
  const confirm = h(
    "button",
    {
      class: "primary",
      "data-testid": "pay-confirm",
      onclick: async () => showResult(sheet, await pay(card ? { ...what, card: card.value } : what)),
    },
    h("span", {}, starred(label)),
  );
  const refuse = h(
    "button",
    {
      class: "secondary",
      "data-testid": "pay-decline",
      onclick: async () => {
        await pay({ ...what, decline: true });
        sheet.dialog.close();
      },
    },
    t("pay_decline"),
  );
  const note = period > 0 ? t("sub_note", { n: period / DAY }) : t("pay_note");
  fill(sheet.foot, confirm, refuse, h("p", { class: "quiet" }, note));
  confirm.focus();
}

function showResult({ dialog, status, foot }, result) {
  const ok = result.ok !== false;
  dialog.classList.add(ok ? "succeeded" : "failed");
  fill(
    status,
    h("span", { class: "sheet-mark" }, icon(ok ? "check" : "close")),
    h("strong", {}, t(ok ? "pay_done" : "pay_failed")),
    !ok && h("span", {}, reasonFor(result)),
  );
  const props = { class: "primary", "data-testid": "pay-close", onclick: () => dialog.close() };
  const button = h("button", props, t("ok"));
  fill(foot, button);
  button.focus();
}

const STATUSES = ["timed_out", "insufficient_stars", "card_declined", "subscribed_already"];

/** Why nothing was paid: the bot's own words, or what Telegram would say. */
function reasonFor(result) {
  if (result.error_message) return result.error_message;
  if (STATUSES.includes(result.status)) return t(`pay_${result.status}`);
  return result.error ?? t("pay_failed_note");
}

const cardChoice = () =>
  h(
    "select",
    { "aria-label": t("pay_card"), "data-testid": "pay-card" },
    CARDS.map((card) => h("option", { value: card }, t(`card_${card}`))),
  );

function facts(person, currency, card) {
  const payer = personById(person);
  const rows = [[t("pay_from"), payer?.name]];
  if (card) rows.push([t("pay_card"), card]);
  else if (payer) rows.push([t("pay_balance"), starred(money(payer.stars, currency))]);
  return rows.map(fact);
}

const fact = ([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value));

/** The sheet of a subscription that is paid for now. */
function runningSheet(person, bill, subscription) {
  const sheet = frame(bill, t("sub_title"));

  function show(now) {
    const until = longDay(now.expires_at);
    fill(sheet.facts, fact([t(now.renews ? "sub_renews" : "sub_ends"), until]));
    fill(sheet.status, t(now.renews ? "sub_on" : now.stopped_by_bot ? "sub_by_bot" : "sub_off"));
    const button = h(
      "button",
      {
        class: now.renews ? "secondary" : "primary",
        "data-testid": now.renews ? "sub-cancel" : "sub-resume",
        onclick: change,
      },
      t(now.renews ? "sub_cancel" : "sub_resume"),
    );
    fill(sheet.foot, !now.stopped_by_bot && button);
    if (!now.stopped_by_bot) button.focus();

    async function change() {
      const request = () => api.changeSubscription(person, now.id, now.renews);
      const result = await settled(sheet, request);
      if (result.ok === false) showResult(sheet, result);
      else show(result);
    }
  }

  show(subscription);
}
