"""Commands and events of a room: what a command names, and how a log leads to posts."""

from __future__ import annotations

from typing import Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import ChannelName, Millis, Offset
from chatserver.domain.rooms.decide import decide, evolve, target_of
from chatserver.domain.rooms.rooms import (
    EditPost,
    Noticed,
    Posted,
    Reaction,
    ReactToPost,
    Redacted,
    RedactPost,
    RoomCommand,
    RoomEvent,
    RoomRules,
    RoomStatus,
    WritePost,
    room_channel,
    room_of,
)
from chatserver.domain.text.cleaning import clean_text
from chatserver.domain.text.contact_details import ContactKind
from tests.domain.test_rooms import (
    ANNA,
    BEN,
    EDIT,
    EVENTS,
    MEMBERSHIP,
    NOW,
    POST,
    POSTED,
    REACT,
    REDACT,
    REDACTED,
    ROOM,
    RULES,
    TALK,
    publication,
    state,
)


def test_a_command_names_the_post_it_needs() -> None:
    assert [
        target_of(c) for c in (WritePost(text="x"), WritePost(text="x", reply_to=Offset(3)), EDIT, REDACT, REACT)
    ] == [
        None,
        Offset(3),
        POST.offset,
        POST.offset,
        POST.offset,
    ]


def test_a_room_and_its_channel_name_each_other() -> None:
    assert room_channel(ROOM.id) == ChannelName("room:sleep")
    assert room_of(room_channel(ROOM.id)) == ROOM.id


def test_a_post_stands_at_its_publications_offset() -> None:
    assert evolve({}, POSTED) == {POST.offset: POST}


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_a_publication_applied_twice_changes_nothing(event: RoomEvent) -> None:
    once = evolve(evolve({}, POSTED), publication(8, event))
    assert evolve(once, publication(8, event)) == once
    assert evolve(once, POSTED) == once


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_news_of_a_post_that_is_not_held_changes_nothing(event: RoomEvent) -> None:
    assert evolve({}, publication(8, event)) == {}


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_evolve_leaves_what_it_was_given_alone(event: RoomEvent) -> None:
    posts = {POST.offset: POST}
    evolve(posts, publication(8, event))
    assert posts == {POST.offset: POST}


@pytest.mark.parametrize("event", EVENTS[::2], ids=lambda event: type(event).__name__)
def test_nothing_brings_back_a_redacted_post(event: RoomEvent) -> None:
    gone = evolve(evolve({}, POSTED), publication(8, Redacted(target=POST.offset)))
    assert evolve(gone, publication(9, event)) == gone
    assert gone[POST.offset] == REDACTED


def test_redacting_takes_text_warning_and_reactions() -> None:
    full = msgspec.structs.replace(POST, warning="w", reactions={Reaction.HUG: 1}, reply_to=Offset(3))
    gone = evolve({POST.offset: full}, publication(9, Redacted(target=POST.offset)))[POST.offset]
    assert (gone.text, gone.warning, gone.reactions, gone.redacted) == ("", None, {}, True)
    assert (gone.author, gone.at, gone.reply_to) == (full.author, full.at, full.reply_to)


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("  a  ", "a"),
        ("a\r\nb\rc\nd", "a\nb\nc\nd"),
        ("a\tb", "a\tb"),
        ("a\x00\x1b[31mb\x7f\x85\x9f", "a[31mb"),
        ("\x00 a \x00", "a"),
        ("\u00a0a\u3000", "a"),
        ("a\u200db", "ab"),
    ],
)
def test_cleaning_keeps_lines_and_drops_controls(raw: str, clean: str) -> None:
    assert clean_text(raw) == clean


@given(st.text(alphabet=st.characters(exclude_categories=[])))
def test_cleaning_twice_is_cleaning_once(raw: str) -> None:
    once = clean_text(raw)
    assert clean_text(once) == once
    assert "\r" not in once
    assert len(once) <= len(raw)


def with_policy(policy: Literal["off", "warn", "refuse"]) -> RoomRules:
    return msgspec.structs.replace(RULES, contact_policy=policy)


@pytest.mark.parametrize(
    ("policy", "anyway", "may_send"),
    [("warn", False, True), ("refuse", False, False), ("refuse", True, False)],
)
def test_contact_details_are_caught_in_a_session(
    policy: Literal["off", "warn", "refuse"], anyway: bool, may_send: bool
) -> None:
    command = WritePost(text="ring 07700 900123, or sam@example.com", anyway=anyway)
    with pytest.raises(Refusal) as refusal:
        decide(state(room=TALK), command, ANNA, with_policy(policy), NOW)
    assert refusal.value.reason is Reason.CONTACT_DETAILS
    assert refusal.value.details == {"kinds": ["email", "phone"], "may_send": may_send}


