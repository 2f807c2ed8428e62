"""Promos and points in a price: what they take off it, and their places when it is ordered.

What a quote shows is worked out when it is made and frozen with it. Limits are held by the
database when the order is placed: whoever comes too late is told, and gets a new price.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.domain import points as point_rules
from bot.domain.campaigns import OPEN_POSTS, Campaign
from bot.domain.groups import Approval
from bot.domain.money import Money
from bot.domain.orders import OPEN_ORDERS
from bot.domain.plans import Plan
from bot.domain.points import PointTerms
from bot.domain.promos import Candidate, Chosen, Kind, Promo, as_if, best, delivers, misfit, typed
from bot.domain.quotes import Quote, Reduction, reduced
from bot.domain.sales import Order
from bot.ports import Tx
from bot.services import benefits
from bot.services.places import posts_touched
from bot.services.selling import Refused

_DAY = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Wish:
    """What a customer wants of a price, beyond the plan."""

    code: str | None = None
    """As they typed it; None for none."""
    points: bool = False
    """Whether points are to pay for a part."""
    post: str | None = None
    """The group's post that they came from."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks for which price, when (UTC)."""

    chat_id: int
    sim_id: str
    plan: Plan
    price: Money
    """The list price; for an open amount, the amount chosen."""
    wish: Wish
    now: datetime


@dataclass(frozen=True, slots=True)
class _Freed:
    """What the SIM's unpaid order holds: a new order takes its place, and frees it."""

    places: Collection[str]
    points: int


async def reduction(
    tx: Tx, terms: PointTerms | None, asked: Asked, *, bigger_plans: bool = True
) -> Reduction:
    """What promos and points make of a list price. Raises Refused, for a code only, with
    promo_unknown, promo_over, promo_early, promo_other_plan, promo_too_little, promo_new_only,
    promo_used, promo_gone, promo_not_delivered, promo_worse.

    `bigger_plans` is off where a supplier does not deliver what a promo would give.
    """
    freed = await _freed(tx, asked.sim_id, asked.chat_id)
    search = await _search(tx, asked, freed, bigger_plans)
    code = await search.coded(asked.wish.code) if asked.wish.code else None
    automatic = await search.automatic()
    chosen = best(code, automatic, asked.price)
    if code is not None and not chosen.holds(code.promo):
        raise Refused("promo_worse")
    found = await _with_points(tx, terms, asked, chosen, freed)
    # The post brought the customer, even where another offer saves them more.
    held = any(one.promo.posted for one in automatic)
    return replace(found, post_id=asked.wish.post) if held else found


async def _with_points(
    tx: Tx, terms: PointTerms | None, asked: Asked, chosen: Chosen, freed: _Freed
) -> Reduction:
    delivered = as_if(asked.plan, chosen.bigger) if chosen.bigger is not None else None
    bonus = sum(discount.points for discount in chosen.discounts)
    due = reduced(asked.price, Reduction(chosen.discounts))
    if terms is None:
        return Reduction(chosen.discounts, plan=delivered)
    spent = None
    if asked.wish.points:
        balance = await tx.points.balance(asked.chat_id, asked.now) + freed.points
        spent = point_rules.usable(due, balance, terms)
        due = due - spent[1] if spent is not None else due
    return Reduction(
        chosen.discounts,
        points=spent[0] if spent is not None else 0,
        points_worth=spent[1] if spent is not None else None,
        plan=delivered,
        earns=point_rules.earned(due, terms) + bonus,
        earns_until=point_rules.expiry(asked.now, terms),
    )


async def _freed(tx: Tx, sim_id: str, chat_id: int) -> _Freed:
    places, points = list[str](), 0
    for order in await tx.orders.of_sim(sim_id, tuple(OPEN_ORDERS)):
        if order.chat_id == chat_id:
            places += [use.promo_id for use in await tx.promos.of_order(order.id) if use.held]
            points -= sum(entry.amount for entry in await tx.points.of_order(order.id))
    return _Freed(places, points)


async def points_for(
    tx: Tx, terms: PointTerms | None, quote: Quote, now: datetime
) -> tuple[int, Money] | None:
    """How many points could pay for a part of this price, and what they pay."""
    if terms is None or quote.points:
        return None
    freed = await _freed(tx, quote.sim_id, quote.chat_id)
    balance = await tx.points.balance(quote.chat_id, now)
    return point_rules.usable(quote.due, balance + freed.points, terms)


async def takes_codes(tx: Tx) -> bool:
    """Whether there is a code that somebody could have."""
    return any(promo.code is not None and not promo.posted for promo in await tx.promos.all())


async def code_of(tx: Tx, quote: Quote) -> str | None:
    """The code that a quote was made with."""
    for discount in quote.discounts:
        promo = await tx.promos.get(discount.promo)
        if promo is not None and promo.code is not None:
            return promo.code
    return None


async def reserve(tx: Tx, quote: Quote, order: Order, now: datetime) -> None:
    """Hold the places and the points of a quote for the order just made of it.

    Raises Refused promo_gone or points_gone: then the price no longer stands. A promo whose time
    ended since the price was shown still holds; one that the operator stopped does not.
    """
    if quote.discounts and await tx.promos.banned(order.chat_id):
        raise Refused("promo_gone")
    for discount in quote.discounts:
        promo = await tx.promos.get(discount.promo)
        if promo is None or not await benefits.is_new(tx, promo, order.chat_id, order.sim_id):
            raise Refused("promo_gone")
        if not await tx.promos.take(promo.id, order.id, order.chat_id, now):
            raise Refused("promo_gone")
        # After the place is taken: who comes at the same time waits for this one's end there.
        if promo.posted and not await _still_posted(tx, quote, order, now):
            raise Refused("promo_gone")
        await posts_touched(tx, promo.id, now)
    if quote.points and not await tx.points.spend(order.chat_id, order.id, quote.points, now):
        raise Refused("points_gone")


