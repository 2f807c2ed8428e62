"""Subscriptions in Stars: charged again each period, until somebody stops them or Stars run out.

Either side stops one: it then runs to the end of what is paid. What the bot stopped the person
can't take up again until the bot allows it; what it allows again the person takes up themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.demo.botapi import params as p
from bot.demo.botapi.errors import bad_request
from bot.demo.botapi.models import Json, Person, Subscription
from bot.demo.botapi.params import Method, Params
from bot.demo.botapi.payments import _charge

if TYPE_CHECKING:
    from bot.demo.world import World


class NotPossible(Exception):
    """The person can't do this with their subscription; the text says why."""


def renew_due(world: World) -> None:
    """Charge every subscription whose paid time is over, once for each period that has passed."""
    now = world.unix_time()
    for each in list(world.subscriptions.values()):
        while not each.ended and not each.runs(now):
            person = world.people[each.person_id]
            if each.cancelled or person.deactivated or person.stars < each.invoice.amount:
                each.ended = True
            else:
                _charge(world, person, each.invoice, each)


def edit_user_star_subscription(world: World, params: Params) -> bool:
    each = world.subscriptions.get(params["telegram_payment_charge_id"])
    if params["user_id"] not in world.people:
        raise bad_request("USER_ID_INVALID")
    if each is None or each.person_id != params["user_id"]:
        raise bad_request("CHARGE_NOT_FOUND")
    if not each.runs(world.unix_time()):
        raise bad_request("SUBSCRIPTION_NOT_ACTIVE")
    each.by_bot = params["is_canceled"]
    each.cancelled = each.cancelled or each.by_bot
    return True


def change(world: World, person: Person, charge_id: object, *, cancelled: bool) -> Subscription:
    """The person stops or takes up a subscription. Raises NotPossible."""
    each = world.subscriptions.get(str(charge_id))
    if each is None or each.person_id != person.id:
        raise NotPossible("no such subscription")
    if not each.runs(world.unix_time()):
        raise NotPossible("this subscription has ended")
    if each.by_bot and not cancelled:
        raise NotPossible("the bot has stopped this subscription")
    each.cancelled = cancelled
    return each


def shown(world: World, each: Subscription) -> Json:
    """A subscription as its person sees it; `renews` tells whether it will be charged again."""
    runs = each.runs(world.unix_time())
    return {
        "id": each.id,
        "title": each.invoice.title,
        "amount": each.invoice.amount,
        "currency": each.invoice.currency,
        "period": each.invoice.subscription_period,
        "expires_at": each.expires_at,
        "active": runs,
        "renews": runs and not each.cancelled,
        "stopped_by_bot": each.by_bot,
    }


METHODS = {
    "editUserStarSubscription": Method(
        edit_user_star_subscription,
        {
            "user_id": p.integer,
            "telegram_payment_charge_id": p.string,
            "is_canceled": p.boolean,
        },
        ("user_id", "telegram_payment_charge_id", "is_canceled"),
    ),
}
