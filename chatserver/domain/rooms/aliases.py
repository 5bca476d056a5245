"""Aliases, which others see instead of a member's id: an id for one room and one name.

Pure. `docs/decisions/0130` says why, and what an alias does not hide.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NoBase64
from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b
from typing import Final, NamedTuple

from chatserver.domain.identity import MemberId
from chatserver.domain.rooms.rooms import RoomId, is_closed_room

ALIAS_PREFIX: Final = "p_"
"""No member's id begins like this."""
OWN_ALIASES: Final = 100
"""For how many of one's names, the newest first, `join` returns the aliases in a room."""

_TAG_BYTES: Final = 8
_MEMBER_PREFIX: Final = "m_"
_MOST_BYTES: Final = 64
"""The most bytes that one call of the key stream's function gives."""
_REMEMBERED: Final = 32_768
"""Recently made aliases that are kept: a list of 200 people is in every answer to a join."""


class Named(NamedTuple):
    """The member that an alias stands for. `generation` says under which of their names; a proposal's holds its
    deadline."""

    member: MemberId
    generation: int


class Aliases:
    """Makes aliases and reads them again, for whoever has the key.

    The construction is SIV (Rogaway and Shrimpton, "Deterministic Authenticated-Encryption", 2006), with BLAKE2b under
    two keys: a tag of the scope and the plain text, then the plain text under a key stream that the tag begins.

    Args:
        key: At least 16 secret bytes, the same on every worker.
    """

    def __init__(self, key: bytes) -> None:
        self._tag_key = blake2b(b"tag", key=key, digest_size=32).digest()
        self._stream_key = blake2b(b"stream", key=key, digest_size=32).digest()
        self.of = lru_cache(_REMEMBERED)(self._make)
        """`of(scope, member, generation)` is the alias in a scope: a room's id, or words with a space in them."""

    def in_room(self, room: RoomId, member: MemberId, generation: int) -> MemberId:
        """Return a member's alias in a room, under the name of that generation. In a closed room it is the same
        under every name."""
        return self.of(room, member, 0 if is_closed_room(room) else generation)

    def own(self, room: RoomId, member: MemberId, generation: int) -> list[MemberId]:
        """Return the aliases that a member had in a room until now, the newest first, at most `OWN_ALIASES`."""
        if is_closed_room(room):
            return [self.of(room, member, 0)]
        oldest = max(0, generation - OWN_ALIASES + 1)
        return [self.of(room, member, each) for each in range(generation, oldest - 1, -1)]

    def open(self, scope: str, alias: str) -> Named | None:
        """Return the member that an alias stands for in this scope, or None if it was not made there, or not by this
        key."""
        if not alias.startswith(ALIAS_PREFIX):
            return None
        text = alias.removeprefix(ALIAS_PREFIX)
        try:
            sealed = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        except (ValueError, NoBase64):
            return None
        tag, hidden = sealed[:_TAG_BYTES], sealed[_TAG_BYTES:]
        if not 0 < len(hidden) <= _MOST_BYTES or _text(sealed) != alias:
            # The decoder ignores characters that are not base64, and bits without a meaning.
            return None
        plain = self._veiled(tag, hidden)
        if not hmac.compare_digest(tag, self._tag(scope, plain)):
            return None
        return _read(plain)

    def find(self, scopes: Iterable[str], alias: str) -> tuple[str, Named] | None:
        """Return the first of the scopes in which an alias was made, and the member it stands for there; None if there
        is none."""
        for scope in scopes:
            if (named := self.open(scope, alias)) is not None:
                return scope, named
        return None

    def _make(self, scope: str, member: MemberId, generation: int) -> MemberId:
        plain = _written(member, generation)
        if len(plain) > _MOST_BYTES:
            raise ValueError(f"an id of {len(member)} characters is too long for an alias")
        tag = self._tag(scope, plain)
        return _text(tag + self._veiled(tag, plain))

    def _tag(self, scope: str, plain: bytes) -> bytes:
        # No scope has a NUL in it, so that no other scope and plain text give the same bytes.
        return blake2b(b"%b\0%b" % (scope.encode(), plain), key=self._tag_key, digest_size=_TAG_BYTES).digest()

    def _veiled(self, tag: bytes, text: bytes) -> bytes:
        """Return the text under the key stream of a tag; applied twice it is the text again."""
        stream = blake2b(tag, key=self._stream_key, digest_size=len(text)).digest()
        return (int.from_bytes(text) ^ int.from_bytes(stream)).to_bytes(len(text))


def _text(sealed: bytes) -> MemberId:
    return MemberId(ALIAS_PREFIX + urlsafe_b64encode(sealed).rstrip(b"=").decode())


def _written(member: MemberId, generation: int) -> bytes:
    """Return the generation in groups of seven bits, the last one below 128, then the id without the common prefix of
    ids."""
    written = bytearray()
    while generation > 127:
        written.append(generation & 127 | 128)
        generation >>= 7
    written.append(generation)
    # An id with another prefix is kept whole, behind a character that no id has.
    written += (member.removeprefix(_MEMBER_PREFIX) if member.startswith(_MEMBER_PREFIX) else f" {member}").encode()
    return bytes(written)


def _read(plain: bytes) -> Named:
    generation = at = 0
    while plain[at] > 127:
        generation |= (plain[at] & 127) << 7 * at
        at += 1
    generation |= plain[at] << 7 * at
    text = plain[at + 1 :].decode()
    return Named(MemberId(text[1:] if text.startswith(" ") else _MEMBER_PREFIX + text), generation)
