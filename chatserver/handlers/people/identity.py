"""Arriving, coming back, being renamed and being erased: which member a token names."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from hashlib import blake2b
from typing import Final, NamedTuple

import jwt
import msgspec

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis
from chatserver.domain.identity import Member, MemberId, Persona
from chatserver.domain.listening.state import SessionId
from chatserver.domain.people.comeback import WORDS_OF_A_MEETING, make_code, parse_code
from chatserver.domain.people.names import clean_name, name_key
from chatserver.domain.people.pseudonyms import pseudonym
from chatserver.domain.rooms.rooms import ID_PREFIXES, Publication, RoomId, RoomKind
from chatserver.handlers.people.code_hashing import Hasher
from chatserver.store.arrivals_records import NameRules
from chatserver.store.moderation_records import ModerationNotices
from chatserver.store.records import Export, Retention
from chatserver.store.store import Store

_ALPHABET: Final = "abcdefghijkmnpqrstuvwxyz23456789"
_ID_LENGTH: Final = 16
_NAME_ATTEMPTS: Final = 12
NEAR_NAMES: Final = 24 * 3_600_000
"""Milliseconds since when somebody must have been here for nobody to take a name that is nearly theirs."""


class _Named(NamedTuple):
    """The member and the generation that a token names."""

    member: MemberId
    credentials: int


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
        # Each takes a core for a moment: a crowd that wants codes waits for one another, and the rooms for nobody.
        self._hasher = Hasher()
        self.room_age: int = Retention().room_age
        """Milliseconds for which a post in a room is kept; the server's to set."""
        self.staff_keys: frozenset[str] = frozenset()
        """Whom nobody's name may resemble; the sweep keeps it up to date."""
        self.on_erasing: Callable[[MemberId], Awaitable[None]] = _nothing
        self.on_raised: Callable[[MemberId, int], None] = lambda member, credentials: None
        """Told when the tokens of somebody were ended, with the generation that is good."""
        self.on_erased: Callable[[MemberId, list[Publication]], None] = lambda member, publications: None

    def token_for(self, member: MemberId, credentials: int = 0) -> str:
        """Return a signed token that names a member and the generation of their credentials. It ends when the member
        does, or when the generation rises (decision 0134)."""
        claims = {"sub": member, "gen": credentials, "iat": self._now() // 1000}
        return jwt.encode(claims, self._token_key, algorithm="HS256")

    async def known(self, token: str | None) -> Member | None:
        """Return the member behind a token; None where there is none, or none any more, or the token was ended."""
        named = self._named(token)
        member = None if named is None else await self._store.member(named.member)
        return None if named is None or member is None or member.credentials != named.credentials else member

    def _named(self, token: str | None) -> _Named | None:
        """Return what a token of ours names. The member may be no more. A token of an earlier release has the
        generation 0."""
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
        credentials = claims.get("gen", 0)
        return _Named(MemberId(claims["sub"]), credentials) if isinstance(credentials, int) else None

    async def arrive(self, token: str | None) -> tuple[Member, str, bool]:
        """Return the member behind the token, or a new guest; with a token, and whether they are new."""
        member = await self.known(token)
        if member is not None:
            return member, self.token_for(member.id, member.credentials), False
        member = await self._new_guest()
        return member, self.token_for(member.id), True

    async def restore(self, code: str) -> tuple[Member, str]:
        """Come back with a code, which ends every token and connection that there was. Raises CODE_UNKNOWN, or BUSY."""
        hashed = await self._hasher.hash(parse_code(code), self._code_pepper, is_return=True)
        member = await self._store.member_by_code(hashed)
        if member is None:
            raise Refusal(Reason.CODE_UNKNOWN)
        return await self._sign_out_others(member, drops_code=False)

    async def sign_out_others(self, token: str | None) -> tuple[Member, str]:
        """End every token and connection of the member behind this token, and their come-back code, which somebody else
        may know. Returns them with a new token. Raises IDENTITY_REQUIRED."""
        return await self._sign_out_others(await self._require(token), drops_code=True)

    async def _sign_out_others(self, member: Member, *, drops_code: bool) -> tuple[Member, str]:
        credentials = await self._store.raise_credentials(member.id, self._now(), drops_code=drops_code)
        self.on_raised(member.id, credentials)
        after = msgspec.structs.replace(member, credentials=credentials, has_code=member.has_code and not drops_code)
        return after, self.token_for(member.id, credentials)

    async def make_code(self, member: MemberId) -> str:
        """Make a new come-back code, which only its reader knows. Raises BUSY."""
        code = make_code(self._draw)
        hashed = await self._hasher.hash(code, self._code_pepper, is_return=False)
        await self._store.set_code(member, hashed)
        return code

    def require_room_for_codes(self) -> None:
        """Raise BUSY where too many members want a code at this moment."""
        self._hasher.require_room()

    async def make_words(self) -> tuple[str, bytes]:
        """Return come-back words and the hash under which they are kept. They lead to a listener, and name nobody."""
        words = make_code(self._draw, WORDS_OF_A_MEETING)
        return words, await self._hasher.hash(words, self._words_pepper, is_return=False)

    async def listener_of_words(self, words: str) -> MemberId:
        """Return the listener to whom come-back words lead. Raises WORDS_UNKNOWN."""
        try:
            parsed = parse_code(words, WORDS_OF_A_MEETING)
        except Refusal:
            raise Refusal(Reason.WORDS_UNKNOWN) from None
        hashed = await self._hasher.hash(parsed, self._words_pepper, is_return=True)
        listener = await self._store.listener_of_words(hashed, self._now())
        if listener is None:
            raise Refusal(Reason.WORDS_UNKNOWN)
        return listener

    async def rename(self, member: MemberId, wanted: str, rooms: Collection[RoomId]) -> Persona:
        """Give a member a new name; `rooms` are those where they are now. Raises NAME_REFUSED or NAME_TAKEN."""
        name = clean_name(wanted, max_length=self._name_length, staff_keys=self.staff_keys)
        generation = await self._store.rename(member, name.name, name.key, rooms, self._name_rules())
        return Persona(member, name.name, generation)

    def _name_rules(self) -> NameRules:
        now = self._now()
        return NameRules(now, since=Millis(now - NEAR_NAMES), until=Millis(now + self.room_age))

    async def export(self, token: str | None) -> Export:
        """Return everything that is kept about the member. Raises IDENTITY_REQUIRED."""
        return await self.export_of((await self._require(token)).id)

    async def export_of(self, member: MemberId) -> Export:
        """Return everything that is kept about a member who has proved who they are in another way."""
        export = await self._store.export(member, self._now())
        if export is None:
            raise Refusal(Reason.IDENTITY_REQUIRED)
        ends = {session.id: session.forget_at for session in export.sessions}
        sealed = tuple(
            msgspec.structs.replace(
                copy,
                until=ends.get(SessionId(copy.room)) if copy.is_in_session else Millis(copy.post_at + self.room_age),
            )
            for copy in export.sealed
        )
        return msgspec.structs.replace(export, sealed=sealed)

    async def moderation_notices(self, token: str | None) -> ModerationNotices:
        """Return what moderation has to tell the member. Raises IDENTITY_REQUIRED."""
        return await self._store.moderation_notices((await self._require(token)).id, self._now())

    async def appeal(self, token: str | None, measure: str, text: str) -> None:
        """Keep a member's answer to a measure, of which there may be one. Raises IDENTITY_REQUIRED, MEASURE_UNKNOWN,
        APPEALED or TEXT_EMPTY."""
        await self._store.appeal((await self._require(token)).id, measure, text, self._now())

    async def _require(self, token: str | None) -> Member:
        member = await self.known(token)
        if member is None:
            raise Refusal(Reason.IDENTITY_REQUIRED)
        return member

    async def erase(self, token: str | None) -> None:
        """Erase the member and everything they wrote at once. Raises IDENTITY_REQUIRED.

        A member who does not exist any more is erased again, because an earlier attempt may have been interrupted. It
        may have left words in the database's files, or connections open."""
        named = self._named(token)
        if named is None:
            raise Refusal(Reason.IDENTITY_REQUIRED)
        member = await self._store.member(named.member)
        if member is not None and member.credentials != named.credentials:
            raise Refusal(Reason.IDENTITY_REQUIRED)
        await self.erase_member(named.member)

    async def erase_member(self, member: MemberId) -> None:
        """Erase a member who has proved who they are in another way. Raises NOT_ALLOWED for the last operator."""
        await self.on_erasing(member)
        publications = await self._store.erase(member, self._now())
        self.on_erased(member, publications)

    def new_session_id(self) -> SessionId:
        """Return an id for a one-to-one session."""
        return SessionId(ID_PREFIXES[RoomKind.SESSION] + _letters(self._draw))

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
    """Return an id for a new member."""
    return MemberId("m_" + _letters(draw))


def _letters(draw: Callable[[int], int]) -> str:
    # Drawn at once: each draw asks the operating system.
    number, letters = draw(len(_ALPHABET) ** _ID_LENGTH), []
    for _ in range(_ID_LENGTH):
        number, letter = divmod(number, len(_ALPHABET))
        letters.append(_ALPHABET[letter])
    return "".join(letters)


async def _nothing(member: MemberId) -> None:
    """Do nothing, where nobody else has to know beforehand."""
