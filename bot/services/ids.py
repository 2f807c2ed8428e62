"""Short random ids of stored rows: unguessable, and small enough for a button."""

import secrets

# Digits and lower-case letters without 0/o, 1/l/i: people read order numbers out.
_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"


def new_id(length: int = 8) -> str:
    """A fresh id; 8 characters hold 39 bits, checked against the table's primary key anyway."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))
