"""A customer's wallet.

    /wallet ─┬► top up ─► amount (a button, or AMOUNT written) ─► ways to pay ─► paid, told
             └► get a top-up back ─► which ─► asked once more ─► on its way
    price ─► wallet ─┬► paid
                     └► not enough ─► top up what is missing ─► ways to pay

What a top-up's message shows is edited by the outbox when its money arrives.
"""

from decimal import Decimal
from enum import IntEnum

from telegram import Update

from bot.chat.context import Context
from bot.chat.conversations.orders import show_order
from bot.chat.conversations.pay import METHOD, place
from bot.chat.conversations.renew import amount_of, refused
from bot.chat.conversations.routes import END, ID, NUMBER, command, on, written
from bot.chat.views import menu
from bot.chat.views import wallet as views
from bot.chat.views.reasons import REASONS, because
from bot.chat.wallets import filling_of
from bot.domain.money import Money
from bot.domain.orders import PaymentState
from bot.domain.sales import Method
from bot.i18n import Html
from bot.ports import PaymentRefused, PaymentUnavailable
from bot.services.selling import Refused

_CURRENCY = ":[A-Z]{3}"
_PAYMENT = ":[a-z0-9-]{1,40}"


class Wallet(IntEnum):
    """What a written text means."""

    AMOUNT = 100


async def wallet(update: Update, context: Context) -> int:
    """What is in it, and what moved."""
    if not context.shop.purses.amounts:
        await context.show(views.off(context.t))
        return END
    purse = await context.shop.deposits.purse(context.me.id)
    await context.show(views.purse(context.t, purse, context.now))
    return END


async def pay(update: Update, context: Context) -> int:
    """Confirm the price and pay it from the wallet, once however often it is tapped."""
    order = await place(context, context.arguments[0])
    if order is None:
        return END
    try:
        await context.shop.paying.close_others(order.id, context.me.id, Method.WALLET)
        await context.shop.till.spend(order.id, context.me.id)
    except Refused as why:
        due = order.due or order.price
        balance = await context.shop.deposits.balance(context.me.id, due.currency)
        if why.reason != "wallet_short" or balance is None:
            await refused(context, why)
        else:
            await context.show(views.short(context.t, order, balance))
        return END
    await show_order(context, order.id)
    return END


# ---- putting money in --------------------------------------------------------------------


async def top_up(update: Update, context: Context) -> int:
    """How much?"""
    amounts = context.shop.purses.amounts
    if not amounts:
        return await wallet(update, context)
    currency = context.arguments[0] if context.arguments else next(iter(amounts))
    if currency not in amounts:
        currency = next(iter(amounts))
    context.draft["topup"] = currency
    await context.show(views.ask_amount(context.t, amounts, currency))
    return Wallet.AMOUNT


async def amount_written(update: Update, context: Context) -> int:
    """An amount of one's own."""
    amounts = context.shop.purses.amounts
    currency = str(context.draft.get("topup", ""))
    if currency not in amounts:
        return await top_up(update, context)
    amount = amount_of(context.text, currency)
    if amount is None or not _fits(context, amount):
        most = Money.rounded(context.shop.purses.most, currency, "ROUND_FLOOR")
        problem = context.t("Please write an amount up to {most}.", most=context.t.money(most))
        await context.show(views.ask_amount(context.t, amounts, currency, problem))
        return Wallet.AMOUNT
    context.draft.pop("topup", None)
    return await _begin(context, amount)


def _fits(context: Context, amount: Money) -> bool:
    return Decimal(0) < amount.major <= context.shop.purses.most


async def amount_chosen(update: Update, context: Context) -> int:
    """An amount by a button."""
    currency, minor = context.arguments
    amount = Money(int(minor), currency)
    if not _fits(context, amount):
        return await top_up(update, context)
    return await _begin(context, amount)


async def missing(update: Update, context: Context) -> int:
    """What an order costs beyond what the wallet holds."""
    async with context.shop.store.read() as tx:
        order = await tx.orders.get(context.arguments[0])
    if order is None or order.chat_id != context.me.id:
        await refused(context, Refused("unknown"))
        return END
    due = order.due or order.price
    balance = await context.shop.deposits.balance(context.me.id, due.currency)
    if balance is None or due <= balance:
        await show_order(context, order.id)
        return END
    return await _begin(context, due - balance)


async def _begin(context: Context, amount: Money) -> int:
    try:
        deposit = await context.shop.deposits.open(context.me.id, amount, context.message_id)
    except Refused as why:
        await context.toast(str(because(context.t, why.reason)), alert=True)
        return END
    message_id = await _show(context, deposit.id)
    if message_id is not None and message_id != deposit.message_id:
        async with context.shop.store.write() as tx:
            await tx.deposits.set(deposit.id, message_id=message_id)
    return END


async def _show(context: Context, deposit_id: str, problem: Html | None = None) -> int | None:
    async with context.shop.store.read() as tx:
        one = await filling_of(tx, deposit_id)
    if one is None or one.deposit.chat_id != context.me.id:
        await refused(context, Refused("unknown"))
        return None
    return await context.show(views.filling(context.t, one, context.now, problem))


async def deposit(update: Update, context: Context) -> int:
    """Where a top-up stands."""
    await _show(context, context.arguments[0])
    return END


