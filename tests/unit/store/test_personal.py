"""Forgetting: after it nothing of the person is in any table, and nothing of anybody else is gone.

Canaries are written into every column that can hold something of a person.
"""

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import time
from typing import Any

from sqlalchemy import select

from bot.domain.books import Difference, Gap
from bot.domain.broadcasts import Broadcast, BroadcastState, Reached, Recipient
from bot.domain.campaigns import (
    Campaign,
    Post,
    PostingState,
    PostState,
    Repeat,
    Timing,
)
from bot.domain.campaigns import Posting as GroupPosting
from bot.domain.chats import forgotten
from bot.domain.groups import Approval, Earning, EarningKind, Group, Standing
from bot.domain.handover import Handover, HandoverState
from bot.domain.ledger import Deposit, Entry, EntryKind, Posting, wallet
from bot.domain.money import Money
from bot.domain.orders import OrderState, PaymentState, RefundState, TopUpState
from bot.domain.renewals import TERMS, Agreement, AgreementState, Run, RunState
from bot.domain.requests import RefundRequest, RequestState, Why
from bot.domain.rules import Activity
from bot.domain.sales import Method, Refund, Saved
from bot.domain.transfers import Proof, ProofState
from bot.ports import Activation, ActivityRow, AuditRow, Claim, InboxRow, Tx, Wait
from bot.store import Database
from bot.store.personal import IMPERSONAL, PLACES
from bot.store.tables import chats, metadata
from bot.store.transactions import transaction
from tests.unit.store.samples import (
    BOB,
    NOW,
    chat,
    days,
    managed,
    minutes,
    notice,
    order,
    payment,
    quote,
    reading,
    sim,
    topup,
)

ME = 77_001_234_567
CANARIES = (
    "Canary-Name", "canary_user", "8944CANARY0123456789", "+8613800CANARY", "Canary-Nick",
    "Canary-Phone", "190154203237518", "LPA:1$canary.example$1", "canary letter", "canary words",
    "canary-token", "canary-card", "canary-url", "canary-file", "canary-pin", "canary-answer",
    "canary draft", "canary update", "canary-sub", "canary sentence", str(ME),
)  # fmt: skip
UNTOUCHED = {"nickname": None, "device": None, "imei": None, "snoozed_until": None,
             "reminders_stopped": False}  # fmt: skip
USD = Money(1290, "USD")


async def life(tx: Tx, me: int, tag: str, n: int) -> None:
    """One customer with a row in every table that can hold one. `tag` tells two of them apart."""
    await tx.chats.add(chat(me, first_name=f"{tag}-Name", username=f"{tag.lower()}_user"))
    await tx.chats.set_wrong_claims(me, 2, None)
    own = sim(
        f"own{n}", me, iccid=f"8944{tag.upper()}0123456789", nickname=f"{tag}-Nick",
        device=f"{tag}-Phone", imei=f"{n}90154203237518",
        activation_code=f"LPA:1${tag.lower()}.example$1",
    )  # fmt: skip
    line = managed(f"line{n}", me, msisdn=f"+86138{n}", nickname=f"{tag}-Nick")
    for one in (own, line, sim(f"unused{n}", me, msisdn=f"+8613800{tag.upper()}"),
                sim(f"gone{n}", me, nickname=f"{tag}-Nick", removed_at=NOW)):  # fmt: skip
        assert await tx.sims.add(one)
        await tx.sims.add_reading(one.id, reading())
        await tx.reminders.add(one.id, "c", "expiry-7", sent=True, at=NOW)
        await tx.activities.add(ActivityRow(one.id, Activity.CALL, NOW.date(), None, NOW))
    await _bought(tx, me, tag.lower(), f"{n}a", own.id)
    await _bought(tx, me, tag.lower(), f"{n}b", line.id)
    await tx.quotes.add(quote(f"q{n}c", chat_id=me, sim_id=f"unused{n}"), None)
    await _money(tx, me, tag.lower(), n)
    await _posted(tx, me, tag.lower(), n)
    await _told_news(tx, me, n)
    await tx.activations.add(Activation(f"w{n}", line.id, me, Wait.WATCHED, NOW))
    await tx.claims.ask(Claim(f"cl{n}", me, line.id, "declined", NOW))
    await tx.claims.add_code(f"hash{n}", line.id, days(9))
    assert await tx.claims.use_code(f"hash{n}", me, NOW)
    await tx.handovers.add(
        Handover(f"h{n}", own.id, me, f"hh{n}", HandoverState.OFFERED, NOW, days(1))
    )
    await tx.inbox.append(
        [
            InboxRow(n * 100 + k, f"chat:{me}",
                     json.dumps({"message": {"text": f"{tag.lower()} update", "id": me}}))
            for k in (1, 2, 3)
        ],
        NOW,
    )  # fmt: skip
    await tx.inbox.done(n * 100 + 1, NOW, None)
    await tx.outbox.add(notice(f"n:{me}", me, data={"text": f"{tag.lower()} letter"}))
    await tx.outbox.add(
        notice(f"l:{me}", 5, kind="letter", data={"from": me, "text": f"{tag.lower()} letter"})
    )
    await tx.talks.set_state("private", (me, me), 4)
    await tx.talks.set_draft(me, {"line": f"{tag.lower()} draft"})
    for who, what in ((f"chat:{me}", f"sim:{own.id}"), ("operator:5", f"chat:{me}")):
        await tx.audit.add(AuditRow(NOW, who, "sim_claimed", what, {}))


