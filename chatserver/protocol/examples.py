"""One real example of every message, for the AsyncAPI document, for `docs/protocol.md` and for tests.

They tell one small story in the room `sleep`, so that ids and offsets fit together.
"""

from __future__ import annotations

from typing import Final, get_args

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import ChannelName, CommandId, Epoch, Millis, Offset, StreamPosition
from chatserver.domain.identity import MemberId, Person
from chatserver.domain.moderation.crisis_phrases import Category
from chatserver.domain.rooms.rooms import Reaction, Room, RoomId
from chatserver.protocol import messages as m
from chatserver.protocol.codes import error_body
from chatserver.protocol.exchange import examples as exchange_examples
from chatserver.protocol.fields import DoneOk, example_of
from chatserver.protocol.listening import examples as listening_examples
from chatserver.protocol.meetings import examples as meeting_examples
from chatserver.protocol.moderation import examples as moderation_examples
from chatserver.protocol.operating import examples as operating_examples
from chatserver.protocol.operating import load_examples
from chatserver.protocol.people import account_examples
from chatserver.protocol.rooms.messages import (
    CarePush,
    CountsPush,
    EditedPush,
    FactOk,
    GapPush,
    HistoryOk,
    JoinOk,
    LeftPush,
    PostedPush,
    PostView,
    PresencePush,
    ReactedPush,
    ReadingPush,
    ReadPush,
    RedactedPush,
    RoomCard,
    RoomChangedPush,
    RoomPerson,
    RoomsOk,
    TypingPush,
)

_ROOM: Final = RoomId("sleep")
_CHANNEL: Final = ChannelName("room:sleep")
_EPOCH: Final = Epoch("b7Jk2mQx")
_WREN: Final = Person(MemberId("m_8sXq4KzT1vYh3RbN"), "Quiet Wren")
_OTTER: Final = Person(MemberId("p_FXJfE6nWv_EVIsl_5TBadi0oEa2YZAhFAw"), "Brave Otter")
"""As members of the room see them."""
_ME: Final = Person(MemberId("p_nW0bZsFZ1mYv9xk4JrT2cLqEo7uHdPaG5g"), "Quiet Wren")
_HIDDEN: Final = Person(MemberId("p_Ud7LqYV2rmb3x9Zc0kEwTJf6NsAoHGi4Rw"), "Loud Goose")
_NOW: Final = Millis(1_767_225_600_000)


def _id(number: int) -> CommandId:
    return CommandId(f"c1-{number}")


_SLEEP: Final = Room(
    id=_ROOM,
    name="Can't sleep",
    about="For nights that are too long.",
    topic="What helps you at three?",
    welcome="Welcome. Nobody here minds the hour.",
    agreement="Be kind. Listen first. No advice that was not asked for.",
)
_IN_ROOM: Final = RoomPerson(_ME.id, _ME.name)
_POST: Final = PostView(
    offset=Offset(41), author=_OTTER.id, name=_OTTER.name, text="Awake again. Anyone else?", at=Millis(_NOW - 60_000)
)
_ANSWER: Final = PostView(
    offset=Offset(42), author=_ME.id, name=_ME.name, text="Yes. With you.", at=_NOW, reply_to=Offset(41)
)
_POSTED: Final = PostedPush(channel=_CHANNEL, epoch=_EPOCH, offset=Offset(42), at=_NOW, post=_ANSWER)

