"""Looking back: orders a page at a time, one of them, all as a file.

/orders ──► page ─┬► All / Running / Done / Refunded, By SIM ──► page
                  ├► 🔎 By number: NUMBER ──► order
                  ├► File (CSV) ──► a document
                  └► order ──► receipt ──► Ask for a refund (requests.py)
"""

from enum import IntEnum

import structlog
from telegram import Update
from telegram.constants import ParseMode
from telegram.error import BadRequest, Forbidden, NetworkError, RetryAfter

from bot.chat.context import Context
from bot.chat.conversations.routes import END, ID, NUMBER, command, on, written
from bot.chat.notices import sale_of
from bot.chat.views import export
from bot.chat.views import orders as views
from bot.chat.views.reasons import REASONS
from bot.chat.views.sale import Sale
from bot.domain.orders import Listed
from bot.domain.sims import Sim
from bot.services.assisting import order_id_of

log = structlog.get_logger()

PAGE = 5
_MOST = 1000
"""Orders in one file; a customer with more has the newest."""
_LISTED = f":(?:{'|'.join(Listed)})"


class Orders(IntEnum):
    """What a written text means."""

    NUMBER = 120


async def show_order(context: Context, order_id: str) -> None:
    """Where an order stands, or that it is not theirs."""
    sale = await my_sale(context, order_id)
    if sale is not None:
        await context.show(views.order_screen(context.t, sale, context.now))


async def my_sale(context: Context, order_id: str) -> Sale | None:
    """The person's own order; otherwise they are told, and shown their list."""
    async with context.shop.store.read() as tx:
        sale = await sale_of(tx, order_id, context.shop.merchant)
    if sale is not None and sale.order.chat_id == context.me.id:
        return sale
    await context.toast(context.t.plain(REASONS["unknown"]), alert=True)
    await orders_page(context, 0)
    return None


async def order(update: Update, context: Context) -> int:
    """One order."""
    await show_order(context, context.arguments[0])
    return END


async def orders(update: Update, context: Context) -> int:
    """The orders, newest first."""
    number, listed, sim_id = [*context.arguments, *[""] * 3][:3]
    await orders_page(context, int(number or 0), Listed(listed or "all"), sim_id or None)
    return END


async def orders_page(
    context: Context, page: int, listed: Listed = Listed.ALL, sim_id: str | None = None
) -> None:
    """One page of orders, all or some of them."""
    async with context.shop.store.read() as tx:
        found = await tx.orders.of_chat(
            context.me.id, PAGE + 1, page * PAGE, listed=listed, sim_id=sim_id
        )
        sim = await tx.sims.get(sim_id) if sim_id and found else None
    if sim is not None:
        sim = _as_theirs(sim, context.me.id)
    shown = views.Page(page, found[:PAGE], len(found) > PAGE, listed, sim)
    await context.show(views.orders(context.t, shown, context.now))


def _as_theirs(sim: Sim, chat_id: int) -> Sim:
    """A SIM that was handed on is not called what its next holder calls it."""
    return sim if sim.owner_id == chat_id else export.unnamed(sim)


async def pick_sim(update: Update, context: Context) -> int:
    """Whose orders to show: SIMs that have some."""
    async with context.shop.store.read() as tx:
        found = await tx.orders.of_chat(context.me.id, 200)
        ids = dict.fromkeys(order.sim_id for order in found)
        sims = [sim for sim_id in ids if (sim := await tx.sims.get(sim_id)) is not None]
    mine = [_as_theirs(sim, context.me.id) for sim in sims[:20]]
    await context.show(views.pick_sim(context.t, mine))
    return END


async def find(update: Update, context: Context) -> int:
    """Ask for a number."""
    await context.show(views.ask_number(context.t))
    return Orders.NUMBER


async def number_written(update: Update, context: Context) -> int:
    """A number was written: theirs, or none."""
    order_id = order_id_of(context.text)
    async with context.shop.store.read() as tx:
        sale = await sale_of(tx, order_id, context.shop.merchant) if order_id else None
    if sale is None or sale.order.chat_id != context.me.id:
        problem = views.no_such_order(context.t)
        await context.show(views.ask_number(context.t, problem))
        return Orders.NUMBER
    await context.show(views.order_screen(context.t, sale, context.now))
    return END


async def file(update: Update, context: Context) -> int:
    """All of their orders as a CSV document."""
    sales = []
    async with context.shop.store.read() as tx:
        for one in await tx.orders.of_chat(context.me.id, _MOST):
            sale = await sale_of(tx, one.id, context.shop.merchant)
            if sale is not None:
                sales.append(sale)
    below = views.csv_caption(context.t, len(sales))
    try:
        await context.bot.send_document(
            context.me.id,
            export.orders_csv(context.t, sales),
            filename=f"xuka-{context.t.local(context.now):%Y-%m-%d}.csv",
            caption=below.text,
            parse_mode=ParseMode.HTML,
            reply_markup=below.markup,
        )
    except BadRequest:
        raise
    except (RetryAfter, NetworkError, Forbidden) as error:
        log.info("file_not_sent", reason=type(error).__name__)
        await context.send(views.csv_not_sent(context.t))
    return END


ENTRY = [
    command("orders", orders),
    on("order", order, ID),
    on("orders", orders, f"({NUMBER}({_LISTED}({ID})?)?)?"),
    on("osims", pick_sim),
    on("ofind", find),
    on("ocsv", file),
]
STATES = {Orders.NUMBER: [written(number_written)]}
