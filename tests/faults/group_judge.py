"""What the stand-in saw in a case of the groups' fault harness, and what of it may not be.

Everything is judged by the stand-in's own record and by who was what in a group when; the bot's
rows only name which wish a message came from.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bot.demo.botapi.models import BOT_ID
from bot.demo.botapi.rooms import Group as Room
from bot.demo.calls import Call
from bot.domain.campaigns import OPEN_POSTS, Post, Posting, PostingState, PostState, Timing
from tests.faults.group_cast import PICTURE, Canary, Cast
from tests.faults.group_town import House
from tests.unit.services.house import OPERATOR

BELIEVED = timedelta(minutes=5)
"""How long a right that Telegram told of may be believed at /promo."""
LATE = timedelta(hours=1, seconds=5)
"""A post that could not go out for so long goes out no more."""
_AT_ONCE = timedelta(seconds=1)
_FILLERS = re.compile(r"[\s\u00a0\u202f,-]")
_LINK = re.compile(r"\?start=([gp])([a-z0-9]+)")


@dataclass(frozen=True, slots=True)
class Shown:
    """Something the bot had Telegram show in a chat, or tried to."""

    at: datetime
    chat_id: int
    method: str
    request: Any
    message_id: int | None
    """Telegram's id of what came of it; None where it refused."""
    person_id: int | None = None
    """Who alone saw it: the toast of a tap."""

    @property
    def links(self) -> list[tuple[str, str]]:
        """Letter and id of the links to the private chat among its buttons."""
        return _LINK.findall(json.dumps(self.request.get("reply_markup") or ""))


@dataclass(frozen=True, slots=True)
class State:
    """What was so in a room from a moment on."""

    at: datetime
    admins: frozenset[int]
    may_post: bool
    allowed: bool
    sells: bool
    """The campaign runs."""


@dataclass(slots=True)
class Record:
    """What one case has brought to light."""

    shown: list[Shown] = field(default_factory=list)
    states: list[State] = field(default_factory=list)
    moved: dict[int, int] = field(default_factory=dict)
    """New ids of upgraded groups by their old ones."""
    pressed: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Chat and person of each tap."""
    allowed: bool = False
    sells: bool = True

    def heard(self, place: House, call: Call) -> None:
        """A call that Telegram has carried out or refused."""
        request = call.request if isinstance(call.request, dict) else {}
        at, person = call.time, None
        if call.method == "answerCallbackQuery":
            query = self.pressed.get(str(request.get("callback_query_id")))
            if query is None:
                return
            chat_id, person = query
        elif "chat_id" in request:
            chat_id = _chat_of(place, request["chat_id"])
        else:
            return
        result = call.answer.get("result") if isinstance(call.answer, dict) else None
        message_id = result.get("message_id") if isinstance(result, dict) else None
        self.shown.append(Shown(at, chat_id, call.method, request, message_id, person))

    def note(self, at: datetime, room: Room) -> None:
        """What is so in the room from now on."""
        admins = frozenset(user for user in room.admins() if user != BOT_ID)
        may = room.has(BOT_ID) and (
            room.may(BOT_ID, "can_post_messages") if room.type == "channel"
            else room.is_admin(BOT_ID) or room.may(BOT_ID, "can_send_messages")
        )  # fmt: skip
        self.states.append(State(at, admins, may, self.allowed, self.sells))

    def states_at(self, moment: datetime, within: timedelta = timedelta(0)) -> list[State]:
        """What was so at a moment: of changes in the same instant, before and after; with
        `within`, whatever was so in that time before it."""
        first, last = moment - within - _AT_ONCE / 100, moment + _AT_ONCE / 100
        before = [state for state in self.states if state.at < first]
        return [*before[-1:], *(state for state in self.states if first <= state.at <= last)]


def _object(given: Any) -> dict[str, Any]:
    """A parameter that is an object, written as JSON or not."""
    found = json.loads(given) if isinstance(given, str) else given
    return found if isinstance(found, dict) else {}


def _chat_of(place: House, given: Any) -> int:
    if isinstance(given, str) and given.startswith("@"):
        return next((r.id for r in place.world.groups.values() if r.username == given[1:]), 0)
    return int(given)


@dataclass(frozen=True, slots=True)
class Rows:
    """What the bot wrote of the case."""

    postings: Sequence[Posting]
    posts: Sequence[Post]
    held: int
    """The most orders that held a place of the campaign's promo at the same time."""


def moments(timing: Timing, since: datetime) -> list[datetime]:
    """When a weekly wish falls due: an hour that is left out moves on, a double one counts once;
    none of a wish for once."""
    tz, first = ZoneInfo(timing.zone), since.date() - timedelta(days=2)
    days = [first + timedelta(days=n) for n in range(60)]
    return [
        datetime.combine(day, timing.clock, tz).astimezone(UTC)
        for day in days
        if day.weekday() in timing.weekdays
    ]


