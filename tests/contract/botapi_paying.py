"""Paying in the stand-in, with the bot's word given."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.contract.botapi_server import XIAOYU, StandIn

INVOICE = {
    "title": "30 days",
    "description": "5 GB for 30 days",
    "payload": "order-1",
    "currency": "XTR",
    "prices": [{"label": "30 days", "amount": 100}],
}


async def agreed(tg: StandIn, person: int = XIAOYU, **what: Any) -> dict[str, Any]:
    """Pay (a message or a link); the bot says yes when it is asked. What the person is told."""
    paying = asyncio.create_task(tg.act(person, "pay", **what))
    while not paying.done() and not tg.world.checkouts:  # noqa: ASYNC110
        await asyncio.sleep(0.005)
    for query in list(tg.world.checkouts):
        answer = await tg.call("answerPreCheckoutQuery", pre_checkout_query_id=query, ok=True)
        assert answer["ok"], answer
    result: dict[str, Any] = await paying
    return result


def told(tg: StandIn) -> list[dict[str, Any]]:
    """Every SuccessfulPayment that the bot was told of, in order."""
    messages = [stored.data for log in tg.world.messages.values() for stored in log.values()]
    return [each["successful_payment"] for each in messages if "successful_payment" in each]
