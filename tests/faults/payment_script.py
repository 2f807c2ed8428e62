"""What is written for one case of the payments' fault harness: its seed's say in the matter."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from bot.demo import epay, paypal_faults, stripe_faults
from bot.domain.sales import Method
from tests.faults.payment_providers import PROVIDED, STRIPE
from tests.faults.payment_supplier import Fate
from tests.faults.supplier_script import Trouble, a_while

SPAN = timedelta(hours=60)
"""How long a sale is watched after the last thing that its customer did."""
METHODS = (
    Method.CARD, Method.PAYPAL, Method.EPAY, Method.STARS, Method.ALIPAY, Method.TELEGRAM,
    Method.WALLET, Method.WECHAT, Method.TRANSFER, Method.VOUCHER,
)  # fmt: skip


def method_of(number: int) -> Method:
    """How a case's customer wants to pay; of those with a voucher each fifth brings cash."""
    return Method.CASH if number % 50 == 49 else METHODS[number % len(METHODS)]


def code_of(number: int) -> bool:
    """Whether a case's customer has a code that lowers the price of one order."""
    return number % 7 == 3


_RARE = frozenset({"slow", "slow_after_success", "http_429", "flood"})
"""They take real seconds."""
_LIKELY = {
    "timeout_after_success": 3.0, "done_500": 3.0, "money_differs": 3.0, "amount_differs": 3.0,
    "paid_on_closing": 3.0, "stays_processing": 3.0, "capture_pending": 3.0, "paid_twice": 8.0,
    "refund_fails": 3.0, "send_lost_answer": 3.0,
}  # fmt: skip
_TELEGRAM = ("down", "send_lost_answer", "flood", "slow")
_ALONE = frozenset({"webhook_lost", "webhook_twice", "webhook_late", "webhook_forged",
                    "webhook_old", "endless_list"})  # fmt: skip
"""The harness carries the calls itself, and reads a whole list in the end."""


@dataclass(frozen=True, slots=True)
class Act:
    """Something that a customer or a provider does, some seconds after the one before; None: in
    the same moment, before anybody has worked."""

    name: str
    after: float | None


_HOUR = 3600.0
_NOW, _SOON = (0.0, 2.0), (1.0, 600.0)
_LATE, _DAYS = (1000.0, 3 * _HOUR), (50 * _HOUR, 68 * _HOUR)

Line = tuple[float, Sequence[tuple[str, tuple[float, float] | None]]]

