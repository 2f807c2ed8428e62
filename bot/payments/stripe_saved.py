"""Cards that were kept with Stripe, charged without the customer (off-session)."""

import re
from typing import Any

import structlog

from bot.domain.sales import Payment
from bot.payments.stripe_api import METHOD, PAYMENT, Api, Gone, Intent, Rejected, after
from bot.payments.stripe_told import NEEDS_CONFIRMATION, of_intent, reason_of, together
from bot.ports import Bill, Found, PaymentUnavailable, Standing

log = structlog.get_logger(__name__)

_TOKEN = re.compile(r"(cus_\w+)/(pm_\w+)", re.ASCII)
_OPEN = ("requires_action", "requires_payment_method", "requires_confirmation")
_CHARGE = ["latest_charge"]


class SavedCards:
    """Payment intents of ours that no page stands before."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def charge(self, payment: Payment, token: str, bill: Bill, units: int) -> Found:
        """Take `units` from the card, once for `payment.id`: an intent of ours that is there
        already is told, and not made again. Raises PaymentUnavailable."""
        parts = _TOKEN.fullmatch(token)
        if parts is None:
            return Found(Standing.ENDED, reason="saved_gone")
        before = await self._intents(payment)
        if before:
            return together([await self._settled(one) for one in before])
        asked: Any = {
            "amount": units,
            "currency": payment.amount.currency.lower(),
            "customer": parts[1],
            "payment_method": parts[2],
            "allowed_payment_method_types": ["card"],
            "confirm": True,
            "off_session": True,
            "description": bill.title,
            "return_url": bill.back,
            "metadata": {PAYMENT: payment.id, METHOD: payment.method.value},
            "expand": _CHARGE,
        }
        making = self._api.v1.payment_intents.create_async(
            asked, {"idempotency_key": f"charge-{payment.id}"}
        )
        try:
            made = await self._api.told(Intent, making)
        except Rejected as no:
            if no.intent is not None:
                # A declined try leaves an intent behind, which tells more than the refusal.
                return await self._settled(await self._intent(no.intent))
            return Found(Standing.ENDED, reason=reason_of(no.code))
        return await self._settled(made)

    async def forget(self, token: str) -> None:
        """Take the card from its customer, then delete the customer, who was made for it alone.
        The second tells whether it is done. Raises PaymentUnavailable."""
        parts = _TOKEN.fullmatch(token)
        if parts is None:
            return  # nothing of Stripe's
        try:
            await self._api.told(Gone, self._api.v1.payment_methods.detach_async(parts[2]))
        except Rejected as no:
            log.info("stripe.not_detached", code=no.code)
        try:
            await self._api.told(Gone, self._api.v1.customers.delete_async(parts[1]))
        except Rejected as no:
            if no.status != 404:
                raise PaymentUnavailable(no.code) from None

    async def lookup(self, payment: Payment) -> Found:
        """What became of it."""
        return together([await self._settled(one) for one in await self._intents(payment)])

    async def cancel(self, payment: Payment) -> Found:
        """Close whatever could still be paid."""
        return together(
            [
                await self._closed(one, "requested_by_customer")
                for one in await self._intents(payment)
            ]
        )

    async def _settled(self, intent: Intent) -> Found:
        """Where it stands. What waits for a confirmation is closed: nobody is there to give it,
        and the page that follows must be the only thing that can be paid."""
        found = of_intent(intent)
        if found.reason == NEEDS_CONFIRMATION and intent.status in _OPEN:
            found = await self._closed(intent, "abandoned")
            if found.standing is Standing.ENDED:
                return Found(Standing.ENDED, reason=NEEDS_CONFIRMATION)
        return found

    async def _closed(self, intent: Intent, why: Any) -> Found:
        if intent.status not in _OPEN:
            return of_intent(intent)
        closing = self._api.v1.payment_intents.cancel_async(intent.id, {"cancellation_reason": why})
        try:
            await self._api.told(Intent, closing)
        except Rejected as no:
            log.info("stripe.not_cancelled", code=no.code)
        return of_intent(await self._intent(intent.id))

    async def _intent(self, intent_id: str) -> Intent:
        asking = self._api.v1.payment_intents.retrieve_async(intent_id, {"expand": _CHARGE})
        try:
            return await self._api.told(Intent, asking)
        except Rejected as no:
            raise PaymentUnavailable(no.code) from None

    async def _intents(self, payment: Payment) -> list[Intent]:
        listing: Any = self._api.v1.payment_intents.list_async
        since = after(payment.created_at)
        try:
            rows = self._api.every(Intent, listing, created=since)
            ids = [row.id async for row in rows if row.metadata.get(PAYMENT) == payment.id]
        except Rejected as no:
            raise PaymentUnavailable(no.code) from None
        return [await self._intent(one) for one in ids]
