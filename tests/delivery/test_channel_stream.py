"""A channel's line: in order, once, never across a hole."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chatserver.delivery.channel_stream import EARLY_LIMIT, ChannelStream
from chatserver.domain.history import ChannelName, Epoch, Head, Millis, Offset
from chatserver.domain.identity import MemberId
from chatserver.domain.rooms.rooms import (
    Edited,
    Post,
    Posted,
    Publication,
    Reacted,
    Reaction,
    Redacted,
    RoomEvent,
)

EPOCH = Epoch("e1")


def publication(offset: int, event: RoomEvent | None = None) -> Publication:
    post = Post(
        offset=Offset(offset), author=MemberId("m_a"), name="Quiet Heron", text=f"text {offset}", at=Millis(offset)
    )
    return Publication(
        channel=ChannelName("room:a"),
        epoch=EPOCH,
        offset=Offset(offset),
        at=Millis(offset),
        event=event if event is not None else Posted(post),
    )


def line(last: int = 0, limit: int = 256) -> ChannelStream:
    return ChannelStream(Head(EPOCH, Offset(1), Offset(last)), limit)


def offsets(publications: list[Publication] | None) -> list[int] | None:
    return None if publications is None else [p.offset for p in publications]


def held_post(held: ChannelStream, offset: int) -> Post:
    found = held.since(Offset(offset - 1))
    assert found is not None
    event = found[0].event
    assert isinstance(event, Posted)
    return event.post


def test_publications_in_order_are_let_out_at_once() -> None:
    standing = line()
    assert offsets(standing.accept([publication(1), publication(2)])) == [1, 2]
    assert not standing.has_hole


def test_early_publication_waits_for_the_missing_one() -> None:
    standing = line()
    assert standing.accept([publication(2)]) == []
    assert standing.has_hole
    assert offsets(standing.accept([publication(1)])) == [1, 2]
    assert not standing.has_hole


def test_repeat_gives_nothing() -> None:
    standing = line()
    standing.accept([publication(1)])
    assert standing.accept([publication(1)]) == []


def test_what_stood_before_the_line_was_opened_is_not_shown_again() -> None:
    standing = line(last=5)
    assert standing.accept([publication(5)]) == []
    assert offsets(standing.accept([publication(6)])) == [6]


@given(st.permutations(range(1, 30)), st.lists(st.integers(1, 29), max_size=20), st.sets(st.integers(1, 29)))
def test_any_order_with_repeats_and_losses_is_shown_whole_once_healed(
    arrivals: list[int], repeats: list[int], lost: set[int]
) -> None:
    standing = line()
    shown: list[int] = []
    for offset in [*arrivals, *repeats]:
        if offset not in lost:
            shown += [p.offset for p in standing.accept([publication(offset)])]
            assert shown == list(range(1, len(shown) + 1))
    shown += [p.offset for p in standing.accept(publication(o) for o in range(standing.last + 1, 30))]
    assert shown == list(range(1, 30))


def test_hole_wider_than_the_early_limit_is_still_closed_in_order() -> None:
    standing = line()
    standing.accept(publication(offset) for offset in range(2, EARLY_LIMIT + 10))
    let_out = offsets(standing.accept(publication(offset) for offset in range(1, EARLY_LIMIT + 10)))
    assert let_out == list(range(1, EARLY_LIMIT + 10))


def test_since_gives_exactly_what_came_after() -> None:
    standing = line(last=3)
    standing.accept(publication(offset) for offset in range(4, 8))
    assert offsets(standing.since(Offset(5))) == [6, 7]
    assert offsets(standing.since(Offset(3))) == [4, 5, 6, 7]
    assert standing.since(Offset(7)) == []
    assert standing.since(Offset(2)) is None


def test_ring_forgets_the_oldest_beyond_its_limit() -> None:
    standing = line(limit=3)
    standing.accept(publication(offset) for offset in range(1, 6))
    assert standing.since(Offset(1)) is None
    assert offsets(standing.since(Offset(2))) == [3, 4, 5]


def test_what_came_while_the_ring_was_kept_is_dropped_beyond_its_limit_once_nobody_keeps_it() -> None:
    held = line(limit=2)
    with held.kept():
        with held.kept():
            held.accept(publication(offset) for offset in range(1, 6))
        assert offsets(held.since(Offset(0))) == [1, 2, 3, 4, 5]
    assert held.ring_start == 4
    assert offsets(held.since(Offset(3))) == [4, 5]


def test_ring_is_extended_back_only_without_a_hole() -> None:
    standing = line(last=5)
    standing.accept([publication(6)])
    standing.extend_back([publication(2), publication(3)])
    assert standing.since(Offset(3)) is None
    standing.extend_back([publication(4), publication(5)])
    assert offsets(standing.since(Offset(3))) == [4, 5, 6]


def test_expired_publications_are_not_replayed() -> None:
    standing = line()
    standing.accept(publication(offset) for offset in range(1, 6))
    standing.expire(Offset(4))
    assert standing.since(Offset(2)) is None
    assert offsets(standing.since(Offset(3))) == [4, 5]


def test_redacted_text_is_not_kept_for_those_who_come_back() -> None:
    standing = line()
    edited = Edited(target=Offset(1), text="changed", warning=None, edited_at=Millis(2))
    standing.accept([publication(1), publication(2, edited), publication(3, Redacted(target=Offset(1)))])
    post = held_post(standing, 1)
    assert (post.text, post.redacted) == ("", True)
    replayed = standing.since(Offset(1))
    assert replayed is not None
    assert isinstance(replayed[0].event, Edited)
    assert replayed[0].event.text == ""


def test_who_is_no_more_is_named_to_nobody_who_comes_back() -> None:
    standing = line()
    ann, ben = MemberId("m_a"), MemberId("m_b")
    hug = Reacted(target=Offset(1), by=ben, reaction=Reaction.HUG, on=True, counts={Reaction.HUG: 1})
    standing.accept([publication(1), publication(2, hug), publication(3, Redacted(target=Offset(1))), publication(6)])
    standing.forget(MemberId("m_c"))
    assert offsets(standing.since(Offset(0))) == [1, 2, 3]
    standing.forget(ben)
    assert standing.since(Offset(1)) is None
    assert offsets(standing.since(Offset(2))) == [3]
    standing.forget(ann)
    assert offsets(standing.accept([publication(4), publication(5)])) == [4, 5]
    assert standing.has_hole


def test_edited_post_is_kept_as_it_stands_now() -> None:
    standing = line()
    edited = Edited(target=Offset(1), text="changed", warning="loss", edited_at=Millis(2))
    standing.accept([publication(1), publication(2, edited)])
    post = held_post(standing, 1)
    assert (post.text, post.warning, post.edited_at) == ("changed", "loss", 2)


def test_reactions_leave_the_kept_post_alone_because_they_are_replayed_whole() -> None:
    standing = line()
    reacted = Reacted(target=Offset(1), by=MemberId("m_b"), reaction=Reaction.HUG, on=True, counts={Reaction.HUG: 1})
    standing.accept([publication(1), publication(2, reacted)])
    assert held_post(standing, 1).reactions == {}
