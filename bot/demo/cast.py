"""Who lives in the demo's world: its people, their groups and channels."""

from __future__ import annotations

from bot.demo.botapi.models import BOT_ID, Person
from bot.demo.botapi.rooms import Group

GROUP_ID = -1001000000001
CHANNEL_ID = -1001000000002
CLUB_ID = -1001000000003
FORUM_ID = -1001000000004
NEWS_ID = -1001000000005
TALK_ID = -1001000000006
STRANGE_CHANNEL_ID = -1001000000007
SMALL_GROUP_ID = -4000000001

TOPICS = ("活动优惠 Deals", "使用求助 Help", "闲聊 Chat")
"""The forum's topics besides General, in the order they were created."""


def cast() -> list[Person]:
    """The demo's people."""
    return [
        Person(1001, "林小雨", "zh-hans", "customer", "xiaoyu_lin"),
        Person(1002, "Emma Clark", "en", "customer", "emma_clark"),
        Person(1003, "陈国强", "zh-hans", "group admin", "guoqiang_chen"),
        Person(1004, "店主 Owen", "zh-hans", "operator", "owen_xuka"),
        Person(1005, "Sam Stranger", "en", "stranger"),
        Person(1006, "林家豪", "zh-hant", "customer"),
        Person(1007, "周敏", "zh-hans", "group admin", "zhou_min"),
        Person(1008, "Grace Miller", "en", "customer", "grace_miller"),
    ]


def rooms() -> list[Group]:
    """The demo's groups and channels; Sam the stranger is in none of them.

    In the first group the bot is a member, into the first channel nobody has let it, nor into
    Emma's own; of the others it is an administrator, but of the basic group, where it is a
    member. 周敏 (1007) is an administrator who writes anonymously.
    """
    four = dict.fromkeys([1001, 1002, 1004, 1006], "member")
    members = {1003: "creator", **four}
    club = {1003: "creator", 1007: "administrator", **dict.fromkeys([1001, 1002, 1008], "member")}
    bot_admin = {BOT_ID: "administrator"}
    return [
        Group(GROUP_ID, "supergroup", "省卡群 SIM Savers", {**members, BOT_ID: "member"}),
        Group(CHANNEL_ID, "channel", "续卡优惠 Xuka Deals", dict(members), "xuka_deals"),
        Group(
            CLUB_ID, "supergroup", "出境上网俱乐部 Roaming Club", club | bot_admin, anonymous=[1007]
        ),
        Group(
            FORUM_ID,
            "supergroup",
            "eSIM 互助论坛 eSIM Forum",
            club | {1006: "member"} | bot_admin,
            anonymous=[1007],
            is_forum=True,
        ),
        Group(
            NEWS_ID,
            "channel",
            "流量早知道 Data News",
            members | {1007: "administrator"} | bot_admin,
            "data_news",
            linked=TALK_ID,
        ),
        Group(TALK_ID, "supergroup", "流量讨论区 Data Talk", club | bot_admin, linked=NEWS_ID),
        Group(STRANGE_CHANNEL_ID, "channel", "Emma’s Travel Notes", {1002: "creator"}),
        Group(
            SMALL_GROUP_ID,
            "group",
            "周末徒步 Weekend Hikers",
            {1003: "creator", 1001: "member", 1008: "member", BOT_ID: "member"},
        ),
    ]
