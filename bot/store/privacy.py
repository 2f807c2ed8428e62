"""Giving a person everything that is kept of them, and forgetting it."""

import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic_core import to_jsonable_python
from sqlalchemy import Table, delete, exists, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.chats import FORGOTTEN, Preferences
from bot.domain.ledger import wallet
from bot.domain.money import Money
from bot.domain.orders import (
    OPEN_ORDERS,
    RUNNING_ORDERS,
    OrderState,
    PaymentState,
    RefundState,
)
from bot.domain.plans import Plan
from bot.domain.requests import RequestState
from bot.domain.sims import Tracking, mask
from bot.domain.transfers import ProofState
from bot.ports.privacy import Held, Section
from bot.store import tables as t
from bot.store.personal import MARK, PLACES, Fate, Place, marked, named, own_payments

_EXPORTED = "exported"
_LETTER = "letter"
_UNDER_WAY = (*OPEN_ORDERS, *RUNNING_ORDERS, OrderState.REFUND_DUE, OrderState.REFUNDING)
_UNSETTLED = (PaymentState.MISMATCH, PaymentState.DISPUTED)
_COMING = (RefundState.DUE, RefundState.SENDING, RefundState.BY_HAND)
_STAYS = frozenset({"country", "expiry", "grace_end", "created_at"})
"""Of a SIM that something was sold for, besides what every SIM has to say."""
_SIM_REFERENCES = tuple(
    (table, column)
    for table in t.metadata.sorted_tables
    for column in table.columns
    if any(key.column is t.sims.c.id for key in column.foreign_keys)
)
_SOLD_FOR = tuple(
    (table, table.c.chat_id) for table in (t.quotes, t.orders, t.agreements)
)  # fmt: skip


