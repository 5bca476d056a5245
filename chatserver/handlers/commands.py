"""Every command in one table: what runs it and who may. The checks stand here, once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from msgspec import Struct

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.identity import Persona
from chatserver.domain.moderation.measures import MeasureKind
from chatserver.domain.people.staff import Capability, require
from chatserver.handlers.answer import Answer
from chatserver.handlers.connection import Connection
from chatserver.handlers.listening import commands as listening
from chatserver.handlers.moderation import commands as moderation
from chatserver.handlers.node import Node
from chatserver.handlers.operating import commands as operating
from chatserver.handlers.operating import load
from chatserver.handlers.people import account_monitor, members, sign_ins
from chatserver.handlers.rooms import commands as rooms
from chatserver.handlers.rooms import history
from chatserver.protocol.costs import cost_of
from chatserver.protocol.fields import Command
from chatserver.protocol.listening.messages import (
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
    SayNobody,
    StillThere,
    TakeBack,
    TalkAgainCommand,
)
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
from chatserver.protocol.moderation.messages import (
    AskDebriefs,
    AskReports,
    ClaimReport,
    CloseReport,
    LiftMeasure,
    NoteReport,
    OpenReport,
    PageReports,
    ReadDebrief,
    ReleaseReport,
    ReportPost,
    ReviewReport,
    SeenMatters,
    TakeMeasureCommand,
)
from chatserver.protocol.operating.load_messages import AskLoad
from chatserver.protocol.operating.messages import (
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
from chatserver.protocol.people.account_messages import AskAccounts

# Any: each handler takes its own command type, and the table is what matches them.
Handler = Callable[[Node, Connection, Persona, Any], Awaitable[Answer]]


class Row(Struct, frozen=True):
    """`needs` is what one must be allowed to do; without it the command is every member's. What `is_dangerous` needs
    the password to have been given within the last ten minutes. What a command costs stands in `protocol/costs.py`."""

    handler: Handler
    needs: Capability | None = None
    is_dangerous: bool = False


async def _ping(node: Node, connection: Connection, person: Persona, command: Ping) -> Answer:
    return Answer(DoneOk())


TABLE: Final[dict[type[Command], Row]] = {
    ListRooms: Row(rooms.list_rooms),
    JoinRoom: Row(rooms.join),
    LeaveRoom: Row(rooms.leave),
    PostCommand: Row(rooms.post),
    EditCommand: Row(rooms.edit),
    RedactCommand: Row(rooms.redact),
    ReactCommand: Row(rooms.react),
    PageHistory: Row(history.page),
    MarkRead: Row(rooms.mark_read),
    Typing: Row(rooms.typing),
    AskStanding: Row(listening.standing),
    AskForListener: Row(listening.ask),
    LeaveQueue: Row(listening.leave_queue),
    TakeBack: Row(listening.take_back),
    Feedback: Row(listening.feedback),
    EndTalk: Row(listening.end),
    ExtendTalk: Row(listening.extend),
    TalkAgainCommand: Row(listening.again),
    MakeWords: Row(listening.words),
    BlockPerson: Row(listening.block),
    ReportPerson: Row(listening.report),
    AnswerInvitation: Row(listening.answer_invitation),
    AskConsole: Row(listening.console, needs=Capability.LISTEN),
    ChangeProfile: Row(listening.profile, needs=Capability.LISTEN),
    BeAvailable: Row(listening.available, needs=Capability.LISTEN),
    StillThere: Row(listening.still_here, needs=Capability.LISTEN),
    AcceptProposal: Row(listening.accept, needs=Capability.LISTEN),
    DeclineProposal: Row(listening.decline, needs=Capability.LISTEN),
    SayNobody: Row(listening.nobody, needs=Capability.LISTEN),
    FlagTalk: Row(listening.flag, needs=Capability.LISTEN),
    Invite: Row(listening.invite, needs=Capability.LISTEN),
    DebriefNote: Row(listening.debrief, needs=Capability.LISTEN),
    AskPractice: Row(listening.practise, needs=Capability.LISTEN),
    AnswerCheck: Row(listening.check, needs=Capability.LISTEN),
    ReportPost: Row(moderation.report_post),
    SeenMatters: Row(moderation.seen),
    AskReports: Row(moderation.reports, needs=Capability.MODERATE),
    PageReports: Row(moderation.report_page, needs=Capability.MODERATE),
    OpenReport: Row(moderation.open_report, needs=Capability.MODERATE),
    ClaimReport: Row(moderation.claim, needs=Capability.MODERATE),
    ReleaseReport: Row(moderation.release, needs=Capability.MODERATE),
    NoteReport: Row(moderation.note, needs=Capability.MODERATE),
    CloseReport: Row(moderation.close, needs=Capability.MODERATE),
    ReviewReport: Row(moderation.review, needs=Capability.MODERATE),
    TakeMeasureCommand: Row(moderation.measure, needs=Capability.MODERATE),
    LiftMeasure: Row(moderation.lift, needs=Capability.MODERATE),
    AskDebriefs: Row(moderation.debriefs, needs=Capability.SUPERVISE),
    ReadDebrief: Row(moderation.read_debrief, needs=Capability.SUPERVISE),
    AskLoad: Row(load.load, needs=Capability.SEE_LOAD),
    AskAccounts: Row(account_monitor.ask, needs=Capability.MANAGE_STAFF),
    SettleMove: Row(operating.settle),
    AskHouse: Row(operating.ask, needs=Capability.SEE_LOAD),
    OpenRoom: Row(operating.open_room, needs=Capability.OPERATE),
    ChangeRoom: Row(operating.change, needs=Capability.OPERATE),
    SlowRoom: Row(operating.slow, needs=Capability.MODERATE),
    CloseRoom: Row(operating.close, needs=Capability.OPERATE, is_dangerous=True),
    ReopenRoom: Row(operating.reopen, needs=Capability.OPERATE),
    Announce: Row(operating.announce, needs=Capability.MODERATE),
    AnnounceAll: Row(operating.announce, needs=Capability.OPERATE, is_dangerous=True),
    Withdraw: Row(operating.withdraw, needs=Capability.MODERATE),
    SetHours: Row(operating.set_hours, needs=Capability.OPERATE),
    PlanSplit: Row(operating.plan, needs=Capability.OPERATE),
    SplitRoom: Row(operating.split, needs=Capability.OPERATE, is_dangerous=True),
    DeclareRaid: Row(operating.raid, needs=Capability.OPERATE),
    DeclareRaidOnAll: Row(operating.raid, needs=Capability.OPERATE, is_dangerous=True),
    EndRaid: Row(operating.end_raid, needs=Capability.OPERATE),
    DrainWorker: Row(operating.drain, needs=Capability.OPERATE, is_dangerous=True),
    MuteMember: Row(members.mute),
    Rename: Row(members.rename),
    MakeCode: Row(members.make_code),
    Ping: Row(_ping),
}


async def dispatch(node: Node, connection: Connection, command: AnyCommand) -> Answer:
    """Run one command of one connection. Raises Refusal or StoreUnavailable."""
    if isinstance(command, Hello):
        pay(node, connection, cost_of(Hello))
        hello = sign_ins.hello if command.staff else members.hello
        return await hello(node, connection, command)
    person = connection.person
    if person is None:
        raise Refusal(Reason.HELLO_REQUIRED)
    row = TABLE[type(command)]
    pay(node, connection, cost_of(type(command)))
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
