"""Invoices in Telegram Stars: sent, paid after the bot's word, refunded, accounted."""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING, Any

from bot.demo.botapi import params as p
from bot.demo.botapi.errors import QUERY_TOO_OLD, bad_request
from bot.demo.botapi.models import Charge, Invoice, Json, Person, PreCheckout, Stored
from bot.demo.botapi.params import CHAT_MISSING, SENDING, Method, Params
from bot.demo.botapi.sending import deliver

if TYPE_CHECKING:
    from bot.demo.world import World

MAX_STARS = 100_000
LINK = "https://t.me/$"


def read_invoice(params: Params) -> Invoice:
    """An invoice in Stars by Telegram's rules; ApiError 400 for what breaks one."""
    if params["currency"] != "XTR":
        raise bad_request("the stand-in takes invoices in XTR only")
    if params.get("provider_token"):
        raise bad_request("PAYMENT_PROVIDER_INVALID")
    title, description, payload = params["title"], params["description"], params["payload"]
    if not 1 <= len(title.strip()) <= 32:
        raise bad_request("INVOICE_TITLE_INVALID")
    if not 1 <= len(description.strip()) <= 255:
        raise bad_request("INVOICE_DESCRIPTION_INVALID")
    if not 1 <= len(payload.encode()) <= 128:
        raise bad_request("INVOICE_PAYLOAD_INVALID")
    return Invoice(
        title, description, payload, _amount(params["prices"]), params.get("start_parameter", "")
    )


def _amount(prices: Any) -> int:
    if not isinstance(prices, list) or not all(isinstance(price, dict) for price in prices):
        raise bad_request("can't parse prices: expected an Array of LabeledPrice")
    if len(prices) != 1:
        raise bad_request("STARS_INVOICE_INVALID")
    label, amount = prices[0].get("label"), prices[0].get("amount")
    if not isinstance(label, str) or not label:
        raise bad_request("can't parse LabeledPrice: Can't find field \"label\"")
    if not isinstance(amount, int) or isinstance(amount, bool):
        raise bad_request('can\'t parse LabeledPrice: Field "amount" must be of type Integer')
    if not 1 <= amount <= MAX_STARS:
        raise bad_request("CURRENCY_TOTAL_AMOUNT_INVALID")
    return amount


def send_invoice(world: World, params: Params) -> Json:
    invoice = read_invoice(params)
    return deliver(world, params, {"invoice": invoice.as_message()}, invoice).data


def create_invoice_link(world: World, params: Params) -> str:
    invoice = read_invoice(params)
    link = LINK + secrets.token_urlsafe(12)
    world.invoice_links[link] = invoice
    return link


async def pay(world: World, person: Person, invoice: Invoice, source: Stored | None) -> Json:
    """One payment: asks the bot, waits its 10 s (real), charges, tells the bot.

    The answer's "status" is paid, declined (with the bot's "error_message"), timed_out or
    insufficient_stars; only "paid" moves Stars.
    """
    if person.stars < invoice.amount:
        return {"ok": False, "status": "insufficient_stars", "stars": person.stars}
    query = PreCheckout(
        world.query_id(), person.id, invoice, asyncio.get_running_loop().create_future()
    )
    world.checkouts[query.id] = query
    world.push(
        "pre_checkout_query",
        {
            "id": query.id,
            "from": person.user,
            "currency": "XTR",
            "total_amount": invoice.amount,
            "invoice_payload": invoice.payload,
        },
    )
    try:
        refusal = await asyncio.wait_for(query.answer, world.precheckout_seconds)
    except TimeoutError:
        return {"ok": False, "status": "timed_out"}
    finally:
        world.checkouts.pop(query.id, None)
    if refusal is not None:
        return {"ok": False, "status": "declined", "error_message": refusal}
    if person.stars < invoice.amount:
        return {"ok": False, "status": "insufficient_stars", "stars": person.stars}
    charge = _charge(world, person, invoice)
    if source is not None:
        source.paid.append(charge.id)
        world.announce("edited", source)
    return {"ok": True, "status": "paid", "charge_id": charge.id, "stars": person.stars}


