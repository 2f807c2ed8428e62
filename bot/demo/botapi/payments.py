"""Payments: made after the bot's word, by Stars or by card; Stars are refunded and accounted."""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING

from bot.demo.botapi import params as p
from bot.demo.botapi.errors import QUERY_TOO_OLD, bad_request
from bot.demo.botapi.models import (
    STARS,
    Charge,
    Invoice,
    Json,
    Person,
    PreCheckout,
    Stored,
    Subscription,
)
from bot.demo.botapi.params import Method, Params

if TYPE_CHECKING:
    from bot.demo.world import World

CARDS = ("test", "declined")
"""Cards that people can pay with; the provider of the second one's says no."""


async def pay(
    world: World, person: Person, invoice: Invoice, source: Stored | None, card: str = "test"
) -> Json:
    """One payment: asks the bot, waits its 10 s (real), charges, tells the bot.

    The answer's "status" is paid, declined (with the bot's "error_message"), timed_out,
    insufficient_stars, subscribed_already or card_declined; only "paid" moves money. `card` is
    what an invoice in another currency than Stars is paid with.
    """
    if _subscribed(world, person, invoice):
        return {"ok": False, "status": "subscribed_already"}
    if _lacks(person, invoice):
        return {"ok": False, "status": "insufficient_stars", "stars": person.stars}
    try:
        refusal = await _asked(world, person, invoice)
    except TimeoutError:
        return {"ok": False, "status": "timed_out"}
    if refusal is not None:
        return {"ok": False, "status": "declined", "error_message": refusal}
    if _lacks(person, invoice):
        return {"ok": False, "status": "insufficient_stars", "stars": person.stars}
    if invoice.currency != STARS and card == "declined":
        return {"ok": False, "status": "card_declined"}
    charge = _charge(world, person, invoice)
    if source is not None:
        source.paid.append(charge.id)
        world.announce("edited", source)
    return {"ok": True, "status": "paid", "charge_id": charge.id, "stars": person.stars}


def _lacks(person: Person, invoice: Invoice) -> bool:
    return invoice.currency == STARS and person.stars < invoice.amount


def _subscribed(world: World, person: Person, invoice: Invoice) -> bool:
    """Whether this very subscription runs: a link is not paid twice for the same days."""
    now = world.unix_time()
    return any(
        each.person_id == person.id and each.invoice is invoice and each.runs(now)
        for each in world.subscriptions.values()
    )


async def _asked(world: World, person: Person, invoice: Invoice) -> str | None:
    """The bot's answer to the pre-checkout query: None, or its refusal. TimeoutError."""
    query = PreCheckout(
        world.query_id(), person.id, invoice, asyncio.get_running_loop().create_future()
    )
    world.checkouts[query.id] = query
    world.push(
        "pre_checkout_query",
        {
            "id": query.id,
            "from": person.user,
            "currency": invoice.currency,
            "total_amount": invoice.amount,
            "invoice_payload": invoice.payload,
        },
    )
    try:
        return await asyncio.wait_for(query.answer, world.precheckout_seconds)
    finally:
        world.checkouts.pop(query.id, None)


def _charge(
    world: World, person: Person, invoice: Invoice, renewed: Subscription | None = None
) -> Charge:
    """Take the money and tell the bot; the first payment of a subscription begins it."""
    now = world.unix_time()
    if invoice.currency == STARS:
        charge = Charge("stx" + secrets.token_urlsafe(24), person.id, invoice, now)
        charge.provider_charge_id = f"{person.id}_{charge.id[3:13]}"
        person.stars -= invoice.amount
    else:
        charge = Charge("tpc" + secrets.token_urlsafe(24), person.id, invoice, now)
        charge.provider_charge_id = f"demo_{charge.id[3:19]}"
    if renewed is not None:
        renewed.expires_at += invoice.subscription_period
        charge.subscription_id, charge.expires_at = renewed.id, renewed.expires_at
    elif invoice.subscription_period:
        charge.subscription_id = charge.id
        charge.expires_at = now + invoice.subscription_period
        world.subscriptions[charge.id] = Subscription(
            charge.id, person.id, invoice, charge.expires_at
        )
    world.charges[charge.id] = charge
    payment = _payment(charge) | {"provider_payment_charge_id": charge.provider_charge_id}
    _service(world, person, {"successful_payment": payment | _recurring(charge)})
    return charge


