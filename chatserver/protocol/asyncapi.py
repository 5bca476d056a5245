"""The AsyncAPI 3.0 document of wire protocol v1, generated from the messages themselves.

The document describes the server: it receives Commands, and sends Replies and Pushes.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Any, Final, get_args

import msgspec

from chatserver.domain.errors import Reason, Refusal
from chatserver.protocol import examples
from chatserver.protocol import messages as m
from chatserver.protocol.codes import Close, advice, error_body
from chatserver.protocol.costs import cost_of
from chatserver.protocol.fields import Command
from chatserver.protocol.listening import messages as li
from chatserver.protocol.moderation import messages as mo
from chatserver.protocol.operating import load_messages as lo
from chatserver.protocol.operating import messages as ho
from chatserver.protocol.people import account_messages as ac
from chatserver.protocol.refusals import ANY, REFUSALS
from chatserver.protocol.schemas import Json, components, reference, referring_to

CHANNEL: Final = "chat"
REPLY_TO: Final[dict[type[Command], type[Any]]] = {
    m.Hello: m.HelloOk,
    m.ListRooms: m.RoomsOk,
    m.JoinRoom: m.JoinOk,
    m.LeaveRoom: m.DoneOk,
    m.PostCommand: m.FactOk,
    m.EditCommand: m.FactOk,
    m.RedactCommand: m.FactOk,
    m.ReactCommand: m.FactOk,
    m.PageHistory: m.HistoryOk,
    m.MarkRead: m.DoneOk,
    m.Typing: m.DoneOk,
    m.MuteMember: m.DoneOk,
    m.Rename: m.RenameOk,
    m.MakeCode: m.CodeOk,
    m.Ping: m.DoneOk,
    li.AskForListener: li.StandingOk,
    li.LeaveQueue: li.StandingOk,
    li.TakeBack: li.StandingOk,
    li.AskStanding: li.StandingOk,
    li.Feedback: m.DoneOk,
    li.EndTalk: m.DoneOk,
    li.ExtendTalk: m.DoneOk,
    li.TalkAgainCommand: m.DoneOk,
    li.MakeWords: li.WordsOk,
    li.BlockPerson: m.DoneOk,
    li.ReportPerson: m.DoneOk,
    li.AnswerInvitation: m.DoneOk,
    li.AskConsole: li.ConsoleOk,
    li.ChangeProfile: m.DoneOk,
    li.BeAvailable: m.DoneOk,
    li.StillThere: m.DoneOk,
    li.AcceptProposal: li.TalkOk,
    li.DeclineProposal: m.DoneOk,
    li.SayNobody: m.DoneOk,
    li.FlagTalk: m.DoneOk,
    li.Invite: m.DoneOk,
    li.DebriefNote: m.DoneOk,
    li.AskPractice: li.PracticeOk,
    li.AnswerCheck: li.CheckOk,
    mo.ReportPost: m.DoneOk,
    mo.SeenModerationNotices: m.DoneOk,
    mo.AskReports: mo.ReportsOk,
    mo.PageReports: mo.ReportPageOk,
    mo.OpenReport: mo.ReportOk,
    mo.ClaimReport: m.DoneOk,
    mo.ReleaseReport: m.DoneOk,
    mo.NoteReport: m.DoneOk,
    mo.CloseReport: m.DoneOk,
    mo.ReviewReport: m.DoneOk,
    mo.TakeMeasureCommand: mo.MeasureOk,
    mo.LiftMeasure: m.DoneOk,
    mo.AskDebriefs: mo.DebriefsOk,
    mo.ReadDebrief: m.DoneOk,
    lo.AskLoad: lo.LoadOk,
    ac.AskAccounts: ac.AccountsOk,
    ho.SettleMove: m.DoneOk,
    ho.AskHouse: ho.HouseOk,
    ho.OpenRoom: ho.RoomOk,
    ho.ChangeRoom: ho.RoomOk,
    ho.SlowRoom: ho.RoomOk,
    ho.CloseRoom: ho.RoomOk,
    ho.ReopenRoom: ho.RoomOk,
    ho.Announce: ho.NoticeOk,
    ho.AnnounceAll: ho.NoticeOk,
    ho.Withdraw: m.DoneOk,
    ho.SetHours: m.DoneOk,
    ho.PlanSplit: ho.PlanOk,
    ho.SplitRoom: ho.SplitOk,
    ho.DeclareRaid: ho.RaidOk,
    ho.DeclareRaidOnAll: ho.RaidOk,
    ho.EndRaid: m.DoneOk,
    ho.DrainWorker: m.DoneOk,
}
"""What answers each command where it is not refused."""

_ABOUT: Final = """\
Wire protocol v1 of a real-time peer-support chat server. `docs/protocol.md` says in words what this says in schemas,
and what a client may rely on. A client sends Commands; each is answered by exactly one Reply or error that repeats its
`id` as `re`; Pushes come unasked. With the subprotocol `chat.v1.json` a message is one text frame of JSON, with
`chat.v1.msgpack` one binary frame of MessagePack with the same fields."""
_ERROR: Final = "reply.error"


def document(version: str) -> Json:
    """The whole document, JSON-shaped. `version` is the server's own."""
    schemas = _schemas()
    messages = _messages()
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Peer-support chat", "version": version, "description": _ABOUT},
        "defaultContentType": "application/json",
        "servers": {
            "here": {
                "host": "{host}",
                "protocol": "wss",
                "description": "Wherever it is run. Without TLS, on one's own machine, the protocol is `ws`.",
                "variables": {"host": {"default": "localhost:8000", "description": "Name and port of the server."}},
            }
        },
        "channels": {
            CHANNEL: {
                "address": "/ws",
                "title": "One WebSocket",
                "description": "Everything travels on one connection; `hello` comes first.",
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
                "bindings": {"ws": {"method": "GET", "headers": _handshake(), "bindingVersion": "0.1.0"}},
            }
        },
        "operations": {**_receiving(), **_sending()},
        "components": {"messages": messages, "schemas": schemas},
        "x-error-codes": {reason.value: _error(reason) for reason in Reason},
        "x-close-codes": {str(code.value): {"name": code.name, "advice": advice(code).value} for code in Close},
    }


