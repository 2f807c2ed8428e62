"""What is sealed in the database: providers' ids, proofs, IMEIs, what people wrote.

AES-SIV (RFC 5297) gives one text the same sealed form every time, so that equality, unique
constraints and look-ups still hold; nothing else of a text can be seen but whether two in one
column are equal. The column's name is sealed in with it: moved to another column it opens no more.
"""

import base64
import binascii
from collections.abc import Sequence
from weakref import WeakKeyDictionary

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy.engine import Dialect

PREFIX = "x1$"
"""Begins every sealed text; another way of sealing would get another one."""
_INFO = b"xuka data"
_KEY_BYTES = 64  # AES-256-SIV: one half encrypts, the other authenticates


class NotOpened(Exception):
    """A sealed text was changed, moved, or sealed with a key that is not here."""


class Vault:
    """Seals with the first of the secrets; opens what any of them has sealed.

    A secret is any long random text; the key proper is derived from it.
    """

    def __init__(self, secret: bytes, older: Sequence[bytes] = ()) -> None:
        self._ciphers = [AESSIV(_derived(one)) for one in (secret, *older)]

    def seal(self, column: str, text: str) -> str:
        """The text as it is stored in that column ("payments.charge_id")."""
        sealed = self._ciphers[0].encrypt(text.encode(), [column.encode()])
        return PREFIX + base64.b64encode(sealed).decode()

    def open(self, column: str, stored: str) -> str:
        """The text again; one that is not sealed is given as it is. Raises NotOpened."""
        if not stored.startswith(PREFIX):
            return stored
        try:
            sealed = base64.b64decode(stored[len(PREFIX) :], validate=True)
        except binascii.Error:
            raise NotOpened(column) from None
        for cipher in self._ciphers:
            try:
                return cipher.decrypt(sealed, [column.encode()]).decode()
            except (InvalidTag, ValueError):
                continue
        raise NotOpened(column)


def _derived(secret: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=_INFO).derive(secret)


_VAULTS: WeakKeyDictionary[Dialect, Vault] = WeakKeyDictionary()
"""By the dialect, of which every engine has its own: column types see nothing else of it."""


def lock(dialect: Dialect, vault: Vault) -> None:
    """From now on this engine's sealed columns are sealed with this vault."""
    _VAULTS[dialect] = vault


def vault_of(dialect: Dialect) -> Vault | None:
    """The vault of an engine; None where columns are stored as they are."""
    return _VAULTS.get(dialect)
