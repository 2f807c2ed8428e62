"""What every message about an order shares: its facts, its head, the names of ways to pay."""

from dataclasses import dataclass

from bot.chat.shop import Merchant
from bot.chat.views.plans import plan_name
from bot.chat.views.sims import title
from bot.domain.orders import PaymentState
from bot.domain.quotes import Quote
from bot.domain.requests import RefundRequest, RequestState
from bot.domain.sales import Method, Order, Payment, Refund, TopUp
from bot.domain.sims import Sim, Tracking
from bot.i18n import N_, Words
from bot.services.requesting import ASKABLE

BY_HAND = "manual"
"""The supplier of plans that a person of the shop tops up."""
METHODS = {
    Method.STARS: N_("Telegram Stars"),
    Method.TELEGRAM: N_("Card in Telegram"),
    Method.CARD: N_("Card"),
    Method.ALIPAY: N_("Alipay"),
    Method.WECHAT: N_("WeChat Pay"),
    Method.PAYPAL: N_("PayPal"),
    Method.EPAY: N_("Alipay or WeChat"),
    Method.WALLET: N_("Wallet"),
    Method.TRANSFER: N_("Bank or QR transfer"),
    Method.VOUCHER: N_("Voucher"),
    Method.CASH: N_("Cash"),
}


@dataclass(frozen=True, slots=True)
class Sale:
    """Everything an order's message tells."""

    order: Order
    sim: Sim
    topup: TopUp | None
    payment: Payment | None
    merchant: Merchant
    attempt: Payment | None = None
    """The attempt that waits for money, else the last one there was."""
    proved: bool = False
    """A proof of it, a transfer, waits for an operator."""
    quote: Quote | None = None
    refunds: tuple[Refund, ...] = ()
    """What of the payment went back, or is on its way."""
    request: RefundRequest | None = None
    """The customer's newest wish to have money back."""

    @property
    def askable(self) -> bool:
        """Whether its customer can ask for money back now."""
        paid = self.payment
        if self.order.state not in ASKABLE or paid is None or paid.captured is None:
            return False
        if self.request is not None and self.request.state is RequestState.ASKED:
            return False
        return paid.state is PaymentState.CAPTURED and paid.going_back < paid.captured.minor


def head(t: Words, sale: Sale) -> list[str | None]:
    """Number, plan and SIM, and what was received."""
    order = sale.order
    paid = t("{amount} received.", amount=t.money(order.charge)) if order.charge else None
    return [
        t("<b>Order {number}</b>", number=order.number),
        t("{name} for {title}", name=plan_name(t, order.plan), title=title(t, sale.sim)),
        paid,
        "",
    ]


def read_back(order: Order, sim: Sim) -> bool:
    """Whether the plan's supplier can read the SIM: it does so only for its own."""
    own = sim.tracking is Tracking.MANAGED and sim.supplier == order.plan.supplier
    return own and order.plan.supplier != BY_HAND