def tag_of(kind: type[Any]) -> str:
    """What a message is called on the wire: its `cmd`, `ok` or `push`."""
    return str(kind.__struct_config__.tag)


def _messages() -> dict[str, Json]:
    """Every message by its name in the document, such as `command.post`, `reply.fact` and `push.posted`."""
    found: dict[str, Json] = {}
    for kind in get_args(m.AnyCommand):
        found[f"command.{tag_of(kind)}"] = _message(
            kind, "id", reference(kind), (each for each in examples.COMMANDS if type(each) is kind)
        )
    for kind in get_args(m.AnyOk):
        found[f"reply.{tag_of(kind)}"] = _message(
            kind,
            "re",
            referring_to(_reply_name(kind)),
            (each for each in examples.REPLIES if type(each.ok) is kind),
        )
    found[_ERROR] = _message(m.ErrorReply, "re", reference(m.ErrorReply), examples.ERRORS)
    for kind in get_args(m.AnyPush):
        found[f"push.{tag_of(kind)}"] = _message(
            kind, None, reference(kind), (each for each in examples.PUSHES if type(each) is kind)
        )
    return found


def _message(kind: type[Any], correlation: str | None, payload: Json, shown: Iterable[object]) -> Json:
    text = inspect.cleandoc(kind.__doc__ or "")
    message: Json = {
        "name": kind.__name__,
        "summary": " ".join(text.split("\n\n")[0].split()),
        "description": text,
        "payload": payload,
        "examples": [{"payload": msgspec.json.decode(msgspec.json.encode(each))} for each in shown],
    }
    if correlation is not None:
        message["correlationId"] = {"location": f"$message.payload#/{correlation}"}
    return message


def _receiving() -> dict[str, Json]:
    return {
        tag_of(kind): {
            "action": "receive",
            "channel": {"$ref": f"#/channels/{CHANNEL}"},
            "summary": inspect.cleandoc(kind.__doc__ or "").split("\n\n")[0].replace("\n", " "),
            "messages": [_on_channel(f"command.{tag_of(kind)}")],
            "x-cost": cost_of(kind),
            "x-errors": sorted({*ANY, *REFUSALS[kind]}),
            "reply": {
                "channel": {"$ref": f"#/channels/{CHANNEL}"},
                "messages": [_on_channel(f"reply.{tag_of(ok)}"), _on_channel(_ERROR)],
            },
        }
        for kind, ok in REPLY_TO.items()
    }


def _sending() -> dict[str, Json]:
    return {
        "push": {
            "action": "send",
            "channel": {"$ref": f"#/channels/{CHANNEL}"},
            "summary": "What a connection is told unasked.",
            "messages": [_on_channel(f"push.{tag_of(kind)}") for kind in get_args(m.AnyPush)],
        },
        "refuse": {
            "action": "send",
            "channel": {"$ref": f"#/channels/{CHANNEL}"},
            "summary": "The answer to a frame whose command or id could not be read.",
            "messages": [_on_channel(_ERROR)],
        },
    }


def _schemas() -> Json:
    found = components(get_args(m.AnyCommand), [*get_args(m.AnyOk), m.ErrorReply, *get_args(m.AnyPush)])
    for kind in get_args(m.AnyOk):
        name = _reply_name(kind)
        found[name] = {
            "title": name,
            "type": "object",
            "properties": {"re": {"type": "string"}, "ok": reference(kind)},
            "required": ["re", "ok"],
        }
    return found


def _reply_name(kind: type[Any]) -> str:
    """What the whole reply that holds an `ok` of this kind is called."""
    return f"{kind.__name__.removesuffix('Ok')}Reply"


def _on_channel(name: str) -> Json:
    return {"$ref": f"#/channels/{CHANNEL}/messages/{name}"}


def _handshake() -> Json:
    return {
        "type": "object",
        "properties": {
            "Sec-WebSocket-Protocol": {"type": "string", "enum": [m.SUBPROTOCOL_JSON, m.SUBPROTOCOL_MSGPACK]}
        },
        "required": ["Sec-WebSocket-Protocol"],
    }


def _error(reason: Reason) -> Json:
    body = error_body(Refusal(reason))
    return {"message": body.message, "temporary": body.temporary}
