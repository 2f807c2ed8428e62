"""PTB's application over our queue, processor and memory, with Telegram played by a script."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from telegram import Update
from telegram._utils.types import ODVInput
from telegram.ext import Application, ApplicationBuilder, ContextTypes, ExtBot, TypeHandler
from telegram.request import BaseRequest, RequestData

from bot.chat import payments, people
from bot.chat.context import Context
from bot.chat.errors import ErrorDesk
from bot.chat.lanes import LaneQueue, Processor
from bot.chat.memory import Memory
from bot.chat.rooms import TelegramRooms
from bot.chat.shop import Merchant, Purses, Shop
from bot.ports import Store
from bot.services.activation import Activations
from bot.services.agreeing import Agreeing
from bot.services.assisting import Assisting
from bot.services.broadcasts import Broadcasts
from bot.services.grouping import Grouping
from bot.services.handover import Handovers
from bot.services.intake import Intake
from bot.services.keeping import Keeping
from bot.services.limits import Gate, Limits
from bot.services.outbox import Outbox
from bot.services.payouts import Payouts
from bot.services.posting import Postings
from bot.services.privacy import Privacy
from bot.services.reconcile import Reconciliation
from bot.services.reminding import Reminding
from bot.services.removing import Removing
from bot.services.requesting import Requesting
from bot.services.sims import Sims
from bot.services.status import Status
from bot.services.visits import Visits
from bot.services.wallets import Wallets
from tests.unit.services import sale_house
from tests.unit.services.house import PEPPER, SELLING

_MESSAGES = ("sendMessage", "editMessageText", "sendInvoice", "sendPhoto", "sendDocument")
Answer = tuple[int, dict[str, Any]] | BaseException
Raw = dict[str, Any]


class Telegram(BaseRequest):
    """The Bot API as a script: answers by method, a plausible success where none is written."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Raw]] = []
        self.answers: dict[str, list[Answer]] = {}
        self.hold: Callable[[str, Raw], Awaitable[None]] | None = None
        self._message_id = 1000

    @property
    def read_timeout(self) -> float | None:
        return 5

    async def initialize(self) -> None: ...

    async def shutdown(self) -> None: ...

    def of(self, method: str) -> list[Raw]:
        """Parameters of every call of one method."""
        return [given for name, given in self.calls if name == method]

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: ODVInput[float] = BaseRequest.DEFAULT_NONE,
        write_timeout: ODVInput[float] = BaseRequest.DEFAULT_NONE,
        connect_timeout: ODVInput[float] = BaseRequest.DEFAULT_NONE,
        pool_timeout: ODVInput[float] = BaseRequest.DEFAULT_NONE,
    ) -> tuple[int, bytes]:
        name = url.rsplit("/", 1)[-1]
        given = dict(request_data.parameters) if request_data else {}
        self.calls.append((name, given))
        if self.hold is not None:
            await self.hold(name, given)
        answers = self.answers.get(name)
        answer = (
            answers.pop(0) if answers else (200, {"ok": True, "result": self._result(name, given)})
        )
        if isinstance(answer, BaseException):
            raise answer
        return answer[0], json.dumps(answer[1]).encode()

    def _result(self, name: str, given: Raw) -> Any:
        if name == "getMe":
            return {"id": 1, "is_bot": True, "first_name": "Xuka", "username": "xuka_bot"}
        if name in _MESSAGES:
            self._message_id += 1
            chat = {"id": given["chat_id"], "type": "private", "first_name": "A"}
            return {"message_id": given.get("message_id", self._message_id), "date": 0,
                    "chat": chat, "text": "x"}  # fmt: skip
        return True


def refused(code: int, description: str, **parameters: object) -> Answer:
    """An answer that is no success."""
    body: Raw = {"ok": False, "error_code": code, "description": description}
    return code, body | ({"parameters": parameters} if parameters else {})


async def until(holds: Callable[[], Awaitable[bool]], within: float = 5) -> None:
    """Wait for something to become true, `within` seconds."""
    for _ in range(int(within * 100)):
        if await holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came true")


@dataclass
class House:
    """A bot with real handlers for payments; a test adds its own."""

    shop: sale_house.Shop
    telegram: Telegram
    app: Application[Any, Any, Any, Any, Any, Any]
    queue: LaneQueue
    intake: Intake
    memory: Memory

    async def take(self, raw: Raw) -> None:
        """An update arrives by polling."""
        update = Update.de_json(raw, self.app.bot)
        await self.queue.put(update)

    async def settled(self, within: float = 5) -> None:
        """Until every update is handled."""

        async def done() -> bool:
            return self.queue.idle and not await self.left()

        await until(done, within)

    async def left(self) -> list[int]:
        async with self.shop.database.read() as tx:
            return [row.update_id for row in await tx.inbox.unfinished()]


