"""Chats, conversations, the audit log."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta, timezone

from bot.domain.chats import Preferences
from bot.ports import AuditRow
from bot.store import Database
from tests.unit.store.samples import ALICE, BOB, CHARLIE, NOW, chat, minutes, notice


async def test_a_chat_is_added_once(db: Database) -> None:
    async with db.write() as tx:
        assert await tx.chats.add(chat())
        assert not await tx.chats.add(chat(language="en"))
    async with db.read() as tx:
        assert await tx.chats.get(ALICE) == chat()
        assert await tx.chats.get(BOB) is None


async def test_every_preference_comes_back(db: Database) -> None:
    chosen = Preferences("Asia/Shanghai", True, 21, time(23, 30), time(7, 15), True, (30, 1), False,
                         False)  # fmt: skip
    async with db.write() as tx:
        await tx.chats.add(chat(CHARLIE))
        await tx.chats.set_preferences(CHARLIE, chosen)
        await tx.chats.set_language(CHARLIE, "zh_Hant")
        await tx.chats.set_name(CHARLIE, "陳小姐", None)
        await tx.chats.set_blocked(CHARLIE, NOW)
    async with db.read() as tx:
        assert await tx.chats.get(CHARLIE) == replace(
            chat(CHARLIE, preferences=chosen, language="zh_Hant", language_chosen=True),
            first_name="陳小姐", username=None, blocked_at=NOW,
        )  # fmt: skip
    async with db.write() as tx:
        await tx.chats.set_blocked(CHARLIE, None)
        found = await tx.chats.get(CHARLIE)
        assert found is not None
        assert found.blocked_at is None


async def test_datetimes_come_back_in_utc(db: Database) -> None:
    there = datetime(2026, 11, 20, 20, 0, 0, 123456, tzinfo=timezone(timedelta(hours=8)))
    async with db.write() as tx:
        await tx.chats.add(chat(blocked_at=there))
        found = await tx.chats.get(ALICE)
    assert found is not None
    assert found.blocked_at == there
    assert found.blocked_at is not None
    assert found.blocked_at.tzinfo is UTC


async def test_a_group_that_moved_takes_its_row_and_its_messages_along(db: Database) -> None:
    async with db.write() as tx:
        await tx.chats.add(chat(-5, kind="group", language="zh_Hant"))
        await tx.outbox.add(notice("n", -5))
        await tx.chats.migrate(-5, -100_5)
        old, new = await tx.chats.get(-5), await tx.chats.get(-100_5)
        assert old is not None
        assert old.migrated_to == -100_5
        assert new == replace(old, id=-100_5, migrated_to=None)
        await tx.chats.migrate(-5, -100_5)  # Telegram says it in both chats
        [waiting] = await tx.outbox.claim(NOW, 9)
        assert waiting.chat_id == -100_5


async def test_wrong_claims_are_counted(db: Database) -> None:
    async with db.write() as tx:
        assert await tx.chats.wrong_claims(ALICE) == (0, None)
        await tx.chats.add(chat())
        assert await tx.chats.wrong_claims(ALICE) == (0, None)
        await tx.chats.set_wrong_claims(ALICE, 5, minutes(60))
        assert await tx.chats.wrong_claims(ALICE) == (5, minutes(60))
        await tx.chats.set_wrong_claims(ALICE, 0, None)
        assert await tx.chats.wrong_claims(ALICE) == (0, None)


async def test_conversations_stand_where_they_stood(db: Database) -> None:
    async with db.write() as tx:
        await tx.talks.set_state("renew", (ALICE, ALICE), 3)
        await tx.talks.set_state("renew", (-100, BOB), 1)
        await tx.talks.set_state("add", (ALICE, ALICE), 2)
        await tx.talks.set_state("renew", (ALICE, ALICE), 4)
    async with db.read() as tx:
        assert await tx.talks.states("renew") == {(ALICE, ALICE): 4, (-100, BOB): 1}
        assert await tx.talks.states("none") == {}
    async with db.write() as tx:
        await tx.talks.set_state("renew", (-100, BOB), None)
        await tx.talks.set_state("renew", (7, 7), None)
        assert await tx.talks.states("renew") == {(ALICE, ALICE): 4}


async def test_drafts_are_replaced_and_forgotten(db: Database) -> None:
    async with db.write() as tx:
        await tx.talks.set_draft(ALICE, {"iccid": "8986", "步": [1, None, True]})
        await tx.talks.set_draft(BOB, {"x": 1})
        await tx.talks.set_draft(ALICE, {"plan": "p"})
        assert await tx.talks.drafts() == {ALICE: {"plan": "p"}, BOB: {"x": 1}}
        await tx.talks.set_draft(BOB, {})
        assert await tx.talks.drafts() == {ALICE: {"plan": "p"}}


async def test_the_audit_log_is_read_newest_first(db: Database) -> None:
    rows = [
        AuditRow(NOW, "chat:9", "refund", f"order:{number}", {"why": "重复", "n": number})
        for number in range(3)
    ]
    async with db.write() as tx:
        for row in rows:
            await tx.audit.add(row)
        assert await tx.audit.latest(2) == [rows[2], rows[1]]
