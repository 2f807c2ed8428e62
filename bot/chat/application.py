"""PTB's application, put together: one conversation handler per kind of person."""

import warnings
from typing import Any

from telegram import (
    BotCommandScopeAllChatAdministrators,
    BotCommandScopeAllPrivateChats,
    Update,
)
from telegram.error import TelegramError
from telegram.ext import (
    Application,
    ApplicationBuilder,
    CallbackQueryHandler,
    CommandHandler,
    ContextTypes,
    ConversationHandler,
    MessageHandler,
    TypeHandler,
)
from telegram.warnings import PTBUserWarning

from bot.chat import group, payments, people
from bot.chat.commands import commands_for, group_commands
from bot.chat.context import Context
from bot.chat.conversations import (
    activation,
    add_sim,
    assist,
    audience,
    broadcasts,
    calendar,
    devices,
    group_desk,
    group_posts,
    handover,
    keeping,
    landing,
    my_groups,
    my_sims,
    orders,
    pay,
    pictures,
    posting,
    posting_times,
    privacy,
    promos,
    queue,
    reminder_settings,
    reminders,
    renew,
    renewals,
    renewing,
    requests,
    shop_news,
    start,
    status,
    support,
    transfer,
    turnout,
    wallet,
)
from bot.chat.conversations.routes import END, PRIVATE, written
from bot.chat.errors import ErrorDesk
from bot.chat.lanes import LaneQueue, Processor
from bot.chat.limiter import Limiter
from bot.chat.memory import Memory
from bot.chat.request import AiohttpRequest
from bot.chat.views import menu
from bot.chat.views.reasons import REASONS
from bot.ports import Clock, Store
from bot.services.intake import Intake
from bot.services.limits import Gate

App = Application[Any, Context, dict[Any, Any], dict[Any, Any], dict[Any, Any], Any]

ALLOWED_UPDATES = [
    Update.MESSAGE,
    Update.CALLBACK_QUERY,
    Update.PRE_CHECKOUT_QUERY,
    Update.MY_CHAT_MEMBER,
    Update.CHAT_MEMBER,
    Update.CHANNEL_POST,
]
_LONG_POLL = 30.0
_FOR_ANSWERS = 32
"""Connections to Telegram besides those of the outbox."""


async def lost(update: Update, context: Context) -> int:
    """Whatever no one else took: a SIM's number starts adding it, the rest gets the menu."""
    if context.text and (taken := await add_sim.try_add(update, context)) is not None:
        return taken
    await context.show(menu.lost(context.t))
    return END


async def stale(update: Update, context: Context) -> int:
    """A button nobody knows any more."""
    await context.toast(context.t.plain(REASONS["unknown"]), alert=True)
    await context.show(menu.menu(context.t, context.shop.merchant.name))
    return END


async def last(update: Update, context: Context) -> None:
    """A tap is always answered, else its button keeps turning."""
    await context.toast()


def conversation() -> ConversationHandler[Context]:
    """A person's private chat: one conversation at a time, so that a text has one meaning."""
    parts = (start, renew, orders, requests, pay, promos, add_sim, keeping, devices, my_sims,
             broadcasts, audience, shop_news,
             handover, pictures, privacy, reminder_settings, reminders, support, queue, status,
             assist, activation, wallet, transfer, renewals, renewing, calendar,
             my_groups, posting, posting_times, group_posts, group_desk, landing,
             turnout)  # fmt: skip
    entries = [handler for part in parts for handler in part.ENTRY]
    states: dict[object, list[Any]] = {END: [written(lost)]}
    for part in parts:
        states.update(getattr(part, "STATES", {}))
    catch_all: list[Any] = [
        MessageHandler(PRIVATE & ~payments.PAYMENT, lost),
        CallbackQueryHandler(stale),
    ]
    # By design: a person's conversation is one, whatever message a button hangs on.
    warnings.filterwarnings("ignore", "If 'per_message=False'", PTBUserWarning)
    return ConversationHandler(
        name="private",
        persistent=True,
        allow_reentry=True,
        entry_points=entries,
        states=states,
        fallbacks=catch_all,
    )


def commands_of(private: ConversationHandler[Context]) -> frozenset[str]:
    """The commands that the private chat knows."""
    known = (one for one in private.entry_points if isinstance(one, CommandHandler))
    return frozenset(name for handler in known for name in handler.commands)


def build(
    token: str, api_url: str, store: Store, clock: Clock, intake: Intake, gate: Gate, width: int
) -> tuple[App, LaneQueue]:
    """The application and its queue; its messages pass the `gate`, `width` notices at once.

    The caller puts the Shop into `bot_data` before start.
    """
    queue_ = LaneQueue(intake)
    memory = Memory(store)
    processor = Processor(store, clock, queue_, memory)
    app: App = (
        ApplicationBuilder()
        .token(token)
        .base_url(f"{api_url.rstrip('/')}/bot")
        .base_file_url(f"{api_url.rstrip('/')}/file/bot")
        .request(AiohttpRequest(connections=width + _FOR_ANSWERS))
        .rate_limiter(Limiter(gate))
        .get_updates_request(AiohttpRequest(connections=2, read_timeout=_LONG_POLL + 10))
        .context_types(ContextTypes(context=Context))
        .update_queue(queue_)
        .concurrent_updates(processor)
        .persistence(memory)
        .job_queue(None)
        .build()
    )
    queue_.use(app.bot)
    processor.use(app)
    app.add_handler(TypeHandler(Update, people.meet), group=-1)
    private = conversation()
    rooms = group.handlers(commands_of(private))
    for handler in (*payments.HANDLERS, *rooms, *people.HANDLERS, private):
        app.add_handler(handler)
    for catch_all in (MessageHandler(PRIVATE, lost), CallbackQueryHandler(stale)):
        app.add_handler(catch_all)
    app.add_handler(TypeHandler(Update, last), group=1)
    app.add_error_handler(ErrorDesk(memory))
    return app, queue_


async def register_commands(app: App, operators: frozenset[int]) -> None:
    """Tell Telegram the command menu: English for everyone, Chinese for `zh`."""
    scope, in_groups = BotCommandScopeAllPrivateChats(), BotCommandScopeAllChatAdministrators()
    try:
        await app.bot.set_my_commands(commands_for("en"), scope=scope)
        await app.bot.set_my_commands(commands_for("zh_Hans"), scope=scope, language_code="zh")
        await app.bot.set_my_commands(group_commands("en"), scope=in_groups)
        await app.bot.set_my_commands(
            group_commands("zh_Hans"), scope=in_groups, language_code="zh"
        )
    except TelegramError as error:
        raise RuntimeError(f"Telegram refused the commands: {error.message}") from error
