"""What each command can be refused with, besides what any command can."""

from __future__ import annotations

from typing import Final

from chatserver.domain.errors import Reason
from chatserver.protocol import messages as m
from chatserver.protocol.fields import Command
from chatserver.protocol.listening import messages as li
from chatserver.protocol.moderation import messages as mo
from chatserver.protocol.operating import load_messages as lo
from chatserver.protocol.operating import messages as ho
from chatserver.protocol.people import account_messages as ac

ANY: Final = (
    Reason.MALFORMED,
    Reason.INVALID,
    Reason.TOO_LARGE,
    Reason.HELLO_REQUIRED,
    Reason.RATE_LIMITED,
    Reason.STORAGE_UNAVAILABLE,
    Reason.BUSY,
    Reason.INTERNAL,
)
"""Any command, and what could not be read as one."""
_FACT: Final = (Reason.DUPLICATE_ID, Reason.ROOM_UNKNOWN)
_VOICE: Final = (
    Reason.ROOM_CLOSED,
    Reason.UNATTENDED,
    Reason.READ_ONLY,
    Reason.AGREEMENT_REQUIRED,
    Reason.MUTED,
    Reason.REMOVED,
    Reason.BANNED,
)
_IN_ROOM: Final = (Reason.NOT_IN_ROOM, Reason.ONLY_READING)
_WORDS: Final = (Reason.TEXT_EMPTY, Reason.TEXT_TOO_LONG, Reason.SLOW_MODE, Reason.CONTACT_DETAILS)
_LISTENER: Final = (Reason.NOT_ALLOWED, Reason.NOT_LISTENER)
_SESSION: Final = (Reason.SESSION_UNKNOWN, Reason.SESSION_OVER)
_REASONED: Final = (Reason.NOT_ALLOWED, Reason.TEXT_EMPTY, Reason.TEXT_TOO_LONG, Reason.DUPLICATE_ID)
_CHANGED: Final = (*_REASONED, Reason.ROOM_UNKNOWN, Reason.ROOM_CLOSED, Reason.ROOM_CHANGED)
_CASE: Final = (Reason.NOT_ALLOWED, Reason.REPORT_UNKNOWN)

