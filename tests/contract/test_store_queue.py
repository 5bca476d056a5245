"""The moderators' queue under pressure: its order and pages, one card for one person, and folded floods, for every
database."""

from __future__ import annotations

import asyncio
import random

import msgspec
import pytest

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId, Persona
from chatserver.domain.listening.commands import KeepReport
from chatserver.domain.listening.state import SessionId
from chatserver.domain.moderation.alert_floods import FloodRules, Origin
from chatserver.domain.moderation.crisis_phrases import Category, Signal
from chatserver.domain.moderation.measures import (
    CALL_TARGET,
    DANGER,
    HOUR,
    REPORTS_AN_HOUR,
    Outcome,
    Report,
    ReportStatus,
)
from chatserver.domain.moderation.report_queue import (
    CLAIMED,
    PAGE,
    URGENT_EACH,
    Folds,
    Rank,
    Ring,
    band_of,
    place_of,
    rank_of,
    ring_of,
)
from chatserver.domain.rooms.rooms import RoomId, WritePost
from chatserver.store.records import Retention
from chatserver.store.store import Store
from tests.contract.test_store_moderation import ALL_SEEN, ANYBODY, at, moderator, reported
from tests.store.kit import GRIEF, SLEEP, START, Database, change, newcomer, room
from tests.store.listening_kit import does

HERE, THERE = Origin(address=b"here"), Origin(address=b"there")
DAY = 24 * HOUR
LATER = Millis(START + 2 * HOUR)
"""When somebody who came at `START` is no longer new."""


def said(where: RoomId, now: int) -> str:
    return f"said in {where} in minute {(now - START) // 60_000}"


async def says(
    store: Store,
    author: Persona,
    *signals: tuple[Category, int],
    where: RoomId = SLEEP,
    now: int = START,
    origin: Origin | None = HERE,
) -> None:
    found = tuple(
        Signal(category=category, level=level, phrase="a line", words="the words", start=0, end=9)
        for category, level in signals
    )
    asked = change(author, WritePost(text=said(where, now)), where=where, now=now)
    await store.commit(msgspec.structs.replace(asked, signals=found, origin=origin))


async def whole_queue(store: Store) -> list[Report]:
    queue = await store.queue(ANYBODY, START)
    found, place = [*queue.open], queue.next
    while place is not None:
        page = await store.queue_page(ANYBODY, place, None)
        found += page.reports
        place = page.next
    assert len(found) == queue.open_count == sum(queue.ranks.values())
    return found


async def people(store: Store, count: int, name: str = "Guest", now: Millis = START) -> list[Persona]:
    return [await newcomer(store, f"{name}{n}", now=now) for n in range(count)]


# ------------------------------------------------------------------------------------------------ order and pages


async def test_the_database_sorts_as_the_domain_does_and_pages_reach_the_end(store: Store) -> None:
    mo = await moderator(store)
    chance = random.Random(11)
    reporters = await people(store, 12)
    for n in range(130):
        now = Millis(START + n * 60_000 + chance.choice((0, 0, HOUR)))
        who, other = chance.sample(reporters, 2)
        if chance.random() < 0.5:
            reason = chance.choice((DANGER, "unkind", "other"))
            asked = msgspec.structs.replace(reported(who, about=other, now=now), reason=reason)
            try:
                which = await store.report(asked)
            except Refusal:
                continue
            if chance.random() < 0.2:
                await store.claim_report(which, at(mo), None, "", now)
        else:
            fresh = await newcomer(store, f"Fresh{n}", now=Millis(now - chance.choice((0, DAY))))
            await says(store, fresh, (chance.choice([*Category]), chance.choice((2, 3))), now=now, origin=None)
    found = await whole_queue(store)
    assert len(found) > 2 * PAGE
    assert [each.id for each in found] == [each.id for each in sorted(found, key=place_of)]
    assert len({each.id for each in found}) == len(found)
    assert {each.band for each in found} == {0, 1, 10, 11, 20, 21}
    for each in found:
        ranks = [rank_of(reason=each.reason, is_call=False, level=each.level, urgent_before=n) for n in (0, 99)]
        assert each.band in [band_of(rank, is_new=each.is_new) for rank in ranks]