async def _bought(tx: Tx, me: int, tag: str, key: str, sim_id: str) -> None:
    await tx.quotes.add(quote(f"q{key}", chat_id=me, sim_id=sim_id), None)
    made = order(f"o{key}", f"q{key}", chat_id=me, sim_id=sim_id, state=OrderState.QUOTED)
    await tx.orders.add(made)
    steps = (OrderState.AWAITING_PAYMENT, OrderState.PAID, OrderState.TOPPING_UP,
             OrderState.FULFILLED)  # fmt: skip
    old = OrderState.QUOTED
    for new in steps:
        assert await tx.orders.move(made.id, old, new, "x", NOW, actor=f"chat:{me}", paid_at=NOW)
        old = new
    await tx.orders.set_message(made.id, 55)
    await tx.payments.add(
        payment(
            f"p{key}", order_id=made.id, chat_id=me, state=PaymentState.CAPTURED,
            charge_id=f"charge-{key}", captured=Money(993, "XTR"), captured_at=NOW, payer_id=me,
            url=f"{tag}-url", provider_ref=f"ref-{key}",
        )
    )  # fmt: skip
    await tx.topups.add(
        topup(f"t{key}", order_id=made.id, sim_id=sim_id, state=TopUpState.VERIFIED,
              pin=f"{tag}-pin")
    )  # fmt: skip


async def _told_news(tx: Tx, me: int, n: int) -> None:
    """They run the shop, wrote to many, and got it too."""
    written = Broadcast(f"b{n}", 1, me, BroadcastState.DRAFT, NOW, texts={"en": "News"})
    await tx.broadcasts.add(written, 6100 + n)
    await tx.broadcasts.enrol([Recipient(f"rc{n}", written.id, me, Reached.WAITING, NOW)])


