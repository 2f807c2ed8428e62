"""Groups, supergroups and channels: who is in them, and what each one may do there."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.demo.botapi.models import Json

SUPERGROUPS = -1_000_000_000_000
"""Ids of supergroups and channels lie below this one, those of basic groups above."""
GENERAL = 1
"""The thread of a forum's General topic, which messages do not name."""

# Who stands in `from` when a chat speaks (Message.sender_chat), for bots that look only there.
ANONYMOUS_ADMIN: Json = {
    "id": 1087968824,
    "is_bot": True,
    "first_name": "Group",
    "username": "GroupAnonymousBot",
}
CHANNEL_BOT: Json = {
    "id": 136817688,
    "is_bot": True,
    "first_name": "Channel",
    "username": "Channel_Bot",
}
TELEGRAM: Json = {"id": 777000, "is_bot": False, "first_name": "Telegram"}
STAND_FOR_CHATS = {each["id"]: each for each in (ANONYMOUS_ADMIN, CHANNEL_BOT, TELEGRAM)}

RIGHTS = (
    "can_manage_chat",
    "can_delete_messages",
    "can_manage_video_chats",
    "can_restrict_members",
    "can_promote_members",
    "can_change_info",
    "can_invite_users",
    "can_post_stories",
    "can_edit_stories",
    "can_delete_stories",
)
_MORE_RIGHTS = {
    "group": ("can_pin_messages",),
    "supergroup": ("can_pin_messages", "can_manage_topics"),
    "channel": ("can_post_messages", "can_edit_messages"),
}
PERMISSIONS = (
    "can_send_messages",
    "can_send_audios",
    "can_send_documents",
    "can_send_photos",
    "can_send_videos",
    "can_send_video_notes",
    "can_send_voice_notes",
    "can_send_polls",
    "can_send_other_messages",
    "can_add_web_page_previews",
    "can_react_to_messages",
    "can_edit_tag",
    "can_change_info",
    "can_invite_users",
    "can_pin_messages",
    "can_manage_topics",
)
NOT_FOR_MEMBERS = ("can_change_info", "can_pin_messages", "can_manage_topics")
STATUSES = ("creator", "administrator", "member", "restricted", "left", "kicked")


@dataclass(slots=True)
class Topic:
    """A topic of a forum; its id is the message that created it (General: 1)."""

    id: int
    name: str
    icon_color: int = 0x6FB9F0
    closed: bool = False


@dataclass(slots=True)
class Group:
    """A group, supergroup or channel; `members` maps user ids to their ChatMember status.

    `rights` are an administrator's rights, or what a restricted member may do, where they
    differ from all. `linked`: a channel's discussion group, or that group's channel.
    `upgraded_to`: the supergroup that a basic group has become.
    """

    id: int
    type: str
    title: str
    members: dict[int, str]
    username: str | None = None
    rights: dict[int, dict[str, bool]] = field(default_factory=dict)
    anonymous: list[int] = field(default_factory=list)
    is_forum: bool = False
    topics: dict[int, Topic] = field(default_factory=dict)
    linked: int | None = None
    upgraded_to: int | None = None
    chat: Json = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.chat = {"id": self.id, "title": self.title, "type": self.type}
        if self.username:
            self.chat["username"] = self.username
        if self.is_forum:
            self.chat["is_forum"] = True
            self.topics.setdefault(GENERAL, Topic(GENERAL, "General"))

    def status(self, user_id: int) -> str:
        return self.members.get(user_id, "left")

    def has(self, user_id: int) -> bool:
        return self.status(user_id) in ("creator", "administrator", "member", "restricted")

    def admins(self) -> list[int]:
        return [user_id for user_id in self.members if self.is_admin(user_id)]

    def is_admin(self, user_id: int) -> bool:
        return self.status(user_id) in ("creator", "administrator")

    def right_names(self) -> tuple[str, ...]:
        """The rights that an administrator of this kind of chat can have."""
        return RIGHTS + _MORE_RIGHTS[self.type]

    def may(self, user_id: int, right: str) -> bool:
        """Whether this user may do what the right or permission of that name allows."""
        status = self.status(user_id)
        if status == "creator":
            return True
        given = self.rights.get(user_id, {})
        if status == "administrator":
            return right not in self.right_names() or given.get(right, True)
        if self.type == "channel" or status not in ("member", "restricted"):
            return False
        return given.get(right, right not in NOT_FOR_MEMBERS)
