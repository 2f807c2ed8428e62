"""How often the bot answers in groups, so that nobody can make it flood one.

Kept in memory: after a restart somebody may be answered once more.
"""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta

PERSON = timedelta(minutes=5)
"""Who was answered a moment ago is not answered again in the group."""
_ROOM = timedelta(minutes=1)
_MOST = 5
"""Answers to members in one group within a minute."""
_MOST_ROOMS = 1000


@dataclass(slots=True)
class _Room:
    people: dict[int, datetime] = field(default_factory=dict)
    answers: deque[datetime] = field(default_factory=deque)


class Hush:
    """When to be silent, and what is to be tidied up."""

    def __init__(self) -> None:
        self._rooms: dict[int, _Room] = {}
        self.asked: dict[int, tuple[int, ...]] = {}
        """The messages in a group that led its admin here, by chat: they go once that was used."""

    def speaks(self, chat_id: int, person: int, now: datetime, *, again: bool = False) -> bool:
        """Whether to answer this person there now; with `again` also one just answered."""
        if len(self._rooms) > _MOST_ROOMS:
            self._rooms.clear()
        room = self._rooms.setdefault(chat_id, _Room())
        room.people = {one: at for one, at in room.people.items() if now - at < PERSON}
        while room.answers and now - room.answers[0] >= _ROOM:
            room.answers.popleft()
        if (person in room.people and not again) or len(room.answers) >= _MOST:
            return False
        room.people[person] = now
        room.answers.append(now)
        return True