async def _money(tx: Tx, me: int, tag: str, n: int) -> None:
    saved = await tx.saved.keep(Saved(f"s{n}", me, Method.CARD, f"{tag}-token", f"{tag}-card", NOW))
    deposit = Deposit(f"d{n}", me, USD, (), NOW, days(1), message_id=5, paid_at=NOW)
    await tx.deposits.add(deposit)
    await tx.payments.add(
        payment(
            f"pd{n}", order_id=None, deposit_id=deposit.id, chat_id=me, method=Method.TRANSFER,
            state=PaymentState.CAPTURED, amount=USD, captured=USD, captured_at=NOW,
            charge_id=f"tr-{n}", saved_id=saved.id,
        )
    )  # fmt: skip
    for key, minor in ((f"in{n}", 1290), (f"out{n}", -1290)):
        own, other = Posting(wallet(me), Money(minor, "USD")), Posting("x", Money(-minor, "USD"))
        await tx.ledger.post(Entry(key, EntryKind.TOPUP, NOW, (own, other), deposit.id))
    await tx.proofs.add(
        Proof(f"pr{n}", f"pd{n}", me, ProofState.CONFIRMED, f"{tag}-file", True, f"sha{n}",
              "0" * 16, NOW, f"number-{n}"),
        8000 + n,
    )  # fmt: skip
    await tx.points.earn(me, f"o{n}a", 12, days(99), NOW)
    await tx.refunds.add(Refund(f"r{n}", f"p{n}a", RefundState.DONE, Money(1, "XTR"), "asked", NOW))
    await tx.requests.add(
        RefundRequest(f"rq{n}", f"o{n}a", me, Why.OTHER, f"{tag} words", RequestState.ASKED, NOW,
                      7000 + n)
    )  # fmt: skip
    await tx.requests.decide(
        f"rq{n}", RequestState.DECLINED, decided_at=NOW, decided_by=5, answer=f"{tag}-answer"
    )
    agreed = Agreement(
        f"ag{n}", 1, AgreementState.ACTIVE, f"own{n}", me, "boom-30d-5gb", Method.STARS, USD, USD,
        TERMS, NOW, saved_id=saved.id, subscription=f"{tag}-sub",
    )  # fmt: skip
    await tx.renewals.add(agreed)
    await tx.renewals.add_run(
        Run(f"run{n}", agreed.id, f"own{n}", days(10), RunState.PAID, USD, USD, NOW, 1)
    )
    await tx.renewals.move(agreed, AgreementState.CANCELLED, "x", NOW)
    gap = Difference(f"df{n}", Gap.NO_ORDER, f"charge:{n}", Method.CARD, USD, NOW)
    await tx.differences.add(gap)


async def _posted(tx: Tx, me: int, tag: str, n: int) -> None:
    """They run a group, posted there, came from a post, and earned."""
    campaign = Campaign("spring", 1, "spring", ("boom-30d-5gb",), {"en": "Spring"}, {"en": "Now"})
    if await tx.campaigns.get(campaign.id) is None:
        await tx.campaigns.apply([campaign], {})
    group = Group(
        f"g{n}", -1000 - n, "supergroup", "A group", Standing.ADMIN, True, Approval.ALLOWED,
        "en", "UTC", added_by=me, added_at=NOW,
    )  # fmt: skip
    await tx.groups.add(group)
    await tx.groups.admins(group.id, [me])
    timing = Timing(Repeat.ONCE, time(9), "UTC", (NOW.date(),))
    wish = GroupPosting(
        f"w{n}", campaign.id, group.id, me, ("en",), timing, PostingState.ACTIVE, NOW,
        extra=f"{tag} sentence",
    )  # fmt: skip
    await tx.posts.plan(wish, 6000 + n)
    made = Post(f"post{n}", wish.id, 1, campaign.id, group.id, me, PostState.POSTED, NOW)
    assert await tx.posts.add(made)
    await tx.posts.visit(made.id, me, NOW)
    earned = Earning(f"o{n}a", EarningKind.EARNED, group.id, me, NOW, 5, None, made.id, f"o{n}a")
    assert await tx.earnings.add(earned)