async def test_the_most_urgent_is_on_the_first_page_however_much_is_less_urgent(store: Store) -> None:
    for n, who in enumerate(await people(store, 2 * PAGE)):
        await says(store, who, (Category.HOSTILE, 2), now=LATER + n)
    child, him = await newcomer(store, "Child"), await newcomer(store, "Him")
    asked = reported(child, about=him, now=LATER + DAY)
    await store.report(msgspec.structs.replace(asked, reason=DANGER))
    queue = await store.queue(ANYBODY, START)
    assert (queue.open[0].id, queue.open_count) == (asked.id, 2 * PAGE + 1)
    assert queue.ranks == {Rank.NOW: 1, Rank.WORDS: 2 * PAGE}


async def test_one_person_cannot_fill_what_is_urgent(store: Store) -> None:
    bo = await newcomer(store, "Bo")
    for n, who in enumerate(await people(store, URGENT_EACH + 2)):
        asked = msgspec.structs.replace(reported(bo, about=who, now=LATER + n), reason=DANGER)
        await store.report(asked)
    queue = await store.queue(ANYBODY, START)
    assert queue.ranks == {Rank.NOW: URGENT_EACH, Rank.REPORT: 2}
    assert {each.due_at - each.at for each in queue.open} == {CALL_TARGET}
    assert len(await store.rings(ANYBODY, START)) == URGENT_EACH


# ------------------------------------------------------------------------------------------------ cards


async def test_one_person_is_one_card_in_all_rooms_and_it_shows_the_most_serious(store: Store, other: Store) -> None:
    ada, mo = await newcomer(store, "Ada"), await moderator(store)
    await says(store, ada, (Category.HOSTILE, 2), now=LATER)
    (card,) = (await store.queue(ANYBODY, START)).open
    assert await store.rings(ANYBODY, START) == []
    await says(other, ada, (Category.SELF_HARM, 3), (Category.METHOD, 2), where=GRIEF, now=LATER + 60_000)
    (raised,) = (await store.queue(ANYBODY, START)).open
    assert (raised.id, raised.about, raised.level, raised.reason) == (card.id, ada.id, 3, "self_harm")
    assert (raised.room, raised.due_at, raised.newest_at) == (GRIEF, LATER + 60_000 + CALL_TARGET, LATER + 60_001)
    held = (await store.queue_page(ANYBODY, None, card.id)).reports
    assert sorted((each.room, each.reason, each.level) for each in held) == [
        (GRIEF, "method", 2), (SLEEP, "hostile", 2),
    ]  # fmt: skip
    assert [(ring.report.id, ring.at) for ring in await store.rings(ANYBODY, START)] == [(card.id, LATER + 60_000)]
    file = await store.open_report(card.id, at(mo), "to help", LATER)
    assert [post.text for post in file.posts] == [said(GRIEF, LATER + 60_000)]
    for part in held:
        texts = [post.text for post in (await store.open_report(part.id, at(mo), "to help", LATER)).posts]
        assert texts == [said(part.room, LATER if part.room == SLEEP else LATER + 60_000)]
    with pytest.raises(Refusal) as refusal:
        await store.claim_report(held[0].id, at(mo), None, "", LATER)
    assert refusal.value.reason is Reason.REPORT_UNKNOWN, "a part has no case of its own"


