"""Fills a fresh demo shop through the same services an operator's commands use."""

from dataclasses import replace
from datetime import timedelta
from importlib.resources import files
from itertools import accumulate
from pathlib import Path

from bot.demo.botapi.models import BOT_ID
from bot.demo.cast import CLUB_ID, FORUM_ID, GROUP_ID, NEWS_ID, rooms
from bot.demo.tryout import EN, SMART_NUMBER, STOCK, TMOBILE_NUMBER, VOUCHER_VALUE, VOUCHERS, ZH
from bot.domain.chats import Chat, Preferences
from bot.domain.codes import digest
from bot.domain.groups import Approval, Group, Standing
from bot.domain.identify import Identified, identify
from bot.domain.keepalive import dates_until
from bot.domain.money import Money
from bot.domain.sales import Voucher, VoucherState
from bot.domain.sims import KeepRule, Sim, SimForm, SimState, Tracking
from bot.domain.zones import day_start
from bot.domain.zones import zone as zone_of
from bot.ports import Clock, Store
from bot.services.campaign_files import CampaignFiles
from bot.services.catalogue import Catalogue, read_plans
from bot.services.catalogue import money as parse_money
from bot.services.ids import new_id
from bot.services.promo_files import PromoFiles
from bot.services.sims import Sims

HISTORY = timedelta(days=18)
"""How long the customers' eSIMs have been in use."""
EVERY = timedelta(hours=12)
HABIT = (1, 6, 1, 4, 2, 9, 1, 5, 1, 3, 4, 12, 3, 14)
"""What a half day of the week uses, in proportion: little at night, most at the weekend."""

SELLING = frozenset({GROUP_ID, CLUB_ID, FORUM_ID, NEWS_ID})
SUPPLIERS = ("manual", "esim_access", "airalo", "reloadly", "dingconnect")
PLANS = Path(str(files("bot.demo") / "plans.yaml"))
PROMOS = PLANS.with_name("promos.yaml")
CAMPAIGNS = PLANS.with_name("campaigns.yaml")
POSTED_FOR = timedelta(days=14)
"""How long the offers for groups last: a fixed day would be over one day."""

# In its grace period: expired 100 days ago, the number is lost 120 days after expiry.
SMART_RULE = KeepRule(validity_days=365, grace_days=120)
SMART_EXPIRED = timedelta(days=100)
TMOBILE_RULE = KeepRule(validity_days=30, grace_days=120)
TMOBILE_LEFT = timedelta(days=2)


async def seed(store: Store, clock: Clock, sims: Sims, pepper: str) -> None:
    """Plans, promos, stock with claim codes, vouchers, what two customers have already. Once."""
    async with store.read() as tx:
        if await tx.catalogue.all(active=False):
            return
    await Catalogue(store, clock).apply(read_plans(PLANS, SUPPLIERS), "demo")
    promos = PromoFiles(store, clock, zone_of("Asia/Shanghai"))
    ends_at = day_start((clock.now() + POSTED_FOR).date(), zone_of("Asia/Shanghai"))
    posted = [
        replace(promo, ends_at=ends_at) if promo.posted else promo
        for promo in await promos.read(PROMOS)
    ]
    await promos.apply(posted, "demo")
    campaigns = CampaignFiles(store, clock, lambda poster: 0)
    await campaigns.apply(await campaigns.read(CAMPAIGNS), "demo")
    await _groups(store, clock)
    await _people(store, clock)
    await _stock(store, clock, sims, pepper)
    await _vouchers(store, clock, pepper)
    await _self_tracked(clock, sims)
    for owner in (ZH, EN):
        await _history(store, clock, owner)


async def _groups(store: Store, clock: Clock) -> None:
    """Groups that the operator has let sell; others wait to be allowed when the bot meets them."""
    async with store.write() as tx:
        for room in rooms():
            if room.id in SELLING:
                standing = Standing(room.members[BOT_ID].replace("administrator", "admin"))
                await tx.groups.add(
                    Group(
                        id=new_id(),
                        chat_id=room.id,
                        kind=room.type,
                        title=room.title,
                        standing=standing,
                        can_post=True,
                        approval=Approval.ALLOWED,
                        language="zh_Hans",
                        zone="Asia/Shanghai",
                        forum=room.is_forum,
                        username=room.username,
                        greeted_at=clock.now(),
                        added_at=clock.now(),
                    )
                )


