"""What happens in a room counts for a minute, and then no more."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chatserver.delivery.meter import DELIVERY_SECONDS, MINUTE_SECONDS, Meter
from chatserver.domain.identity import MemberId
from chatserver.domain.rooms.rooms import RoomId

GRIEF = RoomId("grief")
ANNA, BEN = MemberId("m_anna"), MemberId("m_ben")


@given(st.lists(st.tuples(st.integers(0, 90), st.sampled_from([ANNA, BEN])), max_size=40))
def test_posts_and_writers_are_exactly_those_of_the_last_minute(posted: list[tuple[int, MemberId]]) -> None:
    meter, now, written = Meter(), 1_000, []
    for later, member in posted:
        now += later
        meter.posted(GRIEF, member, now + 0.4)
        written.append((now, member))
        activity = meter.read(now + 0.9)[GRIEF]
        recent = [(at, who) for at, who in written if now - at < MINUTE_SECONDS]
        assert activity.posts == len(recent)
        assert activity.writers == len({who for _, who in recent})


def test_reactions_count_for_a_minute() -> None:
    meter = Meter()
    meter.reacted(GRIEF, 10.0)
    assert meter.read(69.9)[GRIEF].reactions == 1
    assert GRIEF not in meter.read(70.0)


def test_deliveries_count_for_half_a_minute() -> None:
    meter = Meter()
    meter.posted(GRIEF, ANNA, 10.0)
    meter.delivered(GRIEF, 4, 10.0)
    meter.delivered(GRIEF, 1, 20.0)
    assert meter.read(20.0)[GRIEF].steps == (1, 0, 0, 1)
    assert meter.read(10.0 + DELIVERY_SECONDS)[GRIEF].steps == (1,)
    assert meter.read(20.0 + DELIVERY_SECONDS)[GRIEF].steps == ()


def test_rooms_at_rest_are_not_kept() -> None:
    meter = Meter()
    for number in range(100):
        meter.posted(RoomId(str(number)), ANNA, 5.0)
    assert len(meter.read(6.0)) == 100
    assert len(meter.read(65.0)) == 0
