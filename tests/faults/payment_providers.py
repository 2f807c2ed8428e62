"""The providers of the payments' fault harness, as their own bookkeepers, payers and callers see
them: what was really taken and returned is read from the stand-ins' memories, never from an API."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal

from telegram import SuccessfulPayment

from bot.chat.payments import charge_of
from bot.demo.botapi.models import Invoice, Stored
from bot.demo.botapi.payments import answer_pre_checkout_query, refund_star_payment
from bot.demo.botapi.payments import pay as pay_invoice
from bot.demo.epay_page import sign
from bot.demo.stripe_shown import dispute, return_outside, signature, written
from bot.demo.stripe_state import Notice, StripeState
from bot.domain.money import Money
from bot.domain.sales import Method, Order, Payment
from bot.ports import Call, Charge
from bot.services.assisting import CASH, receipt_number
from tests.faults.payment_town import House

STRIPE = (Method.CARD, Method.ALIPAY, Method.WECHAT)
IN_CHAT = (Method.STARS, Method.TELEGRAM)
PAGES = (*STRIPE, Method.PAYPAL, Method.EPAY)
PROVIDED = (*PAGES, *IN_CHAT)


@dataclass(frozen=True, slots=True)
class Entry:
    """A charge in a provider's books; `returned` in minor units."""

    method: Method
    id: str
    reference: str
    amount: Money
    returned: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Told:
    """A provider's call to us, and whether it is an honest one."""

    provider: str
    call: Call
    honest: bool = True


@dataclass
class Letter:
    """Something on its way to the bot: a provider's call, or Telegram's word of money."""

    due: datetime
    told: Told | Charge
    tries: int = 0


