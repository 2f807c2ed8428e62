"""Telegram on the bench: Stars, and invoices by a provider token, over the Bot API stand-in."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, ClassVar

from telegram import Bot, SuccessfulPayment
from telegram.request import HTTPXRequest

from bot.chat.payments import charge_of
from bot.demo.botapi import models
from bot.demo.botapi.app import create_app
from bot.demo.botapi.models import PROVIDER_TOKEN, Invoice, Stored
from bot.demo.botapi.payments import answer_pre_checkout_query, pay, refund_star_payment
from bot.demo.calls import CallLog
from bot.demo.clock import WorldClock
from bot.demo.faults import FaultBoard
from bot.demo.world import World
from bot.domain.money import STARS, Money
from bot.domain.sales import Method, Payment
from bot.payments.stars import Stars
from bot.payments.telegram import TelegramInvoice, TelegramSettings
from bot.ports import Charge, PaymentMethod, Shown
from tests.contract.carrier_bench import Host
from tests.contract.payment_bench import PAYER, Bench


class TelegramBench(Bench):
    """Both ways to pay by an invoice; `world` is what Telegram knows."""

    name = "telegram"
    retries = True
    misbehaviour: ClassVar[Mapping[str, str]] = {
        "answer_lost": "send_lost_answer",
        "answer_slow": "slow",
        "http_500": "down",
    }
    world: World

    def __init__(self) -> None:
        self._requests: list[HTTPXRequest] = []

    def strike(self, fault: str, *, times: int | None = None) -> None:
        own = f"telegram_{self.misbehaviour.get(fault, fault)}"
        self.faults.set(own, on=times is None, times=times)

    def bot(self, token: str, base_url: str, seconds: float) -> Bot:
        own = [
            HTTPXRequest(
                read_timeout=seconds,
                connect_timeout=seconds,
                httpx_kwargs={"verify": False, "trust_env": False},
            )
            for _ in range(2)
        ]
        self._requests += own
        return Bot(token, f"{base_url}/bot", request=own[0], get_updates_request=own[1])

    def another(
        self, *, address: str | None = None, wrong_keys: bool = False, seconds: float = 10.0
    ) -> PaymentMethod:
        token = "1:wrong" if wrong_keys else self.world.token
        return self.made(self.bot(token, address or self.base_url, seconds))

    def made(self, bot: Bot) -> PaymentMethod:
        """The adapter over a bot."""
        raise NotImplementedError

    async def close(self) -> None:
        for request in self._requests:
            await request.shutdown()

    # -- what people do

    def _invoices(self, ref: str) -> list[tuple[Invoice, Stored | None]]:
        """What can be paid under our reference, the newest last."""
        messages = self.world.messages.get(PAYER, {}).values()
        sent = [(each.invoice, each) for each in messages if each.invoice and not each.deleted]
        links = [(invoice, None) for invoice in self.world.invoice_links.values()]
        return [one for one in (*sent, *links) if one[0].payload == ref]

    async def pays(self, payment: Payment, card: str = "test") -> dict[str, Any]:
        """The payer presses "Pay" and the bot agrees; what they are told."""
        invoice, source = self._invoices(payment.id)[-1]
        person = self.world.people[PAYER]
        paying = asyncio.create_task(pay(self.world, person, invoice, source, card))
        await asyncio.sleep(0)
        for query in list(self.world.checkouts):
            params = {"pre_checkout_query_id": query, "ok": True}
            answer_pre_checkout_query(self.world, params)
        return await paying

    async def pay(self, payment: Payment, shown: Shown) -> None:
        result = await self.pays(payment)
        assert result["ok"], result

    def _charges(self, ref: str) -> list[models.Charge]:
        return [each for each in self.world.charges.values() if each.invoice.payload == ref]

    def attempts(self, ref: str) -> int:
        return len(self._invoices(ref))

    def taken(self, ref: str) -> list[Money]:
        return [Money(one.invoice.amount, one.invoice.currency) for one in self._charges(ref)]

    def returned(self, ref: str) -> int:
        back = (one for one in self._charges(ref) if one.refunded_at is not None)
        return sum(one.invoice.amount for one in back)

    def secrets(self) -> list[str]:
        return [PROVIDER_TOKEN]


class StarsBench(TelegramBench):
    kind = Method.STARS
    amount = Money(650, STARS)
    amounts: ClassVar[Sequence[Money]] = (Money(650, STARS),)
    too_small = Money(0, STARS)
    foreign = Money.of("8.50", "USD")
    by_reference = True
    sees_unpaid = False

    def made(self, bot: Bot) -> PaymentMethod:
        return Stars(bot)

    async def decline(self, payment: Payment, shown: Shown) -> None:
        """The one no that there is: too few Stars."""
        person = self.world.people[PAYER]
        had, person.stars = person.stars, 0
        assert (await self.pays(payment))["status"] == "insufficient_stars"
        person.stars = had

    async def return_outside(self, charge: Charge, minor: int) -> None:
        """By another program with the same token; Telegram gives all back."""
        params = {"user_id": PAYER, "telegram_payment_charge_id": charge.id}
        refund_star_payment(self.world, params)


class InvoiceBench(TelegramBench):
    kind = Method.TELEGRAM
    amount = Money.of("8.50", "USD")
    amounts: ClassVar[Sequence[Money]] = (Money.of("8.50", "USD"), Money.of(1200, "JPY"))
    foreign = Money(850, "XAU")

    def made(self, bot: Bot) -> PaymentMethod:
        settings = TelegramSettings.model_validate({"provider_token": PROVIDER_TOKEN})
        return TelegramInvoice(bot, settings)

    async def decline(self, payment: Payment, shown: Shown) -> None:
        assert (await self.pays(payment, "declined"))["status"] == "card_declined"

    async def charge_of(self, payment: Payment) -> Charge:
        """As the chat is told of it: nobody else is."""
        log = self.world.messages[PAYER].values()
        told = [each.data for each in log if "successful_payment" in each.data]
        paid = SuccessfulPayment.de_json(told[-1]["successful_payment"], None)
        assert paid is not None
        return charge_of(paid, PAYER, self.clock.now())


@asynccontextmanager
async def telegram_bench(bench: TelegramBench, host: Host, address: str) -> AsyncIterator[Any]:
    bench.clock, bench.faults = WorldClock(), FaultBoard()
    bench.calls = CallLog(bench.clock)
    bench.world = bench.state = World(bench.clock, limits=False)
    bench.world.people[PAYER].started = True
    host.app = create_app(bench.world, bench.faults, bench.calls)
    bench.base_url = address
    bench.paying = bench.another()
    try:
        yield bench
    finally:
        await bench.close()


@asynccontextmanager
async def stars_bench(host: Host, address: str) -> AsyncIterator[StarsBench]:
    async with telegram_bench(StarsBench(), host, address) as bench:
        yield bench


@asynccontextmanager
async def invoice_bench(host: Host, address: str) -> AsyncIterator[InvoiceBench]:
    async with telegram_bench(InvoiceBench(), host, address) as bench:
        yield bench