async def test_what_is_taken_rings_again_only_when_it_becomes_more_serious_and_ends_as_one(store: Store) -> None:
    ada, mo = await newcomer(store, "Ada"), await moderator(store)
    await says(store, ada, (Category.SELF_HARM, 2), now=LATER)
    (card,) = (await store.queue(ANYBODY, START)).open
    await store.claim_report(card.id, at(mo), None, "", LATER)
    assert (await store.queue(ANYBODY, START)).open[0].due_at == LATER + CLAIMED
    await says(store, ada, (Category.METHOD, 2), now=LATER + 1)
    assert await store.rings(ANYBODY, START) == []
    await says(store, ada, (Category.SELF_HARM, 3), now=LATER + 2)
    (ring,) = await store.rings(ANYBODY, START)
    assert (ring.report.id, ring.report.claimed_by, ring.at) == (card.id, mo, LATER + 2)
    await says(store, ada, (Category.METHOD, 3), now=LATER + 3)
    assert [each.at for each in await store.rings(ANYBODY, START)] == [LATER + 2]
    await store.close_report(card.id, at(mo), Outcome.HANDLED, "", LATER, ALL_SEEN)
    assert (await store.queue(ANYBODY, START)).open_count == 0
    assert {each.status for each in (await store.queue_page(ANYBODY, None, card.id)).reports} == {ReportStatus.CLOSED}
    await says(store, ada, (Category.SELF_HARM, 3), now=LATER + HOUR)
    (again,) = (await store.queue(ANYBODY, START)).open
    assert again.id != card.id


async def test_two_workers_make_one_card(store: Store, other: Store) -> None:
    ada = await newcomer(store, "Ada")
    kinds = [(category, level) for category in Category for level in (2, 3)]
    await asyncio.gather(
        *(says((store, other)[n % 2], ada, kinds[n % 12], where=(SLEEP, GRIEF)[n % 2]) for n in range(24))
    )
    (card,) = (await store.queue(ANYBODY, START)).open
    assert card.level == 3
    held = (await store.queue_page(ANYBODY, None, card.id)).reports
    assert {each.reason for each in held} == {*Category}


async def test_a_day_later_it_is_another_card(store: Store) -> None:
    ada = await newcomer(store, "Ada")
    await says(store, ada, (Category.SELF_HARM, 2), now=START)
    await says(store, ada, (Category.SELF_HARM, 3), now=START + DAY)
    assert (await store.queue(ANYBODY, START)).open_count == 2


# ------------------------------------------------------------------------------------------------ floods


async def test_six_guests_of_one_address_are_one_card_and_a_childs_report_is_first(store: Store, other: Store) -> None:
    """An attack that once buried everything else: 72 posts, each with six categories, in seven seconds."""
    names = [RoomId(f"room-{n}") for n in range(12)]
    await store.add_rooms([room(name) for name in names])
    for guest in await people(store, 6, now=START):
        for name in names:
            await store.join(guest.id, name, 1)
        await asyncio.gather(
            *(
                says((store, other)[n % 2], guest, *((each, 3) for each in Category), where=name, now=START + n * 90)
                for n, name in enumerate(names)
            )
        )
    child, him, mo = await newcomer(store, "Child"), await newcomer(store, "Him"), await moderator(store)
    asked = msgspec.structs.replace(
        reported(child, about=him, now=START + 9_000), reason=DANGER, note="he wants to meet me", origin=THERE
    )
    await store.report(asked)
    queue = await store.queue(ANYBODY, START)
    first, flood = queue.open
    assert (first.id, flood.folds, flood.due_at - flood.at) == (asked.id, Folds.WORDS, CALL_TARGET)
    assert [(ring_of(ring.report), ring.report.id) for ring in await store.rings(ANYBODY, Millis(START - 1))] == [
        (Ring.DANGER, asked.id),
        (Ring.WORDS, flood.id),
    ]
    assert queue.parts[flood.id] == 6
    cards = (await store.queue_page(ANYBODY, None, flood.id)).reports
    total = 0
    for card in cards:
        place, found = None, [card]
        while True:
            page = await store.queue_page(ANYBODY, place, card.id)
            found += page.reports
            if (place := page.next) is None:
                break
        assert len({(each.room, each.reason) for each in found}) == len(found) == 72
        total += len(found)
    assert total == 432, "nothing is lost"
    counts = await store.counts(START)
    assert (counts.floods, counts.folded, sum(counts.reports.values())) == (1, 6, 2)

    # A report that is claimed leaves the flood; closing the flood closes the others.
    await store.claim_report(cards[0].id, at(mo), None, "", START)
    queue = await store.queue(ANYBODY, START)
    assert (queue.open_count, queue.parts[flood.id]) == (3, 5)
    await store.claim_report(flood.id, at(mo), None, "", START)
    await store.close_report(flood.id, at(mo), Outcome.MEASURE, "", START, ALL_SEEN)
    assert {each.id for each in (await store.queue(ANYBODY, START)).open} == {cards[0].id, asked.id}
    assert (await store.counts(START)).folded == 0


