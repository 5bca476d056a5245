"""A floor in a house: those who ask, those who listen, and what each of them is shown."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable
from typing import Any, Final

from chatserver.domain.listening.training import QUESTIONS
from chatserver.protocol.codec import Encoding
from tests.conformance.clusters import Cluster, Meet
from tests.conformance.peer import PATIENCE, Peer, Refused
from tests.conformance.personnel import Personnel
from tests.conformance.traffic import Traffic

Json = dict[str, Any]
ANSWERS: Final = [question.right for question in QUESTIONS]
SECONDS: Final = 1 / 60
"""Of what is configured in minutes."""
LONGEST_MINUTES: Final = 60.0
FLOOR: Final = {
    "pause_minutes": 0,
    "longest_minutes": LONGEST_MINUTES,
    "sessions_a_day": 1_000,
    "sessions_a_week": 1_000,
    "sessions_per_member_a_day": 1_000,
    "brief_seconds": 0,
    "rest_seconds": 0,
}
"""What is as it comes, but for what would keep one listener, or one seeker, from a second session."""
KEEP_SECONDS: Final = 3.0
IGNORED: Final = 2
HASTY: Final = {
    "proposal_seconds": 1.5,
    "ask_again_seconds": 0.2,
    "most_ignored": IGNORED,
    "reachable_seconds": 10.0,
    "gone_seconds": 14.0,
    "pause_minutes": 1 * SECONDS,
    "cool_down_minutes": 2 * SECONDS,
    "keep_minutes": KEEP_SECONDS * SECONDS,
    "sessions_a_day": 3,
    "brief_seconds": 0,
    "nobody_after_seconds": 1.0,
    "contact_details": "refuse",
}
"""Times that a test can wait for. Who is connected is noted every five seconds: nothing that would take
somebody for gone is shorter than twice that."""
_tongues = itertools.count(100)


class Listeners:
    """The people of one test. They have a language of their own, so that nobody of another test is suggested to them,
    and leave nobody waiting behind."""

    def __init__(self, site: Cluster, personnel: Personnel, traffic: Traffic, encoding: Encoding) -> None:
        self.site = site
        self.tongue = f"x{next(_tongues)}"
        self.personnel = personnel
        self._meet = Meet(site, traffic, encoding)
        self._traffic = traffic
        self._everybody: list[Peer] = []

    async def guest(self, **hello: Any) -> Peer:
        """Somebody who has said hello and asked for nothing."""
        peer = await self._meet(**hello)
        self._everybody.append(peer)
        return peer

    async def seeker(self, **wish: Any) -> Peer:
        """Somebody who has asked."""
        peer = await self.guest()
        await self.ask(peer, **wish)
        return peer

    async def ask(self, peer: Peer, **wish: Any) -> Json:
        return await peer.ask("ask", **{"agreement": True, "language": self.tongue, **wish})

    async def learner(self) -> Peer:
        """A new listener at the console, who has not passed the check."""
        token, _ = await self.personnel.hire("listener")
        return await self.console(token)

    async def listener(self, *, is_available: bool = True, **profile: Any) -> Peer:
        """A listener who is ready, and free unless told otherwise."""
        peer = await self.learner()
        assert (await peer.ask("ready", answers=ANSWERS))["passed"] is True
        await peer.ask("profile", **{"languages": [self.tongue], **profile})
        if is_available:
            await peer.ask("available", on=True)
        return peer

    async def console(self, token: str) -> Peer:
        """Another connection of a listener, which watches the console."""
        peer = await self.guest(token=token, staff=True)
        await peer.ask("console")
        return peer

    async def session(self, seeker: Peer, listener: Peer) -> str:
        """Let this listener take this seeker, who is suggested to them; both are in its room afterwards."""
        proposal = (await view(listener, "console", lambda it: "proposal" in it))["proposal"]["id"]
        session = str((await listener.ask("accept", proposal=proposal))["session"])
        for peer in (seeker, listener):
            await peer.ask("join", room=session)
        return session

    async def pair(self, **wish: Any) -> tuple[Peer, Peer, str]:
        """Two people in a session."""
        listener = await self.listener()
        seeker = await self.seeker(**wish)
        return seeker, listener, await self.session(seeker, listener)

    async def see_off(self) -> None:
        """Everybody leaves the floor, and the house."""
        for peer in self._everybody:
            if peer.close_code is not None:
                continue
            with contextlib.suppress(Refused, AssertionError):
                standing = await peer.ask("standing")
                if standing["state"] in ("waiting", "lapsed"):
                    await peer.ask("unask")
                elif standing["state"] == "session":
                    await peer.ask("end", session=standing["session"]["id"])
                await peer.ask("available", on=False)
        await self.see_off_as_they_are()

    async def see_off_as_they_are(self) -> None:
        """Everybody's connections end, and nothing else."""
        await self._meet.see_off()


async def view(
    peer: Peer, kind: str, where: Callable[[Json], object] = lambda it: True, patience: float = PATIENCE
) -> Json:
    """The peer's `standing` or `console` as soon as it is so, by what is pushed after it was asked for."""
    start = len(peer.heard)
    await peer.ask(kind)

    def newest() -> Json | None:
        views = [shown for each in peer.heard[start:] if (shown := _shown(each, kind)) is not None]
        return views[-1] if where(views[-1]) else None

    return await peer.until(newest, patience)


def shown(peer: Peer, kind: str) -> list[Json]:
    """Every `standing` or `console` that the peer was told, as a reply or as a push."""
    return [view for each in peer.heard if (view := _shown(each, kind)) is not None]


def _shown(message: Json, kind: str) -> Json | None:
    if message.get("push") == kind:
        return message
    ok: Json = message.get("ok", {})
    return ok if ok.get("ok") == kind else None


def session_of(console: Json, session: str) -> Json:
    """One session of a listener's console."""
    return next(each for each in console["sessions"] if each["id"] == session)
