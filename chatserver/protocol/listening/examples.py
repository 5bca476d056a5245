"""One real example of every message of one-to-one, like `examples`: Quiet Wren asks, Calm Heron listens."""

from __future__ import annotations

from typing import Any, Final

from chatserver.domain.history import CommandId, Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.listening.company import CompanyId
from chatserver.domain.listening.state import Need, SessionId, Trait, room_of_session
from chatserver.domain.rooms.rooms import RoomId
from chatserver.protocol import messages as m
from chatserver.protocol.listening.company import CompanyOffer, CompanyPerson, CompanyView, HostingOk, HostingPush
from chatserver.protocol.listening.views import (
    CheckOk,
    ConsoleOk,
    ConsolePush,
    PracticeOk,
    ProfileView,
    ProposalView,
    QuestionView,
    SceneLine,
    SceneView,
    SessionPerson,
    SessionView,
    StandingOk,
    StandingPush,
    TalkOk,
    WordsOk,
)

_NOW: Final = Millis(1_767_225_600_000)
_WREN: Final = MemberId("p_a5Wq9KzT1vYh3RbNmE7uXcJd0LsGfPiOtQ")
_HERON: Final = MemberId("p_t7BqYw3eXk5NcR2jZ8vDhLmU1sKaFoGyTw")
_PROPOSAL: Final = "p_kXMKlKHh1sdq4B7EepzhGPRaFGaJvjcNtp3RF_i4"
_TALK: Final = SessionId("s-4f9kq2mzx7b3wc8h")


def _id(number: int) -> CommandId:
    return CommandId(f"c2-{number}")


_SESSION: Final = SessionView(
    id=_TALK,
    room=room_of_session(_TALK),
    me=_WREN,
    people=(
        SessionPerson(id=_WREN, name="Quiet Wren", role="seeker"),
        SessionPerson(id=_HERON, name="Calm Heron", role="listener"),
    ),
    started_at=_NOW,
    ends_at=Millis(_NOW + 45 * 60_000),
    idle_at=Millis(_NOW + 10 * 60_000),
    can_extend=True,
    extension_minutes=15,
    topics=("sleep",),
)
_STANDING: Final[dict[str, Any]] = {
    "version": 7,
    "open": True,
    "listeners": 2,
    "free": 1,
    "waiting": 3,
    "kept_seconds": 180,
    "length_minutes": 45,
    "idle_minutes": 10,
    "languages": ("en",),
    "topics": (RoomId("sleep"), RoomId("grief")),
}
_CONSOLE: Final[dict[str, Any]] = {
    "version": 7,
    "state": "free",
    "wants": True,
    "profile": ProfileView(
        languages=("en",),
        traits=(Trait.FROM_40_TO_60,),
        lived=("sleep",),
        not_topics=(),
        needs=(Need.LISTEN, Need.THINK),
        most_minutes=None,
        cap=2,
        openings=("I'm here. No rush.",),
    ),
    "most_cap": 4,
    "languages": ("en", "de"),
    "topics": (RoomId("sleep"), RoomId("grief")),
    "today": 1,
    "day_cap": 8,
    "week": 5,
    "week_cap": 30,
    "waiting": 3,
    "lease_until": Millis(_NOW + 600_000),
    "proposal": ProposalView(
        id=_PROPOSAL,
        asked_at=Millis(_NOW - 240_000),
        deadline=Millis(_NOW + 30_000),
        topics=("sleep",),
        need=Need.LISTEN,
        heavy=4,
        why=("longest_waiting", "lived"),
    ),
}

_ROBIN: Final = MemberId("p_h2RwT8nYq4VbXc6ZkL9sMdJ3GfPuAoEi1K")
_COMPANY: Final = CompanyView(
    id=CompanyId("c--7h2vq8nfk4x9mz3c"),
    room=RoomId("c--7h2vq8nfk4x9mz3c"),
    me=_WREN,
    people=(
        CompanyPerson(id=_ROBIN, name="Robin · facilitator", role="host"),
        CompanyPerson(id=_WREN, name="Quiet Wren", role="seeker"),
    ),
    seats=5,
    until=Millis(_NOW + 60 * 60_000),
)
_HOSTING: Final[dict[str, Any]] = {"version": 7, "waiting": 3, "sitting": 1, "minutes": 60, "languages": ("en",)}

REPLIES: Final[tuple[m.Reply, ...]] = (
    m.Reply(
        re=_id(1),
        ok=StandingOk(**_STANDING, state="waiting", place=3, asked_at=_NOW, estimate_seconds=240, estimate_from=5),
    ),
    m.Reply(
        re=_id(2),
        ok=StandingOk(
            **_STANDING,
            state="waiting",
            place=3,
            asked_at=_NOW,
            offer=CompanyOffer(id=_COMPANY.id, host="Robin · facilitator", sit=2, ask=True),
        ),
    ),
    m.Reply(re=_id(3), ok=HostingOk(**_HOSTING, company=_COMPANY)),
    m.Reply(re=_id(9), ok=WordsOk("amber river stone lantern", Millis(_NOW + 90 * 86_400_000))),
    m.Reply(re=_id(13), ok=ConsoleOk(**_CONSOLE)),
    m.Reply(re=_id(17), ok=TalkOk(_TALK, room_of_session(_TALK))),
    m.Reply(
        re=_id(22),
        ok=PracticeOk(
            scenes=(
                SceneView(
                    says=("hi. not sure why i'm here",),
                    answers=(
                        SceneLine(
                            text="I'm glad you are. Take your time.",
                            reply=("ok. thanks",),
                            advice="Warm, short, and it asks for nothing.",
                            is_good=True,
                            next=None,
                        ),
                    ),
                ),
            ),
            questions=(
                QuestionView(text="Somebody asks where you live.", answers=("Tell them", "Say kindly that you don't")),
            ),
        ),
    ),
    m.Reply(re=_id(23), ok=CheckOk(passed=False, again={4: "Nobody promises to keep a danger to a life secret."})),
)

PUSHES: Final[tuple[m.AnyPush, ...]] = (
    StandingPush(**_STANDING, state="session", session=_SESSION),
    ConsolePush(**_CONSOLE),
    HostingPush(**_HOSTING),
)
