"""Transfers with a proof: the customer's side and the operator's.

price ─► transfer ─┬► account, reference, until when ─► QR code (a photo of its own)
                   └► I have sent it: PROOF ─► photo ─► with the shop ─► number, if any
(operator) queue ─► proof ─┬► arrived ─► asked once more ─► taken over
                           ├► another amount: RECEIVED ─► asked once more ─► taken over
                           └► declined ─► why ─► told to the customer, who may send again
"""

import asyncio
from enum import IntEnum

import structlog
from telegram import Document, PhotoSize, Update
from telegram.constants import ParseMode
from telegram.error import TelegramError

from bot.chat import photos
from bot.chat.context import Context
from bot.chat.conversations.pay import place
from bot.chat.conversations.renew import amount_of, refused
from bot.chat.conversations.routes import END, ID, NUMBER, on, written
from bot.chat.photos import MOST_BYTES, Trouble
from bot.chat.views import menu
from bot.chat.views import queue as queue_views
from bot.chat.views import transfer as views
from bot.chat.views.reasons import because
from bot.domain.money import Money
from bot.domain.sales import Method
from bot.domain.transfers import Picture
from bot.services.selling import Refused
from bot.services.transfers import Checked
from bot.services.transfers import Transfer as Asked

log = structlog.get_logger()

_PAYMENT = ":[a-z0-9-]{1,40}"
_WHY = rf":(?:{'|'.join(views.DECLINED)})"


class Transfer(IntEnum):
    """What a written text or a picture means."""

    PROOF = 101
    RECEIVED = 102


# ---- the customer --------------------------------------------------------------------------


async def for_order(update: Update, context: Context) -> int:
    """Confirm the price and show where to send it."""
    order = await place(context, context.arguments[0])
    if order is None:
        return END
    try:
        await context.shop.paying.close_others(order.id, context.me.id, Method.TRANSFER)
        one = await context.shop.transfers.for_order(order.id, context.me.id)
    except Refused as why:
        await refused(context, why)
        return END
    await _instruct(context, one)
    return END


async def for_deposit(update: Update, context: Context) -> int:
    """The same for money that goes into the wallet."""
    deposit_id = context.arguments[0]
    try:
        await context.shop.paying.close_others(deposit_id, context.me.id, Method.TRANSFER)
        one = await context.shop.transfers.for_deposit(deposit_id, context.me.id)
    except Refused as why:
        await refused(context, why)
        return END
    await _instruct(context, one)
    return END


async def _instruct(context: Context, one: Asked) -> None:
    accounts = context.shop.transfers.accounts(one.payment.amount.currency)
    await context.show(views.instructions(context.t, one, accounts, context.now))


async def qr(update: Update, context: Context) -> int:
    """An account's code as a photo, to be scanned from another phone or from the gallery."""
    payment_id, place_ = context.arguments
    async with context.shop.store.read() as tx:
        payment = await tx.payments.get(payment_id)
    if payment is None or payment.chat_id != context.me.id:
        await refused(context, Refused("unknown"))
        return END
    accounts = context.shop.transfers.accounts(payment.amount.currency)
    account = accounts[int(place_)] if int(place_) < len(accounts) else None
    try:
        if account is None or account.qr is None:
            raise FileNotFoundError
        data = await asyncio.to_thread(account.qr.read_bytes)
        await context.toast()
        await context.bot.send_photo(
            context.me.id, data, caption=views.qr_caption(context.t, account, payment),
            parse_mode=ParseMode.HTML,
        )  # fmt: skip
    except (OSError, TelegramError) as error:
        log.warning("qr_not_shown", reason=type(error).__name__)
        await context.toast(views.no_picture(context.t), alert=True)
    return END


async def ask_proof(update: Update, context: Context) -> int:
    """Ask for the photo."""
    context.draft["proof"] = {"payment": context.arguments[0], "number": None}
    await context.show(views.ask_proof(context.t, context.arguments[0]))
    return Transfer.PROOF


async def picture(context: Context) -> int:
    """A picture, where a proof was asked for; more may follow, and the newest counts."""
    message, draft = context.message, context.draft.get("proof") or {}
    if message is None or context.asked != Transfer.PROOF:
        await context.show(menu.lost(context.t))
        return END
    found = photos.picture_of(message)
    shown = found if isinstance(found, Trouble) else await _told_by(found)
    if isinstance(found, Trouble) or isinstance(shown, Trouble):
        await context.show(views.no_proof(context.t))
        return Transfer.PROOF
    sent = Picture(found.file_id, bool(message.photo), *shown)
    number = message.caption or draft.get("number")
    try:
        checked = await context.shop.transfers.hand_in(
            str(draft.get("payment", "")), context.me.id, sent, number, context.update_id
        )
    except Refused as why:
        await refused(context, why)
        return END
    await context.show(views.handed_in(context.t, checked))
    return Transfer.PROOF


