"""A customer's SIMs: whose they are, what is known of them, and from when.

A SIM of somebody else never answers anything but "not yours": no method tells whether it exists.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import structlog

from bot.domain.codes import digest
from bot.domain.identify import Candidate, Identified, Kind
from bot.domain.orders import RUNNING_ORDERS
from bot.domain.sims import KeepRule, Sim, SimForm, Source, Tracking, urgency
from bot.ports import AuditRow, Carrier, Claim, Clock, Store, SupplierUnavailable
from bot.services import lookup, notices
from bot.services.ids import new_id
from bot.services.ownership import (
    UNTOUCHED,
    SimRefused,
    change,
    owned_by,
    same_line,
    take_with_code,
)
from bot.services.planning import replan, settle_passed
from bot.services.readings import read
from bot.services.work import Worker

log = structlog.get_logger()

FRESH = timedelta(seconds=60)
"""A reading younger than this is not asked for again, however often somebody taps."""
NICKNAME = 40
"""Most characters of a nickname."""


class MatchKind(StrEnum):
    """What an identifier means for the chat that typed it."""

    MINE = "mine"
    CLAIM = "claim"  # this shop's own SIM: proof is needed, whoever has it now
    UNKNOWN = "unknown"  # the customer may track it themselves


@dataclass(frozen=True, slots=True)
class Match:
    """`sim_id` is set unless the SIM is unknown; of a SIM to be claimed nothing else is told."""

    kind: MatchKind
    sim_id: str | None = None


class Sims:
    """One customer's view of SIMs, and the readings behind it."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        carriers: Mapping[str, Carrier],
        pepper: str,
        operators: tuple[int, ...],
    ) -> None:
        self._store = store
        self._clock = clock
        self._carriers = carriers
        self._pepper = pepper.encode()
        self._operators = operators
        self.rings: list[Worker] = []
        """Workers to wake when a message or another reminder time has come of it."""

    # ---- looking -------------------------------------------------------------------------

    async def overview(self, chat_id: int) -> list[Sim]:
        """The chat's SIMs, most urgent first."""
        async with self._store.read() as tx:
            sims = await tx.sims.owned(chat_id)
        now = self._clock.now()
        return sorted(sims, key=lambda sim: urgency(sim, now))

    async def get(self, sim_id: str, chat_id: int) -> Sim | None:
        """The SIM if this chat owns it and did not remove it."""
        async with self._store.read() as tx:
            return await owned_by(tx, sim_id, chat_id)

    async def match(self, identified: Identified, chat_id: int) -> Match:
        """Whose the identified SIM is, as far as this chat may know."""
        iccid, msisdn, activation_code = _columns(identified)
        async with self._store.read() as tx:
            for sim in await tx.sims.owned(chat_id):
                if same_line(sim, iccid, msisdn, activation_code):
                    return Match(MatchKind.MINE, sim.id)
            stock = await tx.sims.stock(iccid=iccid, msisdn=msisdn)
        # A SIM that another customer owns looks like one that waits in stock: both ask for proof.
        return Match(MatchKind.UNKNOWN) if stock is None else Match(MatchKind.CLAIM, stock.id)

    async def candidates(self, identified: Identified) -> tuple[Candidate, ...]:
        """Carriers it may be of, best first, with the reason; takes 3 seconds at the most."""
        return await lookup.candidates(self._carriers, identified)

    # ---- proving -------------------------------------------------------------------------

    async def claim(self, chat_id: int, sim_id: str, code: str) -> Sim:
        """Take over a managed SIM with the code handed out with it; one's own is simply returned.

        Raises SimRefused: code_wrong (used and lapsed ones too), locked, not_yours.
        """
        return await self._claim(chat_id, sim_id, code)

    async def claim_by_code(self, chat_id: int, code: str) -> Sim:
        """The same for somebody who has only the code. Raises SimRefused like `claim`."""
        return await self._claim(chat_id, None, code)

    async def _claim(self, chat_id: int, sim_id: str | None, code: str) -> Sim:
        code_hash = digest(code, self._pepper)
        async with self._store.write() as tx:
            sim = await take_with_code(tx, chat_id, sim_id, code_hash, self._clock.now())
        if isinstance(sim, SimRefused):
            raise sim
        await self.refresh(sim)
        async with self._store.write() as tx:
            await settle_passed(tx, sim.id, self._clock.now())
            fresh = await tx.sims.get(sim.id)
        self._ring()
        return fresh or sim

    async def ask_operator(self, chat_id: int, sim_id: str) -> bool:
        """Without a code: an operator decides. False when they have been asked already.

        Raises SimRefused "not_yours" for a SIM that is no managed one.
        """
        now = self._clock.now()
        claim = Claim(new_id(), chat_id, sim_id, "waiting", now)
        async with self._store.write() as tx:
            sim = await tx.sims.get(sim_id)
            if sim is None or sim.tracking is not Tracking.MANAGED or sim.removed_at is not None:
                raise SimRefused("not_yours")
            if not await tx.claims.ask(claim):
                return False
            for notice in notices.for_operators(self._operators, f"claim:{claim.id}", "claim"):
                await tx.outbox.add(notice)
        self._ring()
        return True

    # ---- adding --------------------------------------------------------------------------

    async def add_self(
        self,
        chat_id: int,
        *,
        identified: Identified,
        carrier: str,
        country: str | None,
        form: SimForm,
        expiry: datetime | None,
        rule: KeepRule | None,
        nickname: str | None = None,
    ) -> Sim:
        """A SIM that its owner tracks; added again (or replayed) it is the one added first."""
        now = self._clock.now()
        iccid, msisdn, activation_code = _columns(identified)
        sim = Sim(
            id=new_id(),
            version=1,
            owner_id=chat_id,
            tracking=Tracking.SELF,
            form=form,
            carrier=carrier,
            supplier="manual",
            country=country,
            iccid=iccid,
            msisdn=msisdn,
            activation_code=activation_code,
            nickname=_nickname(nickname),
            expiry=expiry,
            grace_end=_grace_end(expiry, rule),
            rule=rule,
            created_at=now,
        )
        async with self._store.write() as tx:
            for known in await tx.sims.owned(chat_id):
                if same_line(known, iccid, msisdn, activation_code):
                    return known
            await tx.sims.add(sim)
            await settle_passed(tx, sim.id, now)
            saved = await tx.sims.get(sim.id)
        self._ring()
        return saved or sim

    # ---- reading -------------------------------------------------------------------------

    async def refresh(self, sim: Sim, *, force: bool = False) -> Sim:
        """The SIM with its supplier's present word.

        What is stored is returned when the supplier can't be asked, when nobody can be, and when
        it was asked less than a minute ago; `reading.taken_at` tells the age.
        """
        carrier = self._carriers.get(sim.supplier)
        if sim.tracking is not Tracking.MANAGED or not (carrier and carrier.capabilities.reads):
            return sim
        now = self._clock.now()
        if sim.reading is not None and now - sim.reading.taken_at < FRESH and not force:
            return sim
        try:
            fresh = await read(self._store, self._clock, carrier, sim)
        except SupplierUnavailable as error:
            log.warning("reading_failed", sim=sim.id, reason=error.reason)
            return sim
        self._ring()
        return fresh

    # ---- what its owner says -------------------------------------------------------------

    async def rename(self, sim: Sim, nickname: str | None) -> Sim:
        """A name of one's own; None or blanks take it away. Raises SimRefused nickname_long."""
        async with self._store.write() as tx:
            return await change(tx, sim, nickname=_nickname(nickname))

    async def note_phone(self, sim: Sim, *, device: str | None, imei: str | None) -> Sim:
        """The phone it sits in, as support asks for it; both None take it away. The caller has
        checked the IMEI. Raises SimRefused not_yours, device_long."""
        if device is not None and len(device) > NICKNAME:
            raise SimRefused("device_long")
        async with self._store.write() as tx:
            return await change(tx, sim, device=device, imei=imei)

    async def remove(self, sim: Sim) -> None:
        """Out of the overview, no more reminders. A managed SIM goes back to the shop's stock, so
        that its next holder can claim it. Raises SimRefused "running" while an order runs."""
        now = self._clock.now()
        async with self._store.write() as tx:
            if await tx.orders.of_sim(sim.id, tuple(RUNNING_ORDERS)):
                raise SimRefused("running")
            if sim.tracking is Tracking.MANAGED:
                await change(tx, sim, owner_id=None, **UNTOUCHED)
            else:
                await change(tx, sim, removed_at=now)
            details = {"tracking": sim.tracking.value}
            actor = f"chat:{sim.owner_id}"
            await tx.audit.add(AuditRow(now, actor, "sim_removed", f"sim:{sim.id}", details))
            await replan(tx, sim.id, now)

    async def set_dates(
        self,
        sim: Sim,
        expiry: datetime,
        *,
        grace_end: datetime | None = None,
        rule: KeepRule | None = None,
    ) -> Sim:
        """The owner's own dates (UTC); a `rule` given is kept, and tells the grace period.

        Raises SimRefused "supplier_tells" for a SIM that its supplier reads.
        """
        carrier = self._carriers.get(sim.supplier)
        if sim.tracking is Tracking.MANAGED and carrier and carrier.capabilities.reads:
            raise SimRefused("supplier_tells")
        now = self._clock.now()
        kept = rule or sim.rule
        async with self._store.write() as tx:
            await change(
                tx,
                sim,
                expiry=expiry,
                grace_end=grace_end or _grace_end(expiry, kept),
                rule=kept,
                dates_source=Source.CUSTOMER,
                snoozed_until=None,
            )
            await settle_passed(tx, sim.id, now)
            changed = await tx.sims.get(sim.id)
        self._ring()
        return changed or sim

    def _ring(self) -> None:
        for worker in self.rings:
            worker.ring()


def _columns(identified: Identified) -> tuple[str | None, str | None, str | None]:
    """ICCID, number and activation code, of which one is set."""
    value, kind = identified.value, identified.kind
    return (
        value if kind is Kind.ICCID else None,
        value if kind is Kind.NUMBER else None,
        value if kind is Kind.ACTIVATION else None,
    )


def _nickname(text: str | None) -> str | None:
    name = " ".join((text or "").split())
    if len(name) > NICKNAME:
        raise SimRefused("nickname_long")
    return name or None


def _grace_end(expiry: datetime | None, rule: KeepRule | None) -> datetime | None:
    if expiry is None or rule is None or rule.grace_days is None:
        return None
    return expiry + timedelta(days=rule.grace_days)
