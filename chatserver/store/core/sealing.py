"""Sealing: authenticated encryption of text that only a case may open, and aliases for erased members.

The key is derived from the server's secret and is not in the database, so the database file alone does not reveal
sealed text.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from chatserver.domain.identity import MemberId
from chatserver.domain.moderation.evidence import ALIAS_PREFIX

KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
"""96 bits, drawn at random for each text (NIST SP 800-38D, section 8.2.2: for up to 2**32 texts under one key)."""
_ALIAS_BYTES: Final = 10


class Sealer:
    """Seals and opens with AES-256-GCM under a key for this purpose only.

    Without a `key` a random one is used: what it seals cannot be opened after this process has ended.
    Raises ValueError for a key that is not `KEY_BYTES` long.
    """

    def __init__(self, key: bytes | None = None) -> None:
        key = secrets.token_bytes(KEY_BYTES) if key is None else key
        if len(key) != KEY_BYTES:
            raise ValueError(f"a sealing key has {KEY_BYTES} bytes")
        self._cipher = AESGCM(key)
        self._alias_key = hashlib.blake2b(key, digest_size=32, person=b"chat.alias").digest()

    def seal(self, plain: bytes, place: str) -> bytes:
        """Return `plain` encrypted and bound to `place`: `open` needs the same place."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain, place.encode())

    def open(self, sealed: bytes, place: str) -> bytes | None:
        """Return the plain text of `sealed`, or None if the key is a different one or the bytes were changed."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], place.encode())
        except (InvalidTag, ValueError):
            return None

    def alias(self, member: MemberId) -> MemberId:
        """Return the id under which cases know a member once they are erased.

        It is the same in all cases, so that several posts of one person can be connected; without the key nobody can
        tell who it is, and no message can be sent to it.
        """
        digest = hashlib.blake2b(member.encode(), digest_size=_ALIAS_BYTES, key=self._alias_key).digest()
        return MemberId(ALIAS_PREFIX + base64.b32encode(digest).decode().lower())