def _payment(charge: Charge) -> Json:
    return {
        "currency": charge.invoice.currency,
        "total_amount": charge.invoice.amount,
        "invoice_payload": charge.invoice.payload,
        "telegram_payment_charge_id": charge.id,
    }


def _recurring(charge: Charge) -> Json:
    """What a SuccessfulPayment says besides, when a subscription is paid."""
    if charge.subscription_id is None:
        return {}
    said: Json = {"is_recurring": True, "subscription_expiration_date": charge.expires_at}
    return said | {"is_first_recurring": True} if charge.subscription_id == charge.id else said


def _service(world: World, person: Person, content: Json) -> None:
    stored = world.new_message(person.id, person.user, content)
    world.announce("message", stored)
    world.push("message", stored.data)


def answer_pre_checkout_query(world: World, params: Params) -> bool:
    if not params["ok"] and not params.get("error_message", "").strip():
        raise bad_request('parameter "error_message" is required')
    query = world.checkouts.pop(params["pre_checkout_query_id"], None)
    if query is None or query.answer.done():
        raise bad_request(QUERY_TOO_OLD)
    query.answer.set_result(None if params["ok"] else params["error_message"])
    return True


def refund_star_payment(world: World, params: Params) -> bool:
    """Give a charge's Stars back; a subscription it paid for goes on."""
    charge = world.charges.get(params["telegram_payment_charge_id"])
    if params["user_id"] not in world.people:
        raise bad_request("USER_ID_INVALID")
    if charge is None or charge.person_id != params["user_id"] or charge.invoice.currency != STARS:
        raise bad_request("CHARGE_NOT_FOUND")
    if charge.refunded_at is not None:
        raise bad_request("CHARGE_ALREADY_REFUNDED")
    charge.refunded_at = world.unix_time()
    person = world.people[charge.person_id]
    person.stars += charge.invoice.amount
    _service(world, person, {"refunded_payment": _payment(charge)})
    return True


def get_star_transactions(world: World, params: Params) -> Json:
    """Payments and refunds, the oldest first; a refund has the payment's id."""
    offset, limit = params.get("offset", 0), params.get("limit", 100)
    if offset < 0 or not 1 <= limit <= 100:
        raise bad_request("offset and limit must be in their range")
    rows: list[tuple[int, Json]] = []
    for charge in _in_stars(world):
        partner: Json = {
            "type": "user",
            "transaction_type": "invoice_payment",
            "user": world.people[charge.person_id].user,
            "invoice_payload": charge.invoice.payload,
        }
        if charge.invoice.subscription_period:
            partner["subscription_period"] = charge.invoice.subscription_period
        base = {"id": charge.id, "amount": charge.invoice.amount}
        rows.append((charge.paid_at, base | {"date": charge.paid_at, "source": partner}))
        if charge.refunded_at is not None:
            row = base | {"date": charge.refunded_at, "receiver": partner}
            rows.append((charge.refunded_at, row))
    rows.sort(key=lambda row: row[0])
    return {"transactions": [row for _, row in rows[offset : offset + limit]]}


def get_my_star_balance(world: World, _params: Params) -> Json:
    kept = (charge for charge in _in_stars(world) if charge.refunded_at is None)
    return {"amount": sum(charge.invoice.amount for charge in kept)}


def _in_stars(world: World) -> list[Charge]:
    return [charge for charge in world.charges.values() if charge.invoice.currency == STARS]


METHODS = {
    "answerPreCheckoutQuery": Method(
        answer_pre_checkout_query,
        {"pre_checkout_query_id": p.string, "ok": p.boolean, "error_message": p.string},
        ("pre_checkout_query_id", "ok"),
    ),
    "refundStarPayment": Method(
        refund_star_payment,
        {"user_id": p.integer, "telegram_payment_charge_id": p.string},
        ("user_id", "telegram_payment_charge_id"),
        sends=True,
    ),
    "getStarTransactions": Method(get_star_transactions, {"offset": p.integer, "limit": p.integer}),
    "getMyStarBalance": Method(get_my_star_balance),
}