async def _people(store: Store, clock: Clock) -> None:
    """Two customers who have been here before, with the language and zone they chose."""
    async with store.write() as tx:
        for chat_id, language, zone in ((ZH, "zh_Hans", "Asia/Shanghai"), (EN, "en", "UTC")):
            preferences = Preferences(zone=zone, zone_confirmed=True)
            await tx.chats.add(
                Chat(chat_id, "private", language, True, preferences, created_at=clock.now())
            )


async def _stock(store: Store, clock: Clock, sims: Sims, pepper: str) -> None:
    now = clock.now()
    owned: list[tuple[int, str, str]] = []
    async with store.write() as tx:
        for stock in STOCK:
            sim_id = new_id()
            await tx.sims.add(
                Sim(
                    id=sim_id,
                    version=1,
                    owner_id=None,
                    tracking=Tracking.MANAGED,
                    form=SimForm.ESIM,
                    carrier=stock.carrier,
                    supplier=stock.supplier,
                    supplier_ref=stock.supplier_ref,
                    country=stock.country,
                    iccid=stock.iccid,
                    created_at=now,
                )
            )
            code = digest(stock.claim_code, pepper.encode())
            await tx.claims.add_code(code, sim_id, now + timedelta(days=3650))
            if stock.owner is not None:
                owned.append((stock.owner, sim_id, stock.claim_code))
    for owner, sim_id, claim_code in owned:
        await sims.claim(owner, sim_id, claim_code)


async def _vouchers(store: Store, clock: Clock, pepper: str) -> None:
    value = parse_money(VOUCHER_VALUE)
    assert isinstance(value, Money)  # noqa: S101  a constant of ours
    async with store.write() as tx:
        for code, plan_code in VOUCHERS:
            plan = await tx.catalogue.get(plan_code) if plan_code else None
            voucher = Voucher(
                id=new_id(),
                state=VoucherState.UNUSED,
                value=plan.price if plan is not None and plan.price else value,
                hint=code[-4:],
                plan_code=plan_code,
                expires_at=clock.now() + timedelta(days=3650),
            )
            await tx.vouchers.add(voucher, digest(code, pepper.encode()), "demo")


async def _self_tracked(clock: Clock, sims: Sims) -> None:
    today = clock.now().date()
    for owner, number, carrier, country, rule, last, zone in (
        (ZH, SMART_NUMBER, "Smart", "PH", SMART_RULE, today - SMART_EXPIRED, "Asia/Shanghai"),
        (EN, TMOBILE_NUMBER, "T-Mobile US", "US", TMOBILE_RULE, today + TMOBILE_LEFT, "UTC"),
    ):
        identified = identify(number)
        assert isinstance(identified, Identified)  # noqa: S101  a constant of ours
        await sims.add_self(
            owner,
            identified=identified,
            carrier=carrier,
            country=country,
            form=SimForm.CARD,
            expiry=dates_until(last, rule.grace_days, zone).expiry,
            rule=rule,
        )


async def _history(store: Store, clock: Clock, owner: int) -> None:
    """Readings as the bot would have taken them, up to what the supplier has just said."""
    now, count = clock.now(), HISTORY // EVERY
    shares = list(accumulate(HABIT[n % len(HABIT)] for n in range(count)))
    async with store.write() as tx:
        for sim in await tx.sims.owned(owner):
            newest = sim.reading
            if newest is None or not newest.data_used:
                continue
            for n, used in enumerate([0, *shares[:-1]]):
                at = now - (count - n) * EVERY
                share = newest.data_used * used // shares[-1]
                past = replace(newest, as_of=at, taken_at=at, data_used=share)
                await tx.sims.add_reading(sim.id, replace(past, state=SimState.ACTIVE))
