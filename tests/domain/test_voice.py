"""Who may write in a room where people have turns."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis, Offset
from chatserver.domain.identity import MemberId, Persona
from chatserver.domain.rooms.decide import decide
from chatserver.domain.rooms.rooms import (
    EditPost,
    Membership,
    Post,
    Reaction,
    ReactToPost,
    RedactPost,
    Room,
    RoomCommand,
    RoomEvent,
    RoomId,
    RoomKind,
    RoomRules,
    RoomState,
    Voice,
    WritePost,
)

ROBIN, WREN = Persona(MemberId("m_robin"), "Robin"), Persona(MemberId("m_wren"), "Wren")
NOW = Millis(1_700_000_000_000)
ROOM = Room(id=RoomId("m--1"), name="Circle", about="", kind=RoomKind.MEETING)
POST = Post(offset=Offset(7), author=ROBIN.id, name=ROBIN.name, text="hello there", at=Millis(NOW - 1_000))
HELLO = WritePost(text="hello")


def state(voice: Voice | None, *, last_post_at: int = 0, hidden_upto: int = 0) -> RoomState:
    return RoomState(
        room=msgspec.structs.replace(ROOM, voice=voice),
        membership=Membership(room=ROOM.id, agreement_version=1, last_post_at=Millis(last_post_at)),
        target=POST,
        hidden_upto=Offset(hidden_upto),
    )


def ask(command: RoomCommand, given: RoomState, author: Persona = ROBIN) -> Sequence[RoomEvent]:
    return decide(given, command, author, RoomRules(), NOW)


def refusal(command: RoomCommand, given: RoomState, author: Persona = ROBIN) -> Refusal:
    with pytest.raises(Refusal) as refused:
        ask(command, given, author)
    return refused.value


@pytest.mark.parametrize(
    "voice",
    [None, Voice(), Voice(who="some", some=(ROBIN.id,)), Voice(who="hosts", some=(WREN.id, ROBIN.id))],
    ids=["no voice", "all", "some", "hosts"],
)
def test_who_has_the_voice_writes(voice: Voice | None) -> None:
    assert ask(HELLO, state(voice))


@pytest.mark.parametrize("who", ["some", "hosts", "none"])
def test_who_has_not_the_voice_is_told_why(who: str) -> None:
    some = () if who == "none" else (ROBIN.id,)
    voice = msgspec.convert({"who": who, "some": some, "phase": "share", "until": NOW + 5}, Voice)
    refused = refusal(HELLO, state(voice), WREN)
    assert (refused.reason, refused.details) == (Reason.NOT_YOUR_TURN, {"phase": "share", "until": NOW + 5})


def test_a_round_lets_everybody_write_once() -> None:
    once = Voice(once=True, since=NOW, phase="checkin")
    assert ask(HELLO, state(once, last_post_at=NOW - 1))
    for last in (NOW, NOW + 60_000):
        assert refusal(HELLO, state(once, last_post_at=last)).reason is Reason.SAID_ONCE
    # The next round is another one.
    assert ask(HELLO, state(msgspec.structs.replace(once, since=Millis(NOW + 1)), last_post_at=NOW))


def test_a_post_is_as_long_as_the_voice_allows() -> None:
    short = state(Voice(length=5))
    assert ask(HELLO, short)
    refused = refusal(WritePost(text="hello!"), short)
    assert (refused.reason, refused.details) == (Reason.TEXT_TOO_LONG, {"limit": 5})


def test_a_voice_may_ask_for_a_pace() -> None:
    assert refusal(HELLO, state(Voice(pace=10), last_post_at=NOW - 4_000)).retry_after == 6
    assert ask(HELLO, state(Voice(pace=10), last_post_at=NOW - 10_000))


def test_without_the_voice_an_edit_only_shortens_or_corrects() -> None:
    silent = state(Voice(who="none", phase="prepare"))
    for text in ("hullo there", "hello"):
        assert ask(EditPost(target=POST.offset, text=text), silent)
    assert refusal(EditPost(target=POST.offset, text="hello there."), silent).reason is Reason.NOT_YOUR_TURN
    more = EditPost(target=POST.offset, text="hello there", warning="w")
    assert refusal(more, silent).reason is Reason.NOT_YOUR_TURN
    assert ask(more, state(Voice(who="some", some=(ROBIN.id,))))
    assert refusal(EditPost(target=POST.offset, text="123456"), state(Voice(length=5))).reason is Reason.TEXT_TOO_LONG


def test_what_somebody_is_not_shown_is_not_shown_to_them_by_an_edit() -> None:
    edit = EditPost(target=POST.offset, text="hello")
    assert refusal(edit, state(Voice(), hidden_upto=POST.offset)).reason is Reason.EDIT_TOO_LATE
    assert ask(edit, state(Voice(), hidden_upto=POST.offset - 1))


def test_reactions_and_taking_back_need_no_voice() -> None:
    silent = state(Voice(who="none"), hidden_upto=POST.offset)
    assert ask(ReactToPost(target=POST.offset, reaction=Reaction.HUG, on=True), silent, WREN)
    assert ask(RedactPost(target=POST.offset), silent)