@pytest.mark.parametrize(("policy", "anyway"), [("off", False), ("warn", True)])
def test_contact_details_go_through_where_the_author_may_and_means_them(
    policy: Literal["off", "warn", "refuse"], anyway: bool
) -> None:
    command = WritePost(text="my number is 07700 900123", anyway=anyway)
    (event,) = decide(state(room=TALK), command, ANNA, with_policy(policy), NOW)
    assert isinstance(event, Posted)


def test_contact_details_are_caught_in_edits_and_warnings_too() -> None:
    for command in (
        EditPost(target=Offset(7), text="sam@example.com"),
        EditPost(target=Offset(7), text="hi", warning="sam@example.com"),
    ):
        with pytest.raises(Refusal) as refusal:
            decide(state(POST, room=TALK), command, ANNA, RULES, NOW)
        assert refusal.value.reason is Reason.CONTACT_DETAILS


def test_an_edit_is_asked_only_about_contact_details_that_are_new() -> None:
    before = msgspec.structs.replace(POST, text="my number is 07700 900123, cal me")
    slip = EditPost(target=Offset(7), text="my number is 07700 900123, call me")
    assert decide(state(before, room=TALK), slip, ANNA, RULES, NOW)
    assert decide(state(before, room=TALK), slip, ANNA, RULES, NOW, Noticed(contacts=frozenset({ContactKind.PHONE})))
    more = EditPost(target=Offset(7), text="07700 900123 or sam@example.com")
    with pytest.raises(Refusal) as refusal:
        decide(state(before, room=TALK), more, ANNA, RULES, NOW)
    assert refusal.value.details == {"kinds": ["email"], "may_send": True}


@pytest.mark.parametrize(("policy", "may_send"), [("warn", True), ("refuse", False)])
def test_contact_details_are_caught_in_rooms_for_everybody_too(
    policy: Literal["off", "warn", "refuse"], may_send: bool
) -> None:
    rules = msgspec.structs.replace(RULES, contact_policy="off", room_contact_policy=policy)
    with pytest.raises(Refusal) as refusal:
        decide(state(), WritePost(text="my number is 07700 900123"), ANNA, rules, NOW)
    assert refusal.value.details == {"kinds": ["phone"], "may_send": may_send}


def test_newcomers_send_no_contact_details_into_rooms() -> None:
    noticed = Noticed(contacts=frozenset({ContactKind.PHONE}), is_newcomer=True)
    command = WritePost(text="my number is 07700 900123", anyway=True)
    with pytest.raises(Refusal) as refusal:
        decide(state(), command, ANNA, RULES, NOW, noticed)
    assert refusal.value.details == {"kinds": ["phone"], "may_send": False}
    assert decide(state(room=TALK), command, ANNA, RULES, NOW, noticed)


def test_what_was_noticed_before_is_not_looked_for_again() -> None:
    noticed = Noticed(contacts=frozenset({ContactKind.PHONE}))
    with pytest.raises(Refusal):
        decide(state(), WritePost(text="and the rest of it: 123"), ANNA, RULES, NOW, noticed)
    assert decide(state(), WritePost(text="07700 900123"), ANNA, RULES, NOW, Noticed())


def test_whoever_has_to_wait_is_told_so_first() -> None:
    """Looking at a text is the dearest part, and is not done for a post that is refused anyway."""
    slow = msgspec.structs.replace(ROOM, slow_mode=60)
    waiting = msgspec.structs.replace(MEMBERSHIP, last_post_at=Millis(NOW - 1000))
    with pytest.raises(Refusal) as refusal:
        decide(state(room=slow, membership=waiting), WritePost(text="07700 900123"), ANNA, RULES, NOW)
    assert refusal.value.reason is Reason.SLOW_MODE


@pytest.mark.parametrize(
    "command",
    [
        WritePost(text="hello"),
        EditPost(target=POST.offset, text="hello"),
        RedactPost(target=POST.offset),
        ReactToPost(target=POST.offset, reaction=Reaction.HUG, on=True),
    ],
)
@pytest.mark.parametrize("status", RoomStatus)
def test_whoever_is_not_of_a_session_learns_nothing_of_its_room(command: RoomCommand, status: RoomStatus) -> None:
    room = msgspec.structs.replace(TALK, status=status)
    for target in (POST, None):
        with pytest.raises(Refusal) as refusal:
            decide(state(target, room=room, membership=None), command, BEN, RULES, NOW)
        assert refusal.value.reason is Reason.ROOM_UNKNOWN


def test_whoever_handed_a_session_over_may_still_take_back_what_they_wrote_and_nothing_else() -> None:
    left = state(POST, room=TALK, membership=None)
    assert decide(left, RedactPost(target=POST.offset), ANNA, RULES, NOW) == (Redacted(target=POST.offset),)
    with pytest.raises(Refusal) as refusal:
        decide(left, EditPost(target=POST.offset, text="other"), ANNA, RULES, NOW)
    assert refusal.value.reason is Reason.ROOM_UNKNOWN