_OPEN = ("open", _NOW)
_PAID = (_OPEN, ("pay", _SOON))
_ALL: Sequence[Line] = (
    (14, _PAID),
    (5, (*_PAID, ("check", None))),
    (8, (*_PAID, ("pay", None))),
    (8, (*_PAID, ("pay", _SOON))),
    (6, (_OPEN, ("pay", (740.0, 890.0)))),
    (4, (*_PAID, ("pay_first", (60.0, 20 * _HOUR)))),
    (7, (_OPEN, ("pay", _LATE))),
    (3, (_OPEN, ("pay", _DAYS))),
    (5, (_OPEN, ("cancel", _SOON), ("pay", _SOON))),
    (7, (_OPEN, ("pay", _SOON), ("cancel", None))),
    (4, (_OPEN,)),
    (3, (_OPEN, ("cancel", _SOON))),
    (5, (_OPEN, ("decline", _SOON), ("open", _SOON), ("pay", (1.0, 60.0)))),
    (4, (_OPEN, ("decline", _SOON), ("open_other", (1.0, 60.0)), ("pay_other", (1.0, 60.0)))),
    (5, (_OPEN, ("open", (60.0, 500.0)), ("pay", (1.0, 100.0)))),
    (7, (_OPEN, ("open_other", _SOON), ("pay_first", (1.0, 60.0)), ("pay_other", (1.0, 60.0)))),
    (4, (_OPEN, ("open_other", _SOON), ("pay_other", (1.0, 60.0)), ("pay_first", (1.0, 900.0)))),
    (5, (_OPEN, ("order", _SOON), ("open", _NOW), ("pay", (1.0, 60.0)), ("pay_first", _SOON))),
    (4, (_OPEN, ("order", _SOON), ("open", _NOW), ("pay_first", (1.0, 60.0)))),
    (5, (_OPEN, ("alter", None), ("pay", _SOON))),
    (9, (*_PAID, ("ask_back", (1800.0, 9 * _HOUR)))),
    (6, (*_PAID, ("outside", (1.0, 9 * _HOUR)))),
    (4, (*_PAID, ("outside", None))),
    (5, (*_PAID, ("dispute", (1.0, 9 * _HOUR)))),
    (3, (_OPEN, ("lie", _SOON))),
)  # fmt: skip
_FILLED = (("deposit", _NOW), _OPEN, ("pay", _SOON))
_DEPOSIT: Sequence[Line] = (
    (5, _FILLED),
    (3, (*_FILLED, ("pay", None))),
    (3, (("deposit", _NOW), _OPEN, ("pay", _LATE))),
    (2, (("deposit", _NOW), _OPEN, ("cancel", _SOON), ("pay", _SOON))),
    (3, (*_FILLED, ("unspent", _SOON))),
    (3, (*_FILLED, ("outside", _SOON))),
)
_WALLET: Sequence[Line] = (
    (8, (*_FILLED, ("order", _LATE), ("spend", _NOW))),
    (4, (*_FILLED, ("order", _LATE), ("spend", _NOW), ("spend", _SOON))),
    (8, (*_FILLED, ("orders", _LATE), ("spend_both", _NOW))),
    (5, (*_FILLED, ("order", _LATE), ("spend", _NOW), ("ask_back", (1800.0, 9 * _HOUR)))),
    (5, (*_FILLED, ("order", _LATE), ("spend", None), ("unspent", None))),
    (5, (*_FILLED, ("order", _LATE), ("spend", _NOW), ("outside", _SOON))),
    (3, (("order", _NOW), ("spend", _NOW))),
)
_TRANSFER: Sequence[Line] = (
    (6, _PAID),
    (4, (_OPEN, ("pay", _LATE))),
    (4, (_OPEN, ("pay_short", _SOON))),
    (5, (_OPEN, ("prove", _SOON))),
    (7, (*_PAID, ("orders", _LATE), ("open", _NOW), ("prove_again", _SOON))),
    (4, (_OPEN, ("open_other", _SOON), ("pay_other", _SOON), ("pay_first", _SOON))),
    (4, (*_PAID, ("cancel", None))),
    (4, (*_PAID, ("ask_back", (1800.0, 9 * _HOUR)))),
)
_VOUCHER: Sequence[Line] = (
    (6, (("redeem", _SOON),)),
    (4, (("redeem", _SOON), ("redeem", None))),
    (8, (("orders", _SOON), ("redeem_both", _NOW))),
    (5, (("open_other", _SOON), ("redeem", _SOON), ("pay_other", _SOON))),
    (4, (("redeem", _SOON), ("ask_back", (1800.0, 9 * _HOUR)))),
    (3, (("redeem", _LATE),)),
)
_LINK: Sequence[Line] = (
    *_ALL,
    (14, (_OPEN, ("pay", _DAYS))),
    (12, (*_PAID, ("pay", None))),
)  # a link that never ends
_CASH: Sequence[Line] = (
    (8, (("cash", _SOON),)),
    (5, (("cash", _SOON), ("cash", None))),
    (6, (("orders", _SOON), ("cash_both", _NOW))),
    (5, (("cash", _SOON), ("orders", _LATE), ("cash_again", _SOON))),
    (6, (("open_other", _SOON), ("cash", _SOON), ("pay_other", _SOON))),
    (5, (("open_other", _SOON), ("pay_other", None), ("cash", None))),
    (4, (("cash", _SOON), ("ask_back", (1800.0, 9 * _HOUR)))),
    (3, (("cash", _LATE),)),
    (3, (("cash", _SOON), ("cancel", None))),
)
_LINES = {
    Method.EPAY: _LINK,
    Method.WALLET: _WALLET,
    Method.TRANSFER: _TRANSFER,
    Method.VOUCHER: _VOUCHER,
    Method.CASH: _CASH,
}


