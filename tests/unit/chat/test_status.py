"""/status: what waits, how it goes, who is away; for operators alone."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.chat.conversations import status
from bot.chat.views.status import CLASSES
from bot.chat.views.status import status as screen
from bot.domain.sales import Method
from bot.i18n import words
from bot.ports import Notice, Outcome, Priority
from bot.services.limits import SECOND, Gate, Limits
from bot.services.reconcile import Reconciliation
from bot.services.status import Standing, Status
from bot.services.wallets import Wallets
from tests.unit.chat.chat_house import chat_house, text
from tests.unit.services.house import SELLING, HandClock, Supplier
from tests.unit.services.sale_house import sale_house
from tests.unit.store.samples import ALICE, BOB, NOW, minutes, notice

CALM = Standing(NOW, (), 12, {Outcome.SENT: 700}, None, {}, (), minutes(-7), 0)


class Silent(Supplier):
    """A supplier that answers nothing while it is `away`."""

    away = True

    async def wallet(self) -> None:
        if self.away:
            raise TimeoutError
        return None


async def test_it_tells_what_the_store_and_the_services_know(tmp_path: Path) -> None:
    async with sale_house(tmp_path) as shop:
        clock, store = shop.clock, shop.database
        gate = Gate(Limits(limited=False), now=lambda: int(clock.at.timestamp()) * SECOND)
        silent = Silent(clock)
        wallets = Wallets(store, clock, {"reloadly": silent}, SELLING, {})
        books = Reconciliation(store, clock, {}, SELLING, shop.till)
        look = Status(store, clock, gate, wallets, books)
        first = await look.now()
        assert (first.queue, first.sent, first.reconciled_at) == ([], 0, None)

        await _history(shop.database, clock)
        await wallets.worker.run()
        away_since = clock.at
        clock.advance(minutes=20)
        await wallets.worker.run()
        report = await books.run(clock.at - timedelta(days=1))
        for chat in (1, 2, 3):
            gate.refused(chat, 60)
        found = await look.now()
        assert [(line.priority, line.waiting, line.planned) for line in found.queue] == [
            (Priority.REMINDER, 1, 1), (Priority.BROADCAST, 1, 0)
        ]  # fmt: skip
        assert found.queue[0].oldest == away_since
        assert found.sent == 0  # that was twenty minutes ago
        assert found.hour == {Outcome.SENT: 1, Outcome.BLOCKED: 1}
        assert found.suppliers_away == {"reloadly": away_since}
        assert found.reconciled_at == report.at
        assert found.silent_until == clock.at + timedelta(seconds=60)

        silent.away = False
        clock.advance(minutes=20)
        await wallets.worker.run()
        assert (await look.now()).suppliers_away == {}


async def _history(database: object, clock: HandClock) -> None:
    """One sent, one refused, one that waits since then, one for later, one broadcast."""
    from bot.store import Database

    assert isinstance(database, Database)

    def of(key: str, chat: int, **changes: object) -> Notice:
        return replace(notice(key, chat), **changes)  # type: ignore[arg-type]

    async with database.write() as tx:
        await tx.outbox.add(of("sent", ALICE))
        await tx.outbox.add(of("blocked", BOB))
        for one in await tx.outbox.claim(clock.at, 9):
            outcome = Outcome(one.dedupe_key)
            assert one.id is not None
            await tx.outbox.settle(one.id, outcome, clock.at)
        await tx.outbox.add(of("waits", ALICE))
        await tx.outbox.add(of("later", ALICE, not_before=clock.at + timedelta(days=1)))
        await tx.outbox.add(of("news", BOB, priority=Priority.BROADCAST))
        await tx.outbox.claim(clock.at, 0)  # the sender has seen them


@pytest.mark.parametrize("language", ["en", "zh_Hans", "zh_Hant"])
def test_every_class_has_a_name(language: str) -> None:
    assert set(CLASSES) == set(Priority)
    t = words(language)
    assert len({t(name) for name in CLASSES.values()}) == len(CLASSES)


def test_a_calm_day_says_so() -> None:
    said = screen(words("en"), CALM).text
    assert "12 messages sent in the last minute" in said
    assert "No message waits." in said
    assert "All suppliers answer" in said
    assert "7 minutes ago: they agree" in said
    assert "⚠️" not in said


def test_trouble_says_what_to_do() -> None:
    trouble = replace(
        CALM,
        hour={Outcome.FAILED: 2, Outcome.DEACTIVATED: 1, Outcome.BLOCKED: 2, Outcome.AMBIGUOUS: 1},
        silent_until=minutes(3),
        suppliers_away={"airalo": minutes(-30)},
        providers_away=(Method.PAYPAL,),
        gaps=3,
    )
    said = screen(words("en"), trouble).text
    for part in (
        "refused 2",
        "In the last hour 3 did not arrive",
        "may not have arrived",
        "pause until",
        "airalo does not answer",
        "PayPal",
        "3 differences wait in /queue",
    ):
        assert part in said  # fmt: skip


async def test_only_operators_see_it(tmp_path: Path) -> None:
    async with sale_house(tmp_path) as shop, chat_house(shop, handlers=status.ENTRY) as house:
        await house.intake.replay()
        entities = [{"type": "bot_command", "offset": 0, "length": 7}]
        await house.take(text(1, words="/status", entities=entities))
        await house.settled()
        [sent] = house.telegram.of("sendMessage")
        assert "📊" not in sent["text"]
        house.app.bot_data["shop"] = replace(house.app.bot_data["shop"], operators={ALICE})
        await house.take(text(2, words="/status", entities=entities))
        await house.settled()
        assert "📊" in house.telegram.of("sendMessage")[-1]["text"]
