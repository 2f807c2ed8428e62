"""Codes and points in words: what lowers a price, what was earned and spent."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.chat.screen import Button, Screen, button, lines
from bot.domain.money import Money
from bot.domain.points import Effect, PointEntry, PointTerms
from bot.domain.quotes import Quote
from bot.i18n import N_, Html, Words

_EFFECTS = {
    Effect.EARNED: N_("earned by an order"),
    Effect.SPENT: N_("spent on an order"),
    Effect.RETURNED: N_("given back, the order ended"),
    Effect.TAKEN_BACK: N_("taken back, the order was refunded"),
    Effect.EXPIRED: N_("expired"),
    Effect.POSTED: N_("earned by your posts"),
}


@dataclass(frozen=True, slots=True)
class Account:
    """A customer's points; `next_expiry` is when the next ones go, and how many."""

    balance: int
    next_expiry: tuple[datetime, int] | None
    history: Sequence[PointEntry]


def wishes(
    t: Words, quote: Quote, spare: tuple[int, Money] | None, *, codes: bool
) -> list[list[Button]]:
    """Under a price: send a code, pay a part with points. `spare` is how many and what they pay."""
    rows = []
    if codes:
        rows.append([button(t.plain("I have a code"), "code", quote.id)])
    if quote.points:
        rows.append([button(t.plain("Keep my points"), "points", quote.id)])
    elif spare is not None:
        points, pays = spare
        label = t.plain("Use {n} points (−{amount})", n=t.number(points), amount=t.money(pays))
        rows.append([button(label, "points", quote.id)])
    return rows


def ask_code(t: Words, quote: Quote, problem: Html | None = None) -> Screen:
    """Ask for a code; `problem` says why the one before gives nothing."""
    text = lines(
        problem,
        "" if problem else None,
        t("Send me the code, for example <code>SPRING10</code>."),
        t(
            "One code holds for a price, together with offers that say so. You see the new price "
            "before you pay."
        ),
    )
    return Screen(text, [[button(t.plain("‹ Back"), "price", quote.id)]])


def points(t: Words, account: Account, terms: PointTerms | None, now: datetime) -> Screen:
    """What there is, what it is worth, when it expires, and what happened last."""
    rows = [[button(t.plain("Renew"), "renew"), button(t.plain("‹ Menu"), "menu")]]
    if terms is None:
        text = t("Our shop gives no points. Offers show by themselves when you choose a plan.")
        return Screen(text, rows)
    parts: list[str | None] = [
        t("<b>Your points: {n}</b>", n=t.number(account.balance)),
        *_rules(t, terms),
    ]
    if account.next_expiry is not None:
        at, count = account.next_expiry
        said = t("{n} of them expire on {date}.", n=t.number(count), date=t.date(at, now=now))
        parts.append(said)
    if account.history:
        parts += ["", *(_row(t, entry, now) for entry in account.history)]
    else:
        parts += ["", t("Your first paid order earns some.")]
    return Screen(lines(*parts), rows)


def _rules(t: Words, terms: PointTerms) -> list[Html]:
    """What the shop gives and takes, in each of its currencies."""
    earn = t.join(
        t("{n} for {amount}", n=t.number(count), amount=t.money(Money.of(1, currency)))
        for currency, count in terms.earn.items()
    )
    # A hundred, since one may be worth less than the smallest coin.
    worth = t.join(t.price(each * 100, currency) for currency, each in terms.worth.items())
    return [
        t("An order earns points once it is delivered: {earn}.", earn=earn),
        t(
            "100 points pay {worth}, and up to {percent} % of a price.",
            worth=worth,
            percent=t.number(terms.most_percent),
        ),
        t.n(
            "They last {n} month. A refund gives back points that you spent, and takes back those "
            "that the order earned.",
            "They last {n} months. A refund gives back points that you spent, and takes back those "
            "that the order earned.",
            terms.months,
        ),
    ]


def _row(t: Words, entry: PointEntry, now: datetime) -> Html:
    sign = "+" if entry.amount > 0 else "−"
    return t(
        "{sign}{n} · {what} · {date}",
        sign=sign,
        n=t.number(abs(entry.amount)),
        what=t(_EFFECTS[entry.effect]),
        date=t.date(entry.at, now=now),
    )