@dataclass
class Script:
    """Everything that is written for one case."""

    method: Method
    other: Method
    acts: list[Act]
    troubles: list[Trouble]
    lives: list[int]
    cut: float | None
    """Real seconds after which the first work is cut off."""
    twins: float | None
    """Real seconds after which a second process joins the first one's work."""
    fates: list[Fate]
    hides: bool
    away: int
    """So many look-ups find no supplier."""
    looks_after: float
    """Seconds that an operator lets a matter wait."""
    reconciles: float
    """Seconds between comparisons of the books."""
    deaf: float
    """The part of the providers' calls that is lost."""
    code: bool = False
    """The customer has a code, good for one order of theirs."""

    @classmethod
    def write(cls, rng: random.Random, method: Method) -> "Script":
        """One for a way to pay."""
        other = rng.choice([one for one in PROVIDED if one is not method])
        acts = _acts(rng, method)
        count = rng.choices((0, 1, 2, 3), (40, 32, 19, 9))[0]
        many = rng.choices((0, 1, 2, 3), (52, 30, 12, 6))[0]
        used = [method] if method in PROVIDED else []
        if not used or any(act.name.endswith("_other") for act in acts):
            used.append(other)
        fates = rng.choices(list(Fate), (78, 11, 6, 5), k=2)
        return cls(
            method, other, acts,
            [_trouble(rng, rng.choice(used)) for _ in range(count)],
            [int(a_while(rng, 1, 90)) for _ in range(many)],
            rng.uniform(0, 0.06) if rng.random() < 0.1 else None,
            rng.uniform(0, 0.06) if rng.random() < 0.1 else None,
            fates, rng.random() < 0.03, rng.choice((0, 0, 0, 2, 9)),
            a_while(rng, 60, 40_000), a_while(rng, 3600, 200_000),
            rng.choice((0.0, 0.1, 0.5, 1.0)),
        )  # fmt: skip


def _acts(rng: random.Random, method: Method) -> list[Act]:
    lines = _LINES.get(method, _ALL)
    begins = [] if method is Method.WALLET else [("order", _NOW)]
    if method in PROVIDED and rng.random() < 0.12:
        lines, begins = _DEPOSIT, []
    _, line = rng.choices(lines, [weight for weight, _ in lines])[0]
    return [
        Act(name, None if after is None else rng.uniform(*after))
        for name, after in (*begins, *line)
    ]


def _names(method: Method) -> tuple[str, list[str]]:
    if method in STRIPE:
        return "stripe.", [row[0] for row in stripe_faults.FAULTS]
    if method is Method.PAYPAL:
        return "paypal.", [row[0] for row in paypal_faults.FAULTS]
    if method is Method.EPAY:
        return "epay.", [row[0] for row in epay.FAULTS]
    return "telegram_", list(_TELEGRAM)


def _trouble(rng: random.Random, method: Method) -> Trouble:
    prefix, names = _names(method)
    names = [name for name in names if name not in _ALONE]
    weights = [0.05 if name in _RARE else _LIKELY.get(name, 1.0) for name in names]
    name = rng.choices(names, weights)[0]
    after = 0.0 if rng.random() < 0.55 else a_while(rng, 1, 20_000)
    lasting = name not in _RARE and rng.random() < 0.3
    times = None if lasting else rng.choices((1, 2, 3, 6), (60, 20, 12, 8))[0]
    lasts = a_while(rng, 20, 10_000) if lasting else SPAN.total_seconds()
    return Trouble(f"{prefix}{name}", after, times, lasts)