async def _still_posted(tx: Tx, quote: Quote, order: Order, now: datetime) -> bool:
    """Whether a price from a group's post may still be ordered: one that its admin withdrew may,
    as any other that was shown in time; not one whose campaign or group the operator stopped."""
    post = await tx.posts.get(quote.post_id) if quote.post_id else None
    campaign = await tx.campaigns.get(post.campaign_id) if post is not None else None
    group = await tx.groups.get(post.group_id) if post is not None else None
    if campaign is None or group is None or not campaign.active:
        return False
    if group.approval is Approval.BANNED:
        return False
    return await has_room_today(tx, campaign, order.chat_id, now)


async def has_room_today(tx: Tx, campaign: Campaign, chat_id: int, now: datetime) -> bool:
    """Whether the campaign takes this customer now: new ones are so many in 24 hours at most."""
    if campaign.new_per_day is None or await tx.promos.bought(chat_id):
        return True
    came = await tx.posts.new_buyers(campaign.id, now - _DAY, besides=chat_id)
    return came < campaign.new_per_day


# ---- which promos there are --------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Search:
    """One customer, one plan, one list price, and how much of each promo is used."""

    tx: Tx
    asked: Asked
    bigger_plans: bool
    used: Mapping[str, int]
    used_by_chat: Mapping[str, int]
    source: Campaign | None
    """The campaign of the post that the customer came from, while it sells this plan."""

    async def coded(self, text: str) -> Candidate:
        """The promo of a code. Raises Refused with why it gives nothing here."""
        promo = await self.tx.promos.by_code(typed(text))
        if promo is None or promo.posted:
            raise Refused("promo_unknown")
        if await self.tx.promos.banned(self.asked.chat_id):
            raise Refused("promo_banned")
        reason = await self._misfit(promo)
        if reason is not None:
            raise Refused(reason)
        return Candidate(promo, await self._bigger(promo))

    async def automatic(self) -> list[Candidate]:
        """Those that apply by themselves, in the operator's order; for who comes from a post,
        its campaign's too."""
        if await self.tx.promos.banned(self.asked.chat_id):
            return []
        return [
            Candidate(promo, await self._bigger(promo))
            for promo in await self.tx.promos.all()
            if self._by_itself(promo) and await self._misfit(promo) is None
        ]

    def _by_itself(self, promo: Promo) -> bool:
        if promo.posted:
            return self.source is not None and self.source.promo == promo.id
        return promo.code is None

    async def posted(self) -> str | None:
        """Why the campaign's promo gives nothing here, as a reason code; None if it does."""
        promo = await self.tx.promos.get(self.source.promo) if self.source is not None else None
        if promo is None:
            return "promo_over"
        if await self.tx.promos.banned(self.asked.chat_id):
            return "promo_banned"
        return await self._misfit(promo)

    async def _misfit(self, promo: Promo) -> str | None:
        reason = misfit(promo, self.asked.plan, self.asked.price, self.asked.now)
        if reason is not None:
            return reason
        if not await benefits.is_new(self.tx, promo, self.asked.chat_id, self.asked.sim_id):
            return "promo_new_only"
        if promo.per_user is not None and self.used_by_chat.get(promo.id, 0) >= promo.per_user:
            return "promo_used"
        if promo.total is not None and self.used.get(promo.id, 0) >= promo.total:
            return "promo_gone"
        if promo.posted and not await self._room_today():
            return "promo_today"
        if promo.kind is Kind.PLAN and await self._bigger(promo) is None:
            return "promo_not_delivered"
        return None

    async def _room_today(self) -> bool:
        asked, source = self.asked, self.source
        return source is None or await has_room_today(self.tx, source, asked.chat_id, asked.now)

    async def _bigger(self, promo: Promo) -> Plan | None:
        """What it delivers in the plan's place, if the catalogue still has that."""
        if promo.kind is not Kind.PLAN or not self.bigger_plans:
            return None
        bigger = await self.tx.catalogue.get(promo.gives.get(self.asked.plan.code, ""))
        return bigger if bigger is not None and delivers(self.asked.plan, bigger) else None


async def _search(tx: Tx, asked: Asked, freed: _Freed, bigger_plans: bool) -> _Search:
    in_all, mine = dict(await tx.promos.used()), dict(await tx.promos.used(asked.chat_id))
    for used in (in_all, mine):
        for promo_id in freed.places:
            used[promo_id] -= 1
    source = await selling_post(tx, asked.wish.post, asked.now) if asked.wish.post else None
    if source is not None and asked.plan.code not in source.plans:
        source = None
    return _Search(tx, asked, bigger_plans, in_all, mine, source)


async def selling_post(tx: Tx, post_id: str, now: datetime) -> Campaign | None:
    """The campaign of a group's post, while it can be bought from there."""
    post = await tx.posts.get(post_id)
    if post is None or post.state not in OPEN_POSTS:
        return None
    campaign = await tx.campaigns.get(post.campaign_id)
    group = await tx.groups.get(post.group_id)
    if campaign is None or not campaign.active or group is None:
        return None
    return None if group.approval is Approval.BANNED else campaign


async def posted_misfit(tx: Tx, asked: Asked) -> str | None:
    """Why the post that the customer came from gives nothing for this plan and SIM, as a reason
    code; None if it does."""
    freed = await _freed(tx, asked.sim_id, asked.chat_id)
    return await (await _search(tx, asked, freed, bigger_plans=True)).posted()