async def test_who_is_known_or_comes_from_elsewhere_is_not_folded(store: Store) -> None:
    known = await newcomer(store, "Known")
    guests = await people(store, 5, now=LATER)
    elsewhere = await newcomer(store, "Elsewhere", now=LATER)
    many = [(each, 3) for each in Category]
    for guest in guests:
        await says(store, guest, *many, now=LATER)
    await says(store, known, (Category.SELF_HARM, 3), now=LATER)
    await says(store, elsewhere, (Category.SELF_HARM, 3), now=LATER, origin=THERE)
    found = (await store.queue(ANYBODY, START)).open
    assert [(each.about, each.folds) for each in found] == [
        (known.id, None),
        (elsewhere.id, None),
        (None, Folds.WORDS),
    ]
    # An hour later one of them is no longer new, so what they say is not folded.
    await says(store, guests[0], (Category.SELF_HARM, 3), now=LATER + HOUR, where=GRIEF)
    assert guests[0].id in {each.about for each in (await store.queue(ANYBODY, START)).open}


async def test_the_many_networks_of_one_household_are_one_flood(store: Store) -> None:
    rules = FloodRules(people=1_000)
    most = rules.per_address
    for n, guest in enumerate(await people(store, 2 * most + 3)):
        origin = Origin(address=b"64-%02d" % n, rules=rules, around=(b"56", b"48"))
        await says(store, guest, (Category.SELF_HARM, 3), now=START + n, origin=origin)
        if n + 1 == 2 * most:
            assert {each.folds for each in (await store.queue(ANYBODY, START)).open} == {None}
    near = await newcomer(store, "Near")
    origin = Origin(address=b"64-xx", rules=rules, around=(b"57", b"48"))
    await says(store, near, (Category.SELF_HARM, 3), now=START + 60, origin=origin)
    found = (await store.queue(ANYBODY, START)).open
    assert {(each.about, each.folds) for each in found} == {(near.id, None), (None, Folds.WORDS)}


async def test_new_people_of_everywhere_are_a_flood_when_they_are_many(store: Store) -> None:
    for n, guest in enumerate(await people(store, FloodRules().people + 5)):
        await says(store, guest, (Category.SELF_HARM, 3), now=START + n, origin=Origin(address=bytes([n])))
    (flood,) = (await store.queue(ANYBODY, START)).open
    assert flood.folds == Folds.WORDS
    assert (await store.queue(ANYBODY, START)).parts == {flood.id: FloodRules().people + 5}


async def test_a_crowd_of_one_address_takes_nobody_along_who_comes_from_elsewhere(store: Store) -> None:
    """Eleven people with one alert each are more than the limit for everywhere, but too few for one address."""
    for n, guest in enumerate(await people(store, FloodRules().people + 5)):
        await says(store, guest, (Category.SELF_HARM, 3), now=START + n)
    alone = await newcomer(store, "Alone")
    await says(store, alone, (Category.SELF_HARM, 3), now=START + 60, origin=THERE)
    first, flood = (await store.queue(ANYBODY, START)).open
    assert (first.about, first.folds, flood.folds) == (alone.id, None, Folds.WORDS)
    assert (await store.queue(ANYBODY, START)).parts == {flood.id: FloodRules().people + 5}


