"""Every command in one table: what runs it and what it costs. The checks stand here, once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from msgspec import Struct

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.identity import Person
from chatserver.domain.moderation import MeasureKind
from chatserver.domain.staff import Capability, require
from chatserver.handlers import listening, load, members, moderation, rooms, sign_ins, steering
from chatserver.handlers.answer import Answer
from chatserver.handlers.connection import Connection
from chatserver.handlers.node import Node
from chatserver.protocol.fields import Command
from chatserver.protocol.house import (
    Announce,
    AnnounceAll,
    AskHouse,
    ChangeRoom,
    CloseRoom,
    DeclareRaid,
    DeclareRaidOnAll,
    DrainWorker,
    EndRaid,
    OpenRoom,
    PlanSplit,
    ReopenRoom,
    SetHours,
    SettleMove,
    SlowRoom,
    SplitRoom,
    Withdraw,
)
from chatserver.protocol.listening import (
    AcceptProposal,
    AnswerCheck,
    AnswerInvitation,
    AskConsole,
    AskForListener,
    AskPractice,
    AskStanding,
    BeAvailable,
    BlockPerson,
    ChangeProfile,
    DebriefNote,
    DeclineProposal,
    EndTalk,
    ExtendTalk,
    Feedback,
    FlagTalk,
    Invite,
    LeaveQueue,
    MakeWords,
    ReportPerson,
    StillThere,
    TakeBack,
    TalkAgainCommand,
)
from chatserver.protocol.load import AskLoad
from chatserver.protocol.messages import (
    AnyCommand,
    DoneOk,
    EditCommand,
    Hello,
    JoinRoom,
    LeaveRoom,
    ListRooms,
    MakeCode,
    MarkRead,
    MuteMember,
    PageHistory,
    Ping,
    PostCommand,
    ReactCommand,
    RedactCommand,
    Rename,
    Typing,
)
from chatserver.protocol.moderation import (
    AskDebriefs,
    AskReports,
    ClaimReport,
    CloseReport,
    LiftMeasure,
    NoteReport,
    OpenReport,
    ReadDebrief,
    ReleaseReport,
    ReportPost,
    SeenMatters,
    TakeMeasureCommand,
)

# Any: each handler takes its own command type, and the table is what matches them.
Handler = Callable[[Node, Connection, Person, Any], Awaitable[Answer]]


class Row(Struct, frozen=True):
    """`cost` is in tokens of the connection's and the member's buckets: what an ordinary command costs is 1.
    `needs` is what one must be allowed to do; without it the command is every member's. What `is_dangerous` needs the
    password to have been given within the last ten minutes."""

    handler: Handler
    cost: float = 1.0
    needs: Capability | None = None
    is_dangerous: bool = False


async def _ping(node: Node, connection: Connection, person: Person, command: Ping) -> Answer:
    return Answer(DoneOk())


TABLE: Final[dict[type[Command], Row]] = {
    ListRooms: Row(rooms.list_rooms, 2.0),
    JoinRoom: Row(rooms.join, 2.0),
    LeaveRoom: Row(rooms.leave),
    PostCommand: Row(rooms.post),
    EditCommand: Row(rooms.edit),
    RedactCommand: Row(rooms.redact),
    ReactCommand: Row(rooms.react),
    PageHistory: Row(rooms.history, 2.0),
    MarkRead: Row(rooms.mark_read, 0.5),
    Typing: Row(rooms.typing, 0.5),
    AskStanding: Row(listening.standing, 2.0),
    AskForListener: Row(listening.ask, 5.0),
    LeaveQueue: Row(listening.leave_queue, 2.0),
    TakeBack: Row(listening.take_back, 2.0),
    Feedback: Row(listening.feedback, 2.0),
    EndTalk: Row(listening.end, 2.0),
    ExtendTalk: Row(listening.extend, 2.0),
    TalkAgainCommand: Row(listening.again, 2.0),
    MakeWords: Row(listening.words, 20.0),
    BlockPerson: Row(listening.block, 2.0),
    ReportPerson: Row(listening.report, 10.0),
    AnswerInvitation: Row(listening.answer_invitation, 2.0),
    AskConsole: Row(listening.console, 2.0, needs=Capability.LISTEN),
    ChangeProfile: Row(listening.profile, 5.0, needs=Capability.LISTEN),
    BeAvailable: Row(listening.available, 2.0, needs=Capability.LISTEN),
    StillThere: Row(listening.still_here, needs=Capability.LISTEN),
    AcceptProposal: Row(listening.accept, 2.0, needs=Capability.LISTEN),
    DeclineProposal: Row(listening.decline, 2.0, needs=Capability.LISTEN),
    FlagTalk: Row(listening.flag, 2.0, needs=Capability.LISTEN),
    Invite: Row(listening.invite, 2.0, needs=Capability.LISTEN),
    DebriefNote: Row(listening.debrief, 5.0, needs=Capability.LISTEN),
    AskPractice: Row(listening.practise, 2.0, needs=Capability.LISTEN),
    AnswerCheck: Row(listening.check, 5.0, needs=Capability.LISTEN),
    ReportPost: Row(moderation.report_post, 10.0),
    SeenMatters: Row(moderation.seen, 2.0),
    AskReports: Row(moderation.reports, 2.0, needs=Capability.MODERATE),
    OpenReport: Row(moderation.open_report, 2.0, needs=Capability.MODERATE),
    ClaimReport: Row(moderation.claim, 2.0, needs=Capability.MODERATE),
    ReleaseReport: Row(moderation.release, 2.0, needs=Capability.MODERATE),
    NoteReport: Row(moderation.note, 2.0, needs=Capability.MODERATE),
    CloseReport: Row(moderation.close, 2.0, needs=Capability.MODERATE),
    TakeMeasureCommand: Row(moderation.measure, 5.0, needs=Capability.MODERATE),
    LiftMeasure: Row(moderation.lift, 5.0, needs=Capability.MODERATE),
    AskDebriefs: Row(moderation.debriefs, 2.0, needs=Capability.SUPERVISE),
    ReadDebrief: Row(moderation.read_debrief, 2.0, needs=Capability.SUPERVISE),
    AskLoad: Row(load.load, 5.0, needs=Capability.SEE_LOAD),
    SettleMove: Row(steering.settle, 2.0),
    AskHouse: Row(steering.ask, 2.0, needs=Capability.SEE_LOAD),
    OpenRoom: Row(steering.open_room, 5.0, needs=Capability.OPERATE),
    ChangeRoom: Row(steering.change, 5.0, needs=Capability.OPERATE),
    SlowRoom: Row(steering.slow, 5.0, needs=Capability.MODERATE),
    CloseRoom: Row(steering.close, 5.0, needs=Capability.OPERATE, is_dangerous=True),
    ReopenRoom: Row(steering.reopen, 5.0, needs=Capability.OPERATE),
    Announce: Row(steering.announce, 5.0, needs=Capability.MODERATE),
    AnnounceAll: Row(steering.announce, 5.0, needs=Capability.OPERATE, is_dangerous=True),
    Withdraw: Row(steering.withdraw, 5.0, needs=Capability.MODERATE),
    SetHours: Row(steering.set_hours, 5.0, needs=Capability.OPERATE),
    PlanSplit: Row(steering.plan, 5.0, needs=Capability.OPERATE),
    SplitRoom: Row(steering.split, 5.0, needs=Capability.OPERATE, is_dangerous=True),
    DeclareRaid: Row(steering.raid, 5.0, needs=Capability.OPERATE),
    DeclareRaidOnAll: Row(steering.raid, 5.0, needs=Capability.OPERATE, is_dangerous=True),
    EndRaid: Row(steering.end_raid, 5.0, needs=Capability.OPERATE),
    DrainWorker: Row(steering.drain, 5.0, needs=Capability.OPERATE, is_dangerous=True),
    MuteMember: Row(members.mute),
    Rename: Row(members.rename, 5.0),
    MakeCode: Row(members.make_code, 20.0),
    Ping: Row(_ping, 0.25),
}


async def dispatch(node: Node, connection: Connection, command: AnyCommand) -> Answer:
    """Run one command of one connection. Raises Refusal or StoreUnavailable."""
    if isinstance(command, Hello):
        pay(node, connection, 1.0)
        hello = sign_ins.hello if command.staff else members.hello
        return await hello(node, connection, command)
    person = connection.person
    if person is None:
        raise Refusal(Reason.HELLO_REQUIRED)
    row = TABLE[type(command)]
    pay(node, connection, row.cost)
    if row.needs is not None:
        require(connection.roles, row.needs)
    if row.is_dangerous or is_ban(command):
        await sign_ins.require_confirmed(node, connection)
    return await row.handler(node, connection, person, command)


def is_ban(command: AnyCommand) -> bool:
    """Of all measures it is the dangerous one; the others must not wait for a password."""
    return isinstance(command, TakeMeasureCommand) and command.kind is MeasureKind.BAN


def pay(node: Node, connection: Connection, cost: float) -> None:
    """Charge a connection and its member. Raises RATE_LIMITED."""
    now = node.monotonic()
    wait = connection.bucket.take(cost, now)
    if wait == 0 and connection.member_bucket is not None:
        wait = connection.member_bucket.take(cost, now)
    if wait > 0:
        raise Refusal(Reason.RATE_LIMITED, retry_after=wait)
