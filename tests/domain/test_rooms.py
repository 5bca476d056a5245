"""What may be said in a room, by whom, and what a reader holds afterwards."""

from __future__ import annotations

from typing import Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import ChannelName, Epoch, Millis, Offset
from chatserver.domain.identity import MemberId, Persona
from chatserver.domain.rooms.decide import decide, evolve, target_of
from chatserver.domain.rooms.rooms import (
    Edited,
    EditPost,
    Membership,
    Noticed,
    Post,
    Posted,
    Publication,
    Reacted,
    Reaction,
    ReactToPost,
    Redacted,
    RedactPost,
    Room,
    RoomChanged,
    RoomCommand,
    RoomEvent,
    RoomId,
    RoomKind,
    RoomRules,
    RoomState,
    RoomStatus,
    WritePost,
    room_channel,
    room_of,
)
from chatserver.domain.text.cleaning import clean_text
from chatserver.domain.text.contact_details import ContactKind

ANNA = Persona(MemberId("m_anna"), "Quiet Heron")
BEN = Persona(MemberId("m_ben"), "Calm Fern")
NOW = Millis(1_700_000_000_000)
RULES = RoomRules(text_length=100, warning_length=20, edit_window=600_000)
ROOM = Room(id=RoomId("sleep"), name="Awake at night", about="", agreement_version=3)
MEMBERSHIP = Membership(room=ROOM.id, agreement_version=3)
POST = Post(offset=Offset(7), author=ANNA.id, name=ANNA.name, text="hello", at=Millis(NOW - 1_000))


def state(
    target: Post | None = None,
    *,
    room: Room = ROOM,
    membership: Membership | None = MEMBERSHIP,
    reactions: frozenset[Reaction] = frozenset(),
) -> RoomState:
    return RoomState(room=room, membership=membership, target=target, target_reactions=reactions)


def ask(command: RoomCommand, given: RoomState, author: Persona = ANNA, now: Millis = NOW) -> tuple[RoomEvent, ...]:
    return decide(given, command, author, RULES, now)


def refusal(command: RoomCommand, given: RoomState, author: Persona = ANNA, now: Millis = NOW) -> Refusal:
    with pytest.raises(Refusal) as caught:
        ask(command, given, author, now)
    return caught.value


def publication(offset: int, event: RoomEvent) -> Publication:
    return Publication(channel=room_channel(ROOM.id), epoch=Epoch("e"), offset=Offset(offset), at=NOW, event=event)


EDIT = EditPost(target=POST.offset, text="hello again")
REDACT = RedactPost(target=POST.offset)
REACT = ReactToPost(target=POST.offset, reaction=Reaction.HUG, on=True)
REDACTED = msgspec.structs.replace(POST, text="", redacted=True)


# ------------------------------------------------------------------------------------------------------ writing


def test_a_post_holds_what_was_written_and_by_whom() -> None:
    command = WritePost(text="  I can't sleep\r\n ", warning=" nights\n", reply_to=POST.offset)
    assert ask(command, state(POST), BEN) == (
        Posted(
            Post(
                offset=Offset(0),
                author=BEN.id,
                name=BEN.name,
                text="I can't sleep",
                at=NOW,
                warning="nights",
                reply_to=POST.offset,
            )
        ),
    )


@pytest.mark.parametrize("text", ["", "   ", "\n\t", "\x00\x07", "\u200b\u200d", "\u3164", "\u2800 \u2060", "\ufe0f"])
def test_text_that_nobody_could_see_is_empty(text: str) -> None:
    assert refusal(WritePost(text=text), state()).reason is Reason.TEXT_EMPTY
    assert refusal(EditPost(target=POST.offset, text=text), state(POST)).reason is Reason.TEXT_EMPTY


@pytest.mark.parametrize("text", [".", "\U0001f56f\ufe0f", "\u202b\u05d0\u05d1\u202c", "a\u0301"])
def test_any_visible_character_is_text(text: str) -> None:
    assert ask(WritePost(text=text), state())


def test_text_is_measured_in_characters_after_cleaning() -> None:
    assert ask(WritePost(text=" " + "😀" * 100 + " \x00"), state())
    refused = refusal(WritePost(text="😀" * 101), state())
    assert (refused.reason, refused.details) == (Reason.TEXT_TOO_LONG, {"limit": 100})


def test_a_content_warning_has_a_length_of_its_own() -> None:
    assert ask(WritePost(text="x", warning="w" * 20), state())
    refused = refusal(WritePost(text="x", warning="w" * 21), state())
    assert (refused.reason, refused.details) == (Reason.TEXT_TOO_LONG, {"limit": 20})


