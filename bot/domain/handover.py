"""Handing a SIM on: its owner offers it by a code, somebody asks with it, the owner confirms."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class HandoverState(StrEnum):
    """Life of one hand-over. It only moves on: offered, asked, then one of the others."""

    OFFERED = "offered"  # the code is out
    ASKED = "asked"  # somebody sent it; the owner has to confirm
    DONE = "done"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"  # by its owner, or by a newer offer


OPEN = (HandoverState.OFFERED, HandoverState.ASKED)


@dataclass(frozen=True, slots=True)
class Handover:
    """One offer of one SIM. An open one means nothing any more from `expires_at` (UTC) on.

    `to_chat` is who sent the code; `new_sim_id` the SIM as its new owner has it, once done.
    """

    id: str
    sim_id: str
    from_chat: int
    code_hash: str
    state: HandoverState
    created_at: datetime
    expires_at: datetime
    to_chat: int | None = None
    new_sim_id: str | None = None

    def offered_at(self, now: datetime) -> bool:
        """Whether its code can still be sent."""
        return self.state is HandoverState.OFFERED and now < self.expires_at

    def waits_at(self, now: datetime) -> bool:
        """Whether its owner is still asked."""
        return self.state is HandoverState.ASKED and now < self.expires_at
