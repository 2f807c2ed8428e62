"""Orders that a person of the shop prepares for a customer: by phone, or at the counter (F20).

The order is the customer's from its first moment. They pay it in the chat, or somebody takes cash
for it and writes down the receipt's number, which is good for one order only. Whatever changes
something is in the audit log before it happens.
"""

import re
from dataclasses import dataclass

from bot.domain.chats import Chat
from bot.domain.identify import ICCID_LENGTHS, Identified, Kind, identify, plain
from bot.domain.money import Money
from bot.domain.orders import OPEN_ORDERS, RUNNING_ORDERS
from bot.domain.plans import Offer, Plan
from bot.domain.quotes import Quote
from bot.domain.sales import Method, Order
from bot.domain.sims import Sim
from bot.ports import AuditRow, Charge, Clock, Store, Tx
from bot.services import notices
from bot.services.checkout import Checkout
from bot.services.desk import NotOperator
from bot.services.paying import Paying
from bot.services.selling import Refused, Selling, open_attempt, payable
from bot.services.till import Till
from bot.services.work import Worker

CASH = "cash:"
"""What the charge id of cash begins with; the receipt's number follows."""
MOST = 10
"""People shown for what was searched; more means that more has to be said."""
_LEAST_DIGITS = 4
_NATIONAL = 7
_RECEIPT = re.compile(r"[A-Z0-9][A-Z0-9./_-]{0,31}")


@dataclass(frozen=True, slots=True)
class Customer:
    """Somebody at the counter, with what they have: SIMs, and orders that are not over."""

    chat: Chat
    sims: tuple[Sim, ...]
    orders: tuple[Order, ...]
    offers: bool = True
    """Whether the shop's offers are open to them."""