@pytest.mark.parametrize("warning", ["", "  ", "\u200b"])
def test_an_empty_content_warning_is_none(warning: str) -> None:
    (event,) = ask(WritePost(text="x", warning=warning), state())
    assert isinstance(event, Posted)
    assert event.post.warning is None


def test_a_reply_needs_the_post_it_names() -> None:
    assert refusal(WritePost(text="x", reply_to=Offset(99)), state(None)).reason is Reason.POST_UNKNOWN


def test_a_reply_to_a_redacted_post_stands() -> None:
    assert ask(WritePost(text="x", reply_to=POST.offset), state(REDACTED))


# ------------------------------------------------------------------------------------------- closed and agreement


@pytest.mark.parametrize("command", [WritePost(text="x"), EDIT, REACT])
def test_nothing_is_added_to_a_closed_room(command: RoomCommand) -> None:
    closed = msgspec.structs.replace(ROOM, status=RoomStatus.CLOSED)
    assert refusal(command, state(POST, room=closed)).reason is Reason.ROOM_CLOSED


@pytest.mark.parametrize("membership", [None, Membership(room=ROOM.id, agreement_version=2)])
@pytest.mark.parametrize("command", [WritePost(text="x"), EDIT, REACT])
def test_nothing_is_added_before_the_agreement_is_accepted(command: RoomCommand, membership: Membership | None) -> None:
    assert refusal(command, state(POST, membership=membership)).reason is Reason.AGREEMENT_REQUIRED


def test_a_later_agreement_than_the_rooms_is_enough() -> None:
    assert ask(WritePost(text="x"), state(membership=Membership(room=ROOM.id, agreement_version=4)))


def test_own_posts_can_be_taken_back_whatever_became_of_the_room() -> None:
    closed = msgspec.structs.replace(ROOM, status=RoomStatus.CLOSED, agreement_version=9)
    assert ask(REDACT, state(POST, room=closed)) == (Redacted(target=POST.offset),)
    assert ask(REDACT, state(POST, membership=None)) == (Redacted(target=POST.offset),)


# ---------------------------------------------------------------------------------------------------- slow mode


SLOW = msgspec.structs.replace(ROOM, slow_mode=30)


def posted_ago(millis: int) -> RoomState:
    return state(room=SLOW, membership=msgspec.structs.replace(MEMBERSHIP, last_post_at=Millis(NOW - millis)))


def test_slow_mode_says_how_long_to_wait() -> None:
    refused = refusal(WritePost(text="x"), posted_ago(10_500))
    assert (refused.reason, refused.retry_after) == (Reason.SLOW_MODE, 19.5)


def test_slow_mode_ends_to_the_millisecond() -> None:
    assert refusal(WritePost(text="x"), posted_ago(29_999)).retry_after == pytest.approx(0.001)
    assert ask(WritePost(text="x"), posted_ago(30_000))


def test_slow_mode_never_asks_for_more_than_its_rule_when_clocks_differ() -> None:
    assert refusal(WritePost(text="x"), posted_ago(-60_000)).retry_after == 30


def test_a_post_through_a_worker_whose_clock_is_an_hour_ahead_silences_nobody_for_an_hour() -> None:
    assert ask(WritePost(text="x"), posted_ago(-3_600_000))


def test_the_first_post_in_a_slow_room_does_not_wait() -> None:
    assert ask(WritePost(text="x"), state(room=SLOW))


def test_slow_mode_holds_back_neither_a_first_edit_nor_reactions() -> None:
    membership = msgspec.structs.replace(MEMBERSHIP, last_post_at=NOW)
    for command in (EDIT, REDACT, REACT):
        assert ask(command, state(POST, room=SLOW, membership=membership))


def test_slow_mode_holds_back_every_edit_but_the_first() -> None:
    edited = msgspec.structs.replace(POST, edited_at=NOW)
    membership = msgspec.structs.replace(MEMBERSHIP, last_post_at=NOW)
    refused = refusal(EDIT, state(edited, room=SLOW, membership=membership))
    assert (refused.reason, refused.retry_after) == (Reason.SLOW_MODE, 30.0)
    earlier = msgspec.structs.replace(MEMBERSHIP, last_post_at=Millis(NOW - 30_000))
    assert ask(EDIT, state(edited, room=SLOW, membership=earlier))


# --------------------------------------------------------------------------------------------- editing, redacting


def test_an_edit_changes_text_and_warning() -> None:
    command = EditPost(target=POST.offset, text=" better ", warning="tired")
    assert ask(command, state(POST)) == (Edited(target=POST.offset, text="better", warning="tired", edited_at=NOW),)


