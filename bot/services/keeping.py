"""Keeping numbers alive (F36): the rule in force for a SIM, its activities, its deadline.

Every activity is kept, and the deadline is counted anew from all of them, so that a rule that
changes, or an activity told by mistake, leaves nothing behind.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from bot.domain.chats import Preferences
from bot.domain.reminders import passed, preferences_of
from bot.domain.rules import (
    Activity,
    Overridden,
    Override,
    Pack,
    Rule,
    deadline,
    effective,
    keep_rule,
    kept_days,
    override_key,
    pack_of,
    packs_for,
)
from bot.domain.sims import KeepRule, Sim, Source
from bot.domain.stages import StageKind
from bot.domain.zones import zone
from bot.ports import ActivityRow, AuditRow, Clock, Store, Tx
from bot.services.files import read_rows
from bot.services.ownership import SimRefused, change, owned_by
from bot.services.planning import replan, settle, settle_passed
from bot.services.work import Worker


class RuleRefused(Exception):
    """An operator's rule that can't be taken, in a sentence."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A SIM after an activity. `counted` tells whether the rule says that it keeps the line."""

    sim: Sim
    rule: Rule | None
    counted: bool


class Keeping:
    """The rules of all carriers, and what follows from them for one SIM."""

    def __init__(self, store: Store, clock: Clock, packs: Mapping[str, Pack]) -> None:
        self._store = store
        self._clock = clock
        self._packs = packs
        self.worker = Worker("keeping", self._recount_all)
        """Run at the start: packs that came with a new version say something else."""

    # ---- rules ---------------------------------------------------------------------------

    async def rule_of(self, sim: Sim) -> Rule | None:
        """The rule in force for a SIM; None when nobody says anything of its carrier."""
        async with self._store.read() as tx:
            return await self._rule(tx, sim)

    async def offered(self, carrier: str, country: str | None) -> list[Rule]:
        """The rules that a new SIM of this carrier may follow: those that say for how long."""
        async with self._store.read() as tx:
            rules = [
                effective(pack.name, pack, await tx.rules.get(override_key(pack, carrier)))
                for pack in packs_for(self._packs, carrier, country)
            ]
            if not rules:
                said = await tx.rules.get(override_key(None, carrier))
                rules = [effective(carrier, None, said)]
        return [rule for rule in rules if rule is not None and rule.interval is not None]

    async def _rule(self, tx: Tx, sim: Sim) -> Rule | None:
        return await rule_in(tx, self._packs, sim)

    async def follow(self, sim: Sim, pack: str | None) -> Sim:
        """Follow a pack's rule (with None the one of its carrier) instead of the owner's own.

        Raises SimRefused: not_yours; rule_missing when it does not say for how long.
        """
        async with self._store.write() as tx:
            current = await _owned(tx, sim)
            chosen = self._packs.get(pack or "") or pack_of(
                self._packs, replace(current, rule=None)
            )
            said = await tx.rules.get(override_key(chosen, current.carrier))
            rule = effective(current.carrier, chosen, said)
            copy = keep_rule(rule) if rule is not None else None
            if copy is None:
                raise SimRefused("rule_missing")
            current = await change(tx, current, rule=copy)
            current = await self._recount(tx, current, rule)
        return current

    # ---- activities ----------------------------------------------------------------------

    async def record(
        self, sim: Sim, kind: Activity, day: date, tier: int | None = None
    ) -> Recorded:
        """The line was used or topped up on a day of its owner's zone; told twice, it is once.

        `tier` is what was paid, a place in the rule's tiers. Raises SimRefused "not_yours".
        """
        async with self._store.write() as tx:
            current = await _owned(tx, sim)
            rule = await self._rule(tx, current)
            days = kept_days(rule, kind, tier) if rule is not None else None
            paid = days if tier is not None else None
            row = ActivityRow(current.id, kind, day, paid, self._clock.now())
            await tx.activities.add(row)
            current = await self._recount(tx, current, rule)
        return Recorded(current, rule, counted=days is not None)

    async def forget(self, sim: Sim, kind: Activity, day: date) -> Sim:
        """An activity was told by mistake. Raises SimRefused "not_yours"."""
        async with self._store.write() as tx:
            current = await _owned(tx, sim)
            await tx.activities.remove(current.id, kind, day)
            current = await self._recount(tx, current, await self._rule(tx, current))
        return current

    async def last(self, sim: Sim) -> ActivityRow | None:
        """The latest activity that was told."""
        async with self._store.read() as tx:
            rows = await tx.activities.of(sim.id)
        return rows[0] if rows else None

    async def _recount(self, tx: Tx, sim: Sim, rule: Rule | None) -> Sim:
        return await _recounted(tx, sim, rule, self._clock.now())

    # ---- the operator --------------------------------------------------------------------

    def named(self, text: str) -> tuple[str, Pack | None]:
        """Under which key a rule is stored, by a pack's code, name or carrier, or by the name of a
        carrier without a pack. Raises RuleRefused when several packs are meant."""
        if text in self._packs:
            return text, self._packs[text]
        packs = packs_for(self._packs, text)
        exact = [pack for pack in packs if pack.name.casefold() == text.casefold()]
        found = exact or list(packs)
        if len(found) > 1:
            names = ", ".join(pack.code for pack in found)
            raise RuleRefused(f"{text} may be any of: {names}")
        pack = found[0] if found else None
        return override_key(pack, text), pack

    async def say(self, carrier: str, said: Override, actor: str) -> Overridden:
        """The operator's rule of a carrier, added to what they said before; every SIM that follows
        it is counted anew. Raises RuleRefused."""
        key, pack = self.named(carrier)
        now = self._clock.now()
        async with self._store.write() as tx:
            before = await tx.rules.get(key)
            merged = _merged(before.fields if before else Override(), said)
            stored = Overridden(key, merged, actor, now)
            if pack is None and merged.interval_days is None:
                raise RuleRefused(f"no pack knows {carrier}: say at least the interval in days")
            await tx.rules.set(stored)
            details = {name: value for name, value in asdict(said).items() if value is not None}
            await tx.audit.add(AuditRow(now, actor, "rule_said", f"rule:{key}", details))
        await self._recount_all(key)
        return stored

    async def unsay(self, carrier: str, actor: str) -> bool:
        """Take the operator's rule back; False when there was none. Raises RuleRefused."""
        key, _ = self.named(carrier)
        async with self._store.write() as tx:
            if not await tx.rules.remove(key):
                return False
            row = AuditRow(self._clock.now(), actor, "rule_unsaid", f"rule:{key}", {})
            await tx.audit.add(row)
        await self._recount_all(key)
        return True

    async def all(self) -> list[Rule]:
        """Every pack and every rule of the operator's, by name."""
        async with self._store.read() as tx:
            said = {row.carrier: row for row in await tx.rules.all()}
        rules = [
            effective(pack.name, pack, said.pop(code, None)) for code, pack in self._packs.items()
        ]
        rules += [effective(row.carrier, None, row) for row in said.values()]
        return sorted((rule for rule in rules if rule), key=lambda rule: rule.name.casefold())

    async def _recount_all(self, key: str | None = None) -> None:
        """Every SIM that follows the rule with that key, or any, as that rule counts now.

        One transaction a SIM, so that a running bot is not held up; a repeat changes nothing.
        """
        async with self._store.read() as tx:
            kept = await tx.sims.kept()
        for sim in kept:
            if key is not None and override_key(pack_of(self._packs, sim), sim.carrier) != key:
                continue
            async with self._store.read() as tx:
                rule = await self._rule(tx, sim)
                if _copy(sim, rule) == sim.rule and not await _moved(tx, sim, rule):
                    continue
            async with self._store.write() as tx:
                current = await tx.sims.get(sim.id)
                if current is None or current.owner_id is None or current.removed_at is not None:
                    continue
                rule = await self._rule(tx, current)
                if _copy(current, rule) != current.rule:
                    current = await change(tx, current, rule=_copy(current, rule))
                await self._recount(tx, current, rule)


