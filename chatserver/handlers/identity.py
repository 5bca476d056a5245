"""Arriving, coming back, being called something else, and being forgotten: who is behind a token."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import blake2b
from typing import Final

import jwt

from chatserver.domain.comeback import WORDS_OF_A_MEETING, hash_code, make_code, parse_code
from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.floor import SESSION_PREFIX, SessionId
from chatserver.domain.history import Millis
from chatserver.domain.identity import Member, MemberId, Person
from chatserver.domain.names import clean_name, name_key
from chatserver.domain.pseudonyms import pseudonym
from chatserver.domain.rooms import Publication
from chatserver.store.contract import Export, Store
from chatserver.store.moderation_contract import Matters

_ALPHABET: Final = "abcdefghijkmnpqrstuvwxyz23456789"
_ID_LENGTH: Final = 16
_NAME_ATTEMPTS: Final = 12


class Identities:
    """Who is behind a token. Knows nothing of connections, so that the page's HTTP routes can use it alone.

    `draw(n)` gives a random number below n from the operating system. `on_erasing` is told before somebody goes,
    `on_erased` afterwards, with what must be announced.
    """

    def __init__(
        self,
        store: Store,
        *,
        token_key: bytes,
        code_pepper: bytes,
        name_length: int,
        now: Callable[[], Millis],
        draw: Callable[[int], int],
    ) -> None:
        self._store = store
        self._token_key = token_key
        self._code_pepper = code_pepper
        # Of its own: the same words must not be a code as well as a meeting's.
        self._words_pepper = blake2b(code_pepper, digest_size=32, person=b"come-back words").digest()
        self._name_length = name_length
        self._now = now
        self._draw = draw
        # Each takes a core for a moment: a crowd that wants codes waits for one another, and the rooms for nobody. One
        # thread, because each that has hashed keeps the 16 MiB that it took.
        self._hasher = ThreadPoolExecutor(1, "hasher")
        self.staff_keys: frozenset[str] = frozenset()
        """Whom nobody's name may resemble; the sweep keeps it up to date."""
        self.on_erasing: Callable[[MemberId], Awaitable[None]] = _nothing
        self.on_erased: Callable[[MemberId, list[Publication]], None] = lambda member, publications: None

    def token_for(self, member: MemberId) -> str:
        """A signed token that names a member. It ends when the member does."""
        return jwt.encode({"sub": member, "iat": self._now() // 1000}, self._token_key, algorithm="HS256")

    async def known(self, token: str | None) -> Member | None:
        """The member behind a token, or None where there is none (any more)."""
        named = self._named(token)
        return None if named is None else await self._store.member(named)

    def _named(self, token: str | None) -> MemberId | None:
        """Whom a token of ours names; they may be no more."""
        if not token:
            return None
        try:
            claims = jwt.decode(
                token,
                self._token_key,
                algorithms=["HS256"],
                options={"require": ["sub"], "verify_iat": False},
            )
        except jwt.InvalidTokenError:
            return None
        return MemberId(claims["sub"])

    async def arrive(self, token: str | None) -> tuple[Member, str, bool]:
        """The member behind the token, or a new guest: member, token, whether they are new."""
        member = await self.known(token)
        if member is not None:
            return member, self.token_for(member.id), False
        member = await self._new_guest()
        return member, self.token_for(member.id), True

    async def restore(self, code: str) -> tuple[Member, str]:
        """Come back with a code. Raises CODE_UNKNOWN."""
        hashed = await self._hash(code)
        member = await self._store.member_by_code(hashed)
        if member is None:
            raise Refusal(Reason.CODE_UNKNOWN)
        return member, self.token_for(member.id)

    async def make_code(self, member: MemberId) -> str:
        """A new come-back code, known to nobody but the one who reads it now."""
        code = make_code(self._draw)
        hashed = await self._hash(code)
        await self._store.set_code(member, hashed)
        return code

    async def _hash(self, code: str) -> bytes:
        """What a code is stored under. Raises CODE_UNKNOWN."""
        parsed = parse_code(code)
        return await self._hashed(parsed, self._code_pepper)

    async def _hashed(self, words: str, pepper: bytes) -> bytes:
        return await asyncio.get_running_loop().run_in_executor(self._hasher, hash_code, words, pepper)

    async def make_words(self) -> tuple[str, bytes]:
        """Come-back words, and what they are kept under: they lead to a listener, and name nobody."""
        words = make_code(self._draw, WORDS_OF_A_MEETING)
        return words, await self._hashed(words, self._words_pepper)

    async def listener_of_words(self, words: str) -> MemberId:
        """Whom come-back words lead to. Raises WORDS_UNKNOWN."""
        try:
            parsed = parse_code(words, WORDS_OF_A_MEETING)
        except Refusal:
            raise Refusal(Reason.WORDS_UNKNOWN) from None
        hashed = await self._hashed(parsed, self._words_pepper)
        listener = await self._store.listener_of_words(hashed, self._now())
        if listener is None:
            raise Refusal(Reason.WORDS_UNKNOWN)
        return listener

    async def rename(self, member: MemberId, wanted: str) -> Person:
        """Be called something else. Raises NAME_REFUSED or NAME_TAKEN."""
        name = clean_name(wanted, max_length=self._name_length, staff_keys=self.staff_keys)
        await self._store.rename(member, name.name, name.key)
        return Person(member, name.name)

    async def export(self, token: str | None) -> Export:
        """Everything kept about the member. Raises IDENTITY_REQUIRED."""
        member = self._named(token)
        if member is None:
            raise Refusal(Reason.IDENTITY_REQUIRED)
        return await self.export_of(member)

    async def export_of(self, member: MemberId) -> Export:
        """The same, of somebody who has shown who they are in another way."""
        export = await self._store.export(member)
        if export is None:
            raise Refusal(Reason.IDENTITY_REQUIRED)
        return export

    async def matters(self, token: str | None) -> Matters:
        """What moderation has to tell the member. Raises IDENTITY_REQUIRED."""
        return await self._store.matters((await self._require(token)).id, self._now())

    async def appeal(self, token: str | None, measure: str, text: str) -> None:
        """Say something to a measure, once. Raises IDENTITY_REQUIRED, MEASURE_UNKNOWN, APPEALED or TEXT_EMPTY."""
        await self._store.appeal((await self._require(token)).id, measure, text, self._now())

    async def _require(self, token: str | None) -> Member:
        member = await self.known(token)
        if member is None:
            raise Refusal(Reason.IDENTITY_REQUIRED)
        return member

    async def erase(self, token: str | None) -> None:
        """Remove the member and everything they wrote, here and now. Raises IDENTITY_REQUIRED.

        Also one who is no more: an earlier attempt may have been interrupted, and left words in the database's files
        or connections open.
        """
        member = self._named(token)
        if member is None:
            raise Refusal(Reason.IDENTITY_REQUIRED)
        await self.erase_member(member)

    async def erase_member(self, member: MemberId) -> None:
        """The same, of somebody who has shown who they are in another way. Raises NOT_ALLOWED for the last operator."""
        await self.on_erasing(member)
        publications = await self._store.erase(member, self._now())
        self.on_erased(member, publications)

    def new_session_id(self) -> SessionId:
        """An id for a one-to-one session."""
        return SessionId(SESSION_PREFIX + _letters(self._draw))

    async def _new_guest(self) -> Member:
        now = self._now()
        for attempt in range(_NAME_ATTEMPTS):
            name = pseudonym(self._draw, attempt)
            member = Member(
                id=new_member_id(self._draw),
                name=name,
                name_key=name_key(name),
                created_at=now,
                seen_at=now,
            )
            try:
                await self._store.add_member(member)
            except Refusal as refusal:
                if refusal.reason is not Reason.NAME_TAKEN:
                    raise
                continue
            return member
        raise Refusal(Reason.BUSY, retry_after=5.0)


def new_member_id(draw: Callable[[int], int]) -> MemberId:
    """An id for somebody new."""
    return MemberId("m_" + _letters(draw))


def _letters(draw: Callable[[int], int]) -> str:
    # Drawn at once: each draw asks the operating system.
    number, letters = draw(len(_ALPHABET) ** _ID_LENGTH), []
    for _ in range(_ID_LENGTH):
        number, letter = divmod(number, len(_ALPHABET))
        letters.append(_ALPHABET[letter])
    return "".join(letters)


async def _nothing(member: MemberId) -> None:
    """Where nobody else has to know beforehand."""