REFUSALS: Final[dict[type[Command], tuple[Reason, ...]]] = {
    m.Hello: (
        Reason.ALREADY_SAID_HELLO,
        Reason.IDENTITY_REQUIRED,
        Reason.IDENTITY_UNKNOWN,
        Reason.BANNED,
        Reason.DRAINING,
    ),
    m.ListRooms: (),
    m.JoinRoom: (
        Reason.ROOM_UNKNOWN,
        Reason.ROOM_CLOSED,
        Reason.ROOM_FULL,
        Reason.AGREEMENT_REQUIRED,
        Reason.TOO_MANY_ROOMS,
        Reason.SEATS_USED,
        Reason.ONLY_READING,
        Reason.REMOVED,
        Reason.BANNED,
        Reason.ROOM_SPLIT,
        Reason.CHALLENGE,
        Reason.JOINS_SLOWED,
    ),
    m.LeaveRoom: (Reason.ROOM_UNKNOWN,),
    m.PostCommand: (*_FACT, *_IN_ROOM, *_VOICE, *_WORDS, Reason.POST_UNKNOWN, Reason.EPOCH_STALE),
    m.EditCommand: (
        *_FACT,
        *_IN_ROOM,
        *_VOICE,
        *_WORDS,
        Reason.POST_UNKNOWN,
        Reason.POST_REDACTED,
        Reason.NOT_YOURS,
        Reason.EDIT_TOO_LATE,
        Reason.EPOCH_STALE,
    ),
    m.RedactCommand: (*_FACT, Reason.POST_UNKNOWN, Reason.NOT_YOURS, Reason.EPOCH_STALE),
    m.ReactCommand: (*_FACT, *_IN_ROOM, *_VOICE, Reason.POST_UNKNOWN, Reason.POST_REDACTED, Reason.EPOCH_STALE),
    m.PageHistory: (Reason.ROOM_UNKNOWN, Reason.NOT_IN_ROOM, Reason.EPOCH_STALE),
    m.MarkRead: (Reason.NOT_IN_ROOM, Reason.EPOCH_STALE),
    m.Typing: _IN_ROOM,
    m.MuteMember: (Reason.MEMBER_UNKNOWN, Reason.TOO_MANY_MUTES),
    m.Rename: (
        Reason.NAME_TAKEN,
        Reason.NAME_REFUSED,
        Reason.NOT_ALLOWED,
        Reason.MEMBER_UNKNOWN,
        Reason.MUTED,
        Reason.REMOVED,
        Reason.BANNED,
        Reason.UNATTENDED,
        Reason.READ_ONLY,
    ),
    m.MakeCode: (Reason.NOT_ALLOWED,),
    m.Ping: (),
    li.AskForListener: (
        Reason.AGREEMENT_REQUIRED,
        Reason.LISTENING_CLOSED,
        Reason.SESSIONS_USED,
        Reason.PLACES_USED,
        Reason.IN_SESSION,
        Reason.WORDS_UNKNOWN,
    ),
    li.LeaveQueue: (),
    li.TakeBack: (Reason.PLACE_GONE,),
    li.AskStanding: (),
    li.Feedback: (Reason.SESSION_UNKNOWN, Reason.IN_SESSION),
    li.EndTalk: (Reason.SESSION_UNKNOWN,),
    li.ExtendTalk: (*_SESSION, Reason.NO_MORE_TIME),
    li.TalkAgainCommand: (Reason.SESSION_UNKNOWN, Reason.IN_SESSION),
    li.MakeWords: (Reason.SESSION_UNKNOWN, Reason.NO_WORDS_YET),
    li.BlockPerson: (Reason.SESSION_UNKNOWN,),
    li.ReportPerson: (Reason.SESSION_UNKNOWN, Reason.TEXT_TOO_LONG, Reason.MEMBER_UNKNOWN),
    li.AnswerInvitation: (*_SESSION, Reason.PROPOSAL_GONE, Reason.LISTENER_BUSY, Reason.NOT_LISTENER),
    li.AskConsole: _LISTENER,
    li.ChangeProfile: _LISTENER,
    li.BeAvailable: (*_LISTENER, Reason.NOT_READY),
    li.StillThere: _LISTENER,
    li.AcceptProposal: (*_LISTENER, Reason.PROPOSAL_GONE),
    li.DeclineProposal: (*_LISTENER, Reason.PROPOSAL_GONE),
    li.SayNobody: (*_LISTENER, *_SESSION, Reason.NOT_NOBODY),
    li.FlagTalk: (*_LISTENER, *_SESSION),
    li.Invite: (*_LISTENER, *_SESSION, Reason.NOT_HOLDING, Reason.LISTENER_BUSY),
    li.DebriefNote: (*_LISTENER, Reason.SESSION_UNKNOWN, Reason.TEXT_EMPTY, Reason.TEXT_TOO_LONG),
    li.AskPractice: (Reason.NOT_ALLOWED,),
    li.AnswerCheck: _LISTENER,
    mo.ReportPost: (
        Reason.ROOM_UNKNOWN,
        Reason.NOT_IN_ROOM,
        Reason.POST_UNKNOWN,
        Reason.EPOCH_STALE,
        Reason.MEMBER_UNKNOWN,
        Reason.TEXT_TOO_LONG,
    ),
    mo.SeenModerationNotices: (),
    mo.AskReports: (Reason.NOT_ALLOWED,),
    mo.PageReports: _CASE,
    mo.OpenReport: (*_CASE, Reason.TEXT_EMPTY, Reason.TEXT_TOO_LONG),
    mo.ClaimReport: (*_CASE, Reason.REPORT_TAKEN, Reason.REPORT_CLOSED, Reason.TEXT_EMPTY, Reason.TEXT_TOO_LONG),
    mo.ReleaseReport: (*_CASE, Reason.REPORT_TAKEN, Reason.REPORT_CLOSED, Reason.NOT_CLAIMED),
    mo.NoteReport: (*_CASE, Reason.TEXT_EMPTY, Reason.TEXT_TOO_LONG),
    mo.CloseReport: (
        *_CASE,
        Reason.REPORT_TAKEN,
        Reason.REPORT_CLOSED,
        Reason.REPORT_CHANGED,
        Reason.NOT_CLAIMED,
        Reason.TEXT_TOO_LONG,
    ),
    mo.ReviewReport: (
        *_CASE,
        Reason.REPORT_CLOSED,
        Reason.REPORT_CHANGED,
        Reason.NOT_PROPOSED,
        Reason.TEXT_EMPTY,
        Reason.TEXT_TOO_LONG,
    ),
    mo.TakeMeasureCommand: (
        *_CASE,
        Reason.CONFIRMATION_REQUIRED,
        Reason.ROOM_UNKNOWN,
        Reason.POST_UNKNOWN,
        Reason.POST_REDACTED,
        Reason.EPOCH_STALE,
        Reason.MEMBER_UNKNOWN,
        Reason.TEXT_EMPTY,
        Reason.TEXT_TOO_LONG,
    ),
    mo.LiftMeasure: (Reason.NOT_ALLOWED, Reason.MEASURE_UNKNOWN, Reason.TEXT_EMPTY, Reason.TEXT_TOO_LONG),
    mo.AskDebriefs: (Reason.NOT_ALLOWED,),
    mo.ReadDebrief: _CASE,
    lo.AskLoad: (Reason.NOT_ALLOWED,),
    ac.AskAccounts: (Reason.NOT_ALLOWED,),
    ho.SettleMove: (Reason.ROOM_UNKNOWN, Reason.ROOM_CLOSED, Reason.MEMBER_UNKNOWN),
    ho.AskHouse: (Reason.NOT_ALLOWED, Reason.ROOM_UNKNOWN),
    ho.OpenRoom: (*_REASONED, Reason.ROOM_NAME_TAKEN),
    ho.ChangeRoom: (*_CHANGED, Reason.ROOM_NAME_TAKEN),
    ho.SlowRoom: _CHANGED,
    ho.CloseRoom: (*_CHANGED, Reason.CONFIRMATION_REQUIRED),
    ho.ReopenRoom: _CHANGED,
    ho.Announce: (*_REASONED, Reason.ROOM_UNKNOWN),
    ho.AnnounceAll: (*_REASONED, Reason.CONFIRMATION_REQUIRED),
    ho.Withdraw: (*_REASONED, Reason.NOTICE_UNKNOWN),
    ho.SetHours: (*_REASONED, Reason.HOURS_CHANGED),
    ho.PlanSplit: (Reason.NOT_ALLOWED, Reason.ROOM_UNKNOWN, Reason.ROOM_CLOSED, Reason.TOO_FEW),
    ho.SplitRoom: (*_CHANGED, Reason.CONFIRMATION_REQUIRED, Reason.TOO_FEW),
    ho.DeclareRaid: (*_REASONED, Reason.ROOM_UNKNOWN),
    ho.DeclareRaidOnAll: (*_REASONED, Reason.CONFIRMATION_REQUIRED),
    ho.EndRaid: (*_REASONED, Reason.RAID_UNKNOWN),
    ho.DrainWorker: (*_REASONED, Reason.CONFIRMATION_REQUIRED, Reason.WORKER_UNKNOWN, Reason.LAST_WORKER),
}
"""In no particular order. A refusal that is not here is a fault."""
