"""A customer's wallet in words: what is in it, putting money in, getting it back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.chat.screen import Button, Screen, button, grid, lines
from bot.chat.shop import Merchant
from bot.chat.views.paying import totals
from bot.chat.views.sale import METHODS
from bot.domain.ledger import Deposit, EntryKind, Line
from bot.domain.money import Money
from bot.domain.orders import PaymentState
from bot.domain.sales import Method, Order, Payment
from bot.i18n import N_, Html, Words
from bot.ports import Bill
from bot.services.deposits import Purse, Unspent

_LINES = {
    EntryKind.TOPUP: N_("{amount} · topped up, {when}"),
    EntryKind.ORDER: N_("{amount} · order {number}, {when}"),
    EntryKind.RETURNED: N_("{amount} · back from order {number}, {when}"),
    EntryKind.PAID_OUT: N_("{amount} · sent back to you, {when}"),
    EntryKind.TAKEN_BACK: N_("{amount} · taken back by the payment provider, {when}"),
    EntryKind.HELD: N_("{amount} · held while its payment is disputed, {when}"),
    EntryKind.FREED: N_("{amount} · no longer held, {when}"),
    EntryKind.COMMISSION: N_("{amount} · earned by your posts, {when}"),
}


@dataclass(frozen=True, slots=True)
class Filling:
    """Everything a deposit's message tells. `order` is one that waits for money."""

    deposit: Deposit
    attempt: Payment | None
    """The attempt that waits for money."""
    credited: tuple[Money, ...]
    """What its charges have added to the wallet."""
    balances: tuple[Money, ...]
    order: Order | None = None
    proved: bool = False
    returned: tuple[Money, ...] = ()
    """What of its charges went back, or is on its way."""


def purse(t: Words, one: Purse, now: datetime) -> Screen:
    """What is in the wallet, and what moved."""
    moved = [_line(t, line, now) for line in one.lines]
    text = lines(
        t("<b>Your wallet</b>"),
        *_balances(t, one.balances),
        *(
            t(
                "On hold: {amount}. Its payment is disputed at your bank; until that is decided it "
                "can't be spent.",
                amount=t.money(amount),
            )
            for amount in one.held
        ),
        t("A renewal is paid from it with one tap and without a fee."),
        "" if moved else None,
        *moved,
    )
    rows = [[button(t.plain("➕ Top up"), "wtop")]]
    if one.returnable:
        rows.append([button(t.plain("Get a top-up back"), "wback")])
    return Screen(text, [*rows, [button(t.plain("‹ Menu"), "menu")]])


def _balances(t: Words, balances: Sequence[Money]) -> list[Html]:
    if not balances:
        return [t("It is empty.")]
    return [t("Balance: <b>{amount}</b>", amount=t.money(amount)) for amount in balances]


def _line(t: Words, line: Line, now: datetime) -> Html:
    sign = "+" if line.amount.minor > 0 else "−"
    amount = t.money(Money(abs(line.amount.minor), line.amount.currency))
    number = f"XK-{line.about.upper()}" if line.about else ""
    when = t.date(line.at, now=now)
    return t(_LINES[line.kind], amount=f"{sign}{amount}", number=number, when=when)


def off(t: Words) -> Screen:
    """This shop keeps no wallets."""
    text = t("Our shop keeps no wallets. Renewals are paid one by one: tap <b>Renew</b>.")
    return Screen(text, [[button(t.plain("🔄 Renew"), "renew"), button(t.plain("‹ Menu"), "menu")]])


# ---- putting money in --------------------------------------------------------------------


def ask_amount(
    t: Words, amounts: Mapping[str, Sequence[Money]], currency: str, problem: Html | None = None
) -> Screen:
    """How much, by a button or in writing."""
    text = lines(
        problem,
        t("<b>Top up your wallet</b>"),
        t("Choose an amount, or write one in {currency}, for example <code>25</code>.",
          currency=currency),
    )  # fmt: skip
    offered = [button(t.money(one), "wamt", one.currency, one.minor) for one in amounts[currency]]
    others = [button(other, "wtop", other) for other in amounts if other != currency]
    rows = [*grid(offered), *grid(others, 4), [button(t.plain("‹ Wallet"), "wallet")]]
    return Screen(text, rows)