def _copy(sim: Sim, rule: Rule | None) -> KeepRule | None:
    """The rule that a SIM holds: its owner's own, or what the rule in force says now."""
    copied = sim.rule is not None and sim.rule.source is not Source.CUSTOMER
    copy = keep_rule(rule) if rule is not None and copied else None
    return copy or sim.rule


async def rule_in(tx: Tx, packs: Mapping[str, Pack], sim: Sim) -> Rule | None:
    """The rule in force for a SIM, within a transaction."""
    pack = pack_of(packs, sim)
    said = await tx.rules.get(override_key(pack, sim.carrier))
    return effective(sim.carrier, pack, said, sim.rule)


async def topped_up(
    tx: Tx, packs: Mapping[str, Pack], sim: Sim, at: datetime, now: datetime, *, dated: bool
) -> None:
    """The shop topped an owned line up at `at` (UTC): that is an activity, told twice it is once.

    With `dated` the SIM has the dates that were paid for already. Where only what is paid keeps
    it they are its validity, and the activity lasts as long; so no later count makes it shorter.
    """
    rule = await rule_in(tx, packs, sim)
    if rule is None or sim.owner_id is None or sim.removed_at is not None:
        return
    tz = zone((await _preferences(tx, sim)).zone)
    day = at.astimezone(tz).date()
    paid = sim.expiry if dated and rule.by_validity else None
    days = None if paid is None else max(1, (paid.astimezone(tz).date() - day).days)
    await tx.activities.add(ActivityRow(sim.id, Activity.TOP_UP, day, days, now))
    if paid is None:
        await _recounted(tx, sim, rule, now)


