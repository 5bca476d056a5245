"""Second looks at posts: what is read again, and what is raised late but once, for every database."""

from __future__ import annotations

import msgspec

from chatserver.domain.history import CommandId, Millis, Offset
from chatserver.domain.identity import NodeId, Persona
from chatserver.domain.moderation.crisis_phrases import Category, Signal
from chatserver.domain.moderation.measures import HOUR, PRESSING_TARGET, Outcome
from chatserver.domain.moderation.text_model import MODEL
from chatserver.domain.rooms.rooms import EditPost, RedactPost, RoomId, WritePost, room_channel
from chatserver.store.second_looks_records import LateSignal, Left, Look
from chatserver.store.store import Store
from tests.contract.test_store_moderation import ANYBODY, at, moderator
from tests.store.kit import GRIEF, SLEEP, START, change, newcomer, only, say

NEWEST = Offset(2**62)
ONE, OTHER = NodeId("one"), NodeId("other")


def after(milliseconds: int) -> Millis:
    return Millis(START + milliseconds)


async def looks(store: Store, since: Millis = START, where: RoomId = SLEEP, limit: int = 100) -> list[Look]:
    """Return what there is to look at in a room, read page by page."""
    found: list[Look] = []
    before: Offset | None = NEWEST
    while before is not None:
        page = await store.texts_since(room_channel(where), before, since, limit)
        found += page.looks
        before = page.before
    return found


def late(look: Look, *, now: Millis = START, category: Category = Category.SELF_HARM) -> LateSignal:
    signal = Signal(category=category, level=2, phrase=MODEL, words=look.text.strip(), start=0, end=len(look.text))
    return LateSignal(look=look, signal=signal, now=now)


async def words_of_reports(store: Store) -> list[str]:
    return [report.reason for report in (await store.queue(ANYBODY, START)).open]


async def test_a_worker_says_how_far_it_is_and_is_left_behind(store: Store, other: Store) -> None:
    await store.note_looked(ONE, after(10))
    await other.note_looked(OTHER, after(5))
    await store.note_looked(ONE, after(20))
    assert await other.left_unlooked(after(100)) == [Left(OTHER, after(5)), Left(ONE, after(20))]
    assert await other.left_unlooked(after(20)) == [Left(OTHER, after(5))]
    await store.end_looking(OTHER, after(4))
    await store.end_looking(ONE, after(20))
    assert await other.left_unlooked(after(100)) == [Left(OTHER, after(5))]


async def test_posts_and_edits_are_read_again_with_their_present_words(store: Store) -> None:
    ada = await newcomer(store, "Ada")
    await say(store, ada, "early", now=START)
    first = await say(store, ada, "first", now=START + 10)
    gone = await say(store, ada, "gone", now=START + 20)
    await say(store, ada, "elsewhere", where=GRIEF, now=START + 20)
    await store.commit(change(ada, EditPost(target=first, text="better", warning="w"), now=START + 30, id_="edit"))
    await store.commit(change(ada, RedactPost(target=gone), now=START + 40))
    for limit in (1, 2, 100):
        found = await looks(store, after(10), limit=limit)
        assert [(each.post, each.text, each.author) for each in found] == [(first, "w\nbetter", ada.id)] * 2
        assert found[0].command_id == "edit"
        assert found[0].at == after(30)
    assert await store.channels_since(after(20)) == [room_channel(GRIEF), room_channel(SLEEP)]
    assert await store.channels_since(after(21)) == [room_channel(SLEEP)]


async def test_nothing_is_raised_twice_however_often_it_is_looked_at(store: Store, other: Store) -> None:
    ada, mo = await newcomer(store, "Ada"), await moderator(store)
    await say(store, ada, "the lanterns go dark")
    (look,) = await looks(store)
    assert await store.escalate_late([late(look)]) == 1
    assert await other.escalate_late([late(look, category=Category.DANGER)]) == 0
    (report,) = (await store.queue(ANYBODY, START)).open
    assert (report.about, report.reason, report.level, report.by) == (ada.id, "self_harm", 2, None)
    await store.claim_report(report.id, at(mo), None, "", START)
    file = await store.open_report(report.id, ANYBODY, "to look", START)
    assert file.note == f"the lanterns go dark\n{MODEL}"
    assert [post.text for post in file.posts] == ["the lanterns go dark"]
    await store.close_report(report.id, at(mo), Outcome.NOTHING, "", START)
    assert await store.escalate_late([late(look, now=after(2 * HOUR))]) == 0
    assert await words_of_reports(store) == []


