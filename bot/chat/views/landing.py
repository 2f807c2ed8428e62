"""Coming from a group's post, in words: the offer, which SIM, how to add one, why not."""

from collections.abc import Sequence
from datetime import datetime

from bot.chat.screen import Button, Screen, button, grid, lines
from bot.chat.views.choose import label
from bot.chat.views.plans import picks, plan_name
from bot.chat.views.posts import limits, plan_line
from bot.chat.views.reasons import because
from bot.chat.views.sims import title
from bot.domain.plans import Plan
from bot.domain.quotes import Quote
from bot.domain.sims import Sim
from bot.i18n import N_, Html, Words
from bot.services.visits import Fit, Offer

_WHY = {
    "promo_over": N_("This offer has ended. Our plans are here for you at their usual prices."),
    "promo_early": N_("This offer has not begun yet. Please open it again when it has."),
    "promo_gone": N_(
        "All places of this offer are taken. If one comes back, the post in the group says so."
    ),
    "promo_today": N_(
        "Today's places for new customers are taken. Please open the offer again tomorrow."
    ),
    "promo_used": N_("You have used this offer as often as it allows."),
    "promo_new_only": N_("This offer is for a first renewal: for new customers and new SIMs."),
    "promo_not_delivered": N_("What this offer gives can't be delivered to your SIM right now."),
}


def _head(t: Words, offer: Offer) -> Html:
    titles = offer.campaign.title
    said = titles.get(t.language) or titles.get("en") or next(iter(titles.values()), "")
    return t("🎁 <b>{title}</b>", title=said)


def _told(t: Words, offer: Offer, now: datetime) -> list[str]:
    """The offer, as its post tells it."""
    poster = offer.poster
    return [
        _head(t, offer),
        *dict.fromkeys(plan_line(t, line, poster) for line in poster.lines),
        *limits(t, poster, now),
    ]


def gone(t: Words) -> Screen:
    """A link that names nothing."""
    text = t("I don't know this offer any more. Our plans are here for you at their usual prices.")
    return Screen(text, _plans_rows(t))


def not_now(t: Words, offer: Offer, why: str) -> Screen:
    """Nothing to be bought from the post, and what can be done instead."""
    said = t(_WHY[why]) if why in _WHY else because(t, why)
    return Screen(lines(_head(t, offer), "", said), _plans_rows(t))


def _plans_rows(t: Words) -> list[list[Button]]:
    return [
        [button(t.plain("🔄 Renew"), "renew"), button(t.plain("📶 My SIMs"), "sims")],
        [button(t.plain("‹ Menu"), "menu")],
    ]


def no_sim(t: Words, offer: Offer, now: datetime, *, others: bool) -> Screen:
    """Without a SIM that takes it: how to add one. `others`: they have SIMs of other carriers."""
    carriers = list(dict.fromkeys(line.plan.carrier for line in offer.poster.lines))
    whose = t("It is for {carriers}.", carriers=t.join(carriers))
    none = t("None of your SIMs is one of these.") if others else None
    text = lines(
        *_told(t, offer, now),
        "",
        Html(f"{whose} {none}") if none else whose,
        t("Add your SIM first: send me its ICCID, its number, or a photo of its barcode. Then you "
          "see this offer again."),
    )  # fmt: skip
    rows = [[button(t.plain("Add a SIM"), "add")], *_plans_rows(t)]
    return Screen(text, rows)


def choose_sim(t: Words, offer: Offer, fits: Sequence[Fit], now: datetime) -> Screen:
    """Which of several SIMs; the most urgent first."""
    rows = [[button(label(t, fit.sim, now), "offersim", offer.post_id, fit.sim.id)] for fit in fits]
    text = lines(*_told(t, offer, now), "", t("Which SIM shall I renew?"))
    return Screen(text, [*rows, [button(t.plain("‹ Menu"), "menu")]])


def others(t: Words, quote: Quote, plans: Sequence[tuple[int, Plan]]) -> list[list[Button]]:
    """Under a price from a post: its other plans for this SIM, by their number among its plans."""
    return [
        [button(t.plain("🎁 {name}", name=plan_name(t, plan)), "offerplan", quote.post_id,
                quote.sim_id, number)]
        for number, plan in plans
    ]  # fmt: skip


def ask_amount(t: Words, offer: Offer, sim: Sim, number: int, plan: Plan) -> Screen:
    """How much, where any amount may be chosen; `number` is the plan's among the offer's."""
    span = plan.open_amount
    labels = [
        button(t.money(pick), "offeramt", offer.post_id, sim.id, number, pick.minor)
        for pick in (picks(span) if span is not None else ())
    ]
    text = lines(_head(t, offer), t("<b>{name}</b>", name=plan_name(t, plan)), "",
                 t("How much shall it be?"))  # fmt: skip
    return Screen(text, [*grid(labels, 3), [button(t.plain("‹ Menu"), "menu")]])


def come_back(t: Words, offer: Offer, sim: Sim) -> Screen:
    """The SIM was added: the offer it was added for."""
    text = lines(
        _head(t, offer),
        t("Your SIM <b>{title}</b> takes the offer you came for.", title=title(t, sim)),
    )
    price = button(t.plain("🎁 Show my price"), "offersim", offer.post_id, sim.id)
    return Screen(text, [[price]])


def again(t: Words, why: str, post_id: str, sim: Sim) -> Screen:
    """A price from a post can't be paid any more: the offer as it is now is one tap away."""
    rows = [
        [button(t.plain("🎁 Show the offer"), "offer", post_id)],
        [button(t.plain("‹ Other plan"), "renew", sim.id)],
    ]
    return Screen(because(t, why), rows)
