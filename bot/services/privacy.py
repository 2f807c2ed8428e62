"""What a person may ask of what is kept of them: a copy, and to be forgotten."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from bot.domain.campaigns import OPEN_POSTS, POSTING, PostingState
from bot.domain.renewals import AgreementState
from bot.ports import AuditRow, Clock, Held, Section, Store, Tx
from bot.services import agreements
from bot.services.ownership import UNTOUCHED
from bot.services.planning import replan
from bot.services.work import Worker

EVERY = timedelta(hours=1)
"""How often a copy may be asked for."""


class PrivacyRefused(Exception):
    """It can't be done now; `reason` is a code the views know.

    too_soon (`until` says when, UTC), operator, and what `ports.Held` names with its order.
    """

    def __init__(
        self, reason: str, *, until: datetime | None = None, order_id: str | None = None
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.until = until
        self.order_id = order_id


class Privacy:
    """Copies and forgetting."""

    def __init__(self, store: Store, clock: Clock, operators: tuple[int, ...]) -> None:
        self._store = store
        self._clock = clock
        self._operators = operators
        self.rings: list[Worker] = []
        """Workers to wake when a subscription is to be stopped."""

    async def copy(self, chat_id: int) -> Mapping[str, Section]:
        """Everything kept of them. Raises PrivacyRefused too_soon."""
        now = self._clock.now()
        async with self._store.read() as tx:
            last = await tx.personal.exported_at(chat_id)
            if last is not None and now - last < EVERY:
                raise PrivacyRefused("too_soon", until=last + EVERY)
            return await tx.personal.all_of(chat_id)

    async def copied(self, chat_id: int) -> None:
        """They have got it: the next one is given after a while."""
        async with self._store.write() as tx:
            name = f"chat:{chat_id}"
            await tx.audit.add(AuditRow(self._clock.now(), name, "exported", name, {}))

    async def ask(self, chat_id: int) -> None:
        """Whether they could be forgotten now. Raises PrivacyRefused."""
        if chat_id in self._operators:
            raise PrivacyRefused("operator")
        async with self._store.read() as tx:
            held = await tx.personal.held(chat_id, self._clock.now())
        if held is not None:
            raise _refused(held)

    async def forget(self, chat_id: int, update_id: int) -> None:
        """Forget them, in one transaction. Raises PrivacyRefused; nothing is forgotten then, but
        renewals by themselves are stopped.
        """
        await self.ask(chat_id)
        now = self._clock.now()
        async with self._store.write() as tx:
            for one in await tx.renewals.of_chat(chat_id):
                await agreements.end(
                    tx, one, AgreementState.CANCELLED, "forgotten", now,
                    told=False, actor=f"chat:{chat_id}",
                )  # fmt: skip
            # Looked at again: an order may have begun meanwhile, or Telegram is to be told that a
            # subscription is over, which takes the person's id.
            held = await tx.personal.held(chat_id, now)
            if held is None:
                await _stop_posting(tx, chat_id, now)
                for card in await tx.saved.of_chat(chat_id):
                    await tx.saved.remove(card.id, now)  # its provider is told, whoever it was of
                released = await tx.personal.forget(chat_id, update_id, now, UNTOUCHED)
                for sim_id in released:
                    await replan(tx, sim_id, now)
        for worker in self.rings:
            worker.ring()
        if held is not None:
            raise _refused(held)


async def _stop_posting(tx: Tx, chat_id: int, now: datetime) -> None:
    """Nothing more is posted in their name; what stands in groups is shown without their words."""
    for wish in await tx.posts.postings_by(chat_id):
        if PostingState.STOPPED in POSTING[wish.state]:
            await tx.posts.move_posting(
                wish.id, wish.state, PostingState.STOPPED, "forgotten", now,
                actor=f"chat:{chat_id}", next_at=None,
            )  # fmt: skip
        for post in await tx.posts.of_posting(wish.id):
            if post.state in OPEN_POSTS:
                await tx.posts.set(post.id, look_at=now)


def _refused(held: Held) -> PrivacyRefused:
    return PrivacyRefused(held.reason, order_id=held.order_id)