def filling(t: Words, one: Filling, now: datetime, problem: Html | None = None) -> Screen:
    """Where a deposit stands and what to do next."""
    deposit = one.deposit
    if deposit.paid_at is not None:
        return _filled(t, one)
    if deposit.ended_at is not None or not deposit.waits(now):
        text = lines(
            t("<b>Wallet top-up {number}</b>", number=deposit.number),
            t("It was not paid in time or was stopped. Nothing was charged; money that still "
              "comes is put into your wallet."),
        )  # fmt: skip
        rows = [[button(t.plain("➕ Top up"), "wtop"), button(t.plain("‹ Wallet"), "wallet")]]
        return Screen(text, rows)
    how, rows = _open(t, one)
    rows += [[_choice(t, deposit, total.method, total.amount)] for total in deposit.totals]
    rows.append([button(t.plain("Stop this top-up"), "dcancel", deposit.id)])
    text = lines(
        problem,
        "" if problem else None,
        t("<b>Wallet top-up {number}</b>", number=deposit.number),
        t("{amount} will be in your wallet.", amount=t.money(deposit.amount)),
        "",
        *totals(t, deposit.totals, now),
        "",
        how,
        t("This stands until {time}.", time=t.moment(deposit.expires_at, now=now)),
    )
    return Screen(text, rows)


def _open(t: Words, one: Filling) -> tuple[Html | None, list[list[Button]]]:
    """How to pay the attempt that is open."""
    attempt, deposit = one.attempt, one.deposit
    if attempt is None or attempt.state is not PaymentState.PENDING:
        return t("Choose how to pay:"), []
    if attempt.method is Method.TRANSFER:
        how = t("Transfer {amount} and send us a photo of the proof.",
                amount=t.money(attempt.amount))  # fmt: skip
        if one.proved:
            how = t("We have your proof. Our shop compares it with its account, mostly within "
                    "a few hours, and writes to you here.")  # fmt: skip
        return how, [[button(t.plain("Where to transfer"), "dtransfer", deposit.id)]]
    if attempt.url is not None:
        pay = t.plain("Pay {total}", total=t.money(attempt.amount))
        how = t("Tap <b>Pay</b> to open the payment page, then come back here. "
                "We see by ourselves that you have paid.")  # fmt: skip
        check = button(t.plain("I have paid"), "dcheck", deposit.id)
        return how, [[Button(pay, url=attempt.url)], [check]]
    return t("Tap <b>Pay</b> in the invoice below."), []


def _choice(t: Words, deposit: Deposit, method: Method, amount: Money) -> Button:
    label = t.plain("{method} · {total}", method=t.plain(METHODS[method]), total=t.money(amount))
    if method is Method.TRANSFER:
        return button(label, "dtransfer", deposit.id)
    return button(label, "dpay", deposit.id, method.value)


def _filled(t: Words, one: Filling) -> Screen:
    deposit, order = one.deposit, one.order
    text = lines(
        t("<b>Wallet top-up {number}</b>", number=deposit.number),
        *(t("✅ {amount} came in.", amount=t.money(amount)) for amount in one.credited),
        *(t("↩️ {amount} goes back to where you paid from.", amount=t.money(amount))
          for amount in one.returned),
        *_balances(t, one.balances),
    )  # fmt: skip
    rows = []
    if order is not None:
        label = t.plain("Pay order {number} from it", number=order.number)
        rows.append([button(label, "wallet", order.quote_id)])
    return Screen(text, [*rows, [button(t.plain("‹ Wallet"), "wallet")]])