async def test_what_the_lists_raised_is_not_raised_again(store: Store) -> None:
    ada = await newcomer(store, "Ada")
    asked = change(ada, WritePost(text="the words"))
    signal = Signal(category=Category.ABUSE, level=3, phrase="a line", words="the words", start=0, end=9)
    await store.commit(msgspec.structs.replace(asked, signals=(signal,)))
    (look,) = await looks(store)
    assert await store.escalate_late([late(look)]) == 0
    assert await words_of_reports(store) == ["abuse"]


async def test_words_that_are_no_longer_there_raise_nothing(store: Store) -> None:
    ada = await newcomer(store, "Ada")
    changed, redacted = await say(store, ada, "changed"), await say(store, ada, "redacted")
    found = await looks(store)
    await store.commit(change(ada, EditPost(target=changed, text="calm")))
    await store.commit(change(ada, RedactPost(target=redacted)))
    assert await store.escalate_late([late(each) for each in found]) == 0
    unknown = msgspec.structs.replace(found[0], channel=room_channel(RoomId("nowhere")))
    assert await store.escalate_late([late(unknown)]) == 0
    assert await words_of_reports(store) == []


async def test_erased_people_are_not_looked_at(store: Store) -> None:
    ada = await newcomer(store, "Ada")
    await say(store, ada, "the lanterns go dark")
    (look,) = await looks(store)
    await store.erase(ada.id, START)
    assert await looks(store) == []
    assert await store.escalate_late([late(look)]) == 0


async def test_many_are_raised_in_one_transaction_one_card_for_each_person(store: Store) -> None:
    authors: list[Persona] = [await newcomer(store, name) for name in ("Ada", "Bo", "Cy")]
    for author in authors:
        await store.commit(change(author, WritePost(text=f"{author.name} says"), id_="same-id"))
        only(await store.commit(change(author, WritePost(text=f"{author.name} again"), where=GRIEF)))
    found = [*await looks(store), *await looks(store, where=GRIEF)]
    assert {each.command_id for each in found} >= {CommandId("same-id")}
    assert await store.escalate_late([late(each) for each in found]) == 6
    assert sorted(await words_of_reports(store)) == ["self_harm"] * 3


def pressing(look: Look, score: float = 0.5, *, now: Millis = START) -> LateSignal:
    found = late(look, now=now)
    return msgspec.structs.replace(
        found, signal=msgspec.structs.replace(found.signal, is_pressing=True, score=score, level=2)
    )


async def test_what_sounds_urgent_comes_first_within_its_level_and_is_of_no_higher_one(store: Store) -> None:
    authors = [await newcomer(store, name) for name in ("Ada", "Bo")]
    for author in authors:
        await say(store, author, f"{author.name} says", now=START)
    first, second = await looks(store)
    await store.escalate_late([late(second, now=START), pressing(first, now=after(60_000))])
    waiting = (await store.queue(ANYBODY, START)).open
    assert [(each.about, each.level, each.is_pressing) for each in waiting] == [
        (first.author, 2, True),
        (second.author, 2, False),
    ]
    assert waiting[0].due_at == after(60_000) + PRESSING_TARGET


async def test_an_urgent_addition_brings_what_waits_forward_also_after_it_was_given_back(store: Store) -> None:
    ada, mo = await newcomer(store, "Ada"), await moderator(store)
    await say(store, ada, "one", now=START)
    await say(store, ada, "two", now=after(60_000))
    two, one = await looks(store)
    assert await store.escalate_late([late(one, now=START)]) == 1
    (report,) = (await store.queue(ANYBODY, START)).open
    assert report.due_at == after(HOUR)
    assert await store.escalate_late([pressing(two, now=after(60_000))]) == 1
    (report,) = (await store.queue(ANYBODY, START)).open
    assert (report.due_at, report.is_pressing) == (after(60_000) + PRESSING_TARGET, True)
    await store.claim_report(report.id, at(mo), None, "", after(70_000))
    await store.release_report(report.id, at(mo), after(80_000))
    (report,) = (await store.queue(ANYBODY, START)).open
    assert report.due_at == after(PRESSING_TARGET)
