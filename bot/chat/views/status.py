"""How everything runs, as operators read it."""

from bot.chat.screen import Screen, button, lines
from bot.chat.views.sale import METHODS
from bot.chat.views.sims import age
from bot.i18n import N_, Html, Words
from bot.ports import Backlog, Outcome, Priority
from bot.services.status import Standing

CLASSES = {
    Priority.PAYMENT: N_("Payments"),
    Priority.TOPUP: N_("Top-ups"),
    Priority.OPERATOR: N_("Letters and decisions"),
    Priority.REMINDER: N_("Reminders"),
    Priority.ALERT: N_("Alerts"),
    Priority.PROMO: N_("Promos"),
    Priority.BROADCAST: N_("News to everyone"),
}


def status(t: Words, one: Standing) -> Screen:
    """The whole picture, with what to do where something is wrong."""
    text = lines(
        t("📊 <b>How everything runs</b>"),
        "",
        *_messages(t, one),
        "",
        *_others(t, one),
    )
    rows = [
        [button(t.plain("What needs a person"), "queue")],
        [button(t.plain("Look again"), "status"), button(t.plain("‹ Menu"), "menu")],
    ]
    return Screen(text, rows)


def _messages(t: Words, one: Standing) -> list[Html]:
    found = [
        t.n("✉️ {n} message sent in the last minute", "✉️ {n} messages sent in the last minute",
            one.sent)
    ]  # fmt: skip
    if one.silent_until is not None:
        found.append(
            t("⏸ Telegram asks for a pause until {time}. Messages go on by themselves then.",
              time=t.clock(one.silent_until))
        )  # fmt: skip
    found += [_waiting(t, line, one) for line in one.queue if line.waiting]
    if not any(line.waiting for line in one.queue):
        found.append(t("No message waits."))
    planned = sum(line.planned for line in one.queue)
    if planned:
        found.append(t.n("{n} is planned for later.", "{n} are planned for later.", planned))
    gone = one.hour.get(Outcome.BLOCKED, 0) + one.hour.get(Outcome.DEACTIVATED, 0)
    failed, unclear = one.hour.get(Outcome.FAILED, 0), one.hour.get(Outcome.AMBIGUOUS, 0)
    if gone:
        found.append(
            t.n("In the last hour {n} did not arrive: the chat is closed to the bot.",
                "In the last hour {n} did not arrive: those chats are closed to the bot.", gone)
        )  # fmt: skip
    if unclear:
        found.append(
            t.n("In the last hour {n} may not have arrived: Telegram gave no answer.",
                "In the last hour {n} may not have arrived: Telegram gave no answer.", unclear)
        )  # fmt: skip
    if failed:
        found.append(
            t.n("⚠️ In the last hour Telegram refused {n}. Look for notice_refused in the log.",
                "⚠️ In the last hour Telegram refused {n}. Look for notice_refused in the log.",
                failed)
        )  # fmt: skip
    return found


def _waiting(t: Words, line: Backlog, one: Standing) -> Html:
    since = line.oldest or one.at
    return t(
        "• {kind}: {count} waiting, the oldest came {age}",
        kind=t(CLASSES[line.priority]), count=t.number(line.waiting), age=age(t, since, one.at),
    )  # fmt: skip


def _others(t: Words, one: Standing) -> list[Html]:
    found = [
        t("⚠️ {supplier} does not answer since {time}. See its status page; renewals there wait.",
          supplier=name, time=t.moment(since, now=one.at))
        for name, since in sorted(one.suppliers_away.items())
    ]  # fmt: skip
    if not found:
        found.append(t("✅ All suppliers answer."))
    if one.providers_away:
        names = t.join(t.plain(METHODS[method]) for method in one.providers_away)
        found.append(t("⚠️ No answer from: {methods}. Payments that came are taken over later.",
                       methods=names))  # fmt: skip
    elif one.reconciled_at is not None:
        found.append(t("✅ All payment providers answer."))
    if one.reconciled_at is None:
        found.append(t("The books have not been compared since the start; it happens each hour."))
    elif one.gaps:
        found.append(
            t.n("⚠️ Books compared {age}: {n} difference waits in /queue.",
                "⚠️ Books compared {age}: {n} differences wait in /queue.",
                one.gaps, age=age(t, one.reconciled_at, one.at))
        )  # fmt: skip
    else:
        found.append(
            t("✅ Books compared {age}: they agree.", age=age(t, one.reconciled_at, one.at))
        )
    return found
