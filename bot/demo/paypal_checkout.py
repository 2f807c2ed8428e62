"""The PayPal stand-in's page: the payer approves an order, with a good card or a bad one."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response

from bot.demo import hosted_page as pages
from bot.demo.hosted_page import Sheet, chat_at, hosted, spoken
from bot.demo.paypal_shown import amount_shown, order_shown
from bot.demo.paypal_state import Order, PayPalState
from bot.demo.paypal_webhooks import Notifier
from bot.ports import Clock

NAME = "PayPal"
APPROVED: pages.Said = (
    "You agreed to pay. The shop takes the money now; go back to the chat.",
    "已同意付款，商家正在收款，请返回聊天。",
)


class Checkout:
    """One order's page, behind the link that the customer is given."""

    def __init__(
        self, state: PayPalState, clock: Clock, notifier: Notifier, struck: Callable[[str], bool]
    ) -> None:
        self._state = state
        self._clock = clock
        self._notifier = notifier
        self._struck = struck

    async def page(self, request: Request) -> Response:
        """GET shows it; POST does what the payer chose."""
        token = request.query_params.get("token", "")
        order = self._state.order(token, self._clock.now())
        if order is None:
            return hosted(Sheet(NAME, NAME, said=pages.GONE), spoken(request), 404)
        if order.captures:
            return self._said(order, pages.PAID)
        if request.method == "GET":
            does = (("pay", pages.PAY), ("decline", pages.DECLINE), ("leave", pages.LEAVE))
            return hosted(
                Sheet(NAME, order.title, _amount(order), does=does), order.locale
            )  # fmt: skip
        does_what = str((await request.form()).get("do", ""))
        if does_what not in ("pay", "decline"):
            return self._said(order, pages.LEFT, order.cancel_url)
        order.approved, order.bad_card = True, does_what == "decline"
        root = str(request.url).split("/checkoutnow", 1)[0]
        shown = order_shown(order, root, self._clock.now())
        self._notifier.tell(order.custom_id, "CHECKOUT.ORDER.APPROVED", "checkout-order", shown)
        return self._said(order, APPROVED)

    def _said(self, order: Order, said: pages.Said, back: str | None = None) -> Response:
        way = chat_at(back or order.return_url, {"token": order.id})
        return hosted(Sheet(NAME, order.title, _amount(order), said, back=way), order.locale)


def _amount(order: Order) -> str:
    shown = amount_shown(order.amount, order.currency)
    return f"{shown['value']} {shown['currency_code']}"