async def test_a_crowd_and_a_few_others_are_no_flood_of_everywhere(store: Store) -> None:
    """Ten people of one address are no flood of it yet, and together with two from elsewhere they are twelve."""
    for n, guest in enumerate(await people(store, FloodRules().people)):
        await says(store, guest, (Category.SELF_HARM, 3), now=START + n)
    for n, guest in enumerate(await people(store, 2, "Other")):
        await says(store, guest, (Category.SELF_HARM, 3), now=START + 60 + n, origin=Origin(address=bytes([n])))
    queue = await store.queue(ANYBODY, START)
    assert [each.folds for each in queue.open] == [None] * (FloodRules().people + 2)


async def test_a_session_is_never_part_of_a_flood(store: Store) -> None:
    for guest in await people(store, 5):
        await says(store, guest, *((each, 2) for each in Category))
    (flood,) = (await store.queue(ANYBODY, START)).open
    talk = RoomId("s-talk")
    await store.add_rooms([room(talk)])
    guest = await newcomer(store, "Seeker", talk)
    asked = change(guest, WritePost(text="x"), where=talk)
    signal = Signal(category=Category.SELF_HARM, level=3, phrase="p", words="w", start=0, end=1)
    await store.commit(msgspec.structs.replace(asked, signals=(signal,), origin=None))
    assert [each.room for each in (await store.queue(ANYBODY, START)).open] == [talk, flood.room]


async def test_a_crowd_that_reports_is_folded_and_everybody_in_it_is_answered(store: Store) -> None:
    ada, mo, old = await newcomer(store, "Ada"), await moderator(store), await newcomer(store, "Old")
    crowd = await people(store, 30, now=LATER)
    for n, guest in enumerate(crowd):
        asked = reported(guest, about=ada, now=LATER + n)
        await store.report(msgspec.structs.replace(asked, reason=DANGER, origin=HERE))
    true = reported(old, about=crowd[0], now=LATER + 100)
    await store.report(msgspec.structs.replace(true, reason=DANGER, origin=HERE))
    first, flood = (await store.queue(ANYBODY, START)).open
    assert (first.id, flood.folds) == (true.id, Folds.REPORTS)
    assert [ring_of(ring.report) for ring in await store.rings(ANYBODY, START)] == [Ring.DANGER, Ring.DANGER]
    page = await store.queue_page(ANYBODY, None, flood.id)
    assert {each.by for each in page.reports} == {guest.id for guest in crowd}
    await store.claim_report(flood.id, at(mo), None, "", LATER)
    await store.close_report(flood.id, at(mo), Outcome.NOTHING, "We looked at it.", LATER, ALL_SEEN)
    for guest in crowd:
        (answer,) = (await store.moderation_notices(guest.id, LATER)).answers
        assert answer.reply == "We looked at it."
    assert await store.concerned(0) >= {guest.id for guest in crowd}


async def test_erasing_oneself_does_not_make_a_flood_smaller(store: Store) -> None:
    for guest in await people(store, 4):
        await says(store, guest, *((each, 2) for each in Category))
        await store.erase(guest.id, START)
    assert [each.folds for each in (await store.queue(ANYBODY, START)).open] == [Folds.WORDS]


