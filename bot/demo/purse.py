"""What the demo's people do about money: pay an invoice or a link, look after subscriptions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.demo.botapi.acts import CannotDo, message_of
from bot.demo.botapi.models import Invoice, Json, Person
from bot.demo.botapi.payments import CARDS
from bot.demo.botapi.payments import pay as pay_invoice
from bot.demo.botapi.subscriptions import NotPossible, change, shown

if TYPE_CHECKING:
    from bot.demo.world import World


async def pay(world: World, person: Person, chat_id: int, body: Json) -> Json:
    """Pay the invoice of a message, or one behind a link; "decline" closes the pay sheet.

    "card" is what an invoice in a currency is paid with: "test" (usual) or "declined".
    """
    link = body.get("link")
    stored = None if link else message_of(world, chat_id, body.get("message_id"))
    invoice = world.invoice_links.get(str(link)) if stored is None else stored.invoice
    if invoice is None:
        raise CannotDo(404, "there is no invoice to pay")
    if body.get("decline"):
        return {"ok": False, "status": "declined_by_person"}
    card = body.get("card", CARDS[0])
    if card not in CARDS:
        raise CannotDo(400, "there is no such card", cards=list(CARDS))
    return await pay_invoice(world, person, invoice, stored, card)


def behind(world: World, person: Person, link: str) -> Json:
    """The invoice behind a link, and the person's own subscription to it (null without one)."""
    invoice = world.invoice_links.get(link)
    if invoice is None:
        raise CannotDo(404, "there is no such invoice")
    return {
        "invoice": invoice.as_message(),
        "subscription_period": invoice.subscription_period,
        "subscription": _own(world, person, invoice),
    }


def _own(world: World, person: Person, invoice: Invoice) -> Json | None:
    now = world.unix_time()
    for each in world.subscriptions.values():
        if each.person_id == person.id and each.invoice is invoice and each.runs(now):
            return shown(world, each)
    return None


def subscriptions(world: World, person: Person) -> list[Json]:
    """All of the person's, the ended ones too; the oldest first."""
    return [
        shown(world, each) for each in world.subscriptions.values() if each.person_id == person.id
    ]


def keep(world: World, person: Person, body: Json) -> Json:
    """Stop a subscription, or take it up again: {"id": …, "cancelled": true}."""
    cancelled = body.get("cancelled")
    if not isinstance(cancelled, bool):
        raise CannotDo(400, '"cancelled" must be true or false')
    try:
        return shown(world, change(world, person, body.get("id"), cancelled=cancelled))
    except NotPossible as error:
        raise CannotDo(403, str(error)) from None
