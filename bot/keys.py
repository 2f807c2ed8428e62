"""Keys as people write them into settings."""

import base64
import binascii

LEAST = 32
"""Bytes; a shorter key could be guessed."""


def decoded(key: str) -> bytes:
    """The bytes of a key in hex or base64. Raises ValueError with the cure."""
    try:
        found = bytes.fromhex(key)
    except ValueError:
        try:
            found = base64.b64decode(key, validate=True)
        except binascii.Error:
            found = b""
    if len(found) < LEAST:
        raise ValueError(
            f"{LEAST} or more random bytes in hex or base64: openssl rand -hex {LEAST}"
        )
    return found