def services(shop: sale_house.Shop, store: Store, bot: ExtBot[Any]) -> Shop:
    """What handlers may use."""
    carriers: dict[str, Any] = dict(shop.carriers)
    outbox = Outbox(store, shop.clock, None)  # type: ignore[arg-type]
    return Shop(
        store=store, clock=shop.clock, sims=Sims(store, shop.clock, carriers, PEPPER, ()),
        keeping=Keeping(store, shop.clock, {}), handovers=Handovers(store, shop.clock, PEPPER),
        checkout=shop.checkout, paying=shop.paying, till=shop.till,
        deposits=shop.deposits, transfers=shop.transfers, purses=Purses({}, Decimal(2000)),
        reminding=Reminding(store, shop.clock, carriers),
        desk=shop.desk, requesting=Requesting(store, shop.clock, SELLING),
        privacy=Privacy(store, shop.clock, ()),
        assisting=Assisting(
            store, shop.clock, SELLING, shop.checkout, shop.paying, shop.till
        ),
        agreeing=Agreeing(store, shop.clock, carriers, {}, SELLING),
        removing=Removing(store, shop.clock, {}),
        broadcasts=Broadcasts(store, shop.clock, ()),
        postings=Postings(store, shop.clock, TelegramRooms(bot, store, shop.clock)),
        activations=Activations(store, shop.clock, carriers, SELLING),
        visits=Visits(store, shop.clock, shop.checkout),
        payouts=Payouts(store, shop.clock, SELLING),
        grouping=Grouping(store, shop.clock, ()), rooms=TelegramRooms(bot, store, shop.clock),
        merchant=Merchant("Xuka Test"), outbox=outbox, operators=frozenset(),
        status=Status(
            store, shop.clock, Gate(Limits(limited=False)),
            Wallets(store, shop.clock, carriers, SELLING, {}),
            Reconciliation(store, shop.clock, {}, SELLING, shop.till),
        ),
    )  # fmt: skip


@asynccontextmanager
async def chat_house(
    shop: sale_house.Shop, store: Store | None = None, handlers: Sequence[Any] = ()
) -> AsyncIterator[House]:
    """An application that runs; `store` stands before the database, `handlers` are added."""
    store = store or shop.database
    telegram = Telegram()
    intake = Intake(store, shop.clock)
    queue, memory = LaneQueue(intake), Memory(store)
    processor = Processor(store, shop.clock, queue, memory)
    app: Application[Any, Any, Any, Any, Any, Any] = (
        ApplicationBuilder()
        .bot(ExtBot("1:a", request=telegram, get_updates_request=telegram))
        .updater(None)
        .context_types(ContextTypes(context=Context))
        .update_queue(queue)
        .concurrent_updates(processor)
        .persistence(memory)
        .job_queue(None)
        .build()
    )
    queue.use(app.bot)
    processor.use(app)
    app.bot_data["shop"] = services(shop, store, app.bot)
    app.add_handler(TypeHandler(Update, people.meet), group=-1)
    for handler in (*payments.HANDLERS, *handlers):
        app.add_handler(handler)
    app.add_error_handler(ErrorDesk(memory))
    await app.initialize()
    await app.start()
    try:
        yield House(shop, telegram, app, queue, intake, memory)
    finally:
        if app.running:
            await app.stop()
        await app.shutdown()


def text(update_id: int, chat: int = 1001, words: str = "hi", **body: object) -> Raw:
    """A message in a private chat."""
    person = {"id": chat, "is_bot": False, "first_name": "Alice", "username": "alice"}
    message = {"message_id": update_id, "date": 1, "chat": {**person, "type": "private"},
               "from": person, "text": words}  # fmt: skip
    return {"update_id": update_id, "message": {**message, **body}}


def pre_checkout(update_id: int, payload: str, chat: int = 1001, stars: int = 993) -> Raw:
    """The question before a payment."""
    person = {"id": chat, "is_bot": False, "first_name": "Alice"}
    query = {"id": f"q{update_id}", "from": person, "currency": "XTR", "total_amount": stars,
             "invoice_payload": payload}  # fmt: skip
    return {"update_id": update_id, "pre_checkout_query": query}


def successful(update_id: int, payload: str, charge: str = "c1", stars: int = 993) -> Raw:
    """The money's arrival."""
    paid = {"currency": "XTR", "total_amount": stars, "invoice_payload": payload,
            "telegram_payment_charge_id": charge, "provider_payment_charge_id": ""}  # fmt: skip
    raw = text(update_id, successful_payment=paid)
    del raw["message"]["text"]
    return raw
