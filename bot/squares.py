"""Put together: what goes on in groups and channels, and news to many at once."""

from dataclasses import dataclass
from typing import Any

from telegram.ext import ExtBot

from bot.chat.rooms import TelegramRooms
from bot.ports import Clock, Store
from bot.schedule import Job
from bot.services import notices
from bot.services.broadcasting import Broadcasting
from bot.services.broadcasts import Broadcasts
from bot.services.checkout import Checkout
from bot.services.grouping import Grouping
from bot.services.limits import PAID_PER_SECOND, Limits
from bot.services.looks import Looks
from bot.services.outbox import Outbox
from bot.services.payouts import Payouts
from bot.services.posted import Posted
from bot.services.posting import Postings
from bot.services.selling import Selling
from bot.services.turns import Turns
from bot.services.visits import Visits

_AHEAD = 10
"""Seconds of sending that news to many may fill the outbox with."""


@dataclass(frozen=True, slots=True)
class Squares:
    """Groups, who may do what there, and what is posted in them."""

    rooms: TelegramRooms
    grouping: Grouping
    postings: Postings
    turns: Turns
    looks: Looks
    posted: Posted
    visits: Visits
    payouts: Payouts
    broadcasts: Broadcasts
    broadcasting: Broadcasting

    def wire(self, outbox: Outbox) -> None:
        """Who wakes whom, and who hears how a post's delivery ended."""
        ends = [outbox.worker, self.looks.worker]
        self.grouping.rings += ends
        self.postings.rings += [*ends, self.turns.worker]
        self.payouts.rings.append(outbox.worker)
        self.turns.rings.append(outbox.worker)
        self.looks.rings.append(outbox.worker)
        self.broadcasts.rings += [outbox.worker, self.broadcasting.worker]
        self.broadcasting.rings.append(outbox.worker)
        outbox.told[notices.POST] = self.posted.sent
        outbox.told[notices.POST_EDIT] = self.posted.edited

    def jobs(self) -> list[Job]:
        """What goes on by itself."""
        return [
            Job(self.turns.worker, 30, self.turns.next_due),
            Job(self.looks.worker, 15, self.looks.next_look),
            Job(self.broadcasting.worker, 2, self.broadcasting.next_due),
        ]


def squares_of(
    bot: ExtBot[Any],
    store: Store,
    clock: Clock,
    selling: Selling,
    checkout: Checkout,
    limits: Limits,
) -> Squares:
    """What goes on in groups and to many, not wired yet."""
    rooms = TelegramRooms(bot, store, clock)
    per_second = PAID_PER_SECOND if limits.paid else limits.per_second
    return Squares(
        rooms=rooms,
        grouping=Grouping(store, clock, selling.operators),
        postings=Postings(store, clock, rooms),
        turns=Turns(store, clock, rooms),
        looks=Looks(store, clock, rooms),
        posted=Posted(clock),
        visits=Visits(store, clock, checkout),
        payouts=Payouts(store, clock, selling),
        broadcasts=Broadcasts(store, clock, selling.operators),
        broadcasting=Broadcasting(store, clock, _AHEAD * per_second),
    )
