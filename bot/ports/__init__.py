"""What the core asks of the world. Adapters implement these; services know nothing else.

Every datetime is aware and in UTC.
"""

from bot.ports.carrier import (
    Capabilities,
    Carrier,
    Resolved,
    SupplierPlan,
    SupplierUnavailable,
    TopUpAnswer,
    TopUpRequest,
    TopUpStatus,
)
from bot.ports.clock import Clock
from bot.ports.messenger import Delivery, Messenger, Notice, Outcome, Priority
from bot.ports.payment import Bill, PaymentMethod, PaymentUnavailable
from bot.ports.store import (
    Audit,
    AuditRow,
    Catalogue,
    Chats,
    Claim,
    Claims,
    Inbox,
    InboxRow,
    Orders,
    Outbox,
    Payments,
    Quotes,
    Reminders,
    Sims,
    Store,
    Talks,
    TopUps,
    Tx,
    Vouchers,
)

__all__ = [
    "Audit",
    "AuditRow",
    "Bill",
    "Capabilities",
    "Carrier",
    "Catalogue",
    "Chats",
    "Claim",
    "Claims",
    "Clock",
    "Delivery",
    "Inbox",
    "InboxRow",
    "Messenger",
    "Notice",
    "Orders",
    "Outbox",
    "Outcome",
    "PaymentMethod",
    "PaymentUnavailable",
    "Payments",
    "Priority",
    "Quotes",
    "Reminders",
    "Resolved",
    "Sims",
    "Store",
    "SupplierPlan",
    "SupplierUnavailable",
    "Talks",
    "TopUpAnswer",
    "TopUpRequest",
    "TopUpStatus",
    "TopUps",
    "Tx",
    "Vouchers",
]
