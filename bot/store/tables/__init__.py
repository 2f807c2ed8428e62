"""Every table. A change here needs a new revision in `migrations/versions` (a test compares them).

Money takes two columns, `<name>_minor` and `<name>_currency`. Columns are called as the fields of
the frozen models that they hold. `seq` is the order of saving, where a clock may stand still.
"""

from bot.store.tables.base import metadata
from bot.store.tables.books import differences
from bot.store.tables.broadcasts import broadcasts, recipients
from bot.store.tables.flow import (
    audit,
    conversations,
    drafts,
    hints,
    inbox,
    outbox,
    reminders,
    transitions,
)
from bot.store.tables.groups import (
    campaigns,
    earnings,
    group_admins,
    groups,
    posts,
    topics,
    visits,
)
from bot.store.tables.groups import postings as group_postings
from bot.store.tables.money import balances, entries, postings, proofs
from bot.store.tables.people import (
    activations,
    activities,
    calendars,
    chats,
    claim_codes,
    claims,
    handovers,
    readings,
    rule_overrides,
    sims,
)
from bot.store.tables.promos import points, promo_bans, promo_people, promo_uses, promos
from bot.store.tables.renewals import agreements, runs
from bot.store.tables.requests import refund_requests
from bot.store.tables.sales import (
    deposits,
    orders,
    payments,
    plans,
    quotes,
    rates,
    refunds,
    removals,
    saved,
    topups,
    vouchers,
)
from bot.store.tables.seals import seals

__all__ = [
    "activations",
    "activities",
    "agreements",
    "audit",
    "balances",
    "broadcasts",
    "calendars",
    "campaigns",
    "chats",
    "claim_codes",
    "claims",
    "conversations",
    "deposits",
    "differences",
    "drafts",
    "earnings",
    "entries",
    "group_admins",
    "group_postings",
    "groups",
    "handovers",
    "hints",
    "inbox",
    "metadata",
    "orders",
    "outbox",
    "payments",
    "plans",
    "points",
    "postings",
    "posts",
    "promo_bans",
    "promo_people",
    "promo_uses",
    "promos",
    "proofs",
    "quotes",
    "rates",
    "readings",
    "recipients",
    "refund_requests",
    "refunds",
    "reminders",
    "removals",
    "rule_overrides",
    "runs",
    "saved",
    "seals",
    "sims",
    "topics",
    "topups",
    "transitions",
    "visits",
    "vouchers",
]