class Assisting:
    """The counter. Every call raises NotOperator for anybody else."""

    def __init__(
        self, store: Store, clock: Clock, selling: Selling, checkout: Checkout, paying: Paying,
        till: Till,
    ) -> None:  # fmt: skip
        self._store = store
        self._clock = clock
        self._selling = selling
        self._checkout = checkout
        self._paying = paying
        self._till = till
        self.rings: list[Worker] = []

    # ---- finding -------------------------------------------------------------------------

    async def find(self, operator_id: int, text: str) -> list[Chat]:
        """Customers by an order's number, a SIM's number or ICCID (the last characters do, its
        check digit may be missing), or a part of their name; at most MOST."""
        self._check(operator_id)
        wanted = plain(text).strip()
        found: dict[int, Chat] = {}
        async with self._store.read() as tx:
            order = await tx.orders.get(order_id_of(wanted))
            ids = [order.chat_id] if order is not None else []
            if tail := _tail(wanted):
                ids += [sim.owner_id for sim in await _ending(tx, tail) if sim.owner_id]
            for chat_id in ids:
                chat = await tx.chats.get(chat_id)
                if chat is not None:
                    found[chat.id] = chat
            name = wanted.removeprefix("@")
            for chat in await tx.chats.named(name, MOST) if name and not found else ():
                found[chat.id] = chat
        return list(found.values())[:MOST]

    async def customer(self, operator_id: int, chat_id: int, update_id: int) -> Customer | None:
        """Their card; that it was looked at is written down."""
        self._check(operator_id)
        async with self._store.write() as tx:
            chat = await tx.chats.get(chat_id)
            if chat is None or chat.kind != "private":
                return None
            latest = await tx.orders.of_chat(chat_id, 20)
            live = [one for one in latest if one.state in OPEN_ORDERS | RUNNING_ORDERS]
            sims = await tx.sims.owned(chat_id)
            await self._note(tx, operator_id, "assist_opened", f"chat:{chat_id}", update_id)
            open_ = not await tx.promos.banned(chat_id)
        return Customer(chat, tuple(sims), tuple(live), open_)

    async def set_offers(
        self, operator_id: int, chat_id: int, update_id: int, *, open_: bool
    ) -> None:
        """Give somebody no offers any more, or give them again; prices shown keep theirs."""
        self._check(operator_id)
        async with self._store.write() as tx:
            if open_:
                changed = await tx.promos.unban(chat_id)
            else:
                changed = await tx.promos.ban(chat_id, self._clock.now())
            if changed:
                deed = "offers_opened" if open_ else "offers_closed"
                await self._note(tx, operator_id, deed, f"chat:{chat_id}", update_id)

    # ---- preparing -----------------------------------------------------------------------

    async def sim(self, operator_id: int, sim_id: str) -> Sim:
        """A customer's SIM. Raises Refused "unknown" when it is nobody's."""
        self._check(operator_id)
        async with self._store.read() as tx:
            sim = await tx.sims.get(sim_id)
        if sim is None or sim.owner_id is None or sim.removed_at is not None:
            raise Refused("unknown")
        return sim

    async def offers(self, operator_id: int, sim_id: str) -> tuple[Sim, list[Offer]]:
        """What could be sold for a customer's SIM."""
        sim = await self.sim(operator_id, sim_id)
        return sim, await self._checkout.offers(sim)

    async def quote(
        self, operator_id: int, sim_id: str, plan: Plan, amount: Money | None, update_id: int
    ) -> Quote:
        """The customer's price. Raises Refused as `Checkout.quote`."""
        sim = await self.sim(operator_id, sim_id)
        assert sim.owner_id is not None  # noqa: S101  `sim` refuses one without
        return await self._checkout.quote(sim.owner_id, sim, plan, amount, update_id)

    async def send(self, operator_id: int, quote_id: str, update_id: int) -> Order:
        """Make it the customer's order and put it into their chat, once; they confirm and pay it
        there. Raises Refused as `Checkout.place`."""
        self._check(operator_id)
        order = await self._place(quote_id)
        async with self._store.write() as tx:
            if await tx.outbox.add(notices.assisted(order)):
                await self._note(
                    tx, operator_id, "assist_sent", f"order:{order.id}", update_id,
                    customer=order.chat_id,
                )  # fmt: skip
        self._ring()
        return order

    async def _place(self, quote_id: str) -> Order:
        async with self._store.read() as tx:
            quote = await tx.quotes.get(quote_id)
        if quote is None:
            raise Refused("unknown")
        return await self._checkout.place(quote.id, quote.chat_id, None)

    # ---- cash ----------------------------------------------------------------------------

    async def cash(self, operator_id: int, quote_id: str, number: str, update_id: int) -> Order:
        """Somebody took the price in cash and gave the receipt of that number: pay the order.

        Raises Refused: receipt_bad; receipt_used, with the order it was used for; as
        `Checkout.place`, `payable` and `Paying.close_others`.
        """
        self._check(operator_id)
        charge_id = f"{CASH}{receipt_number(number)}"
        async with self._store.read() as tx:
            known = await tx.payments.by_charge(charge_id)
            used_for = await tx.orders.get(known.order_id or "") if known is not None else None
        if known is not None:
            if used_for is not None and used_for.quote_id == quote_id:
                return used_for  # the same tap again, or a replay
            raise Refused("receipt_used", used_for)
        order = await self._place(quote_id)
        await self._paying.close_others(order.id, order.chat_id, Method.CASH)
        now = self._clock.now()
        async with self._store.write() as tx:
            order = await payable(tx, order.id, order.chat_id, now)
            due = order.due or order.price
            payment = await open_attempt(tx, order, Method.CASH, due, now)
            await self._note(
                tx, operator_id, "assist_cash", f"order:{order.id}", update_id,
                customer=order.chat_id, receipt=charge_id, minor=due.minor, currency=due.currency,
            )  # fmt: skip
        paid = await self._till.capture(payment.id, Charge(charge_id, payment.id, due, now))
        if paid is None or paid.id != order.id:
            raise Refused("receipt_used", paid)  # somebody used the number a moment ago
        return paid

    def _check(self, operator_id: int) -> None:
        if operator_id not in self._selling.operators:
            raise NotOperator(str(operator_id))

    async def _note(
        self, tx: Tx, operator_id: int, action: str, subject: str, update_id: int, **details: object
    ) -> None:
        actor = f"operator:{operator_id}"
        said = {"update_id": update_id, **details}
        await tx.audit.add(AuditRow(self._clock.now(), actor, action, subject, said))

    def _ring(self) -> None:
        for worker in self.rings:
            worker.ring()


async def _ending(tx: Tx, tail: str) -> list[Sim]:
    """SIMs whose number or ICCID ends so; else those of an ICCID with or without the check digit,
    which some cards don't print."""
    found = await tx.sims.ending(tail, MOST)
    if found or len(tail) not in ICCID_LENGTHS:
        return found
    near = [tail[:-1], *(f"{tail}{digit}" for digit in range(10))]
    return [sim for one in near for sim in await tx.sims.ending(one, MOST)]


def order_id_of(text: str) -> str:
    """The id behind a number as people write it: with XK- or without, in any case."""
    letters = "".join(c for c in plain(text).lower() if c.isascii() and c.isalnum())
    return letters.removeprefix("xk")


def receipt_number(text: str) -> str:
    """A receipt's number as it is kept, in capitals. Raises Refused "receipt_bad"."""
    number = plain(text).strip().upper()
    if not _RECEIPT.fullmatch(number):
        raise Refused("receipt_bad")
    return number


def _tail(text: str) -> str:
    """The end of a number or ICCID to look for; empty when the text is none."""
    found = identify(text)
    if isinstance(found, Identified) and found.kind in (Kind.NUMBER, Kind.ICCID):
        return found.value
    letters = "".join(c for c in text.upper() if c not in " -()+.·")
    if len(letters) > _NATIONAL:
        letters = letters.lstrip("0")  # as a number begins inside its country
    digits = letters.isascii() and letters.isalnum() and sum(map(str.isdigit, letters))
    return letters if digits and digits >= max(_LEAST_DIGITS, len(letters) - 2) else ""
