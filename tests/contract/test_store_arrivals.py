"""Credentials, sources and measures that apply to newcomers, as the contract promises them."""

from __future__ import annotations

import pytest

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.moderation.measures import HOUR, MeasureKind
from chatserver.domain.moderation.newcomers import Bar
from chatserver.store.arrivals_records import NameRules, SourceSeen
from chatserver.store.records import Retention
from chatserver.store.store import Store
from tests.contract.test_store_moderation import measure, moderator
from tests.store.kit import SLEEP, START, newcomer, say

DAY = 24 * HOUR
NOBODY = MemberId("m_nobody")


async def test_credentials_rise_and_everybody_can_ask_whose(store: Store, other: Store) -> None:
    ada, bea = await newcomer(store, "Ada"), await newcomer(store, "Bea")
    for who in (ada, bea):
        await store.set_code(who.id, who.id.encode())
    assert await store.raise_credentials(ada.id, START, drops_code=False) == 1
    assert await store.raise_credentials(bea.id, Millis(START + 5), drops_code=True) == 1
    assert await other.raise_credentials(bea.id, Millis(START + 6), drops_code=True) == 2
    assert await other.credentials_since(START) == {ada.id: 1, bea.id: 2}
    assert await other.credentials_since(Millis(START + 6)) == {bea.id: 2}
    found = [await store.member(who.id) for who in (ada, bea)]
    assert [(each.credentials, each.has_code) for each in found if each] == [(1, True), (2, False)]


async def test_a_ban_holds_from_the_last_addresses_of_the_last_day(store: Store) -> None:
    bo, mo = await newcomer(store, "Bo"), await moderator(store)
    now = Millis(START + DAY)
    seen = [
        SourceSeen(bo.id, b"old", 0, START),
        SourceSeen(bo.id, b"home", 0, Millis(now - HOUR)),
        SourceSeen(bo.id, b"wide", 1, Millis(now - HOUR)),
        SourceSeen(NOBODY, b"gone", 0, now),
    ]
    await store.note_sources(seen)
    await store.note_sources(seen[1:2])
    ban = (await store.take_measure(measure(mo, bo, MeasureKind.BAN, minutes=2 * 24 * 60), now)).measure
    found = await store.bars([b"old", b"home", b"wide", b"gone"], now)
    ends = Millis(now - HOUR + DAY)
    assert sorted(found, key=lambda bar: bar.key) == [Bar(b"home", ban.id, now, ends), Bar(b"wide", ban.id, now, ends)]


async def test_a_mute_holds_for_an_hour_in_its_room_and_a_notice_for_nobody(store: Store) -> None:
    bo, mo = await newcomer(store, "Bo"), await moderator(store)
    await store.note_sources([SourceSeen(bo.id, b"home", 0, START)])
    await store.take_measure(measure(mo, bo, MeasureKind.NOTICE, minutes=None), START)
    assert await store.bars([b"home"], START) == []
    mute = (await store.take_measure(measure(mo, bo, MeasureKind.MUTE, room=SLEEP, minutes=600), START)).measure
    assert await store.bars([b"home"], START) == [Bar(b"home", mute.id, START, Millis(START + HOUR), SLEEP)]


async def test_where_somebody_came_from_is_forgotten_after_a_day_and_with_them(store: Store) -> None:
    bo, ada, mo = await newcomer(store, "Bo"), await newcomer(store, "Ada"), await moderator(store)
    await store.note_sources([SourceSeen(who.id, who.id.encode(), 0, START) for who in (bo, ada)])
    await store.erase(ada.id, START)
    await store.expire(Millis(START + DAY), Retention())
    # With the time of the start, so that a row that still existed would be found.
    await store.take_measure(measure(mo, bo, MeasureKind.BAN), START)
    assert await store.bars([bo.id.encode(), ada.id.encode()], START) == []


async def test_an_old_name_rests_while_what_was_written_under_it_stands(store: Store) -> None:
    ada, bea = await newcomer(store, "Gentle Otter"), await newcomer(store, "Bea")
    await store.rename(ada.id, "Gentle Otter", "gentleotter")
    rules = NameRules(START, since=Millis(START - 1), until=Millis(START + HOUR))
    await say(store, ada, "change of plan")
    await store.rename(ada.id, "Quiet Heron", "quietheron", (), rules)
    await store.rename(ada.id, "Wide Sky", "widesky", (), rules)
    for name in ("gentleotter", "gentleotters", "thegentleotter", "gentleotter2"):
        with pytest.raises(Refusal) as refusal:
            await store.rename(bea.id, name, name, (), rules)
        assert refusal.value.reason is Reason.NAME_TAKEN
    # Nothing was written under the second name, and the former owner may take the first one again.
    await store.rename(bea.id, "Quiet Heron", "quietheron", (), rules)
    await store.rename(ada.id, "Gentle Otter", "gentleotter", (), rules)
    await store.rename(ada.id, "Wide Sky", "widesky", (), rules)
    later = NameRules(rules.until, since=rules.until, until=Millis(rules.until + HOUR))
    await store.rename(bea.id, "Gentle Otter", "gentleotter", (), later)


async def test_a_name_nearly_like_that_of_somebody_who_was_here_today_is_taken(store: Store) -> None:
    ada, bea = await newcomer(store, "Gentle Otter"), await newcomer(store, "Bea")
    await store.rename(ada.id, "Gentle Otter", "gentleotter")
    near = ("Gentle Otters", "gentleotters", ())
    with pytest.raises(Refusal) as refusal:
        await store.rename(bea.id, *near, NameRules(START, since=Millis(START - 1), until=START))
    assert refusal.value.reason is Reason.NAME_TAKEN
    await store.rename(bea.id, *near, NameRules(START, since=START, until=START))