def test_an_edit_that_changes_nothing_is_no_event() -> None:
    assert ask(EditPost(target=POST.offset, text=" hello "), state(POST)) == ()


def test_an_edit_may_change_the_warning_alone() -> None:
    (event,) = ask(EditPost(target=POST.offset, text="hello", warning="w"), state(POST))
    assert event == Edited(target=POST.offset, text="hello", warning="w", edited_at=NOW)


def test_the_edit_window_includes_its_last_millisecond() -> None:
    assert ask(EDIT, state(POST), now=Millis(POST.at + RULES.edit_window))
    assert refusal(EDIT, state(POST), now=Millis(POST.at + RULES.edit_window + 1)).reason is Reason.EDIT_TOO_LATE


def test_redacting_has_no_window() -> None:
    assert ask(REDACT, state(POST), now=Millis(POST.at + 10 * RULES.edit_window)) == (Redacted(target=POST.offset),)


@pytest.mark.parametrize("command", [EDIT, REDACT])
def test_only_the_author_may_change_a_post(command: RoomCommand) -> None:
    assert refusal(command, state(POST), BEN).reason is Reason.NOT_YOURS


@pytest.mark.parametrize("command", [EDIT, REDACT, REACT])
def test_a_post_that_is_gone_cannot_be_changed(command: RoomCommand) -> None:
    assert refusal(command, state(None)).reason is Reason.POST_UNKNOWN


@pytest.mark.parametrize("command", [EDIT, REACT])
def test_a_redacted_post_stays_as_it_is(command: RoomCommand) -> None:
    assert refusal(command, state(REDACTED)).reason is Reason.POST_REDACTED


def test_redacting_twice_is_no_second_event() -> None:
    assert ask(REDACT, state(REDACTED)) == ()


def test_the_edit_of_somebody_elses_redacted_post_is_refused_as_theirs() -> None:
    assert refusal(EDIT, state(REDACTED), BEN).reason is Reason.NOT_YOURS


# ---------------------------------------------------------------------------------------------------- reactions


def react(post: Post, own: set[Reaction], reaction: Reaction, on: bool) -> tuple[RoomEvent, ...]:
    command = ReactToPost(target=post.offset, reaction=reaction, on=on)
    return ask(command, state(post, reactions=frozenset(own)), BEN)


def test_a_reaction_carries_the_counts_of_all() -> None:
    post = msgspec.structs.replace(POST, reactions={Reaction.HUG: 2, Reaction.STRENGTH: 1})
    assert react(post, set(), Reaction.HUG, True) == (
        Reacted(
            target=POST.offset,
            by=BEN.id,
            reaction=Reaction.HUG,
            on=True,
            counts={Reaction.HUG: 3, Reaction.STRENGTH: 1},
        ),
    )


def test_the_last_reaction_taken_back_leaves_no_count() -> None:
    post = msgspec.structs.replace(POST, reactions={Reaction.HUG: 1})
    (event,) = react(post, {Reaction.HUG}, Reaction.HUG, False)
    assert isinstance(event, Reacted)
    assert event.counts == {}


@pytest.mark.parametrize("on", [True, False])
def test_a_reaction_that_is_so_already_is_no_event(on: bool) -> None:
    post = msgspec.structs.replace(POST, reactions={Reaction.HUG: 1})
    assert react(post, {Reaction.HUG} if on else set(), Reaction.HUG, on) == ()


def test_reacting_does_not_change_the_post_it_was_given() -> None:
    post = msgspec.structs.replace(POST, reactions={Reaction.HUG: 1})
    react(post, set(), Reaction.HUG, True)
    assert post.reactions == {Reaction.HUG: 1}


def test_own_posts_may_be_reacted_to() -> None:
    assert ask(REACT, state(POST), ANNA)


# ------------------------------------------------------------------------------------------------- what is loaded


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


# ------------------------------------------------------------------------------------------------------- evolve


POSTED = publication(7, Posted(msgspec.structs.replace(POST, offset=Offset(0))))
EVENTS: list[RoomEvent] = [
    Edited(target=POST.offset, text="other", warning="w", edited_at=NOW),
    Redacted(target=POST.offset),
    Reacted(target=POST.offset, by=BEN.id, reaction=Reaction.HUG, on=True, counts={Reaction.HUG: 1}),
    RoomChanged(room=ROOM),
]


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


# --------------------------------------------------------------------------------------------------- clean_text


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


TALK = Room(id=RoomId("s-1"), name="One-to-one", about="", kind=RoomKind.SESSION, agreement_version=3)


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