def bill(t: Words, deposit: Deposit, merchant: Merchant, back: str) -> Bill:
    """What the invoice says; Telegram allows a title of 32 and a description of 255 characters."""
    title = t.plain("Wallet top-up")
    text = t.plain(
        "{amount} for your wallet at {merchant}. Top-up {number}.",
        amount=t.money(deposit.amount), merchant=merchant.name, number=deposit.number,
    )  # fmt: skip
    return Bill(title[:32], text[:255], title[:32], t.language, back)


def short(t: Words, order: Order, balance: Money) -> Screen:
    """The wallet does not hold enough for an order."""
    due = order.due or order.price
    missing = due - balance
    text = lines(
        t("<b>Order {number}</b>", number=order.number),
        t("It costs {price}; your wallet holds {balance}.", price=t.money(due),
          balance=t.money(balance)),
        t("Top up what is missing and pay, or choose another way. Nothing was charged."),
    )  # fmt: skip
    return Screen(
        text,
        [
            [button(t.plain("➕ Top up {amount}", amount=t.money(missing)), "wfill", order.id)],
            [button(t.plain("Other way to pay"), "price", order.quote_id)],
            [button(t.plain("Cancel the order"), "cancel", order.id)],
        ],
    )


# ---- getting it back ---------------------------------------------------------------------


def unspent(t: Words, found: Sequence[Unspent], now: datetime) -> Screen:
    """Top-ups that can go back."""
    if not found:
        text = t("There is no top-up that can go back: each was spent or is on its way already.")
        return Screen(text, [[button(t.plain("‹ Wallet"), "wallet")]])
    rows = []
    for one in found[:8]:
        at = one.payment.captured_at or one.payment.created_at
        label = f"{t.money(one.returned)} · {t.date(at, now=now)}"
        rows.append([button(label, "wback", one.payment.id)])
    text = t("Which top-up shall go back to where you paid it from?")
    return Screen(text, [*rows, [button(t.plain("‹ Wallet"), "wallet")]])


def theirs(t: Words, name: str, one: Purse, found: Sequence[Unspent], now: datetime) -> Screen:
    """A customer's wallet as an operator sees it, with the top-ups that can go back."""
    moved = [_line(t, line, now) for line in one.lines]
    text = lines(
        t("<b>Wallet of {name}</b>", name=name),
        *_balances(t, one.balances),
        "" if moved else None,
        *moved,
        t("A top-up below can be sent back to where it was paid from.") if found else None,
    )
    rows = [
        [button(t.plain("Return {amount}", amount=t.money(one.returned)), "oback", one.payment.id)]
        for one in found[:8]
    ]
    return Screen(text, [*rows, [button(t.plain("‹ Queue"), "queue")]])


def ask_return(t: Words, one: Unspent) -> Screen:
    """Once more before an operator moves a customer's money."""
    text = t(
        "{credited} leaves the customer's wallet and {returned} goes back by {method}. Is that "
        "right?",
        credited=t.money(one.credited), returned=t.money(one.returned),
        method=t.plain(METHODS[one.payment.method]),
    )  # fmt: skip
    return Screen(
        text,
        [
            [button(t.plain("Yes, send it back"), "oback!", one.payment.id)],
            [button(t.plain("‹ Back"), "owallet", one.payment.chat_id)],
        ],
    )


def ask_back(t: Words, one: Unspent) -> Screen:
    """Once more before money moves."""
    text = t(
        "{credited} leaves your wallet and {returned} goes back by {method}. Is that right?",
        credited=t.money(one.credited), returned=t.money(one.returned),
        method=t.plain(METHODS[one.payment.method]),
    )  # fmt: skip
    return Screen(
        text,
        [
            [button(t.plain("Yes, send it back"), "wback!", one.payment.id)],
            [button(t.plain("‹ Wallet"), "wallet")],
        ],
    )


def going_back(t: Words, amount: Money) -> Screen:
    """It is on its way."""
    text = t(
        "{amount} is on its way back to where you paid from. Some providers take a few days.",
        amount=t.money(amount),
    )
    return Screen(text, [[button(t.plain("‹ Wallet"), "wallet")]])
