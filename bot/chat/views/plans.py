"""What can be bought, in words: plans, an open amount, the quote."""

from collections.abc import Sequence
from datetime import datetime

from bot.chat.screen import Button, Screen, button, grid, lines
from bot.chat.views.reasons import because
from bot.chat.views.sims import dates, title
from bot.domain.money import Money
from bot.domain.plans import Length, Offer, OpenAmount, Plan
from bot.domain.sims import Sim
from bot.i18n import N_, Html, Words

ENDED = frozenset({"expired", "no_topups_left", "recycled"})
"""Reasons for which a SIM takes no more top-ups: only a new one helps."""

LENGTHS = {
    Length.DAY: N_("Daily"),
    Length.WEEK: N_("Weekly"),
    Length.MONTH: N_("Monthly"),
    Length.SEASON: N_("3 months"),
    Length.YEAR: N_("Yearly"),
    Length.AMOUNT: N_("Any amount"),
}


def plan_name(t: Words, plan: Plan) -> str:
    """A plan's name in the reader's language."""
    return plan.name.get(t.language) or plan.name.get("en") or plan.code


def plan_price(t: Words, plan: Plan) -> str:
    """A fixed price, or the range of an open amount."""
    if plan.open_amount is not None:
        low, high = plan.open_amount.minimum, plan.open_amount.maximum
        return f"{t.money(low)}–{t.money(high)}"
    assert plan.price is not None  # noqa: S101  Plan guarantees one of the two
    return t.money(plan.price)


def plan_holds(t: Words, plan: Plan) -> Html | None:
    """What a plan holds: data, minutes, SMS, days."""
    what = []
    if plan.unlimited:
        what.append(t("unlimited data"))
    elif plan.data:
        what.append(Html(t.data(plan.data)))
    if plan.minutes:
        what.append(t.n("{n} minute", "{n} minutes", plan.minutes))
    if plan.sms:
        what.append(t.n("{n} SMS", "{n} SMS", plan.sms))
    if plan.days:
        what.append(t.n("{n} day", "{n} days", plan.days))
    return Html(" · ".join(what)) if what else None


def plan_rates(t: Words, plan: Plan) -> Html | None:
    """What it costs by the day and by the GB, to compare plans by."""
    per = []
    day, gigabyte = plan.price_per_day(), plan.price_per_gb()
    if day is not None:
        per.append(t("{price} per day", price=t.price(day, plan.currency)))
    if gigabyte is not None:
        per.append(t("{price} per GB", price=t.price(gigabyte, plan.currency)))
    return Html(" · ".join(per)) if per else None


def plan_terms(t: Words, plan: Plan) -> list[Html]:
    """What limits it: speed after the allowance, countries, devices, the operator's remark."""
    found = []
    if plan.speed_after:
        full = t("First {data} at full speed, then {speed}", data=t.data(plan.data),
                 speed=plan.speed_after) if plan.data else None  # fmt: skip
        found.append(full or t("Then at {speed}", speed=plan.speed_after))
    if plan.roaming:
        names = [t.locale.territories.get(code, code) for code in plan.roaming]
        found.append(t("Works in {places}", places=t.join(names)))
    if plan.devices:
        found.append(t.n("For {n} device", "For up to {n} devices", plan.devices))
    extra = (plan.extras or {}).get(t.language) or (plan.extras or {}).get("en")
    if extra:
        found.append(t("{text}", text=extra))
    return found


def plans(t: Words, sim: Sim, offers: Sequence[Offer], now: datetime) -> Screen:
    """Plans of a SIM grouped by length (F10); unavailable ones say why."""
    parts: list[str | None] = [
        t("<b>Renew {title}</b>", title=title(t, sim)),
        *dates(t, sim, now),
    ]
    shut = {offer.unavailable for offer in offers}
    if len(shut) == 1 and (reason := shut.pop()) is not None:
        return _shut(t, sim, parts, reason)
    rows: list[list[Button]] = []
    for length in Length:
        group = [offer for offer in offers if offer.plan.length is length]
        if not group:
            continue
        parts += ["", t("<b>{length}</b>", length=t(LENGTHS[length]))]
        for offer in sorted(group, key=_order):
            parts.append(_offer_line(t, offer))
            if offer.unavailable is None:
                label = f"{plan_name(t, offer.plan)} — {plan_price(t, offer.plan)}"
                data = (sim.id, offer.plan.code, offer.plan.version)
                rows.append([button(label, "plan", *data)])
    if not offers:
        parts += ["", t("There is no plan for this SIM in our shop right now.")]
    rows.append([button(t.plain("I renewed it myself"), "done", sim.id)])
    rows.append([button(t.plain("‹ Back"), "sim", sim.id)])
    return Screen(lines(*parts), rows)


def _shut(t: Words, sim: Sim, parts: list[str | None], reason: str) -> Screen:
    """Nothing can be bought, for one reason: it is said once, with the way out of it."""
    rows = [[button(t.plain("‹ Back"), "sim", sim.id)]]
    if reason in ENDED:
        rows.insert(0, [button(t.plain("Ask for a new eSIM"), "replace", sim.id)])
    return Screen(lines(*parts, "", because(t, reason)), rows)


def _order(offer: Offer) -> tuple[bool, int]:
    price = offer.plan.price
    return (offer.unavailable is not None, price.minor if price else 0)


def _offer_line(t: Words, offer: Offer) -> Html:
    plan = offer.plan
    head = t("• {name}: {price}", name=plan_name(t, plan), price=plan_price(t, plan))
    if offer.unavailable is not None:
        return Html(f"<s>{head}</s>\n   {because(t, offer.unavailable)}")
    rates = plan_rates(t, plan)
    facts = [*([rates] if rates else []), *plan_terms(t, plan)]
    return Html("\n   ".join([head, *facts]))


def picks(span: OpenAmount) -> list[Money]:
    """Ready-made amounts to tap, the smallest first."""
    low, high, step = span.minimum, span.maximum, span.step
    found = {low.minor, min(high.minor, low.minor + step.minor), high.minor}
    for many in (4, 9):
        if low.minor + many * step.minor <= high.minor:
            found.add(low.minor + many * step.minor)
    return [Money(minor, low.currency) for minor in sorted(found)]


def ask_amount(t: Words, sim: Sim, plan: Plan, problem: str | None = None) -> Screen:
    """Ask for an open amount, with ready-made ones to tap."""
    assert plan.open_amount is not None  # noqa: S101  only asked for such plans
    span = plan.open_amount
    low, high, step = span.minimum, span.maximum, span.step
    labels = [
        button(t.money(pick), "amt", sim.id, plan.code, plan.version, pick.minor)
        for pick in picks(span)
    ]
    text = lines(
        t("<b>{name}</b>", name=plan_name(t, plan)),
        *plan_terms(t, plan),
        "",
        Html(problem) if problem else None,
        t("How much? From {low} to {high} in steps of {step}. Tap one, or write the number.",
          low=t.money(low), high=t.money(high), step=t.money(step)),
    )  # fmt: skip
    return Screen(text, [*grid(labels, 3), [button(t.plain("‹ Back"), "renew", sim.id)]])
