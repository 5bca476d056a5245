"""What may be said in a room, by whom, and what a reader holds afterwards."""

from __future__ import annotations

import msgspec
import pytest

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Epoch, Millis, Offset
from chatserver.domain.identity import MemberId, Persona
from chatserver.domain.rooms import settings
from chatserver.domain.rooms.decide import decide
from chatserver.domain.rooms.rooms import (
    Edited,
    EditPost,
    Membership,
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
    RoomEdit,
    RoomEvent,
    RoomId,
    RoomKind,
    RoomRules,
    RoomState,
    RoomStatus,
    WritePost,
    is_closed_room,
    kind_of,
    room_channel,
)

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


# ------------------------------------------------------------------------------------------------------- evolve


POSTED = publication(7, Posted(msgspec.structs.replace(POST, offset=Offset(0))))
EVENTS: list[RoomEvent] = [
    Edited(target=POST.offset, text="other", warning="w", edited_at=NOW),
    Redacted(target=POST.offset),
    Reacted(target=POST.offset, by=BEN.id, reaction=Reaction.HUG, on=True, counts={Reaction.HUG: 1}),
    RoomChanged(room=ROOM),
]


# --------------------------------------------------------------------------------------------------- clean_text


TALK = Room(id=RoomId("s-1"), name="One-to-one", about="", kind=RoomKind.SESSION, agreement_version=3)


# --------------------------------------------------------------------------------------------------------- kinds


@pytest.mark.parametrize(
    ("room", "kind"),
    [
        ("sleep", RoomKind.THEMED),
        ("m-club", RoomKind.THEMED),
        ("ss-1", RoomKind.THEMED),
        ("s-4f9kq2mzx7b3wc8h", RoomKind.SESSION),
        ("m--4f9kq2mzx7b3wc8h", RoomKind.MEETING),
    ],
)
def test_the_id_of_a_closed_room_tells_its_kind(room: str, kind: RoomKind) -> None:
    assert kind_of(RoomId(room)) is kind
    assert is_closed_room(RoomId(room)) is kind.is_closed is (kind in (RoomKind.SESSION, RoomKind.MEETING))


@pytest.mark.parametrize("name", ["S Club", "s-4f9kq2mzx7b3wc8h", "M--Club", "m -- x", "m--4f9kq2mzx7b3wc8h"])
def test_no_name_of_a_room_leads_to_the_id_of_a_closed_one(name: str) -> None:
    room = settings.open_room(name, RoomEdit(about="x"), [])
    assert not is_closed_room(room.id)
    beside = settings.sibling(room, [room])
    assert not is_closed_room(beside.id)


@pytest.mark.parametrize("kind", [RoomKind.SESSION, RoomKind.MEETING])
def test_a_closed_room_does_not_exist_for_others(kind: RoomKind) -> None:
    outside = RoomState(room=Room(id=RoomId("x"), name="x", about="", kind=kind), membership=None)
    with pytest.raises(Refusal) as refused:
        decide(outside, WritePost(text="hello"), BEN, RULES, NOW)
    assert refused.value.reason is Reason.ROOM_UNKNOWN
