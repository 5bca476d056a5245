"""What is noticed in a text on its way into a room: words that a human should see, and contact details.

It is looked at after everything that this worker knows may refuse it, before the transaction that saves it, so that a
human is told in that transaction. It is looked at in small parts: where they take long, others go between them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Final, NamedTuple

from chatserver.domain.errors import Refusal
from chatserver.domain.history import Millis, Offset
from chatserver.domain.identity import Person
from chatserver.domain.listening.state import SessionId
from chatserver.domain.moderation.crisis_phrases import CARED_FOR, Category, Concern, Signal
from chatserver.domain.rooms.decide import checked
from chatserver.domain.rooms.rooms import (
    EditPost,
    Noticed,
    RoomId,
    RoomKind,
    RoomStatus,
    WritePost,
    kind_of,
    room_channel,
)
from chatserver.domain.text.contact_details import TAIL, ContactKind, Looking, contacts_across, look_for_contacts
from chatserver.handlers.rooms.context import Rooms

AT_ONCE: Final = 0.000_2
"""Seconds of looking at a text after which others may go first. The dearest part takes some times as long."""
NEWCOMER: Final = 60 * 60_000
"""Milliseconds for which somebody who is new sends no contact details into a room."""
SPLIT_WITHIN: Final = 2 * 60_000
"""Milliseconds between two posts that may hold one number together."""
_LOOKED_BACK: Final = 40
"""Publications of a room in which the author's last post is looked for."""
_KEPT: Final = 200
"""Characters of a text that could not be read which a human is told."""


class Unread(Exception):
    """A text that was not looked at, because it seemed certain to be refused, would be saved after all."""


class Read(NamedTuple):
    """What was noticed in a text: for the decision, and for people."""

    noticed: Noticed | None
    signals: tuple[Signal, ...]


NOTHING: Final = Read(Noticed(), ())


def is_sure_to_be_refused(rooms: Rooms, person: Person, room: RoomId, command: WritePost | EditPost) -> bool:
    """Return whether what this worker knows says that a post will be refused. The store decides: this only says whether
    it is worth while to look at the text."""
    place = rooms.node.rooms.get(room)
    if place is not None and place.status is not RoomStatus.OPEN:
        return True
    try:
        rooms.enforcement.require_voice(person.id, place)
    except Refusal:
        return True
    online = rooms.node.online.get(person.id)
    if place is None or online is None or isinstance(command, EditPost):
        return False
    wrote_at = online.wrote_at(room)
    return wrote_at is not None and 0 <= rooms.node.now() - wrote_at < place.pace * 1000


async def read(
    rooms: Rooms, person: Person, room: RoomId, command: WritePost | EditPost, *, is_staff: bool = False
) -> Read:
    """Look at a text. Raises StoreUnavailable."""
    try:
        text, warning = checked(command.text, command.warning, rooms.node.rules)
    except Refusal:
        return NOTHING
    reading = rooms.node.words.begin(f"{warning or ''}\n{text}")
    await _do(rooms, reading.parts())
    screening = reading.result
    kind = kind_of(room)
    contacts, is_whole = frozenset[ContactKind](), True
    if rooms.node.rules.contacts_in(kind) != "off":
        looking = Looking(text)
        await _do(rooms, looking.parts())
        contacts, is_whole = looking.result.kinds, looking.result.is_whole
        if warning:
            beside = look_for_contacts(warning)
            contacts, is_whole = contacts | beside.kinds, is_whole and beside.is_whole
        if not contacts:
            # They are read as one text.
            contacts = contacts_across(warning or "", text)
        if not contacts:
            contacts = _split(rooms, person, room, text, command.target if isinstance(command, EditPost) else None)
    is_newcomer = bool(contacts) and kind is not RoomKind.SESSION and not is_staff and await _is_new(rooms, person)
    signals = screening.signals
    if not (screening.is_whole and is_whole):
        rooms.node.metrics.unread.inc()
        signals = (*signals, _signal(Concern.UNREAD, text[:_KEPT]))
    # An edit is not asked again about kinds that stood there before: what it makes of them is to be known all the same.
    is_sent = command.anyway or isinstance(command, EditPost)
    if contacts and is_sent and kind is RoomKind.SESSION and _listens(rooms, person, room):
        signals = (*signals, _signal(Concern.CONTACT, text[:_KEPT]))
    return Read(Noticed(contacts=contacts, is_newcomer=is_newcomer), signals)


def care_for(signals: tuple[Signal, ...]) -> Category | None:
    """Return what the author is offered help with."""
    return next((Category(each.category) for each in signals if each.category in CARED_FOR), None)


async def _do(rooms: Rooms, parts: Iterator[None]) -> None:
    until = rooms.node.monotonic() + AT_ONCE
    for _ in parts:
        if rooms.node.monotonic() > until:
            await asyncio.sleep(0)
            until = rooms.node.monotonic() + AT_ONCE


def _split(rooms: Rooms, person: Person, room: RoomId, text: str, post: Offset | None) -> frozenset[ContactKind]:
    """Return what a text completes together with the author's last post; of a `post` that is changed, with the one
    before it."""
    since = Millis(rooms.node.now() - SPLIT_WITHIN)
    last = rooms.node.hub.last_text_of(room_channel(room), person.id, since, _LOOKED_BACK, TAIL, post)
    return contacts_across(last, text)


async def _is_new(rooms: Rooms, person: Person) -> bool:
    found = await rooms.node.store.member(person.id)
    return found is not None and rooms.node.now() - found.created_at < NEWCOMER


def _listens(rooms: Rooms, person: Person, room: RoomId) -> bool:
    session = rooms.listening.state.sessions.get(SessionId(room))
    return session is None or session.seeker != person.id


def _signal(concern: Concern, words: str) -> Signal:
    # One line, as every note of a signal begins with one.
    return Signal(category=concern, level=2, phrase="", words=" ".join(words.split()), start=0, end=len(words))