class PersonalRows:
    """Implements `ports.PersonalData`."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn

    # ---- a copy ------------------------------------------------------------------------------

    async def all_of(self, chat_id: int) -> Mapping[str, Section]:
        """Everything of a person, by table."""
        found: dict[str, Section] = {}
        for place in PLACES:
            rows = await self._conn.execute(
                select(place.table)
                .where(place.of(chat_id))
                .order_by(*place.table.primary_key.columns)
            )
            if told := [_told(place, dict(row)) for row in rows.mappings()]:
                found[place.table.name] = told
        if letters := await self._letters(chat_id):
            found["letters"] = [
                {"at": _plain(row.settled_at), "text": row.data.get("text")} for row in letters
            ]
        return found

    async def exported_at(self, chat_id: int) -> datetime | None:
        """When they were given it last."""
        statement = select(func.max(t.audit.c.at)).where(
            t.audit.c.action == _EXPORTED, t.audit.c.subject == named(chat_id)
        )
        found: datetime | None = await self._conn.scalar(statement)
        return found

    async def _letters(self, chat_id: int) -> list[Any]:
        """What they wrote to the shop, as it went to its people."""
        rows = await self._conn.execute(select(t.outbox).where(t.outbox.c.kind == _LETTER))
        return [row for row in rows if row.data.get("from") == chat_id]

    # ---- what has to end first ---------------------------------------------------------------

    async def held(self, chat_id: int, now: datetime) -> Held | None:
        """The first thing that has to end before they can be forgotten."""
        o, p, r = t.orders.c, t.payments.c, t.refunds.c
        order_id = await self._conn.scalar(
            select(o.id).where(o.chat_id == chat_id, o.state.in_(_UNDER_WAY)).limit(1)
        )
        if order_id is not None:
            return Held("order", order_id)
        d, balance = t.deposits.c, t.balances.c
        asked, q, locked = t.refund_requests.c, t.proofs.c, t.chats.c.claims_locked_until
        a = t.agreements.c
        waits = {
            "deposit": (d.chat_id == chat_id, d.paid_at.is_(None), d.ended_at.is_(None)),
            "wallet": (balance.account == wallet(chat_id), balance.minor != 0),
            "payment": (p.chat_id == chat_id, p.state.in_(_UNSETTLED)),
            "refund": (r.payment_id.in_(own_payments(chat_id)), r.state.in_(_COMING)),
            "request": (asked.chat_id == chat_id, asked.state == RequestState.ASKED),
            "proof": (q.chat_id == chat_id, q.state == ProofState.WAITING),
            "subscription": (a.chat_id == chat_id, a.unsubscribe.is_(True)),
            "locked": (t.chats.c.id == chat_id, locked > now),
        }
        if await self._earned(chat_id):
            return Held("earnings")
        for reason, conditions in waits.items():
            if await self._conn.scalar(select(exists().where(*conditions))):
                return Held(reason)
        return None

    async def _earned(self, chat_id: int) -> bool:
        """Whether money that their posts earned is still to be paid out."""
        e, total = t.earnings.c, func.sum(t.earnings.c.money_minor)
        by_purse = select(total).where(e.by == chat_id).group_by(e.group_id, e.money_currency)
        return any(minor for minor in await self._conn.scalars(by_purse) if minor and minor > 0)

    # ---- forgetting --------------------------------------------------------------------------

    async def forget(
        self, chat_id: int, update_id: int, now: datetime, untouched: Mapping[str, object]
    ) -> Sequence[str]:
        """Erase and anonymise; see `ports.PersonalData`."""
        nobody = await self._nobody(now)
        await self._mark(chat_id, now)
        bought = exists().where(t.orders.c.quote_id == t.quotes.c.id)
        looked_at = delete(t.quotes).where(t.quotes.c.chat_id == chat_id, ~bought)
        await self._conn.execute(looked_at)  # prices that nobody bought for are in no books
        await self._mask_what_was_sold(chat_id, now)
        await self._change(t.payments, t.payments.c.chat_id == chat_id, saved_id=None)
        await self._change(t.agreements, t.agreements.c.chat_id == chat_id, saved_id=None)
        for letter in await self._letters(chat_id):
            await self._conn.execute(delete(t.outbox).where(t.outbox.c.id == letter.id))
        for place in PLACES[1:]:
            if place.table is t.inbox:
                await self._erase_updates(chat_id, update_id)
            elif place.fate is Fate.ERASED:
                await self._conn.execute(delete(place.table).where(place.of(chat_id)))
            elif place.table is not t.sims:
                await self._anonymise(place, chat_id, nobody)
        released = await self._leave_sims(chat_id, now, untouched)
        await self._conn.execute(delete(t.chats).where(t.chats.c.id == chat_id))
        return released

    async def _mark(self, chat_id: int, now: datetime) -> None:
        """Who has bought is no new customer when they come back."""
        o = t.orders.c
        bought = (o.chat_id == chat_id, o.paid_at.is_not(None), o.state != OrderState.REFUNDED)
        if not await self._conn.scalar(select(exists().where(*bought))):
            return
        await self._conn.execute(delete(t.audit).where(marked(chat_id)))
        mark = {"at": now, "actor": "bot", "action": MARK, "subject": named(chat_id), "details": {}}
        await self._conn.execute(insert(t.audit).values(mark))

    async def _nobody(self, now: datetime) -> int:
        """A chat that stands for the person in what stays: it tells nothing of them."""
        made = FORGOTTEN - secrets.randbelow(10**17)
        asks = Preferences()
        values = {
            "id": made, "kind": "forgotten", "language": "en", "language_chosen": False,
            "zone": asks.zone, "zone_confirmed": False, "hour": asks.hour,
            "quiet_start": asks.quiet_start, "quiet_end": asks.quiet_end,
            "urgent_override": False, "offsets": asks.offsets, "on": False, "digest": False,
            "news": False,
            "blocked_at": now, "wrong_claims": 0,
        }  # fmt: skip
        await self._conn.execute(insert(t.chats).values(values))
        return made

    async def _mask_what_was_sold(self, chat_id: int, now: datetime) -> None:
        """Point what was sold to masked copies of its SIMs: the SIMs themselves go their way."""
        sold: set[str] = set()
        for table, chat in _SOLD_FOR:
            sold |= set(await self._conn.scalars(select(table.c.sim_id).where(chat == chat_id)))
        for sim_id in sorted(sold):
            row = (await self._conn.execute(select(t.sims).where(t.sims.c.id == sim_id))).one()
            copy_id = secrets.token_hex(8)
            masked = _masked(row, now) | {"id": copy_id, "version": 1}
            await self._conn.execute(insert(t.sims).values(masked))
            for table, chat in _SOLD_FOR:
                mine = (table.c.sim_id == sim_id, chat == chat_id)
                await self._change(table, *mine, sim_id=copy_id)
            of_orders = t.topups.c.order_id.in_(
                select(t.orders.c.id).where(t.orders.c.chat_id == chat_id)
            )
            await self._change(t.topups, t.topups.c.sim_id == sim_id, of_orders, sim_id=copy_id)
            of_agreements = t.runs.c.agreement_id.in_(
                select(t.agreements.c.id).where(t.agreements.c.chat_id == chat_id)
            )
            await self._change(t.runs, t.runs.c.sim_id == sim_id, of_agreements, sim_id=copy_id)

    async def _erase_updates(self, chat_id: int, update_id: int) -> None:
        """Those handled, and the one that asks. What came after it is a new acquaintance's."""
        i = t.inbox.c
        over = i.done_at.is_not(None) | (i.update_id <= update_id)
        await self._conn.execute(delete(t.inbox).where(i.lane == named(chat_id), over))

    async def _anonymise(self, place: Place, chat_id: int, nobody: int) -> None:
        table, mine = place.table, place.of(chat_id)
        values = dict(place.blanks)
        if place.chat is not None:
            values[place.chat] = nobody
        if "account" in table.columns:
            values["account"] = wallet(nobody)
        if table is t.audit:
            about = (table.c.subject == named(chat_id), ~marked(chat_id))
            await self._change(table, *about, subject=named(nobody))
        if "actor" in table.columns:
            mine, values["actor"] = table.c.actor == named(chat_id), named(nobody)
        if values:
            await self._change(table, mine, **values)

    async def _leave_sims(
        self, chat_id: int, now: datetime, untouched: Mapping[str, object]
    ) -> list[str]:
        """Managed SIMs go back to stock; self-tracked ones go, or are masked where others' rows
        still name them."""
        s, released = t.sims.c, []
        for row in (await self._conn.execute(select(t.sims).where(s.owner_id == chat_id))).all():
            mine = s.id == row.id
            if row.tracking is Tracking.MANAGED:
                await self._change(
                    t.sims, mine, owner_id=None, version=row.version + 1, next_reminder_at=None,
                    last_plan=None, **untouched,
                )  # fmt: skip
                released.append(row.id)
            elif await self._named_elsewhere(row.id):
                masked = _masked(row, now) | {"version": row.version + 1}
                await self._change(t.sims, mine, **masked)
            else:
                await self._conn.execute(delete(t.sims).where(mine))
        return released

    async def _named_elsewhere(self, sim_id: str) -> bool:
        for table, column in _SIM_REFERENCES:
            if await self._conn.scalar(select(exists(select(table).where(column == sim_id)))):
                return True
        return False

    async def _change(self, table: Table, *conditions: Any, **values: Any) -> None:
        await self._conn.execute(update(table).where(*conditions).values(values))


