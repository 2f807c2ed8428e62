"""The database, continued: the wallets' books, and proofs of transfers."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from bot.domain.books import Purses
from bot.domain.ledger import Entry, EntryKind, Line
from bot.domain.money import Money
from bot.domain.transfers import Proof, ProofState, Same


class Ledger(Protocol):
    async def post(self, entry: Entry) -> bool:
        """Post it once for its key; False when it was posted before, and nothing moves.

        Raises Overdrawn when a wallet would fall below zero: it has to leave the transaction.
        """
        ...

    async def balance(self, account: str, currency: str) -> Money: ...
    async def balances(self, account: str) -> list[Money]:
        """What stands on an account, by currency; those with nothing left out."""
        ...

    async def posted(self, key: str, account: str) -> Money | None:
        """What the entry of that key added to an account; None when it did not touch it."""
        ...

    async def totals(self) -> dict[str, Purses]:
        """What stands in all wallets and what their postings come to, by currency."""
        ...

    async def unbalanced(self) -> list[tuple[str, Money]]:
        """Entries, by their keys, whose postings do not sum to zero, and what they sum to."""
        ...

    async def drifted(self) -> list[tuple[str, Money]]:
        """Accounts that hold something else than their postings come to, with the difference;
        and wallets below zero, with what is on them."""
        ...

    async def posted_since(self, since: datetime) -> list[tuple[str, EntryKind]]:
        """Keys and kinds of the entries since then, oldest first."""
        ...

    async def history(self, account: str, limit: int, offset: int = 0) -> list[Line]:
        """Newest first."""
        ...


class Proofs(Protocol):
    async def add(self, proof: Proof, update_id: int) -> Proof:
        """Save it in place of the transfer's earlier one that waits; a replay of the same update
        gets the one that the first run saved."""
        ...

    async def get(self, proof_id: str) -> Proof | None: ...
    async def waiting(self) -> list[Proof]:
        """Oldest first."""
        ...

    async def waiting_of(self, payment_id: str) -> Proof | None: ...
    async def alike(self, proof: Proof) -> Sequence[tuple[Same, Proof]]:
        """Proofs of other transfers with the same picture, a like one, or the same number."""
        ...

    async def set_number(self, proof_id: str, number: str) -> None: ...
    async def move(
        self, proof_id: str, old: ProofState, new: ProofState, at: datetime, **changes: Any
    ) -> bool:
        """Compare-and-set on the state; False when it had moved."""
        ...
