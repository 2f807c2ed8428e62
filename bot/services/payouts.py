"""Paying out what posts in groups earned: as points, or into the wallet of who posted (F44).

One pay-out is one transaction, and pays what the operator looked at or nothing: whoever presses
second, or the same press replayed after a crash, finds another account and changes nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_FLOOR
from enum import StrEnum

from bot.domain import ledger as books
from bot.domain import points as point_rules
from bot.domain.chats import forgotten
from bot.domain.groups import Account, Earning, EarningKind, Group
from bot.domain.money import Money
from bot.domain.points import PointTerms
from bot.domain.sales import Method
from bot.ports import AuditRow, Clock, Store, Tx
from bot.services import notices
from bot.services.desk import NotOperator
from bot.services.selling import Refused, Selling
from bot.services.work import Worker


class How(StrEnum):
    """What money becomes; points are always paid out as points."""

    WALLET = "wallet"
    POINTS = "points"


@dataclass(frozen=True, slots=True)
class Paid:
    """What a person got."""

    points: int
    money: tuple[Money, ...]


class Payouts:
    """The operator's pay-outs."""

    def __init__(self, store: Store, clock: Clock, selling: Selling) -> None:
        self._store = store
        self._clock = clock
        self._selling = selling
        self.rings: list[Worker] = []
        """Workers to wake when somebody is to be told."""

    async def accounts(self, group_id: str | None = None, by: int | None = None) -> list[Account]:
        """What is not paid out, the oldest first."""
        async with self._store.read() as tx:
            return await tx.earnings.accounts(group_id, by)

    def ways(self, account: Account) -> list[tuple[How, Paid]]:
        """How an account may be paid out, and what the person would get; none when not now."""
        found = []
        for how in How:
            paid = self._worth(account, how)
            if paid is not None:
                found.append((how, paid))
        if len(found) > 1 and found[0][1] == found[1][1]:
            found.pop(0)  # points alone: they are paid out as what they are
        return found

    def _worth(self, account: Account, how: How) -> Paid | None:
        """What it would be; None where the shop has no wallets, or no points."""
        money = tuple(one for one in account.money if one.minor > 0)
        points, terms = max(account.points, 0), self._selling.points
        if how is How.POINTS:
            turned = [_as_points(one, terms) for one in money]
            if any(count is None for count in turned):
                return None
            points, money = points + sum(count or 0 for count in turned), ()
        elif money and Method.WALLET not in self._selling.terms:
            return None
        if (points and terms is None) or not (points or money):
            return None
        return Paid(points, money)

    async def pay_out(self, group_id: str, by: int, rows: int, how: How, operator_id: int) -> Paid:
        """Pay out an account as it was looked at, with so many `rows`; both hear of it.

        Raises NotOperator, and Refused: nothing_waits when the account is another by now,
        method_off where it can't be paid so, unknown when the person is gone.
        """
        if operator_id not in self._selling.operators:
            raise NotOperator(str(operator_id))
        now = self._clock.now()
        async with self._store.write() as tx:
            group = await tx.groups.get(group_id)
            if group is None or forgotten(by) or await tx.chats.get(by) is None:
                raise Refused("unknown")
            found = await tx.earnings.accounts(group_id, by)
            if not found or found[0].rows != rows or found[0].empty:
                raise Refused("nothing_waits")
            paid = self._worth(found[0], how)
            if paid is None:
                raise Refused("method_off")
            await self._write(tx, found[0], paid, now)
            await _tell(tx, group, found[0], paid, how, operator_id, now)
        for worker in self.rings:
            worker.ring()
        return paid

    async def _write(self, tx: Tx, account: Account, paid: Paid, now: datetime) -> None:
        """The account's own rows, then what the person gets. The first row's key is the same for
        two who press at once: only one of them goes on."""
        key = f"payout:{account.group_id}:{account.by}:{account.paid_out}"
        for number, row in enumerate(_rows(account, key, now)):
            if not await tx.earnings.add(row) and not number:
                raise Refused("nothing_waits")
        terms = self._selling.points
        if paid.points and terms is not None:
            await tx.points.grant(account.by, paid.points, point_rules.expiry(now, terms), now)
        for one in paid.money:
            await tx.ledger.post(books.commission(f"{key}:{one.currency}", account.by, one, now))


def _rows(account: Account, key: str, now: datetime) -> Sequence[Earning]:
    """What leaves the account, one row for each currency; its points with the first."""
    points = max(account.points, 0)
    money: list[Money | None] = [books.minus(one) for one in account.money if one.minor > 0]
    return [
        Earning(
            f"{key}:{number}", EarningKind.PAID_OUT, account.group_id, account.by, now,
            -points if not number else 0, one,
        )
        for number, one in enumerate(money or [None])
    ]  # fmt: skip


async def _tell(
    tx: Tx, group: Group, account: Account, paid: Paid, how: How, operator_id: int, now: datetime
) -> None:
    step = f"{group.id}:{account.paid_out}"
    amounts = [(one.minor, one.currency) for one in paid.money]
    await tx.outbox.add(notices.paid_out(account.by, group.id, step, paid.points, amounts))
    details: Mapping[str, object] = {"group": group.id, "how": how.value, "points": paid.points,
                                     "money": amounts}  # fmt: skip
    subject, actor = f"chat:{account.by}", f"operator:{operator_id}"
    await tx.audit.add(AuditRow(now, actor, "paid_out", subject, details))


def _as_points(money: Money, terms: PointTerms | None) -> int | None:
    """How many points pay as much; None where points pay nothing in its currency."""
    worth = terms.worth.get(money.currency) if terms is not None else None
    if not worth:
        return None
    return int((money.major / worth).to_integral_value(rounding=ROUND_FLOOR))
