"""Put together: what goes on in groups and channels."""

from dataclasses import dataclass
from typing import Any

from telegram.ext import ExtBot

from bot.chat.rooms import TelegramRooms
from bot.ports import Clock, Store
from bot.services.grouping import Grouping
from bot.services.selling import Selling
from bot.services.work import Worker


@dataclass(frozen=True, slots=True)
class Squares:
    """Groups, who may do what there, and what is posted in them."""

    rooms: TelegramRooms
    grouping: Grouping

    def wire(self, outbox: Worker) -> None:
        """Who wakes whom."""
        self.grouping.rings.append(outbox)


def squares_of(bot: ExtBot[Any], store: Store, clock: Clock, selling: Selling) -> Squares:
    """What goes on in groups, not wired yet."""
    return Squares(
        rooms=TelegramRooms(bot, store, clock),
        grouping=Grouping(store, clock, selling.operators),
    )
