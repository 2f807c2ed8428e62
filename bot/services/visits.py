"""Who comes from a group's post: what it offers them, for which of their SIMs, and the counts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.domain.campaigns import Campaign
from bot.domain.orders import OrderState
from bot.domain.plans import Plan
from bot.domain.posters import Poster
from bot.domain.quotes import Quote
from bot.domain.sims import Sim, urgency
from bot.ports import Clock, Store, Tx
from bot.services import promos
from bot.services.checkout import Checkout
from bot.services.posters import offered_now, poster_of
from bot.services.promos import Asked, Wish

_LATEST = 5
"""Orders among which one that still waits is looked for."""
_WHY = {
    "campaign_over": "promo_over",
    "campaign_stopped": "promo_over",
    "campaign_early": "promo_early",
    "campaign_gone": "promo_gone",
}


@dataclass(frozen=True, slots=True)
class Offer:
    """A post's campaign as it stands for one person. `why` it can't be bought is None when it
    can: promo_over, promo_early, promo_gone, promo_today, promo_banned."""

    post_id: str
    campaign: Campaign
    poster: Poster
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Fit:
    """One of the person's SIMs and the campaign's plans that it takes, the foremost first. `why`
    the promo gives nothing for them, as a reason code, is None when it does."""

    sim: Sim
    plans: tuple[Plan, ...]
    why: str | None = None


class Visits:
    """From a post to its price."""

    def __init__(self, store: Store, clock: Clock, checkout: Checkout) -> None:
        self._store = store
        self._clock = clock
        self._checkout = checkout

    async def come(self, post_id: str, chat_id: int) -> None:
        """The person opened the post's link, which may name nothing."""
        async with self._store.write() as tx:
            if await tx.posts.get(post_id) is not None:
                await tx.posts.visit(post_id, chat_id, self._clock.now())

    async def offer(self, post_id: str, chat_id: int, language: str) -> Offer | None:
        """What the post offers the person now; None when there is no such post."""
        now = self._clock.now()
        async with self._store.read() as tx:
            post = await tx.posts.get(post_id)
            campaign = await tx.campaigns.get(post.campaign_id) if post is not None else None
            group = await tx.groups.get(post.group_id) if post is not None else None
            if campaign is None or group is None:
                return None
            offered = await offered_now(tx, campaign, now)
            if offered.why == "campaign_gone" and await _holds_place(tx, campaign, chat_id, now):
                offered = replace(offered, why=None)  # the last place is their own
            why = _WHY.get(offered.why or "")
            if await promos.selling_post(tx, post_id, now) is None:
                why = "promo_over"
            elif why is None and await tx.promos.banned(chat_id):
                why = "promo_banned"
            elif why is None and not await promos.has_room_today(tx, campaign, chat_id, now):
                why = "promo_today"
            poster = poster_of(offered, group, (language,), None, now)
        return Offer(post_id, campaign, poster, why)

    async def fitting(self, offer: Offer, chat_id: int) -> list[Fit]:
        """The person's SIMs that take one of its plans, those that get the price first."""
        now = self._clock.now()
        async with self._store.read() as tx:
            found = [
                fit
                for sim in sorted(await tx.sims.owned(chat_id), key=lambda sim: urgency(sim, now))
                if (fit := await self._fit(tx, offer, sim, chat_id, now)) is not None
            ]
        return sorted(found, key=lambda fit: fit.why is not None)

    async def _fit(self, tx: Tx, offer: Offer, sim: Sim, chat_id: int, now: datetime) -> Fit | None:
        taken, whys = list[Plan](), list[str]()
        for line in offer.poster.lines:
            plan = line.plan
            if not self._checkout.suits(plan, sim):
                continue
            price = plan.price or (plan.open_amount.maximum if plan.open_amount else None)
            if price is None:
                continue
            asked = Asked(chat_id, sim.id, plan, price, Wish(post=offer.post_id), now)
            why = await promos.posted_misfit(tx, asked)
            if why is None:
                taken.append(plan)
            else:
                whys.append(why)
        if taken:
            return Fit(sim, tuple(taken))
        return Fit(sim, (), whys[0]) if whys else None

    async def quoted(self, quote: Quote) -> None:
        """The person was shown the price of a post."""
        if quote.post_id is not None:
            async with self._store.write() as tx:
                await tx.posts.quoted(quote.post_id, quote.chat_id, self._clock.now())

    async def others(self, quote: Quote, sim: Sim, language: str) -> Sequence[tuple[int, Plan]]:
        """The campaign's other plans for the SIM, of a price that came from a post; each with its
        number among the campaign's plans."""
        if quote.post_id is None:
            return ()
        offer = await self.offer(quote.post_id, quote.chat_id, language)
        if offer is None or offer.why is not None:
            return ()
        async with self._store.read() as tx:
            fit = await self._fit(tx, offer, sim, quote.chat_id, self._clock.now())
        plans = fit.plans if fit is not None else ()
        return [(offer.campaign.plans.index(plan.code), plan) for plan in plans
                if plan.code != quote.plan.code]  # fmt: skip


async def _holds_place(tx: Tx, campaign: Campaign, chat_id: int, now: datetime) -> bool:
    """Whether an order of the person that waits for money holds a place of the campaign's."""
    for order in await tx.orders.of_chat(chat_id, _LATEST):
        if order.state is OrderState.AWAITING_PAYMENT and now < order.expires_at:
            uses = await tx.promos.of_order(order.id)
            if any(use.held and use.promo_id == campaign.promo for use in uses):
                return True
    return False