class Providers:
    """All of them, of one house."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._its = house.providers
        self._by_hand: Counter[str] = Counter()
        """What a person sent back where no stand-in keeps it: by charge, in minor units."""
        self.bank: list[Entry] = []
        """Transfers that came in."""
        self.drawer: list[Entry] = []
        """What the shop's people took in cash, by the receipts they gave."""
        self._heard = dict.fromkeys(("paypal", "epay"), 0)
        self._seen_messages: Counter[int] = Counter()

    @property
    def _now(self) -> datetime:
        return self._house.clock.now()

    # ---- books -------------------------------------------------------------------------------

    def entries(self, begins: str) -> list[Entry]:
        """Every charge whose reference begins so: an order's or a deposit's id."""
        found = (*self._stripe(), *self._paypal(), *self._epay(), *self._telegram(), *self.bank,
                 *self.drawer)  # fmt: skip
        return [
            replace(one, returned=one.returned + self._by_hand[one.id])
            for one in found
            if one.reference.startswith(begins)
        ]

    def _stripe(self) -> Iterator[Entry]:
        state = self._its.stripe
        for one in state.intents:
            if one.charge is not None and one.status == "succeeded":
                amount = Money(one.amount, one.currency.upper())
                reference = one.metadata.get("xuka_payment", "")
                method = Method(one.metadata["xuka_method"])
                back, at = state.returned(one, self._now), one.charged_at or one.created
                yield Entry(method, one.id, reference, amount, back, at)

    def _paypal(self) -> Iterator[Entry]:
        for order in self._its.paypal.orders:
            for one in order.captures:
                if one.status(self._now) != "PENDING":
                    amount = Money.of(one.amount, order.currency)
                    back = Money.of(one.returned(self._now), order.currency).minor
                    yield Entry(Method.PAYPAL, one.id, order.custom_id, amount, back, one.at)

    def _epay(self) -> Iterator[Entry]:
        for one in self._its.epay.trades:
            if one.paid_at is not None:
                amount, back = Money.of(one.money, "CNY"), Money.of(one.returned, "CNY").minor
                yield Entry(
                    Method.EPAY, one.trade_no, one.out_trade_no, amount, back, one.paid_at
                )  # fmt: skip

    def _telegram(self) -> Iterator[Entry]:
        for one in self._house.world.charges.values():
            amount = Money(one.invoice.amount, one.invoice.currency)
            stars = one.invoice.currency == "XTR"
            yield Entry(
                Method.STARS if stars else Method.TELEGRAM, one.id, one.invoice.payload, amount,
                amount.minor if one.refunded_at is not None else 0,
                datetime.fromtimestamp(one.paid_at, UTC),
            )  # fmt: skip

    # ---- payers ------------------------------------------------------------------------------

    async def press(self, payment: Payment, button: str) -> None:
        """A button on a page: pay or decline."""
        if payment.method is Method.EPAY and button == "pay":
            button = "alipay"
        assert payment.url is not None
        data = {"do": button, "card": "0"}
        await self._house.browser.post(payment.url, data=data)

    def alter(self, payment: Payment) -> None:
        """What is asked on the page is another amount than ours: somebody's mistake there."""
        for page in self._its.stripe.pages:
            if page.reference == payment.id:
                page.amount += 1
        for order in self._its.paypal.orders:
            if order.custom_id == payment.id:
                order.amount += 1

    def _invoice(self, payment: Payment) -> tuple[Invoice, Stored] | None:
        for stored in reversed(self._house.world.messages.get(payment.chat_id, {}).values()):
            if stored.invoice is not None and stored.invoice.payload == payment.id:
                return stored.invoice, stored
        return None

    async def pay_invoice(
        self, payment: Payment, payer_id: int, *, altered: bool = False, declined: bool = False
    ) -> str:
        """A payer presses "Pay" on an invoice and the bot says its word; what they are told."""
        world = self._house.world
        found = self._invoice(payment)
        if found is None:
            return "no_invoice"
        invoice, stored = found
        if altered:
            invoice = replace(invoice, amount=invoice.amount + 1)
        paying = asyncio.create_task(
            pay_invoice(world, world.people[payer_id], invoice, stored,
                        "declined" if declined else "test")
        )  # fmt: skip
        await asyncio.sleep(0)
        asked = Money(invoice.amount, invoice.currency)
        for query in [name for name, one in world.checkouts.items() if one.invoice is invoice]:
            no = await self._house.alive(
                lambda p: p.till.precheck(invoice.payload, payer_id, asked)
            )
            params = {"pre_checkout_query_id": query, "ok": no is None, "error_message": no or ""}
            answer_pre_checkout_query(world, params)
        return str((await paying)["status"])

    def updates(self, chat_id: int) -> list[Charge]:
        """What Telegram has told the chat of money since the last look."""
        found = []
        for number, stored in self._house.world.messages.get(chat_id, {}).items():
            if number <= self._seen_messages[chat_id]:
                continue
            self._seen_messages[chat_id] = number
            paid = stored.data.get("successful_payment")
            back = stored.data.get("refunded_payment")
            if paid is not None:
                told = SuccessfulPayment.de_json(paid, None)
                assert told is not None
                found.append(charge_of(told, chat_id, self._now))
            elif back is not None:
                amount = Money(back["total_amount"], back["currency"])
                found.append(
                    Charge(back["telegram_payment_charge_id"], back["invoice_payload"], amount,
                           self._now, returned=amount.minor, payer_id=chat_id)
                )  # fmt: skip
        return found

    # ---- people at the providers -------------------------------------------------------------

    def give_back(self, entry: Entry, minor: int) -> int:
        """Somebody sends money back on the provider's own pages; how much that was."""
        left = entry.amount.minor - entry.returned
        minor = min(minor, left)
        if entry.method is Method.STARS or entry.method is Method.EPAY:
            minor = left if entry.returned == 0 else 0  # the whole, or nothing
        if minor <= 0:
            return 0
        if entry.method in STRIPE:
            intent = self._its.stripe.intent(entry.id)
            assert intent is not None
            return_outside(self._its.stripe, intent, minor, self._now)
        elif entry.method is Method.PAYPAL:
            found = self._its.paypal.capture(entry.id)
            assert found is not None
            amount = Money(minor, entry.amount.currency).major
            self._its.paypal.give_back(found[1], Decimal(amount), self._now)
        elif entry.method is Method.EPAY:
            trade = next(one for one in self._its.epay.trades if one.trade_no == entry.id)
            trade.returned = trade.money
        elif entry.method is Method.STARS:
            charge = self._house.world.charges[entry.id]
            params = {"user_id": charge.person_id, "telegram_payment_charge_id": entry.id}
            refund_star_payment(self._house.world, params)
        else:
            self._by_hand[entry.id] += minor
        return minor

    def took(self, order: Order, number: str) -> None:
        """Cash came into the drawer, once for the receipt's number."""
        amount, name = order.due or order.price, f"{CASH}{receipt_number(number)}"
        if not any(one.id == name for one in self.drawer):
            reference = f"{order.id}-{number}"
            self.drawer.append(Entry(Method.CASH, name, reference, amount, 0, self._now))

    def doubt(self, entry: Entry, *, on: bool) -> bool:
        """The payer asks their bank for the money, or it has decided; False where nobody tells."""
        if entry.method in STRIPE:
            intent = self._its.stripe.intent(entry.id)
            assert intent is not None
            intent.disputed = on
            if on:
                dispute(self._its.stripe, intent, self._now)
            return True
        if entry.method is Method.PAYPAL:
            found = self._its.paypal.capture(entry.id)
            assert found is not None
            found[1].disputed = on
            return True
        if entry.method is Method.EPAY:
            trade = next(one for one in self._its.epay.trades if one.trade_no == entry.id)
            trade.frozen = on
            return True
        return False

    async def ends(self) -> None:
        """What was under way has come in."""
        for page in self._its.stripe.pages:
            intent = self._its.stripe.intent(page.intent)
            if intent is not None and intent.status == "processing":
                url = f"{self._house.url}/providers/stripe/c/pay/{page.id}"
                await self._house.browser.get(url)

    # ---- its calls to us ---------------------------------------------------------------------

    def calls(self) -> list[Told]:
        """Everything that they want to tell since the last look, in their order."""
        stripe, self._its.stripe.notices = self._its.stripe.notices, []
        told = [Told("stripe", self._written(notice)) for notice in stripe]
        paypal = self._its.paypal.sent[self._heard["paypal"] :]
        self._heard["paypal"] = len(self._its.paypal.sent)
        for sent in paypal:
            headers = {name.lower(): value for name, value in sent.headers.items()}
            told.append(Told("paypal", Call(sent.body.encode(), headers)))
        epay = self._its.epay.sent[self._heard["epay"] :]
        self._heard["epay"] = len(self._its.epay.sent)
        return [*told, *(Told("epay", Call(b"", {}, dict(sent.query))) for sent in epay)]

    def _written(self, notice: Notice, *, forged: bool = False, old: bool = False) -> Call:
        body = written(notice, self._now)
        secret = "whsec_somebody" if forged else self._its.stripe.webhook_secret
        at = int(time.time()) - 3600 if old else None
        return Call(body, signature(body, secret, at))

    def again(self, told: Told) -> Told:
        """The same call, as it is sent later: signed anew where a signature is of a moment."""
        if told.provider != "stripe":
            return told
        headers = signature(told.call.body, self._its.stripe.webhook_secret)
        return replace(told, call=Call(told.call.body, headers))

    def lie(self, payment: Payment, *, forged: bool, old: bool = False) -> Told | None:
        """A call that says that something is paid, whether or not it is; rightly signed unless
        forged. None of methods that do not call."""
        if payment.method in STRIPE:
            body = {
                "id": payment.provider_ref or "cs_x", "object": "checkout.session",
                "client_reference_id": payment.id, "metadata": {"xuka_payment": payment.id},
                "payment_status": "paid", "status": "complete",
            }  # fmt: skip
            name = StripeState.new_id(self._its.stripe, "evt")
            notice = Notice(id=name, type="checkout.session.completed", body=body, due=self._now)
            call = self._written(notice, forged=forged, old=old)
            return Told("stripe", call, honest=not (forged or old))
        if payment.method is Method.EPAY:
            params = {
                "pid": self._its.epay.pid, "trade_no": f"T{int(self._now.timestamp() * 1000)}",
                "out_trade_no": payment.id, "type": "alipay", "name": "5 GB", "money": "0.01",
                "trade_status": "TRADE_SUCCESS",
            }  # fmt: skip
            key = "nobody's" if forged else self._its.epay.key
            query = {**params, "sign": sign(params, key), "sign_type": "MD5"}
            return Told("epay", Call(b"", {}, query), not forged)
        sent = [one for one in self._its.paypal.sent if one.reference == payment.id]
        if payment.method is Method.PAYPAL and sent:
            headers = {name.lower(): value for name, value in sent[-1].headers.items()}
            event = json.loads(sent[-1].body)
            if forged:
                event["id"] = "WH-FORGED"
                body_told = json.dumps(event).encode()
                return Told("paypal", Call(body_told, headers), honest=False)
            return Told("paypal", Call(sent[-1].body.encode(), headers))
        return None


def transferred(payment: Payment, minor: int, at: datetime) -> Entry:
    """A transfer in the bank's books, named as the bot names it when a person has found it."""
    amount = Money(minor, payment.amount.currency)
    return Entry(Method.TRANSFER, f"transfer:{payment.id}", payment.id, amount, 0, at)