async def _recounted(tx: Tx, sim: Sim, rule: Rule | None, now: datetime) -> Sim:
    """The SIM with the deadline that follows from its activities, and its reminders."""
    changes = await _moved(tx, sim, rule)
    if not changes:
        return sim
    preferences = await _preferences(tx, sim)
    changed = await change(tx, sim, **changes)
    if changed.expiry != sim.expiry or changed.expiry is None:
        await settle_passed(tx, sim.id, now)
    else:
        # A reminder of the expiry, and its snooze, are no affair of this deadline.
        for code in sorted(passed(changed, preferences_of(changed, preferences), now)):
            if code.startswith(StageKind.KEEP):
                await settle(tx, changed, code, now, sent=False)
        await replan(tx, sim.id, now)
    fresh = await tx.sims.get(sim.id)
    return fresh or changed


async def _moved(tx: Tx, sim: Sim, rule: Rule | None) -> dict[str, object]:
    """What its activities change of a SIM under a rule; nothing when they are counted already."""
    preferences = await _preferences(tx, sim)
    until = None
    for row in await tx.activities.of(sim.id) if rule is not None else ():
        days = row.days or (kept_days(rule, row.kind) if rule is not None else None)
        if days is not None:
            found = deadline(row.day, days, preferences.zone)
            until = max(until or found, found)
    changes = _dates(sim, rule, until)
    counted = all(getattr(sim, name) == value for name, value in changes.items())
    return {} if counted else changes


async def _preferences(tx: Tx, sim: Sim) -> Preferences:
    chat = await tx.chats.get(sim.owner_id) if sim.owner_id is not None else None
    return chat.preferences if chat else Preferences()


async def _owned(tx: Tx, sim: Sim) -> Sim:
    current = await owned_by(tx, sim.id, sim.owner_id) if sim.owner_id is not None else None
    if current is None:
        raise SimRefused("not_yours")
    return current


def _dates(sim: Sim, rule: Rule | None, until: datetime | None) -> dict[str, object]:
    """What a deadline counted from activities changes of a SIM."""
    grace = rule.grace.days if rule is not None and rule.grace is not None else None
    end = None if until is None or grace is None else until + timedelta(days=grace)
    if rule is None or not rule.by_validity:
        kept: dict[str, object] = {
            "keep_deadline": until,
            "deadline_source": rule.source if rule is not None and until is not None else None,
        }
        # The grace period of an expiry is that expiry's own.
        return kept if sim.expiry is not None else kept | {"grace_end": end}
    none: dict[str, object] = {"keep_deadline": None, "deadline_source": None}
    counted = sim.dates_source is Source.RULE
    if sim.dates_source is Source.SUPPLIER or (until is None and not counted):
        return none
    if not counted and sim.expiry is not None and until is not None and until <= sim.expiry:
        return none  # what its owner or the shop knows of it is later
    return none | {
        "expiry": until,
        "grace_end": end,
        "dates_source": Source.RULE if until is not None else Source.CUSTOMER,
        "snoozed_until": sim.snoozed_until if until == sim.expiry else None,
    }


def _merged(before: Override, said: Override) -> Override:
    given = {f.name: getattr(said, f.name) for f in fields(Override)}
    return replace(before, **{name: value for name, value in given.items() if value is not None})


# ---- the operator's file -------------------------------------------------------------------


def _listed(value: object) -> object:
    return value.replace(",", " ").split() if isinstance(value, str) else value


class RuleRow(BaseModel):
    """One rule as the operator writes it."""

    model_config = ConfigDict(extra="forbid")

    carrier: Annotated[str, Field(min_length=1)]
    interval_days: Annotated[int, Field(ge=1, le=3660)] | None = None
    grace_days: Annotated[int, Field(ge=0, le=3660)] | None = None
    counts: Annotated[tuple[Activity, ...], BeforeValidator(_listed)] | None = None
    balance_code: Annotated[str, Field(max_length=40)] | None = None
    note: Annotated[str, Field(max_length=500)] | None = None

    @model_validator(mode="after")
    def _says_something(self) -> "RuleRow":
        if self.model_fields_set == {"carrier"}:
            raise ValueError("says nothing about it")
        return self

    def override(self) -> Override:
        """As it is stored."""
        return Override(
            self.interval_days, self.grace_days, self.counts or None, self.balance_code, self.note
        )


def read_rules(path: Path) -> list[RuleRow]:
    """The rules of a file, under `rules:` in YAML. Raises FileRefused, OSError."""
    return [row.value for row in read_rows(path, "rules", RuleRow, ("carrier",))]
