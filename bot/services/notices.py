"""What the bot says first: facts for the outbox, put into words when they are sent."""

from datetime import datetime, timedelta

from bot.domain.chats import Preferences
from bot.domain.money import Money
from bot.domain.orders import OrderState
from bot.domain.requests import RefundRequest
from bot.domain.sales import Order
from bot.domain.zones import QuietHours, zone
from bot.ports import Notice, Priority, Wait

LOOKS_FOR = timedelta(minutes=5)
"""How long somebody who has paid keeps the chat open."""

_SOON, _LATE = timedelta(minutes=5), timedelta(hours=3)
_AWAKE = timedelta(hours=1)

NEWS_WITHIN = timedelta(hours=12)
"""News that could not go out for so long does not go out any more."""

ORDER = "order"
"""The order's message, edited to where it stands; its last edit is the receipt."""
ORDER_ENDED = "order_ended"
"""Telegram rings for no edit: an end that comes late gets a short message of its own."""
ASSISTED = "assisted"
"""To a customer: the shop has prepared an order for them; it becomes the order's message."""
QUEUE = "queue"
"""To an operator: something waits for a person."""
CLAIM = "claim"
"""To a customer: what became of their claim."""
DEPOSIT = "deposit"
"""The message of money put into a wallet, edited to where it stands."""
PROOF = "proof"
"""To a customer: what became of their proof of a transfer."""
ACTIVATION = "activation"
"""To a customer whose eSIM waits for its activation: what to try, or that it has come."""
REQUEST = "request"
"""To a customer who asked for money back: what the shop decided, and that it is back."""
RENEWAL = "renewal"
"""To a customer whose SIM renews by itself: what is coming, what was declined, how it ended."""
HANDOVER = "handover"
"""To a SIM's owner: somebody has its hand-over code; to that one: what the owner decided."""
REMINDER = "reminder"
DIGEST = "digest"
PAYMENT_WAITS = "payment_waits"
"""To a customer whose order still waits for its payment, in time before it no longer does."""
PAID_OUT = "paid_out"
"""To somebody who posts in groups: what that earned is paid out."""
LETTER = "letter"
"""A customer's question to the shop, or the shop's answer."""
BROADCAST = "broadcast"
"""News that the shop writes to many at once, at most once a person."""
BROADCAST_PROGRESS = "broadcast_progress"
"""To the operator who began it: how far it is, in one message that is edited."""
BROADCAST_ENDED = "broadcast_ended"
"""A message of its own at the end, for who no longer looks at that one."""
LATER = "later"
"""An answer that Telegram asked us to send later: words and buttons as they were."""
POST = "post"
"""A campaign's post in a group, at most once."""
POST_EDIT = "post_edit"
"""A post edited to what is true now."""
POST_NEWS = "post_news"
"""To an admin in private: what became of a posting."""
GROUP = "group"
"""To a group that has taken the bot in: one word to its admins."""
GROUP_NEWS = "group_news"
"""To a group's admin in private: what the shop decided about it."""
IN_GROUPS = frozenset({POST, POST_EDIT, GROUP})
"""What is said in groups, which are no chats of ours."""
PASSING = frozenset(
    {ORDER, ORDER_ENDED, PAYMENT_WAITS, DEPOSIT, REMINDER, DIGEST, LATER, POST_EDIT,
     BROADCAST_PROGRESS}
)  # fmt: skip
"""What may be forgotten long after it was sent: its name has a moment, a state or a number that
does not come again (a reminder's stages are settled in a table of their own), and nobody reads its
row. The rest is told once for ever by its name (what waits for operators, renewals), or is read
again (letters, broadcasts, posts)."""
POSTED_WITHIN = timedelta(hours=1)
"""A post that could not go out for so long does not go out any more."""


def order_moved(order_id: str, chat_id: int, state: OrderState, step: str = "") -> Notice:
    """The customer's view of an order has changed."""
    first = state in (OrderState.PAID, OrderState.REFUND_DUE)
    return Notice(
        kind=ORDER,
        chat_id=chat_id,
        dedupe_key=f"order:{order_id}:{state}:{step}",
        priority=Priority.PAYMENT if first else Priority.TOPUP,
        data={"order_id": order_id},
    )


def deposit_moved(deposit_id: str, chat_id: int, step: str) -> Notice:
    """Where a deposit stands has changed; `step` tells the times apart."""
    return Notice(
        kind=DEPOSIT,
        chat_id=chat_id,
        dedupe_key=f"deposit:{deposit_id}:{step}",
        priority=Priority.PAYMENT,
        data={"deposit_id": deposit_id},
    )


