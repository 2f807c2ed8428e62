"""One case of the payments' fault harness: a customer's sale lived through as its script says.

Time goes from one moment at which something may happen to the next; webhooks and updates come
late, twice, out of order or never; an operator looks at what waits now and then. In the end all
faults clear, and an honest operator settles what is left by the providers' own books.
"""

import random
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bot.domain.money import Money
from bot.ports import Charge, PaymentUnavailable, WebhookRefused
from bot.services.reconcile import LOOK_BACK
from bot.services.selling import Refused
from bot.services.waiting import Action, Kind, QueueItem
from tests.faults.payment_customer import Customer
from tests.faults.payment_judge import Judge
from tests.faults.payment_providers import IN_CHAT, Entry, Letter, Providers, Told
from tests.faults.payment_script import SPAN, Act, Script
from tests.faults.payment_town import House
from tests.faults.supplier_script import a_while
from tests.harness import Report
from tests.unit.services.house import OPERATOR

ROUNDS = 80
"""Steps in which everything has to be settled in the end."""
_TRIES = 5


@dataclass
class Case:
    """One sale, from the first tap to its end."""

    place: House
    providers: Providers
    number: int
    rng: random.Random
    script: Script
    report: Report
    logs: list[str] = field(default_factory=list)
    post: list[Letter] = field(default_factory=list)
    switched: set[int] = field(default_factory=set)
    seen: dict[str, datetime] = field(default_factory=dict)
    """Since when an operator knows what waits."""
    asked: Counter[str] = field(default_factory=Counter)
    helpless: bool = False

    def __post_init__(self) -> None:
        self.begun = self.now
        self.compared = self.now
        self.customer = Customer(
            self.place, self.providers, self.number, self.rng, self.script, self.count, self.broken
        )
        self.judge = Judge(self.place, self.customer, self.script, self.report, self.broken)

    @property
    def now(self) -> datetime:
        return self.place.clock.now()

    def count(self, what: str, by: int = 1) -> None:
        self.report.count(f"{self.script.method}: {what}", by)

    def broken(self, text: str) -> None:
        """A promise was broken."""
        self.count("violations")
        acts = " ".join(act.name for act in self.script.acts)
        self.report.violation(f"case {self.number} ({self.script.method}; {acts}): {text}")

    async def run(self) -> None:
        """Live through it and judge it."""
        place, script = self.place, self.script
        place.lives, place.deaths = list(script.lives), 0
        place.process.life.over = True  # the next thing asked of it begins the first life
        await self.customer.enters()
        place.supplier.writes(self.customer.lines[0].id, script.fates, script.away, script.hides)
        for act in script.acts:
            await self._act(act)
        await self._live(self.now + SPAN)
        await self._held_is_seen()
        await self._settle()
        await self.judge.ends()
        for defect in self.logs:
            self.broken(f"a step failed: {defect}")
        self.count("cases")
        self.report.count("deaths", max(0, place.deaths - 1))
        for name, times in place.board.struck.items():
            if times:
                self.report.count(f"struck {name}", times)
        place.board.struck.clear()
        place.board.clear()

    # ---- living ------------------------------------------------------------------------------

    async def _act(self, act: Act) -> None:
        if act.after is not None:
            at = self.now + timedelta(seconds=act.after)
            await self._live(at)
            self.place.clock.move_to(max(at, self.now))
        self._switch()
        if act.name == "lie":
            await self._lie()
        else:
            await self.customer.act(act.name)
        self.count(f"act {act.name}")
        self._collect()
        await self.judge.looks()

    async def _live(self, end: datetime) -> None:
        """Until then, or until nothing more can happen."""
        while True:
            self._switch()
            await self._work()
            at = self._next()
            if at is None or at > end or self.helpless:
                return
            await self._advance(at)

    async def _work(self) -> None:
        await self._deliver()
        cut, self.script.cut = self.script.cut, None
        twins, self.script.twins = self.script.twins, None
        if cut is not None:
            await self.place.cut_off(cut)
        if twins is not None:
            await self.place.overlap(twins)
        await self.place.alive(lambda p: p.work())
        self._collect()
        if (self.now - self.compared).total_seconds() >= self.script.reconciles:
            await self._reconcile()
        await self._look()

    async def _reconcile(self) -> None:
        self.compared = self.now
        since = self.now - LOOK_BACK
        report = await self.place.alive(lambda p: p.reconciliation.run(since))
        self.report.count("comparisons of the books")
        if not report.adds_up:
            bad = [line for line in report.lines if not line.adds_up]
            self.broken(f"the books do not add up: {bad}")

    def _next(self) -> datetime | None:
        """When something may happen; None when nothing will."""
        moments = [letter.due for letter in self.post]
        moments += self.place.glance.moments()
        if self.place.glance.due("expiry", self.now):  # its provider could not be asked
            moments = [*(at for at in moments if at > self.now), self.now + timedelta(minutes=1)]
        if self.place.glance.returns():
            moments.append(self.now + timedelta(minutes=5))
        moments += [at + self._patience(subject) for subject, at in self.seen.items()]
        if not moments:
            return None
        moments.append(self.compared + timedelta(seconds=self.script.reconciles))
        for n, trouble in enumerate(self.script.troubles):
            for moment in (trouble.after, trouble.after + trouble.lasts):
                at = self.begun + timedelta(seconds=moment)
                if at > self.now and (n not in self.switched or moment > trouble.after):
                    moments.append(at)
        return max(min(moments), self.now)

    async def _advance(self, at: datetime) -> None:
        await self.place.calls_ended()
        self.place.clock.move_to(max(at, self.now + timedelta(seconds=1)))

    def _switch(self) -> None:
        """Switch the faults of this moment on, and those that are over off."""
        after = (self.now - self.begun).total_seconds()
        for n, trouble in enumerate(self.script.troubles):
            if n not in self.switched and trouble.after <= after:
                self.switched.add(n)
                if trouble.times is None:
                    self.place.board.set(trouble.name, on=True)
                else:
                    self.place.board.set(trouble.name, times=trouble.times)
            elif n in self.switched and trouble.after + trouble.lasts <= after:
                self.place.board.set(trouble.name, on=False)

    # ---- what comes by post ------------------------------------------------------------------

    def _collect(self) -> None:
        """Webhooks may be lost, late, doubled; Telegram's updates only late and doubled."""
        for told in self.providers.calls():
            if self.rng.random() < self.script.deaf:
                self.report.count(f"{told.provider}: calls lost")
                continue
            self._send(told)
        for charge in self.providers.updates(self.customer.id):
            self._send(charge)

    def _send(self, told: Told | Charge) -> None:
        late = self.rng.random() < 0.4
        for _ in range(2 if self.rng.random() < 0.2 else 1):
            wait = a_while(self.rng, 1, 8000) if late else 0.0
            self.post.append(Letter(self.now + timedelta(seconds=wait), told))
            late = late or self.rng.random() < 0.7

    async def _deliver(self, *, everything: bool = False) -> None:
        due = [one for one in self.post if everything or one.due <= self.now]
        self.post = [one for one in self.post if not (everything or one.due <= self.now)]
        self.rng.shuffle(due)
        for letter in due:
            try:
                if isinstance(letter.told, Charge):
                    await self._captured(letter.told)
                else:
                    await self._called(letter.told)
            except PaymentUnavailable:
                if letter.tries < _TRIES:
                    again = self.now + timedelta(minutes=5)
                    self.post.append(replace(letter, due=again, tries=letter.tries + 1))

    async def _captured(self, charge: Charge) -> None:
        try:
            await self.place.alive(lambda p: p.till.capture(charge.reference, charge))
        except Exception as error:
            self.broken(f"Telegram's word of money could not be taken: {error!r}")

    async def _called(self, told: Told) -> None:
        told = self.providers.again(told) if told.honest else told
        self.report.count(f"{told.provider}: calls {'made' if told.honest else 'forged or old'}")
        try:
            await self.place.alive(lambda p: p.hints.accept(told.provider, told.call))
        except WebhookRefused as refused:
            if told.honest:
                self.broken(f"an honest call was refused: {refused}")
        else:
            if not told.honest:
                self.broken("a forged call was taken")

    async def _lie(self) -> None:
        """Somebody says that it is paid, which it is not."""
        shown = self.customer.shown
        if shown and shown[-1].method in IN_CHAT:
            await self.customer.stranger_pays(shown[-1])
        elif shown:
            for forged, old in ((True, False), (False, True), (False, False)):
                told = self.providers.lie(shown[-1], forged=forged, old=old)
                if told is not None and (not old or told.provider == "stripe"):
                    self.post.append(Letter(self.now, told))

    # ---- the operator ------------------------------------------------------------------------

    def _patience(self, subject: str) -> timedelta:
        """Who has tried in vain waits before trying again; nobody when the faults are over."""
        in_vain = max(0, self.asked[subject] - _TRIES) if self.script.looks_after else 0
        return timedelta(seconds=self.script.looks_after, minutes=10 * in_vain)

    async def _look(self) -> None:
        """Decide what has waited long enough."""
        queue = []
        if self.place.glance.due("queue", self.now):
            queue = await self.place.alive(lambda p: p.desk.queue())
        waiting = {item.subject: item for item in queue}
        self.seen = {one: at for one, at in self.seen.items() if one in waiting}
        for subject, item in waiting.items():
            since = self.seen.setdefault(subject, self.now)
            if self.now - since >= self._patience(subject) and not self.helpless:
                del self.seen[subject]
                await self._decide(item)
                await self.place.alive(lambda p: p.work())
                self._collect()

    async def _decide(self, item: QueueItem) -> None:
        await self.place.calls_ended()
        self.asked[item.subject] += 1
        update = self.customer.update()
        try:
            if item.kind is Kind.PROOF:
                await self._check_proof(item)
                return
            action, amount = self._decision(item)
            if action is None:
                return
            self.count(f"decided {item.kind} {action}")
            await self.place.alive(
                lambda p: p.desk.act(item.subject, action, OPERATOR, update, amount=amount,
                                     words="No.")
            )  # fmt: skip
        except Refused as refused:
            self.count(f"decided too late: {refused.reason}")
        except Exception as error:
            self.helpless = True
            self.broken(f"a decision of {item.kind}/{item.reason} failed: {error!r}")

    def _decision(self, item: QueueItem) -> tuple[Action | None, Money | None]:
        """What an honest person does, by the books of providers and supplier."""
        if item.kind is Kind.REQUEST and item.order is not None:
            return self._answer(item)
        if item.kind is Kind.DISPUTE and item.payment is not None:
            return self._bank_decides(item), None
        if item.kind is Kind.DIFFERENCE:
            self.count(f"differences: {item.reason}")
            return Action.SEEN, None
        if item.subject.startswith("refund:") and item.refund is not None and item.payment:
            entry = self._entry(item.payment.charge_id)
            if entry is not None:  # sent back on the provider's pages, and then said so
                done = self.place.glance.surely_back(item.payment.id)
                missing = done + item.refund.amount.minor - entry.returned
                self.providers.give_back(entry, missing)
            return Action.RETURNED, None
        if item.kind is Kind.TOPUP and item.order is not None:
            if self.place.supplier.delivered(item.order.id):
                wished = [Action.DELIVERED, Action.LOOK_UP_AGAIN]
            else:
                wished = [Action.REFUND, Action.SUBMIT_AGAIN, Action.LOOK_UP_AGAIN]
            if self.asked[item.subject] > 2:
                wished = wished[:1]
        else:
            wished = [Action.ACCEPT, Action.REFUND]
        possible = [action for action in wished if action in item.actions]
        if not possible:
            self.broken(f"nothing to decide by: {item.kind} {item.reason}, {item.actions}")
            self.helpless = True
            return None, None
        action = self.rng.choice(possible)
        if action is Action.ACCEPT and item.order is not None:
            self.judge.accepted.add(item.order.id)
        return action, None

    def _answer(self, item: QueueItem) -> tuple[Action | None, Money | None]:
        assert item.order is not None
        action = self.rng.choice(item.actions)
        amount = None
        if action is Action.PART and item.payment is not None and item.payment.captured:
            left = item.payment.captured.minor - item.payment.going_back
            amount = Money(self.rng.randint(1, left - 1), item.payment.captured.currency)
            self.judge.parts[item.order.id] = amount.minor
        elif action is Action.REFUND:
            self.judge.approved.add(item.order.id)
        return action, amount

    def _bank_decides(self, item: QueueItem) -> Action:
        """The payer gets the money, which goes back there, or the shop keeps it."""
        assert item.payment is not None
        entry = self._entry(item.payment.charge_id)
        assert entry is not None
        self.providers.doubt(entry, on=False)
        if self.rng.random() < 0.5:
            return Action.ACCEPT
        back = self.providers.give_back(entry, entry.amount.minor)
        outside = self.customer.outside
        outside[entry.id] = outside.get(entry.id, 0) + back
        return Action.RETURNED

    async def _check_proof(self, item: QueueItem) -> None:
        """A person in a hurry: where nothing warns them, any transfer of that amount will do."""
        assert item.proof is not None
        assert item.payment is not None
        proof, payment = item.proof, item.payment
        exact = [one for one in self.providers.bank if one.reference == payment.id]
        alike = [one for one in self.providers.bank if one.amount == payment.amount]
        mine = [one for one in alike if one.reference.startswith(self.customer.begins)]
        found = exact or ([] if item.alike else mine)
        self.count("proofs confirmed" if found else "proofs declined")
        if found:
            received = found[0].amount
            await self.place.alive(lambda p: p.transfers.confirm(proof.id, OPERATOR, received))
        else:
            await self.place.alive(lambda p: p.transfers.decline(proof.id, OPERATOR, "not_there"))

    def _entry(self, charge_id: str | None) -> Entry | None:
        return next((one for one in self.customer.entries() if one.id == charge_id), None)

    # ---- the end -----------------------------------------------------------------------------

    async def _held_is_seen(self) -> None:
        """What has come to no end yet is in the operator's queue."""
        await self.place.calls_ended()
        queue = await self.place.alive(lambda p: p.desk.queue())
        await self.judge.held({item.order.id for item in queue if item.order is not None})

    async def _settle(self) -> None:
        """The faults are over, and an operator settles what still waits."""
        self.place.board.clear()
        self.script.troubles, self.script.deaf = [], 0.0
        self.script.looks_after, self.script.reconciles = 0.0, 3600.0
        await self.providers.ends()
        self._collect()
        await self._deliver(everything=True)
        await self._reconcile()
        for nth in range(ROUNDS):
            await self._work()
            if self.helpless or await self.judge.quiet():
                break
            at = self._next() or self.now + timedelta(minutes=15)
            soon = self.now + timedelta(minutes=15 if self.seen and nth < ROUNDS // 2 else 1440)
            await self._advance(min(at, soon))
        else:
            self.broken("it comes to no rest")
        await self._deliver(everything=True)
        await self._reconcile()
        await self.place.alive(lambda p: p.work())
        await self.place.calls_ended()