async def _told_by(found: PhotoSize | Document) -> tuple[str, str] | Trouble:
    try:
        file = await found.get_file()
        if (file.file_size or 0) > MOST_BYTES:
            return Trouble.TOO_BIG
        data = await file.download_as_bytearray()
    except TelegramError as error:
        log.info("proof_not_fetched", reason=type(error).__name__)
        return Trouble.NOT_FETCHED
    return await photos.fingerprint(bytes(data))


async def number_written(update: Update, context: Context) -> int:
    """The transaction number, before the picture or after it."""
    draft = context.draft.get("proof") or {}
    try:
        checked = await context.shop.transfers.number(
            str(draft.get("payment", "")), context.me.id, context.text
        )
    except Refused as why:
        if why.reason != "not_a_number":
            await refused(context, why)
            return END
        await context.show(views.not_a_number(context.t))
        return Transfer.PROOF
    if checked is None:
        context.draft["proof"] = {**draft, "number": context.text}
        await context.show(views.number_noted(context.t))
        return Transfer.PROOF
    await context.show(views.handed_in(context.t, checked))
    return END


# ---- the operator --------------------------------------------------------------------------


async def _waiting(context: Context, proof_id: str) -> Checked | None:
    """The proof an operator decides on; others, and who comes too late, see the queue or menu."""
    if context.me.id not in context.shop.operators:
        await context.show(menu.lost(context.t))
        return None
    checked = await context.shop.transfers.checked(proof_id)
    if checked is None:
        await context.toast(context.t.plain("This has been settled."))
        await _queue(context)
    return checked


async def _queue(context: Context) -> None:
    items = await context.shop.desk.queue()
    await context.show(queue_views.queue(context.t, items, context.now))


async def show_picture(update: Update, context: Context) -> int:
    """The proof's picture, as the customer sent it."""
    checked = await _waiting(context, context.arguments[0])
    if checked is None:
        return END
    proof, below = checked.proof, views.number_of(checked.payment.id)
    try:
        if proof.photo:
            await context.bot.send_photo(context.me.id, proof.file_id, caption=below)
        else:
            await context.bot.send_document(context.me.id, proof.file_id, caption=below)
    except TelegramError as error:
        log.warning("proof_not_shown", reason=type(error).__name__)
        await context.toast(context.t.plain("Telegram no longer hands this picture over."))
    await context.toast()
    return END


async def arrived(update: Update, context: Context) -> int:
    """Exactly what was asked is there: asked once more."""
    checked = await _waiting(context, context.arguments[0])
    if checked is not None:
        context.draft.pop("received", None)
        await context.show(views.ask_confirm(context.t, checked, checked.payment.amount))
    return END


async def other_amount(update: Update, context: Context) -> int:
    """Another amount is there: which?"""
    checked = await _waiting(context, context.arguments[0])
    if checked is None:
        return END
    context.draft["received"] = {"proof": checked.proof.id, "minor": None}
    await context.show(views.ask_received(context.t, checked))
    return Transfer.RECEIVED


async def received_written(update: Update, context: Context) -> int:
    """The amount that is there: asked once more."""
    noted = context.draft.get("received") or {}
    checked = await _waiting(context, str(noted.get("proof", "")))
    if checked is None:
        return END
    amount = amount_of(context.text, checked.payment.amount.currency)
    if amount is None or amount.minor <= 0:
        await context.show(views.ask_received(context.t, checked, wrong=True))
        return Transfer.RECEIVED
    context.draft["received"] = {"proof": checked.proof.id, "minor": amount.minor}
    await context.show(views.ask_confirm(context.t, checked, amount))
    return END


async def confirmed(update: Update, context: Context) -> int:
    """The second tap: the money counts as received."""
    checked = await _waiting(context, context.arguments[0])
    if checked is None:
        return END
    noted = context.draft.pop("received", None) or {}
    minor = noted.get("minor") if noted.get("proof") == checked.proof.id else None
    amount = Money(minor, checked.payment.amount.currency) if minor else None
    try:
        await context.shop.transfers.confirm(checked.proof.id, context.me.id, amount)
    except Refused as why:
        await context.toast(str(because(context.t, why.reason)), alert=True)
    await _queue(context)
    return END


async def decline(update: Update, context: Context) -> int:
    """Why is it declined? Then so it is."""
    *why, proof_id = context.arguments
    checked = await _waiting(context, proof_id)
    if checked is None:
        return END
    if not why:
        await context.show(views.ask_why(context.t, proof_id))
        return END
    try:
        await context.shop.transfers.decline(proof_id, context.me.id, why[0])
    except Refused as refusal:
        await context.toast(str(because(context.t, refusal.reason)), alert=True)
    await _queue(context)
    return END


ENTRY = [
    on("transfer", for_order, ID),
    on("dtransfer", for_deposit, ID),
    on("tqr", qr, f"{_PAYMENT}{NUMBER}"),
    on("proof", ask_proof, _PAYMENT),
    on("ppic", show_picture, ID),
    on("pyes", arrived, ID),
    on("pyes!", confirmed, ID),
    on("pother", other_amount, ID),
    on("pno", decline, f"({_WHY})?{ID}"),
]
STATES = {
    Transfer.PROOF: [written(number_written, anything=True)],
    Transfer.RECEIVED: [written(received_written, anything=True)],
}