def proof_declined(proof_id: str, chat_id: int) -> Notice:
    """An operator has not found the money that a proof shows."""
    return Notice(
        kind=PROOF,
        chat_id=chat_id,
        dedupe_key=f"proof:{proof_id}",
        priority=Priority.OPERATOR,
        data={"proof_id": proof_id},
    )


def assisted(order: Order) -> Notice:
    """An order that a person of the shop prepared, to be confirmed and paid by its customer."""
    return Notice(
        kind=ASSISTED,
        chat_id=order.chat_id,
        dedupe_key=f"assisted:{order.id}",
        priority=Priority.PAYMENT,
        data={"order_id": order.id},
    )


def order_ended(order: Order, now: datetime) -> list[Notice]:
    """The news of an end that the customer no longer waits for; none when they still look."""
    if order.paid_at is None or now - order.paid_at < LOOKS_FOR:
        return []
    return [
        Notice(
            kind=ORDER_ENDED,
            chat_id=order.chat_id,
            dedupe_key=f"order-ended:{order.id}",
            priority=Priority.TOPUP,
            data={"order_id": order.id},
        )
    ]


def payment_waits(
    order: Order, until: datetime, preferences: Preferences, now: datetime
) -> list[Notice]:
    """One word about an order that waits for money until then; none when that would have to come
    in quiet hours. Who has ordered a moment ago is awake."""
    left = until - now
    at = until - min(max(left / 4, _SOON), _LATE)
    if left > _AWAKE:
        quiet = QuietHours(preferences.quiet_start, preferences.quiet_end, zone(preferences.zone))
        at = quiet.next_allowed(at)
    if not now < at < until:
        return []
    return [
        Notice(
            kind=PAYMENT_WAITS,
            chat_id=order.chat_id,
            dedupe_key=f"payment-waits:{order.id}:{until:%Y-%m-%dT%H:%M:%S}",
            priority=Priority.REMINDER,
            data={"order_id": order.id},
            not_before=at,
            expires_at=until,
        )
    ]


def for_operators(
    operators: tuple[int, ...], subject: str, why: str, step: str = "", amount: Money | None = None
) -> list[Notice]:
    """One note to each operator; `subject` is the kind and id of the row that waits.

    `step` tells apart the times that the same thing waits for the same reason; `amount` is shown
    where there is one.
    """
    shown = {} if amount is None else {"amount": [amount.minor, amount.currency]}
    return [
        Notice(
            kind=QUEUE,
            chat_id=operator,
            dedupe_key=f"queue:{operator}:{subject}:{why}:{step}",
            priority=Priority.OPERATOR,
            data={"subject": subject, "why": why, **shown},
        )
        for operator in operators
    ]


def activation(watch_id: str, chat_id: int, state: Wait) -> Notice:
    """A watch over an eSIM's activation has come to a state that its owner hears of."""
    return Notice(
        kind=ACTIVATION,
        chat_id=chat_id,
        dedupe_key=f"activation:{watch_id}:{state}",
        priority=Priority.TOPUP,
        data={"watch_id": watch_id, "state": state.value},
    )


def claim_settled(chat_id: int, claim_id: str) -> Notice:
    """An operator approved or declined a claim."""
    return Notice(
        kind=CLAIM,
        chat_id=chat_id,
        dedupe_key=f"claim:{claim_id}",
        priority=Priority.OPERATOR,
        data={"claim_id": claim_id},
    )


def request_moved(request: RefundRequest, step: str) -> Notice:
    """A request for money back was "decided", or what it was about is "returned"."""
    return Notice(
        kind=REQUEST,
        chat_id=request.chat_id,
        dedupe_key=f"request:{request.id}:{step}",
        priority=Priority.OPERATOR,
        data={"request_id": request.id},
    )


def renewal(
    agreement_id: str,
    chat_id: int,
    step: str,
    key: str,
    run_id: str | None = None,
    not_before: datetime | None = None,
) -> Notice:
    """News of an agreement to renew; `key` tells the times of a `step` apart."""
    return Notice(
        kind=RENEWAL,
        chat_id=chat_id,
        dedupe_key=f"renewal:{agreement_id}:{step}:{key}",
        priority=Priority.REMINDER if step == "notice" else Priority.TOPUP,
        data={"agreement_id": agreement_id, "step": step, "run_id": run_id},
        not_before=not_before,
    )