async def pay_deposit(update: Update, context: Context) -> int:
    """Show what to pay: one attempt, however often it is tapped."""
    deposit_id, name = context.arguments
    method, me = Method(name), context.me.id
    async with context.shop.store.read() as tx:
        one = await filling_of(tx, deposit_id)
    if one is None or one.deposit.chat_id != me:
        await refused(context, Refused("unknown"))
        return END
    back = f"https://t.me/{context.bot.username}"
    bill = views.bill(context.t, one.deposit, context.shop.merchant, back)
    problem = None
    try:
        await context.shop.deposits.pay(deposit_id, me, method, bill)
    except Refused as why:
        await context.toast(str(because(context.t, why.reason)), alert=True)
    except PaymentUnavailable:
        problem = context.t(REASONS["provider_away"])
    except PaymentRefused as why:
        problem = because(context.t, why.reason)
    await _show(context, deposit_id, problem)
    return END


async def check(update: Update, context: Context) -> int:
    """ "I have paid": the provider is asked now."""
    deposit_id = context.arguments[0]
    try:
        await context.shop.paying.check(deposit_id, context.me.id)
    except PaymentUnavailable:
        await context.toast(context.t.plain(REASONS["provider_away"]), alert=True)
    async with context.shop.store.read() as tx:
        attempts = await tx.payments.of_deposit(deposit_id)
    waits = any(one.state is PaymentState.PENDING for one in attempts)
    problem = context.t(
        "Your payment has not arrived yet. Some take a few minutes; we go on looking and write to "
        "you here. Please do not pay twice."
    )
    await _show(context, deposit_id, problem if waits else None)
    return END


async def cancel(update: Update, context: Context) -> int:
    """Give up a top-up that was not paid."""
    try:
        await context.shop.deposits.cancel(context.arguments[0], context.me.id)
    except Refused as why:
        await context.toast(str(because(context.t, why.reason)), alert=True)
    await _show(context, context.arguments[0])
    return END


# ---- getting it back ---------------------------------------------------------------------


async def back(update: Update, context: Context) -> int:
    """Which top-up goes back, then once more whether it shall."""
    found = await context.shop.deposits.unspent(context.me.id)
    chosen = [one for one in found if context.arguments and one.payment.id == context.arguments[0]]
    if chosen:
        await context.show(views.ask_back(context.t, chosen[0]))
    else:
        await context.show(views.unspent(context.t, found, context.now))
    return END


async def back_confirmed(update: Update, context: Context) -> int:
    """It leaves the wallet and goes back."""
    try:
        refund = await context.shop.deposits.give_back(context.arguments[0], context.me.id)
    except Refused as why:
        await context.toast(str(because(context.t, why.reason)), alert=True)
        return await wallet(update, context)
    await context.show(views.going_back(context.t, refund.amount))
    return END


# ---- the operator ------------------------------------------------------------------------


async def theirs(update: Update, context: Context) -> int:
    """A customer's wallet, for operators."""
    await _theirs(context, int(context.arguments[0]))
    return END


async def _theirs(context: Context, chat_id: int) -> None:
    if context.me.id not in context.shop.operators:
        await context.show(menu.lost(context.t))
        return
    async with context.shop.store.read() as tx:
        chat = await tx.chats.get(chat_id)
    name = (chat.first_name if chat else None) or str(chat_id)
    purse = await context.shop.deposits.purse(chat_id)
    found = await context.shop.deposits.unspent(chat_id)
    await context.show(views.theirs(context.t, name, purse, found, context.now))


async def return_theirs(update: Update, context: Context) -> int:
    """An operator sends a customer's top-up back: asked once more first."""
    payment_id = context.arguments[0]
    sure = context.query is not None and (context.query.data or "").startswith("oback!")
    async with context.shop.store.read() as tx:
        payment = await tx.payments.get(payment_id)
    if payment is None or context.me.id not in context.shop.operators:
        await context.show(menu.lost(context.t))
        return END
    deposits, chat_id = context.shop.deposits, payment.chat_id
    found = [one for one in await deposits.unspent(chat_id) if one.payment.id == payment_id]
    if found and not sure:
        await context.show(views.ask_return(context.t, found[0]))
        return END
    try:
        await deposits.give_back(payment_id, chat_id, context.me.id)
    except Refused as why:
        await context.toast(str(because(context.t, why.reason)), alert=True)
    await _theirs(context, chat_id)
    return END


ENTRY = [
    command("wallet", wallet),
    on("wallet", wallet),
    on("wallet", pay, ID),
    on("wtop", top_up, f"({_CURRENCY})?"),
    on("wamt", amount_chosen, f"{_CURRENCY}{NUMBER}"),
    on("wfill", missing, ID),
    on("deposit", deposit, ID),
    on("dpay", pay_deposit, f"{ID}{METHOD}"),
    on("dcheck", check, ID),
    on("dcancel", cancel, ID),
    on("wback", back, f"({_PAYMENT})?"),
    on("wback!", back_confirmed, _PAYMENT),
    on("owallet", theirs, NUMBER),
    on("oback!?", return_theirs, _PAYMENT),
]
STATES = {Wallet.AMOUNT: [written(amount_written)]}