async def rows(database: Database) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table, opened."""
    found = {}
    async with transaction(database._reader) as conn:
        for table in metadata.sorted_tables:
            result = await conn.execute(select(table))
            found[table.name] = [dict(row) for row in result.mappings()]
    return found


def holding(tables: dict[str, list[dict[str, Any]]], words: Iterable[str]) -> list[str]:
    """Where one of these words stands."""
    return [
        f"{table}.{column}: {word}"
        for table, lines in tables.items()
        for line in lines
        for column, value in line.items()
        for word in words
        if word in str(value)
    ]


async def populated(database: Database) -> None:
    async with database.write() as tx:
        await life(tx, ME, "Canary", 1)
        await life(tx, BOB, "Bob", 2)


async def test_after_forgetting_nothing_of_the_person_is_left_anywhere(db: Database) -> None:
    await populated(db)
    before = await rows(db)
    for canary in CANARIES:
        assert holding(before, [canary]), canary  # else it would prove nothing
    async with db.write() as tx:
        assert await tx.personal.held(ME, NOW) is None
        assert await tx.personal.forget(ME, 102, NOW, UNTOUCHED) == ["line1"]
    after = await rows(db)
    mine = [row for row in after["inbox"] if row["update_id"] != 103]
    left = holding(after | {"inbox": mine}, CANARIES)
    assert left == [f"audit.subject: {ME}"]  # the mark of somebody who has bought, see below
    # A message that came after the wish is answered as anybody's first one.
    assert [row["update_id"] for row in after["inbox"] if row["lane"] == f"chat:{ME}"] == [103]


async def test_nothing_of_anybody_else_changes(db: Database) -> None:
    await populated(db)
    async with db.read() as tx:
        before = await tx.personal.all_of(BOB)
    async with db.write() as tx:
        await tx.personal.forget(ME, 102, NOW, UNTOUCHED)
    async with db.read() as tx:
        assert await tx.personal.all_of(BOB) == before
        left = await tx.personal.all_of(ME)
    assert set(left) == {"audit", "inbox"}
    assert left["inbox"] == [{"text": "canary update", "received_at": "2026-11-20T12:00:00Z"}]
    assert [row["action"] for row in left["audit"]] == ["forgotten"]


async def test_who_has_bought_is_no_new_customer_when_they_come_back(db: Database) -> None:
    await populated(db)
    async with db.write() as tx:
        await tx.chats.add(chat(ME + 1))
        for me in (ME, ME + 1, ME):
            await tx.personal.forget(me, 102, NOW, UNTOUCHED)
        assert await tx.promos.bought(ME)
        assert not await tx.promos.bought(ME + 1)  # they had bought nothing
    marks = [row for row in (await rows(db))["audit"] if row["action"] == "forgotten"]
    assert len(marks) == 1


async def test_who_misused_offers_gets_none_when_they_come_back(db: Database) -> None:
    await populated(db)
    async with db.write() as tx:
        assert await tx.promos.ban(ME, NOW)
        assert "promo_bans" in await tx.personal.all_of(ME)
        await tx.personal.forget(ME, 102, NOW, UNTOUCHED)
        assert await tx.promos.banned(ME)
        assert not await tx.promos.banned(BOB)


async def test_the_books_stay_without_the_person(db: Database) -> None:
    await populated(db)
    async with db.write() as tx:
        await tx.personal.forget(ME, 102, NOW, UNTOUCHED)
    async with db.read() as tx:
        kept = await tx.orders.get("o1a")
        paid = await tx.payments.by_charge("charge-1a")
        assert kept is not None
        assert paid is not None
        assert (kept.state, kept.price) == (OrderState.FULFILLED, USD)
        assert forgotten(kept.chat_id)
        assert paid.chat_id == kept.chat_id
        assert (paid.payer_id, paid.url, paid.provider_ref) == (None, None, "ref-1a")
        line = await tx.sims.get(kept.sim_id)
        assert line is not None
        assert (line.iccid, line.owner_id, line.imei) == ("8944••••6789", None, None)
        nobody = await tx.chats.get(kept.chat_id)
        assert nobody is not None
        assert (nobody.kind, nobody.first_name) == ("forgotten", None)
        assert len(await tx.ledger.history(wallet(kept.chat_id), 9)) == 2
        back = await tx.sims.get("line1")
        assert back is not None
        assert (back.owner_id, back.nickname, back.removed_at) == (None, None, None)
        assert back.msisdn == "+861381"  # the shop's
        assert await tx.sims.get("own1") is None
        assert await tx.sims.get("unused1") is None
        assert await tx.chats.get(ME) is None


async def test_a_new_acquaintance_sees_nothing_of_before(db: Database) -> None:
    await populated(db)
    async with db.write() as tx:
        await tx.personal.forget(ME, 103, NOW, UNTOUCHED)
        await tx.chats.add(chat(ME))
        assert await tx.orders.of_chat(ME, 9) == []
        assert await tx.sims.owned(ME) == []
        assert await tx.saved.of_chat(ME) == []
        assert await tx.points.balance(ME, NOW) == 0
        assert await tx.ledger.balances(wallet(ME)) == []
        assert await tx.chats.wrong_claims(ME) == (0, None)
        assert await tx.claims.sim_of_code("hash1", NOW) is None  # a used code opens nothing again
        await tx.personal.forget(ME, 103, NOW, UNTOUCHED)  # and once more


async def test_a_copy_has_everything_but_what_is_the_shops_or_a_providers(db: Database) -> None:
    await populated(db)
    async with db.read() as tx:
        told = await tx.personal.all_of(ME)
    text = json.dumps(told, ensure_ascii=False)
    missing = [canary for canary in CANARIES if canary not in text]
    assert missing == ["canary-token", "canary-url", "canary-file", "canary-sub"]
    assert {place.table.name for place in PLACES} | {"letters"} >= set(told)
    unseen = {place.table.name for place in PLACES} - set(told)
    assert unseen <= {
        "calendars",
        "promo_bans",
        "promo_uses",
        "promo_people",
        "vouchers",
    }  # nothing of these was used
    for secret in ("charge-1a", "ref-1a", "hash1", "sha1", "max_cost", "TOPUP_5"):
        assert secret not in text
    [bought] = [row for row in told["orders"] if row["id"] == "o1a"]
    assert (bought["price"], bought["price_currency"]) == ("12.90", "USD")
    assert bought["plan"] == {"code": "boom-30d-5gb",
                              "name": {"en": "5 GB, 30 days", "zh_Hans": "5 GB 30 天"}}  # fmt: skip
    assert told["letters"] == [{"at": None, "text": "canary letter"}]


async def test_what_is_under_way_holds_a_person(db: Database) -> None:
    await populated(db)

    async def held(**change: Any) -> str | None:
        async with db.read() as tx:
            found = await tx.personal.held(ME, NOW)
        return found.reason if found is not None else None

    assert await held() is None
    async with db.write() as tx:
        await tx.chats.set_wrong_claims(ME, 0, minutes(5))
    assert await held() == "locked"
    async with db.write() as tx:
        proof = await tx.proofs.get("pr1")
        assert proof is not None
        await tx.proofs.add(replace(proof, id="pr9", state=ProofState.WAITING), 8999)
    assert await held() == "proof"
    async with db.write() as tx:
        await tx.refunds.add(
            Refund("r9", "p1b", RefundState.BY_HAND, Money(1, "XTR"), "asked", NOW)
        )
    assert await held() == "refund"
    async with db.write() as tx:
        await tx.payments.move("pd1", PaymentState.CAPTURED, PaymentState.DISPUTED, "x", NOW)
    assert await held() == "payment"
    async with db.write() as tx:
        own, other = Posting(wallet(ME), USD), Posting("x", Money(-1290, "USD"))
        await tx.ledger.post(Entry("more", EntryKind.TOPUP, NOW, (own, other)))
    assert await held() == "wallet"
    async with db.write() as tx:
        await tx.deposits.add(Deposit("d9", ME, USD, (), NOW, days(1)))
    assert await held() == "deposit"
    async with db.write() as tx:
        await tx.earnings.add(Earning("o1b", EarningKind.EARNED, "g1", ME, NOW, 0, USD))
    assert await held() == "earnings"
    async with db.write() as tx:
        await tx.orders.move("o1a", OrderState.FULFILLED, OrderState.REFUND_DUE, "x", NOW)
    async with db.read() as tx:
        waits = await tx.personal.held(ME, NOW)
    assert waits is not None
    assert (waits.reason, waits.order_id) == ("order", "o1a")


def test_every_table_that_names_a_chat_is_in_the_list() -> None:
    """A new table: say in `bot.store.personal` what becomes of its rows."""
    listed = {place.table.name for place in PLACES}
    assert listed.isdisjoint(IMPERSONAL)
    assert listed | set(IMPERSONAL) == set(metadata.tables)
    words = {
        "chat_id",
        "user_id",
        "owner_id",
        "payer_id",
        "from_chat",
        "to_chat",
        "used_by",
        "added_by",
    }
    for table in metadata.sorted_tables:
        names_one = words & set(table.columns.keys()) or any(
            key.column.table is chats for column in table.columns for key in column.foreign_keys
        )
        assert table.name in listed or not names_one, table.name


def test_what_stays_says_why() -> None:
    assert [place.table.name for place in PLACES if place.fate != "erased" and not place.why] == []