def _charge(world: World, person: Person, invoice: Invoice) -> Charge:
    charge = Charge("stx" + secrets.token_urlsafe(24), person.id, invoice, world.unix_time())
    person.stars -= invoice.amount
    world.charges[charge.id] = charge
    payment = _payment(charge) | {"provider_payment_charge_id": f"{person.id}_{charge.id[3:13]}"}
    _service(world, person, {"successful_payment": payment})
    return charge


def _payment(charge: Charge) -> Json:
    return {
        "currency": "XTR",
        "total_amount": charge.invoice.amount,
        "invoice_payload": charge.invoice.payload,
        "telegram_payment_charge_id": charge.id,
    }


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
    charge = world.charges.get(params["telegram_payment_charge_id"])
    if params["user_id"] not in world.people:
        raise bad_request("USER_ID_INVALID")
    if charge is None or charge.person_id != params["user_id"]:
        raise bad_request("CHARGE_NOT_FOUND")
    if charge.refunded_at is not None:
        raise bad_request("CHARGE_ALREADY_REFUNDED")
    charge.refunded_at = world.unix_time()
    person = world.people[charge.person_id]
    person.stars += charge.invoice.amount
    _service(world, person, {"refunded_payment": _payment(charge)})
    return True


def get_star_transactions(world: World, params: Params) -> Json:
    """Payments and refunds in the order of their time; a refund has the payment's id."""
    offset, limit = params.get("offset", 0), params.get("limit", 100)
    if offset < 0 or not 1 <= limit <= 100:
        raise bad_request("offset and limit must be in their range")
    rows: list[tuple[int, Json]] = []
    for charge in world.charges.values():
        partner = {
            "type": "user",
            "transaction_type": "invoice_payment",
            "user": world.people[charge.person_id].user,
            "invoice_payload": charge.invoice.payload,
        }
        base = {"id": charge.id, "amount": charge.invoice.amount}
        rows.append((charge.paid_at, base | {"date": charge.paid_at, "source": partner}))
        if charge.refunded_at is not None:
            row = base | {"date": charge.refunded_at, "receiver": partner}
            rows.append((charge.refunded_at, row))
    rows.sort(key=lambda row: row[0])
    return {"transactions": [row for _, row in rows[offset : offset + limit]]}


def get_my_star_balance(world: World, _params: Params) -> Json:
    kept = (charge for charge in world.charges.values() if charge.refunded_at is None)
    return {"amount": sum(charge.invoice.amount for charge in kept)}


_INVOICE = {
    "title": p.string,
    "description": p.string,
    "payload": p.string,
    "provider_token": p.string,
    "currency": p.string,
    "prices": p.structure,
    "photo_url": p.string,
    "photo_size": p.integer,
    "photo_width": p.integer,
    "photo_height": p.integer,
}
_REQUIRED = ("title", "description", "payload", "currency", "prices")
METHODS = {
    "sendInvoice": Method(
        send_invoice,
        {**SENDING, **_INVOICE, "start_parameter": p.string},
        ("chat_id", *_REQUIRED),
        CHAT_MISSING,
        sends=True,
    ),
    "createInvoiceLink": Method(create_invoice_link, _INVOICE, _REQUIRED),
    "answerPreCheckoutQuery": Method(
        answer_pre_checkout_query,
        {"pre_checkout_query_id": p.string, "ok": p.boolean, "error_message": p.string},
        ("pre_checkout_query_id", "ok"),
    ),
    "refundStarPayment": Method(
        refund_star_payment,
        {"user_id": p.integer, "telegram_payment_charge_id": p.string},
        ("user_id", "telegram_payment_charge_id"),
    ),
    "getStarTransactions": Method(get_star_transactions, {"offset": p.integer, "limit": p.integer}),
    "getMyStarBalance": Method(get_my_star_balance),
}
