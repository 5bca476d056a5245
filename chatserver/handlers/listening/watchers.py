"""Which connections are shown their view of one-to-one listening, and what each was shown last.

A thousand people who wait are shown their places several times a second. Those who are about to meet somebody come
first, and other work of the event loop runs in between.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis
from chatserver.handlers.connection import Connection
from chatserver.handlers.listening import views
from chatserver.handlers.listening.views import Picture, View, ViewKind
from chatserver.protocol.listening.views import StandingOk

_VIEWS_AT_ONCE: Final = 200
_VIEWS_PAUSE: Final = 0.02
"""How many people are shown something before others have the loop, and for how many seconds."""


class Watchers:
    """The connections here that are shown their own view of the queue and its sessions. `picture` returns the newest
    picture, `now` the time by the database's clock."""

    def __init__(self, picture: Callable[[], Picture], now: Callable[[], Millis], outbox_bytes: int) -> None:
        self._current = picture
        self._now = now
        self._outbox_bytes = outbox_bytes
        self._watching: dict[Connection, dict[ViewKind, View | None]] = {}
        """Who is to be told, of what, and what they were last told."""
        self._numbers: dict[Connection, int] = {}
        """The number of the newest view that a connection was given."""

    @property
    def _picture(self) -> Picture:
        return self._current()

    def watch(self, connection: Connection, kind: ViewKind) -> View:
        """Show this connection from now on whenever its view of that kind changes. Returns the view as it is now.
        Raises NOT_LISTENER where somebody who is no listener asks for the console."""
        view = self._view(connection, kind)
        if view is None:
            raise Refusal(Reason.NOT_LISTENER)
        told = self._watching.setdefault(connection, {})
        told[kind] = view = self._numbered(connection, view, told.get(kind))
        return view

    def closed(self, connection: Connection) -> None:
        """Forget a connection whose socket is gone."""
        self._watching.pop(connection, None)
        self._numbers.pop(connection, None)

    async def show(self, *, again: bool) -> None:
        """Show their view to everybody for whom it has changed; with `again` also where only estimates have aged."""
        shown = -1
        waiting = [one for one in self._watching if not self._is_urgent(one) and not self._is_onlooker(one)]
        for start in range(0, len(waiting) + 1, _VIEWS_AT_ONCE):
            if shown != self._picture.state.version or again:
                # Whoever has somebody to meet does not wait until a thousand others know their new place.
                shown, again = self._picture.state.version, False
                self._show_each([one for one in self._watching if self._is_urgent(one)])
            self._show_each(waiting[start : start + _VIEWS_AT_ONCE])
            if start + _VIEWS_AT_ONCE < len(waiting):
                await asyncio.sleep(_VIEWS_PAUSE)

    def _is_urgent(self, connection: Connection) -> bool:
        """Return whether a member listens, is in a session or a company, or is about to be."""
        if connection.person is None:
            return False
        member = connection.person.id
        seeker = self._picture.state.seekers.get(member)
        return (
            member in self._picture.state.listeners
            or member in self._picture.sessions
            or member in self._picture.companies
            or (seeker is not None and seeker.proposal is not None)
        )

    def _is_onlooker(self, connection: Connection) -> bool:
        """Whether they have nothing to do with the floor, as most people at most times: every page watches it, and how
        many wait and listen is told to those who ask for it."""
        person, told, picture = connection.person, self._watching[connection].get("standing"), self._picture
        return (
            person is not None
            and isinstance(told, StandingOk)
            and told.state == "none"
            and (told.open, told.opens_at) == (picture.is_open, picture.opens_at)
            and not picture.concerns(person.id)
        )

    def _show_each(self, connections: Iterable[Connection]) -> None:
        for connection in connections:
            told = self._watching.get(connection, {})
            for kind, before in told.items():
                view = self._view(connection, kind)
                if view is not None and (before is None or not views.is_same(view, before)):
                    view = self._numbered(connection, view, None)
                    told[kind] = view if self._send(connection, view) else None

    def _numbered(self, connection: Connection, view: View, before: View | None) -> View:
        """Return a view with its number: that of the one before where it says the same, else the time, which rises over
        all workers. The floor's own version would tell whoever counts it of what others did, such as report them."""
        if before is not None and views.is_same(view, before):
            return before
        number = self._numbers[connection] = max(self._now(), self._numbers.get(connection, 0) + 1)
        return msgspec.structs.replace(view, version=number)

    def _send(self, connection: Connection, view: View) -> bool:
        if connection.outbox.wire.buffered() > self._outbox_bytes:
            # It is told when it has room again: the newest is right.
            return False
        connection.outbox.send(views.push(view))
        return True

    def _view(self, connection: Connection, kind: ViewKind) -> View | None:
        if connection.person is None:
            return None
        member = connection.person.id
        if kind == "hosting":
            return views.hosting(self._picture, member)
        return views.standing(self._picture, member) if kind == "standing" else views.console(self._picture, member)