def _masked(row: Any, now: datetime) -> dict[str, Any]:
    """What stays of a SIM that something was sold for: what it was, and the ends of its number."""
    kept = row._mapping
    stays = {c.name: kept[c.name] for c in t.sims.columns if c.name in _STAYS or not c.nullable}
    gone = {c.name: None for c in t.sims.columns if c.name not in stays}
    return {name: value for name, value in (stays | gone).items() if name != "seq"} | {
        "iccid": mask(row.iccid) if row.iccid else None,
        "msisdn": mask(row.msisdn) if row.msisdn else None,
        "removed_at": row.removed_at or now,
        "reminders_stopped": True,
    }


# ---- a row, as its owner may read it -------------------------------------------------------------


def _told(place: Place, row: Mapping[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for name, value in row.items():
        if name in place.hidden or name in ("seq", place.chat):
            continue
        if name == "minor":
            told["amount"] = str(Money(value, row["currency"]).major)
        elif name.endswith("_minor"):
            currency = row[name.removesuffix("minor") + "currency"]
            told[name.removesuffix("_minor")] = (
                None if value is None else str(Money(value, currency).major)
            )
        elif isinstance(value, Plan):
            told[name] = {"code": value.code, "name": dict(value.name)}
        elif name == "payload":
            told["text"] = _written(value)
        elif place.table is t.outbox and name == "data":
            told["text"] = value.get("text")
        else:
            told[name] = _plain(value)
    return told


def _written(payload: str) -> str | None:
    """What they wrote or tapped, of an update as Telegram sent it."""
    update_: dict[str, Any] = json.loads(payload)
    query = update_.get("callback_query") or {}
    message = update_.get("message") or {}
    found = message.get("text") or message.get("caption") or query.get("data")
    return str(found) if found else None


def _plain(value: Any) -> Any:
    return to_jsonable_python(value)