class Judge:
    """Looks at one case when it is over. `findings` are broken promises."""

    def __init__(self, place: House, who: Cast, record: Record, rows: Rows) -> None:
        self._place, self._who, self._record, self._rows = place, who, record, rows
        self._posts = {post.id: post for post in rows.posts}

    def findings(self) -> Iterator[str]:
        """Every broken promise, in words."""
        yield from self._private()
        yield from self._proven()
        yield from self._posted()
        yield from self._doubles()
        yield from self._ends()
        total = self._who.promo.total
        if total is not None and self._rows.held > total:
            yield f"places: {self._rows.held} orders for {total} places"

    # ---- privacy ---------------------------------------------------------------------------

    def _private(self) -> Iterator[str]:
        ours = {room.id for room in self._who.rooms}
        for one in self._record.shown:
            raw = json.dumps(one.request, ensure_ascii=False, default=str).lower()
            bare = _FILLERS.sub("", raw)
            for canary in self._who.canaries:
                text = canary.text.lower()
                if not self._for(canary, one) and (text in raw or text in bare):
                    where = "in a group" if one.chat_id < 0 else "to somebody else"
                    yield f"private: {canary.what} {where}, by {one.method}"
            if one.chat_id < 0 and one.method in ("sendInvoice", "sendDocument"):
                yield f"private: {one.method} in a group"
        for chat_id in ours | set(self._record.moved.values()):
            yield from self._pictures(chat_id)

    def _for(self, canary: Canary, one: Shown) -> bool:
        """Whether it was the person's own, in private; operators may see everything there."""
        return one.chat_id > 0 and one.chat_id in (canary.person_id, OPERATOR)

    def _pictures(self, chat_id: int) -> Iterator[str]:
        for stored in self._place.world.messages.get(chat_id, {}).values():
            file = self._place.world.files.shown_in(stored.data)
            if file is not None and stored.from_bot and file.data != PICTURE:
                yield "private: another picture than the campaign's in a group"

    # ---- rights ----------------------------------------------------------------------------

    def _proven(self) -> Iterator[str]:
        """The way to the offers is shown to admins only."""
        world = self._place.world
        for one in self._record.shown:
            if one.chat_id > 0 or not any(letter == "g" for letter, _ in one.links):
                continue
            reply = _object(one.request.get("reply_parameters"))
            asked = world.messages.get(one.chat_id, {}).get(int(reply.get("message_id", 0)))
            if asked is None:
                yield "proof: an offer's way shown without anybody asking"
                continue
            voice = asked.data.get("sender_chat")
            admins = {u for s in self._record.states_at(one.at, BELIEVED) for u in s.admins}
            stranger = voice is not None and voice["id"] != one.chat_id
            if stranger or (voice is None and asked.written_by not in admins):
                yield "proof: an offer's way shown to somebody who is no admin"

    def _posted(self) -> Iterator[str]:
        """Each post was decided by an admin, where and when it could be."""
        for post in self._rows.posts:
            then = self._record.states_at(post.created_at)
            if not any(post.by in state.admins for state in then):
                yield "rights: a post by somebody who is no admin"
            if not any(state.allowed for state in then):
                yield "rights: a post in a group that is not allowed"
            if not any(state.sells for state in then):
                yield "ended: a post of a campaign that had ended"
        for one, post_id in self._messages():
            decided = self._posts.get(post_id)
            if decided is None:
                yield "origin: a post that nobody decided"
                continue
            if one.at - decided.created_at > LATE:
                yield f"late: a post {one.at - decided.created_at} after it was decided"
            now = self._record.states_at(one.at)
            if one.message_id is not None and not any(s.allowed and s.sells for s in now):
                yield "ended: a post went out after the group or the campaign was closed"
        yield from self._often()

    def _often(self) -> Iterator[str]:
        """The cap and the pause between two."""
        made = [p for p in self._rows.posts if p.state is not PostState.FAILED]
        campaign = self._who.campaign
        for post in made:
            earlier = [p.created_at for p in made if p.created_at < post.created_at]
            within = [at for at in earlier if at > post.created_at - campaign.within]
            if len(within) >= campaign.most_posts:
                yield "often: more posts than the cap"
            if any(at + campaign.cooldown > post.created_at for at in earlier):
                yield "often: a post before the pause was over"

    def _messages(self) -> Iterator[tuple[Shown, str]]:
        for one in self._record.shown:
            if one.chat_id < 0 and one.method in ("sendMessage", "sendPhoto"):
                for letter, post_id in one.links:
                    if letter == "p":
                        yield one, post_id

    def _doubles(self) -> Iterator[str]:
        there = Counter(post for one, post in self._messages() if one.message_id is not None)
        for times in there.values():
            if times > 1:
                yield f"double: the same post {times} times"
        turns = Counter((p.posting_id, p.turn) for p in self._posts.values() if p.id in there)
        for times in turns.values():
            if times > 1:
                yield f"double: {times} posts of one turn"
        for posting in self._rows.postings:
            made = [p for p in self._rows.posts if p.posting_id == posting.id and p.id in there]
            due = moments(posting.timing, posting.created_at)
            of = Counter(max((at for at in due if at <= p.created_at), default=None) for p in made)
            if max(of.values(), default=0) > 1:
                yield "double: several posts of one due moment"

    # ---- ends ------------------------------------------------------------------------------

    def _ends(self) -> Iterator[str]:
        """The campaign has been stopped, and everything had time."""
        for posting in self._rows.postings:
            if posting.state is PostingState.ACTIVE and posting.next_at is None:
                yield "end: a posting has neither an end nor a next turn"
            if posting.state in (PostingState.DONE, PostingState.HELD) and posting.reason is None:
                yield "end: a posting ended without a reason"
        for post in self._rows.posts:
            if post.state in OPEN_POSTS:
                yield f"end: a post of a stopped campaign is {post.state}"
        room = self._place.world.groups[self._record.moved.get(self._who.room.id,
                                                               self._who.room.id)]  # fmt: skip
        if not self._record.states[-1].may_post or not room.has(BOT_ID):
            return
        for one, post_id in self._messages():
            made = self._posts.get(post_id)
            stored = self._place.world.message(one.chat_id, one.message_id or 0)
            known = made is not None and made.message_id is not None
            if stored is None or not known or one.chat_id != room.id:
                continue
            text = stored.data.get("text") or stored.data.get("caption") or ""
            if "⛔" not in text:
                yield "end: a post of a stopped campaign does not say so"