async def test_where_an_alert_came_from_is_forgotten_with_the_day(store: Store, database: Database) -> None:
    for guest in await people(store, 3):
        await says(store, guest, *((each, 2) for each in Category))
    midnight = (START // DAY + 1) * DAY
    retention = Retention(member_age=999 * DAY)
    if database.path is None:
        pytest.skip("PostgreSQL's rows are the same; SQLite's bytes are read here")
    assert b"here" in database.bytes()
    await store.expire(Millis(midnight - 1), retention)
    assert (await store.counts(START)).floods == 1
    await store.expire(Millis(midnight), retention)
    assert (await store.counts(START)).floods == 1, "what it folded stays"
    await says(store, await newcomer(store, "Late", now=Millis(midnight)), (Category.HOSTILE, 3), now=midnight)
    assert (await store.queue(ANYBODY, START)).open_count == 2, "under the next day's key it is another place"


# ------------------------------------------------------------------------------------------------ saying it again


async def test_who_reports_again_adds_to_the_open_report_and_can_say_that_it_is_danger(store: Store) -> None:
    ada, bo, mo = await newcomer(store, "Ada"), await newcomer(store, "Bo"), await moderator(store)
    first = reported(ada, about=bo, now=LATER)
    await store.report(first)
    assert await store.rings(ANYBODY, START) == []
    again = msgspec.structs.replace(reported(ada, about=bo, now=LATER + 5), reason=DANGER, note="he wants to meet me")
    version = await store.moderation_version()
    assert await store.report(again) == first.id
    assert await store.moderation_version() == version + 1
    assert await store.report(again) == first.id
    assert await store.moderation_version() == version + 1, "sent again it changes nothing"
    (found,) = (await store.queue(ANYBODY, START)).open
    assert (found.reason, found.due_at) == (DANGER, LATER + 5 + CALL_TARGET)
    assert [(each.report.id, each.at) for each in await store.rings(ANYBODY, START)] == [(first.id, LATER + 5)]
    assert (await store.open_report(first.id, at(mo), "to look", LATER)).note == "it hurts\n\nhe wants to meet me"


def kept(by: Persona, note: str, *, about: MemberId | None, reason: str = DANGER, is_call: bool = False) -> KeepReport:
    return KeepReport(
        session=SessionId("s-talk"), by=by.id, about=about, reason=reason, note=note, is_call=is_call, at=LATER
    )


async def test_a_session_has_one_open_call_and_one_report_of_a_kind(store: Store) -> None:
    ada, liv, mo = await newcomer(store, "Ada"), await newcomer(store, "Liv"), await moderator(store)
    for n in range(25):
        call = kept(liv, f"come {n}", about=None, reason="help", is_call=True)
        await does(store, effects=(call, kept(ada, f"he says {n}", about=liv.id)))
    found = (await store.queue(ANYBODY, START)).open
    assert sorted((each.is_call, each.about) for each in found) == [(False, liv.id), (True, None)]
    assert len(await store.rings(ANYBODY, START)) == 2
    for each in found:
        said = (await store.open_report(each.id, at(mo), "to look", LATER)).note.split("\n\n")
        assert len(said) == 25
    (call_,) = (each for each in found if each.is_call)
    await store.claim_report(call_.id, at(mo), None, "", LATER)
    await store.close_report(call_.id, at(mo), Outcome.HANDLED, "", LATER, ALL_SEEN)
    await does(store, effects=(kept(liv, "come 3", about=None, reason="help", is_call=True),))
    assert any(each.is_call for each in (await store.queue(ANYBODY, START)).open), (
        "a call that was answered can be made again"
    )


async def test_reports_of_rooms_and_sessions_are_under_one_bound(store: Store) -> None:
    ada = await newcomer(store, "Ada")
    await store.require_report(ada.id, LATER)
    for n in range(REPORTS_AN_HOUR):
        await does(store, effects=(kept(ada, "x", about=MemberId(f"m_{n}")),))
    late = await newcomer(store, "Late")
    for attempt in (store.require_report(ada.id, LATER), store.report(reported(ada, about=late, now=LATER))):
        with pytest.raises(Refusal) as refusal:
            await attempt
        assert refusal.value.reason is Reason.RATE_LIMITED
    await store.require_report(ada.id, Millis(LATER + HOUR))