def broadcast(recipient_id: str, chat_id: int, now: datetime) -> Notice:
    """News for one person. Its class is sent at most once."""
    return Notice(
        kind=BROADCAST,
        chat_id=chat_id,
        dedupe_key=f"broadcast:{recipient_id}",
        priority=Priority.BROADCAST,
        data={"recipient_id": recipient_id},
        expires_at=now + NEWS_WITHIN,
    )


def broadcast_test(broadcast_id: str, chat_id: int, update_id: int) -> Notice:
    """The same for the one who writes it, to look at; nobody's row."""
    return Notice(
        kind=BROADCAST,
        chat_id=chat_id,
        dedupe_key=f"broadcast-test:{broadcast_id}:{update_id}",
        priority=Priority.OPERATOR,
        data={"broadcast_id": broadcast_id},
    )


def broadcast_progress(broadcast_id: str, chat_id: int, number: int) -> Notice:
    """How far it is has changed; `number` tells the times apart."""
    return Notice(
        kind=BROADCAST_PROGRESS,
        chat_id=chat_id,
        dedupe_key=f"broadcast-progress:{broadcast_id}:{number}",
        priority=Priority.OPERATOR,
        data={"broadcast_id": broadcast_id},
    )


def broadcast_ended(broadcast_id: str, chat_id: int) -> Notice:
    """It has reached everybody, a while after it began."""
    return Notice(
        kind=BROADCAST_ENDED,
        chat_id=chat_id,
        dedupe_key=f"broadcast-ended:{broadcast_id}",
        priority=Priority.OPERATOR,
        data={"broadcast_id": broadcast_id},
    )


def handover_moved(chat_id: int, handover_id: str, state: str) -> Notice:
    """A hand-over waits for its owner, or its owner has decided."""
    return Notice(
        kind=HANDOVER,
        chat_id=chat_id,
        dedupe_key=f"handover:{handover_id}:{state}",
        priority=Priority.OPERATOR,
        data={"handover_id": handover_id},
    )


def post(post_id: str, group_chat: int, now: datetime) -> Notice:
    """A post is to go out. Its class is sent at most once."""
    return Notice(
        kind=POST,
        chat_id=group_chat,
        dedupe_key=f"post:{post_id}",
        priority=Priority.PROMO,
        data={"post_id": post_id},
        expires_at=now + POSTED_WITHIN,
    )


def post_edit(post_id: str, group_chat: int, edits: int) -> Notice:
    """A post shows something outdated; `edits` is how many edits of it were settled before, so
    that one at a time is on its way."""
    return Notice(
        kind=POST_EDIT,
        chat_id=group_chat,
        dedupe_key=f"post:{post_id}:edit:{edits}",
        priority=Priority.PROMO,
        data={"post_id": post_id},
    )


def post_news(posting_id: str, chat_id: int, why: str, step: str) -> Notice:
    """News of a posting for who planned it; `step` tells the times apart."""
    return Notice(
        kind=POST_NEWS,
        chat_id=chat_id,
        dedupe_key=f"posting:{posting_id}:{why}:{step}",
        priority=Priority.ALERT,
        data={"posting_id": posting_id, "why": why},
    )


def group_greeting(group_id: str, group_chat: int) -> Notice:
    """The bot was added to a group: its admins hear once what it does there."""
    return Notice(
        kind=GROUP,
        chat_id=group_chat,
        dedupe_key=f"group:{group_id}",
        priority=Priority.PROMO,
        data={"group_id": group_id},
    )


def paid_out(
    chat_id: int, group_id: str, step: str, points: int, money: list[tuple[int, str]]
) -> Notice:
    """What somebody's posts in a group earned is theirs now; `step` tells the times apart."""
    return Notice(
        kind=PAID_OUT,
        chat_id=chat_id,
        dedupe_key=f"paid-out:{chat_id}:{step}",
        priority=Priority.OPERATOR,
        data={"group_id": group_id, "points": points, "money": money},
    )


def group_news(group_id: str, chat_id: int, step: str, key: str) -> Notice:
    """News of a group for its admin: hello, or how the shop decided; `key` tells times apart."""
    return Notice(
        kind=GROUP_NEWS,
        chat_id=chat_id,
        dedupe_key=f"group-news:{group_id}:{step}:{key}",
        priority=Priority.ALERT,
        data={"group_id": group_id, "step": step},
    )
