"""Writes `frames.json`: what the tests of the web client are fed with is what this server really sends.

`scripts/test` runs it before those tests; `python -m tests.web.frames` runs it alone.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import ChannelName, CommandId, Epoch, Millis, Offset, StreamPosition
from chatserver.domain.identity import MemberId, Person
from chatserver.domain.meetings import groups
from chatserver.domain.meetings.forms import ANSWERS, FORMS, LONGEST, ONE_HOST_SEATS, SHORTEST
from chatserver.domain.meetings.state import MINUTE
from chatserver.domain.rooms.rooms import Reaction, Room, RoomId
from chatserver.handlers.meetings.commands import REASON_LENGTH
from chatserver.protocol.codes import error_body
from chatserver.protocol.fields import DoneOk
from chatserver.protocol.meetings import examples as meetings
from chatserver.protocol.messages import (
    AnyOk,
    AnyServerMessage,
    CodeOk,
    DrainingPush,
    ErrorReply,
    HelloOk,
    LimitsView,
    RenameOk,
    Reply,
    RoomSelf,
    SelfPush,
)
from chatserver.protocol.operating import examples as operating
from chatserver.protocol.operating.screening_messages import ScreeningOk
from chatserver.protocol.rooms.messages import (
    CountsPush,
    EditedPush,
    FactOk,
    FactPush,
    GapPush,
    HistoryOk,
    JoinOk,
    PostedPush,
    PostView,
    PresencePush,
    ReactedPush,
    RedactedPush,
    RoomCard,
    RoomChangedPush,
    RoomPerson,
    RoomsOk,
    TypingPush,
)

_FILE: Final = Path(__file__).parent / "frames.json"
_EPOCH: Final = Epoch("e1")
_SLEEP: Final = ChannelName("room:sleep")
_ANNE: Final = Person(MemberId("m_anne"), "Quiet Otter")
_BEN: Final = RoomPerson(MemberId("p_ben"), "Slow Heron")
_HERE: Final = RoomPerson(MemberId("p_anne"), "Quiet Otter")
"""Anne, as she is known in the room."""
_HIDDEN: Final = Person(MemberId("p_list_ben"), "Slow Heron")
"""Ben, in the list of those whom Anne hides."""
_LIMITS: Final = {
    "name": groups.NAME_LENGTH,
    "about": groups.ABOUT_LENGTH,
    "agreement": groups.AGREEMENT_LENGTH,
    "line": groups.LINE_LENGTH,
    "lines": groups.MOST_LINES,
    "why": groups.WHY_LENGTH,
    "reason": REASON_LENGTH,
    "cohosts": groups.MOST_COHOSTS,
    "dates": groups.MOST_DATES,
    "closedAfter": 1_000,
    "oneHostSeats": ONE_HOST_SEATS,
    "answers": ANSWERS // MINUTE,
    "shortest": SHORTEST,
    "longest": LONGEST,
}
"""What the form of a group keeps to."""
_START: Final = 1_790_000_000_000

_ROOM: Final = Room(
    id=RoomId("sleep"),
    name="Awake at night",
    about="For anyone who can't sleep.",
    topic="Who else is awake?",
    welcome="Hello, night owl.",
    agreement="Listen first.",
)


def _at(offset: int) -> Millis:
    return Millis(_START + offset * 1_000)


def _post(offset: int, author: Person, text: str, **fields: Any) -> PostView:
    return PostView(offset=Offset(offset), author=author.id, name=author.name, text=text, at=_at(offset), **fields)


def _posted(post: PostView) -> PostedPush:
    return PostedPush(channel=_SLEEP, epoch=_EPOCH, offset=post.offset, at=post.at, post=post)


def _join(history: Literal["page", "exact", "gap"], position: int, **fields: Any) -> JoinOk:
    given: dict[str, Any] = {"posts": [], "mine": {}, "missed": [], "more": False, "read": Offset(0), "unread": 0}
    return JoinOk(
        room=_ROOM,
        position=StreamPosition(_EPOCH, Offset(position)),
        history=history,
        here=2,
        people=[_HERE, _BEN],
        retention_seconds=86_400,
        me=[_HERE.id],
        hidden=[],
        **{**given, **fields},
    )


def _facts() -> list[FactPush]:
    """Offsets 4 to 10, after the page that holds 1 to 3."""
    where: dict[str, Any] = {"channel": _SLEEP, "epoch": _EPOCH}
    return [
        _posted(_post(4, _BEN, "Same fridge, I think.", reply_to=Offset(1))),
        _posted(_post(5, _HERE, "It is a year today.", warning="loss of a parent")),
        ReactedPush(
            **where,
            offset=Offset(6),
            at=_at(6),
            target=Offset(5),
            by=_BEN.id,
            reaction=Reaction.WITH_YOU,
            on=True,
            counts={Reaction.WITH_YOU: 1},
        ),
        EditedPush(**where, offset=Offset(7), at=_at(7), target=Offset(4), text="Same fridge.", edited_at=_at(7)),
        RedactedPush(**where, offset=Offset(8), at=_at(8), target=Offset(2)),
        RoomChangedPush(
            **where, offset=Offset(9), at=_at(9), room=msgspec.structs.replace(_ROOM, topic="Rain", slow_mode=10)
        ),
        _posted(_post(10, _BEN, "Good night.")),
    ]


def _replies() -> dict[str, AnyOk]:
    page = [_post(1, _HERE, "The house is so quiet."), _post(2, _BEN, "Hello."), _post(3, _HERE, "Hello, Ben.")]
    cards = [
        RoomCard(
            id=_ROOM.id,
            name=_ROOM.name,
            about=_ROOM.about,
            here=2,
            capacity=50,
            slow_mode=0,
            agreement_version=1,
            agreed=True,
            unread=3,
        ),
        RoomCard(
            id=RoomId("grief"),
            name="Missing someone",
            about="For anyone who has lost someone.",
            here=0,
            capacity=40,
            slow_mode=10,
            agreement_version=1,
            agreed=False,
        ),
    ]
    return {
        "hello": HelloOk(
            version=1,
            member=_ANNE,
            has_code=False,
            muted=[],
            limits=LimitsView(
                frame_bytes=16_384,
                text_length=2_000,
                warning_length=80,
                rooms_per_connection=20,
                edit_seconds=600,
                ping_seconds=25,
                commands_per_second=10.0,
                command_burst=40.0,
                member_commands_per_second=20.0,
                member_command_burst=80.0,
                posts_per_second=1.0,
                post_burst=30.0,
                reactions_per_second=0.5,
                reaction_burst=30.0,
            ),
            now=_at(0),
        ),
        "rooms": RoomsOk(rooms=cards),
        "join_page": _join("page", 3, posts=page, mine={Offset(2): [Reaction.HUG]}, more=True),
        "join_exact": _join("exact", 10, missed=_facts(), more=True, unread=2, read=Offset(3)),
        "join_gap": _join("gap", 40, posts=[_post(39, _BEN, "Still here."), _post(40, _BEN, "Still.")], unread=9),
        "history": HistoryOk(
            # After the facts of `join_exact`.
            position=StreamPosition(_EPOCH, Offset(10)),
            posts=[_post(1, _HERE, "The house is so quiet."), _post(2, _BEN, "", redacted=True)],
            mine={},
            more=False,
        ),
        "fact": FactOk(at=_at(11), epoch=_EPOCH, offset=Offset(11)),
        "fact_already": FactOk(at=_at(11)),
        "rename": RenameOk(Person(_ANNE.id, "Loud Otter")),
        "code": CodeOk("macaroni refresh picture glitter alcove oregano"),
        "done": DoneOk(),
    }


def _frames() -> dict[str, Any]:
    """Every frame by a name: replies, refusals, facts in their order, and the other pushes."""
    replies = {name: Reply(re=CommandId("1"), ok=ok) for name, ok in _replies().items()}
    refusals = {
        "slow_mode": Refusal(Reason.SLOW_MODE, retry_after=7.5),
        "text_too_long": Refusal(Reason.TEXT_TOO_LONG, details={"limit": 2_000}),
        "room_full": Refusal(
            Reason.ROOM_FULL,
            retry_after=60.0,
            details={"rooms": [{"id": "grief", "name": "Missing someone", "here": 3}]},
        ),
        "storage_unavailable": Refusal(Reason.STORAGE_UNAVAILABLE, retry_after=2.0),
    }
    pushes: dict[str, AnyServerMessage] = {
        "own": _posted(_post(11, _HERE, "I am still up.")),
        "presence": PresencePush(
            channel=_SLEEP, here=2, came=[RoomPerson(MemberId("p_cleo"), "Warm Fern", "moderator")], went=[_BEN.id]
        ),
        "presence_whole": PresencePush(
            channel=_SLEEP, here=2, came=[], went=[], people=[_HERE, RoomPerson(MemberId("p_cleo"), "Warm Fern")]
        ),
        "typing": TypingPush(channel=_SLEEP, member=_BEN.id),
        "counts": CountsPush(here={RoomId("sleep"): 12, RoomId("grief"): 4}),
        "gap": GapPush(channel=_SLEEP, position=StreamPosition(_EPOCH, Offset(40))),
        "self": SelfPush(
            member=Person(_ANNE.id, "Loud Otter"),
            muted=[_HIDDEN],
            rooms={_ROOM.id: RoomSelf(me=[MemberId("p_anne2"), _HERE.id], hidden=[_BEN.id])},
        ),
        "draining": DrainingPush(reconnect_after=3.25),
    }
    errors = {name: ErrorReply(re=CommandId("1"), error=error_body(no)) for name, no in refusals.items()}
    screening = next(reply for reply in operating.REPLIES if isinstance(reply.ok, ScreeningOk))
    return {
        "replies": {**{name: _plain(frame) for name, frame in replies.items()}, "screening": _plain(screening)},
        "errors": {name: _plain(frame) for name, frame in errors.items()},
        "facts": [_plain(fact) for fact in _facts()],
        "pushes": {name: _plain(push) for name, push in pushes.items()},
        "meetings": {
            "groups": _plain(meetings.REPLIES[0]),
            "meeting": _plain(meetings.REPLIES[2]),
            "push": _plain(meetings.PUSHES[0]),
            "gone": _plain(meetings.PUSHES[1]),
            "forms": {
                form.value: {
                    "seats": rules.seats,
                    "mostSeats": rules.most_seats,
                    "phases": [[each.kind.value, each.minutes] for each in rules.phases],
                }
                for form, rules in FORMS.items()
            },
            "limits": _LIMITS,
        },
    }


def _plain(frame: AnyServerMessage) -> Any:
    return json.loads(msgspec.json.encode(frame))


if __name__ == "__main__":
    _FILE.write_text(json.dumps(_frames(), indent=1, ensure_ascii=False) + "\n", "utf-8")
