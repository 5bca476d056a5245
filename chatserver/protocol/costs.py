"""What commands cost: how many tokens of the buckets of a connection and its member (`limits.commands_per_second`)."""

from __future__ import annotations

from typing import Final

from chatserver.protocol import messages as m
from chatserver.protocol.fields import Command
from chatserver.protocol.listening import messages as li
from chatserver.protocol.moderation import messages as mo
from chatserver.protocol.operating import load_messages as lo
from chatserver.protocol.operating import messages as ho
from chatserver.protocol.people import account_messages as ac

USUAL: Final = 1.0
_BY_COST: Final[dict[float, tuple[type[Command], ...]]] = {
    0.25: (m.Ping,),
    0.5: (
        m.MarkRead,
        m.Typing,
    ),
    2.0: (
        m.ListRooms,
        m.JoinRoom,
        m.PageHistory,
        li.AskStanding,
        li.LeaveQueue,
        li.TakeBack,
        li.Feedback,
        li.EndTalk,
        li.ExtendTalk,
        li.TalkAgainCommand,
        li.BlockPerson,
        li.AnswerInvitation,
        li.AskConsole,
        li.BeAvailable,
        li.AcceptProposal,
        li.DeclineProposal,
        li.SayNobody,
        li.FlagTalk,
        li.Invite,
        li.AskPractice,
        mo.AskReports,
        mo.PageReports,
        mo.OpenReport,
        mo.ClaimReport,
        mo.ReleaseReport,
        mo.NoteReport,
        mo.CloseReport,
        mo.ReviewReport,
        mo.AskDebriefs,
        mo.ReadDebrief,
        ac.AskAccounts,
        ho.SettleMove,
        ho.AskHouse,
    ),
    5.0: (
        li.AskForListener,
        li.ChangeProfile,
        li.DebriefNote,
        li.AnswerCheck,
        mo.TakeMeasureCommand,
        mo.LiftMeasure,
        lo.AskLoad,
        ho.OpenRoom,
        ho.ChangeRoom,
        ho.SlowRoom,
        ho.CloseRoom,
        ho.ReopenRoom,
        ho.Announce,
        ho.AnnounceAll,
        ho.Withdraw,
        ho.SetHours,
        ho.PlanSplit,
        ho.SplitRoom,
        ho.DeclareRaid,
        ho.DeclareRaidOnAll,
        ho.EndRaid,
        ho.DrainWorker,
        m.MuteMember,
        m.Rename,
        mo.SeenModerationNotices,
    ),
    10.0: (
        li.ReportPerson,
        mo.ReportPost,
    ),
    20.0: (
        li.MakeWords,
        m.MakeCode,
    ),
}
COSTS: Final = {kind: cost for cost, kinds in _BY_COST.items() for kind in kinds}
"""Those that cost something else than `USUAL`."""


def cost_of(kind: type[Command]) -> float:
    """Return what a command of this kind costs."""
    return COSTS.get(kind, USUAL)
