"""Groups and channels: who may post what, what was posted, who came from it, what it earned."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    UniqueConstraint,
)

from bot.domain.campaigns import PostingState, PostState
from bot.domain.groups import Approval, EarningKind, Standing
from bot.store.tables.base import CAMPAIGN, LANGUAGES, TIMING, key, metadata, money, partial, seq
from bot.store.types import Json, UtcDateTime, Word

groups = Table(
    "groups",
    metadata,
    seq(),
    key(),
    Column("chat_id", BigInteger, nullable=False, unique=True),
    Column("kind", String, nullable=False),
    Column("title", String, nullable=False),
    Column("username", String),
    Column("standing", Word(Standing), nullable=False),
    Column("can_post", Boolean, nullable=False),
    Column("approval", Word(Approval), nullable=False),
    Column("language", String, nullable=False),
    Column("zone", String, nullable=False),
    Column("forum", Boolean, nullable=False),
    Column("added_by", BigInteger),
    Column("greeted_at", UtcDateTime),
    Column("added_at", UtcDateTime, nullable=False),
    Column("former_id", BigInteger),
)

# Who was last seen to be an admin where: whose groups to look at when they ask for "my groups".
# It proves nothing; Telegram is asked before anything is decided.
group_admins = Table(
    "group_admins",
    metadata,
    Column("group_id", String, ForeignKey("groups.id"), primary_key=True),
    Column("user_id", BigInteger, primary_key=True, autoincrement=False, index=True),
)

topics = Table(
    "topics",
    metadata,
    Column("group_id", String, ForeignKey("groups.id"), primary_key=True),
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("name", String, nullable=False),
    Column("closed", Boolean, nullable=False),
)

campaigns = Table(
    "campaigns",
    metadata,
    Column("code", String, primary_key=True),  # the name in the operator's file
    Column("version", Integer, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("position", Integer, nullable=False),  # order in the operator's file
    Column("campaign", Json(CAMPAIGN), nullable=False),
    Column("picture", LargeBinary),  # as the operator gave it
    Column("file_id", String),  # Telegram's, once it was sent
)

postings = Table(
    "group_postings",
    metadata,
    seq(),
    key(),
    Column("update_id", BigInteger, unique=True),  # a replayed tap makes no second one
    Column("campaign_id", String, ForeignKey("campaigns.code"), nullable=False),
    Column("group_id", String, ForeignKey("groups.id"), nullable=False, index=True),
    Column("by", BigInteger, nullable=False, index=True),
    Column("languages", Json(LANGUAGES), nullable=False),
    Column("timing", Json(TIMING), nullable=False),
    Column("state", Word(PostingState), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("thread_id", BigInteger),
    Column("extra", String),
    Column("picture", Boolean, nullable=False),
    Column("pin", Boolean, nullable=False),
    Column("next_at", UtcDateTime),
    Column("turn", Integer, nullable=False),
    Column("reason", String),
)
partial("ix_group_postings_next_at", postings.c.next_at, where="next_at IS NOT NULL")

posts = Table(
    "posts",
    metadata,
    seq(),
    key(),
    Column("posting_id", String, ForeignKey("group_postings.id"), nullable=False),
    Column("turn", Integer, nullable=False),
    Column("campaign_id", String, ForeignKey("campaigns.code"), nullable=False),
    Column("group_id", String, ForeignKey("groups.id"), nullable=False),
    Column("by", BigInteger, nullable=False),
    Column("state", Word(PostState), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("message_id", BigInteger),
    Column("photo", Boolean, nullable=False),
    Column("pinned", Boolean, nullable=False),
    Column("to_pin", Boolean, nullable=False),
    Column("shown", String),
    Column("edits", Integer, nullable=False),
    Column("edited_at", UtcDateTime),
    Column("look_at", UtcDateTime),
    Column("posted_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("end", String),
    UniqueConstraint("posting_id", "turn"),  # one message a turn, whatever crashes
    Index(None, "group_id", "created_at"),
    Index(None, "campaign_id", "state"),  # a place that was taken touches the open ones
)
partial("ix_posts_look_at", posts.c.look_at, where="look_at IS NOT NULL")

visits = Table(
    "post_visits",
    metadata,
    Column("post_id", String, ForeignKey("posts.id"), primary_key=True),
    Column("chat_id", BigInteger, ForeignKey("chats.id"), primary_key=True, autoincrement=False),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("quoted_at", UtcDateTime),
    Index(None, "chat_id", "opened_at"),
)

earnings = Table(
    "earnings",
    metadata,
    seq(),
    Column("key", String, nullable=False, unique=True),  # its cause, written once for ever
    Column("kind", Word(EarningKind), nullable=False),
    Column("group_id", String, ForeignKey("groups.id"), nullable=False),
    Column("by", BigInteger, nullable=False),
    Column("post_id", String, ForeignKey("posts.id")),
    Column("order_id", String, ForeignKey("orders.id"), index=True),
    Column("points", Integer, nullable=False),
    *money("money", nullable=True),
    Column("at", UtcDateTime, nullable=False),
    Index(None, "group_id", "by"),
)