COMMANDS: Final[tuple[m.AnyCommand, ...]] = tuple(
    example_of(kind, _id(number)) for number, kind in enumerate(get_args(m.AnyCommand), start=1)
)
REPLIES: Final[tuple[m.Reply, ...]] = (
    m.Reply(
        re=_id(1),
        ok=m.HelloOk(
            version=m.VERSION,
            member=_WREN,
            has_code=False,
            muted=[],
            limits=m.LimitsView(
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
            now=_NOW,
            token="the token of this guest",  # noqa: S106
        ),
    ),
    m.Reply(
        re=_id(2),
        ok=RoomsOk(
            rooms=[
                RoomCard(
                    id=_ROOM,
                    name=_SLEEP.name,
                    about=_SLEEP.about,
                    here=2,
                    capacity=200,
                    slow_mode=0,
                    agreement_version=1,
                    agreed=True,
                    unread=1,
                )
            ]
        ),
    ),
    m.Reply(
        re=_id(3),
        ok=JoinOk(
            room=_SLEEP,
            position=StreamPosition(_EPOCH, Offset(42)),
            history="exact",
            posts=[],
            mine={},
            missed=[_POSTED],
            more=True,
            here=2,
            people=[_IN_ROOM, RoomPerson(_OTTER.id, _OTTER.name, "moderator")],
            read=Offset(41),
            unread=0,
            retention_seconds=86_400,
            me=[_ME.id],
            hidden=[],
        ),
    ),
    m.Reply(re=_id(4), ok=DoneOk()),
    m.Reply(re=_id(5), ok=FactOk(at=_NOW, epoch=_EPOCH, offset=Offset(42))),
    m.Reply(
        re=_id(9),
        ok=HistoryOk(
            position=StreamPosition(_EPOCH, Offset(42)),
            posts=[_POST],
            mine={Offset(41): [Reaction.WITH_YOU]},
            more=False,
        ),
    ),
    m.Reply(re=_id(13), ok=m.RenameOk(Person(_WREN.id, "Night Wren"))),
    m.Reply(re=_id(14), ok=m.CodeOk("amber-river-stone-lantern-willow-harbor")),
    *listening_examples.REPLIES,
    *meeting_examples.REPLIES,
    *exchange_examples.REPLIES,
    *moderation_examples.REPLIES,
    *load_examples.REPLIES,
    *account_examples.REPLIES,
    *operating_examples.REPLIES,
)

ERRORS: Final[tuple[m.ErrorReply, ...]] = (
    m.ErrorReply(re=_id(5), error=error_body(Refusal(Reason.SLOW_MODE, retry_after=2.5))),
    m.ErrorReply(
        re=_id(5), error=error_body(Refusal(Reason.INVALID, details={"field": "$.text", "problem": "missing"}))
    ),
    m.ErrorReply(re=None, error=error_body(Refusal(Reason.MALFORMED))),
)

PUSHES: Final[tuple[m.AnyPush, ...]] = (
    _POSTED,
    EditedPush(
        channel=_CHANNEL,
        epoch=_EPOCH,
        offset=Offset(43),
        at=_NOW,
        target=Offset(42),
        text="Yes. I am with you.",
        edited_at=_NOW,
    ),
    RedactedPush(channel=_CHANNEL, epoch=_EPOCH, offset=Offset(44), at=_NOW, target=Offset(42)),
    ReactedPush(
        channel=_CHANNEL,
        epoch=_EPOCH,
        offset=Offset(45),
        at=_NOW,
        target=Offset(41),
        by=_ME.id,
        reaction=Reaction.WITH_YOU,
        on=True,
        counts={Reaction.WITH_YOU: 1},
    ),
    RoomChangedPush(channel=_CHANNEL, epoch=_EPOCH, offset=Offset(46), at=_NOW, room=_SLEEP),
    PresencePush(channel=_CHANNEL, here=2, came=[_IN_ROOM], went=[]),
    TypingPush(channel=_CHANNEL, member=_OTTER.id),
    ReadingPush(channel=_CHANNEL),
    ReadPush(room=_ROOM, offset=Offset(412)),
    LeftPush(room=_ROOM),
    CarePush(room=_ROOM, care=Category.SELF_HARM),
    CountsPush(here={_ROOM: 2}),
    GapPush(channel=_CHANNEL, position=StreamPosition(_EPOCH, Offset(46))),
    m.SelfPush(
        member=_WREN,
        muted=[_HIDDEN],
        rooms={_ROOM: m.RoomSelf(me=[_ME.id], hidden=[MemberId("p_c9Rk1tWq8ZbYx3Vf5LmJe0NoSg7HuDaP2i")])},
    ),
    m.DrainingPush(reconnect_after=3.2),
    *listening_examples.PUSHES,
    *meeting_examples.PUSHES,
    *exchange_examples.PUSHES,
    *moderation_examples.PUSHES,
    *load_examples.PUSHES,
    *account_examples.PUSHES,
    *operating_examples.PUSHES,
)
