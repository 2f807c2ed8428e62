"""The command menu, per language."""

from telegram import BotCommand

from bot.i18n import N_, words

_COMMANDS = (
    ("start", N_("Start")),
    ("sims", N_("My SIMs: what is left")),
    ("renew", N_("Renew a SIM")),
    ("add", N_("Add a SIM")),
    ("orders", N_("Orders and receipts")),
    ("wallet", N_("My wallet")),
    ("points", N_("My points")),
    ("reminders", N_("When to remind me")),
    ("groups", N_("My groups and channels")),
    ("language", N_("语言 / Language")),
    ("help", N_("Questions and answers")),
    ("support", N_("Write to our shop")),
    ("paysupport", N_("Help with a payment")),
    ("terms", N_("Terms of sale")),
    ("privacy", N_("What we keep about you")),
    ("cancel", N_("Stop what I am doing")),
)
_GROUP_ADMINS = (
    ("promo", N_("Post an offer of our shop here")),
    ("help", N_("What I am here for")),
)
_OPERATOR = (
    ("queue", N_("What needs a person")),
    ("status", N_("How everything runs")),
    ("find", N_("Find a customer")),
    ("broadcast", N_("News to many customers")),
)


def commands_for(language: str, *, operator: bool = False) -> list[BotCommand]:
    """The commands in one of our languages."""
    t = words(language)
    listed = (*_OPERATOR, *_COMMANDS) if operator else _COMMANDS
    return [BotCommand(name, t.plain(text)) for name, text in listed]


def group_commands(language: str) -> list[BotCommand]:
    """Those that the administrators of a group see in it."""
    t = words(language)
    return [BotCommand(name, t.plain(text)) for name, text in _GROUP_ADMINS]
