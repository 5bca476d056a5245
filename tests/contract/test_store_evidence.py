"""What is kept of removed words, who may open it and until when, for every database."""

from __future__ import annotations

import asyncio
import itertools

import msgspec
import pytest

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis, Offset
from chatserver.domain.identity import MemberId, Persona
from chatserver.domain.listening.commands import DropRoom, KeepReport
from chatserver.domain.moderation.crisis_phrases import Category, Signal
from chatserver.domain.moderation.evidence import EarlierVersion, Ended, is_alias
from chatserver.domain.moderation.measures import MeasureKind, Outcome
from chatserver.domain.rooms.rooms import EditPost, RedactPost, RoomId, WritePost, room_channel
from chatserver.store.drivers.sqlite import SqliteStore
from chatserver.store.escalations import MOST as MOST_POSTS_OF_ONE
from chatserver.store.evidence import MOST_VERSIONS
from chatserver.store.moderation_records import ReportFile, RoomReport
from chatserver.store.records import Retention
from chatserver.store.store import Store
from tests.contract.test_store_moderation import ANYBODY, at, measure
from tests.contract.test_store_sessions import ROOM, TALK, rows, talking
from tests.store.kit import GRIEF, SLEEP, START, Database, change, newcomer, only, replay, say
from tests.store.listening_kit import does

HOUR = 3_600_000
DAY = 24 * HOUR
MODERATOR = MemberId("m_moderator")
FOR_LONG = Retention(room_age=10**13, member_age=10**13)
_ids = itertools.count(1)


async def edit(
    store: Store, author: Persona, offset: Offset, text: str, *, where: RoomId = SLEEP, now: int = START
) -> None:
    await store.commit(change(author, EditPost(target=offset, text=text), where=where, now=now))


async def take_back(store: Store, author: Persona, offset: Offset, *, where: RoomId = SLEEP) -> None:
    await store.commit(change(author, RedactPost(target=offset), where=where))


async def report(
    store: Store, by: Persona, offset: int | None, *, about: MemberId | None = None, now: int = START
) -> ReportFile:
    asked = RoomReport(
        id=f"e{next(_ids)}",
        at=Millis(now),
        by=by.id,
        room=SLEEP,
        offset=None if offset is None else Offset(offset),
        about=about,
        reason="unkind",
        note="",
    )
    return await opened(store, await store.report(asked))


async def opened(store: Store, which: str) -> ReportFile:
    return await store.open_report(which, at(MODERATOR, is_operator=True), "to look", START)


def said(file: ReportFile) -> list[tuple[str, Ended]]:
    return [(version.text, version.ended) for version in file.earlier]


async def expire_all(store: Store, now: int, retention: Retention) -> None:
    while await store.expire(Millis(now), retention):
        pass


async def escalation(store: Store, author: Persona, category: Category) -> str:
    """Write a post whose words raise an escalation. Return the escalation's id."""
    signal = Signal(category=category, level=3, phrase="a line", words="what fired", start=0, end=1)
    asked = change(author, WritePost(text=f"words of {category}"))
    await store.commit(msgspec.structs.replace(asked, signals=(signal,)))
    return next(each.id for each in (await store.queue(ANYBODY, START)).open if each.reason == category.value)


# ------------------------------------------------------------------------------------------------ sealed copies


async def test_a_post_that_was_changed_and_taken_back_is_reported_with_all_that_it_said(store: Store) -> None:
    """[P-MOD-16]"""
    ada, bo = await newcomer(store, "Ada"), await newcomer(store, "Bo")
    offset = await say(store, bo, "you are pathetic")
    await edit(store, bo, offset, "you are pathetic, really", now=START + 1)
    await edit(store, bo, offset, "I hope you feel better", now=START + 2)
    changed = await report(store, ada, offset)
    assert said(changed) == [("you are pathetic", Ended.EDITED), ("you are pathetic, really", Ended.EDITED)]
    assert changed.posts[-1].text == "I hope you feel better"
    await take_back(store, bo, offset)
    await store.claim_report(changed.report.id, at(MODERATOR), None, "", START)
    await store.close_report(changed.report.id, at(MODERATOR), Outcome.HANDLED, "", START)
    gone = await report(store, ada, offset)
    assert said(gone)[2:] == [("I hope you feel better", Ended.REDACTED)]
    assert gone.posts[-1].redacted
    assert gone.earlier[1] == EarlierVersion(
        offset=offset,
        author=bo.id,
        name="Bo",
        text="you are pathetic, really",
        at=Millis(START + 1),
        until=Millis(START + 2),
        ended=Ended.EDITED,
    )


async def test_what_a_moderator_took_back_is_there_for_who_reports_it_later(store: Store) -> None:
    ada, bo = await newcomer(store, "Ada"), await newcomer(store, "Bo")
    offset = await say(store, bo, "vile")
    await store.take_measure(
        measure(MODERATOR, None, MeasureKind.REDACT, room=SLEEP, offset=offset, minutes=None), START
    )
    assert said(await report(store, ada, offset)) == [("vile", Ended.REDACTED)]


async def test_a_report_of_one_post_opens_no_other(store: Store) -> None:
    ada, bo = await newcomer(store, "Ada"), await newcomer(store, "Bo")
    mine, other, theirs = await say(store, ada, "mine"), await say(store, bo, "other"), await say(store, bo, "no")
    for author, offset in ((ada, mine), (bo, other), (bo, theirs)):
        await take_back(store, author, offset)
    assert said(await report(store, ada, theirs)) == [("no", Ended.REDACTED)]
    # A report of a person opens what that person wrote, and nobody else's words.
    assert said(await report(store, ada, None, about=bo.id)) == [("other", Ended.REDACTED), ("no", Ended.REDACTED)]


async def test_an_edit_that_raises_an_alarm_goes_with_what_stood_there_before(store: Store) -> None:
    ada = await newcomer(store, "Ada")
    offset = await say(store, ada, "what are you wearing")
    signal = Signal(category=Category.GROOMING, level=2, phrase="line", words="x", start=0, end=1)
    asked = change(ada, EditPost(target=offset, text="how old are you"))
    await store.commit(msgspec.structs.replace(asked, signals=(signal,)))
    (found,) = (await store.queue(ANYBODY, START)).open
    assert said(await opened(store, found.id)) == [("what are you wearing", Ended.EDITED)]


async def test_a_flood_of_changes_hides_neither_the_first_words_nor_the_last(store: Store) -> None:
    ada, bo = await newcomer(store, "Ada"), await newcomer(store, "Bo")
    offset = await say(store, bo, "0")
    for n in range(1, 40):
        await edit(store, bo, offset, str(n))
    found = [int(version.text) for version in (await report(store, ada, offset)).earlier]
    assert len(found) == MOST_VERSIONS
    assert (found[0], found[-1]) == (0, 38)


async def test_what_others_change_does_not_bury_what_somebody_took_back(store: Store) -> None:
    """A report of a person opens what that person wrote, however much they or others edited before it."""
    ada, bo, friend = await newcomer(store, "Ada"), await newcomer(store, "Bo"), await newcomer(store, "Friend")
    for author in (friend, bo):
        offset = await say(store, author, "0")
        await asyncio.gather(*(edit(store, author, offset, str(n)) for n in range(1, 1_100)))
    vile = await say(store, bo, "vile")
    await take_back(store, bo, vile)
    found = said(await report(store, ada, None, about=bo.id))
    assert found[-1] == ("vile", Ended.REDACTED)
    assert len(found) == MOST_VERSIONS + 1


async def test_who_changes_a_post_and_has_it_reported_again_and_again_makes_no_case_grow(store: Store) -> None:
    ada, bo = await newcomer(store, "Ada"), await newcomer(store, "Bo")
    offset = await say(store, bo, "0")
    for n in range(1, 40):
        await edit(store, bo, offset, str(n))
        await report(store, ada, offset)
    found = [int(version.text) for version in (await report(store, ada, offset)).earlier]
    assert (len(found), found[0], found[-1]) == (MOST_VERSIONS, 0, 38)


async def test_what_raises_the_same_again_is_in_the_case_though_it_was_taken_back(store: Store) -> None:
    """[P-MOD-16] Only the first of many threats makes an escalation, so worse ones that are removed must be added to
    it."""
    bo = await newcomer(store, "Bo")
    which = await escalation(store, bo, Category.DANGER)
    signal = Signal(category=Category.DANGER, level=3, phrase="a line", words="what fired", start=0, end=1)
    asked = change(bo, WritePost(text="tomorrow at eight, at the school"), now=START + 1)
    await store.commit(msgspec.structs.replace(asked, signals=(signal,)))
    (found,) = (await store.queue(ANYBODY, START)).open
    assert (found.id, found.newest_at) == (which, START + 1), "whoever has it is shown that there is more"
    await take_back(store, bo, (await opened(store, which)).posts[-1].offset)
    await store.erase(bo.id, START)
    assert [post.text for post in (await opened(store, which)).posts] == [
        "words of danger",
        "tomorrow at eight, at the school",
    ]


async def test_a_case_takes_in_so_many_posts_that_raise_the_same(store: Store) -> None:
    bo = await newcomer(store, "Bo")
    which = await escalation(store, bo, Category.HOSTILE)
    signal = Signal(category=Category.HOSTILE, level=2, phrase="a line", words="what fired", start=0, end=1)
    for n in range(MOST_POSTS_OF_ONE + 5):
        asked = change(bo, WritePost(text=f"again {n}"), now=START + n)
        await store.commit(msgspec.structs.replace(asked, signals=(signal,)))
    assert len((await opened(store, which)).posts) == MOST_POSTS_OF_ONE


async def test_of_a_session_no_further_post_is_read_but_what_became_of_that_one(store: Store) -> None:
    _, liv = await talking(store)
    signal = Signal(category=Category.GROOMING, level=2, phrase="a line", words="what fired", start=0, end=1)
    asked = change(liv, WritePost(text="write to the helpline"), where=ROOM)
    publication = only(await store.commit(msgspec.structs.replace(asked, signals=(signal,))))
    (found,) = (await store.queue(at(MODERATOR, is_operator=True), START)).open
    for command in (EditPost(target=publication.offset, text="write to me"), WritePost(text="soon")):
        asked = change(liv, command, where=ROOM, now=START + 1)
        await store.commit(msgspec.structs.replace(asked, signals=(signal,)))
    file = await opened(store, found.id)
    assert ([post.text for post in file.posts], said(file)) == (
        ["write to me"],
        [("write to the helpline", Ended.EDITED)],
    )


async def test_sealed_words_are_read_by_nobody_and_their_author_is_told(
    store: Store, other: Store, database: Database
) -> None:
    ada, bo = await newcomer(store, "Ada"), await newcomer(store, "Bo")
    for offset in [await say(store, bo, "NEEDLE one"), await say(store, bo, "NEEDLE two")]:
        await edit(store, bo, offset, "harmless")
        await take_back(store, bo, offset)
    page = await other.page(room_channel(SLEEP), None, 50, ada.id)
    assert "NEEDLE" not in repr((await replay(other, SLEEP), page, await other.export(ada.id, START)))
    mine = await other.export(bo.id, START)
    assert mine is not None
    assert [(each.text, each.ended, each.room) for each in mine.sealed] == [
        ("NEEDLE one", Ended.EDITED, SLEEP),
        ("harmless", Ended.REDACTED, SLEEP),
        ("NEEDLE two", Ended.EDITED, SLEEP),
        ("harmless", Ended.REDACTED, SLEEP),
    ]
    assert "NEEDLE" not in str(await rows(database, "SELECT * FROM log"))
    if database.path is not None:
        await say(store, ada, "anything")
        await store.erase(ada.id, START)
        assert await store.rewrite(START)
        assert b"NEEDLE" not in database.bytes()


async def test_a_copy_goes_with_its_post(store: Store, database: Database) -> None:
    ada, bo = await newcomer(store, "Ada"), await newcomer(store, "Bo")
    early, late = await say(store, bo, "early"), await say(store, bo, "late", now=START + HOUR)
    for offset in (early, late):
        await store.commit(change(bo, RedactPost(target=offset), now=START + HOUR))
    await expire_all(store, START + DAY + 1, Retention())
    with pytest.raises(Refusal) as refused:
        await report(store, ada, early)
    assert refused.value.reason is Reason.POST_UNKNOWN
    assert said(await report(store, ada, late)) == [("late", Ended.REDACTED)]
    await expire_all(store, START + 2 * DAY, Retention())
    assert await rows(database, "SELECT * FROM sealed_copies") == []


async def test_under_another_secret_a_report_is_made_without_the_copies(store: Store, database: Database) -> None:
    ada, bo = await newcomer(store, "Ada"), await newcomer(store, "Bo")
    offset = await say(store, bo, "vile")
    await take_back(store, bo, offset)
    if database.path is None:
        return
    stranger = SqliteStore(database.path)
    await stranger.open()
    file = await report(stranger, ada, offset)
    assert (file.report.about, file.earlier) == (bo.id, ())
    await stranger.close()


# ------------------------------------------------------------------------------------------------ conversations


def told(by: Persona, about: MemberId | None, *, is_call: bool = False) -> KeepReport:
    return KeepReport(session=TALK, by=by.id, about=about, reason="contact", note="", is_call=is_call, at=START)


async def only_report(store: Store) -> ReportFile:
    """Return the only report as an operator sees it, because a seeker's report is about staff."""
    (found,) = (await store.queue(at(MODERATOR, is_operator=True), START)).open
    return await opened(store, found.id)


async def test_what_a_listener_took_back_is_in_the_seekers_report_and_her_own_is_not(store: Store) -> None:
    ada, liv = await talking(store)
    own = await say(store, ada, "my own secret", where=ROOM)
    theirs = await say(store, liv, "my real name is Tom, meet me", where=ROOM)
    await take_back(store, ada, own, where=ROOM)
    await take_back(store, liv, theirs, where=ROOM)
    await does(store, effects=(told(ada, liv.id),))
    assert said(await only_report(store)) == [("my real name is Tom, meet me", Ended.REDACTED)]


async def test_who_reports_a_session_again_adds_what_was_written_since(store: Store) -> None:
    ada, liv = await talking(store)
    await say(store, liv, "what are you wearing", where=ROOM)
    await does(store, effects=(told(ada, liv.id),))
    before = (await only_report(store)).report
    worse = await say(store, liv, "tell nobody or I will find you", where=ROOM)
    await take_back(store, liv, worse, where=ROOM)
    await say(store, liv, "I am sorry", where=ROOM)
    for _ in range(2):
        await does(store, effects=(told(ada, liv.id),))
    file = await only_report(store)
    assert file.report.id == before.id
    assert [post.text for post in file.posts] == ["what are you wearing", "", "I am sorry"]
    assert said(file) == [("tell nobody or I will find you", Ended.REDACTED)]


async def test_a_session_with_somebody_who_erased_themselves_can_be_reported(store: Store) -> None:
    ada, liv = await talking(store)
    for text in ("meet me", "tell nobody"):
        await say(store, liv, text, where=ROOM)
    await store.erase(liv.id, START)
    await does(store, effects=(told(ada, MemberId("m_erased")),))
    file = await only_report(store)
    assert said(file) == [("meet me", Ended.ERASED), ("tell nobody", Ended.ERASED)]
    assert is_alias(file.report.about)
    assert {post.author for post in file.posts} == {version.author for version in file.earlier} == {file.report.about}


async def test_a_silent_call_keeps_what_the_seeker_erases_afterwards(store: Store) -> None:
    ada, liv = await talking(store)
    await say(store, ada, "I know where you live", where=ROOM)
    await say(store, liv, "please stop", where=ROOM)
    await does(store, effects=(told(liv, None, is_call=True),))
    await store.erase(ada.id, START)
    assert [post.text for post in (await only_report(store)).posts] == ["I know where you live", "please stop"]
    await store.erase(liv.id, START)
    # The seeker who called has a right to be forgotten; what they called about stays.
    assert [post.text for post in (await only_report(store)).posts] == ["I know where you live", ""]


async def test_copies_go_with_the_sessions_room(store: Store, database: Database) -> None:
    _, liv = await talking(store)
    await take_back(store, liv, await say(store, liv, "meet me", where=ROOM), where=ROOM)
    await does(store, effects=(DropRoom(session=TALK),))
    assert await rows(database, "SELECT * FROM sealed_copies") == []


# ------------------------------------------------------------------------------------------------ erasing


@pytest.mark.parametrize("category", [each for each in Category if each is not Category.SELF_HARM])
async def test_an_alarm_about_what_somebody_does_to_others_survives_their_erasure(
    store: Store, category: Category
) -> None:
    ada = await newcomer(store, "Ada")
    which = await escalation(store, ada, category)
    await store.erase(ada.id, START)
    file = await opened(store, which)
    assert (file.note, file.posts[-1].text, file.posts[-1].name) == (
        "what fired\na line", f"words of {category}", "Ada",
    )  # fmt: skip
    assert is_alias(file.report.about)
    assert file.posts[-1].author == file.report.about
    assert ada.id not in repr(file)


async def test_what_a_case_keeps_of_the_erased_stands_there_sealed(store: Store, database: Database) -> None:
    ada, bo = await newcomer(store, "Ada"), await newcomer(store, "Bo")
    which = await escalation(store, bo, Category.GROOMING)
    reported = await report(store, ada, await say(store, bo, "NEEDLE"))
    await store.erase(bo.id, START)
    kept = str(await rows(database, "SELECT about, note, snapshot FROM reports"))
    assert not [trace for trace in ("NEEDLE", "words of", "what fired", bo.id) if trace in kept]
    # Both cases use the same alias for them.
    assert (await opened(store, which)).report.about == (await opened(store, reported.report.id)).report.about
    if database.path is not None:
        assert await store.rewrite(START)
        left = database.bytes()
        assert not [trace for trace in (b"NEEDLE", b"words of", b"what fired") if trace in left]


async def test_who_erased_themselves_first_is_found_by_a_report_of_any_of_their_posts(store: Store) -> None:
    ada, bo, cy = [await newcomer(store, name) for name in ("Ada", "Bo", "Cy")]
    first, other, second = await say(store, bo, "one"), await say(store, cy, "theirs"), await say(store, bo, "two")
    for who in (bo, cy):
        await store.erase(who.id, START)
    files = [await report(store, ada, offset) for offset in (first, second, other)]
    assert [said(file) for file in files] == [[(text, Ended.ERASED)] for text in ("one", "two", "theirs")]
    about = [file.report.about for file in files]
    assert about[0] == about[1] != about[2]
    assert all(map(is_alias, about))
    # Within the case, their posts can be connected.
    assert [post.author for post in files[0].posts] == [about[0], about[2], about[0]]
    # A page that still knows their id can also report the person.
    person = await report(store, ada, None, about=cy.id)
    assert (said(person), person.report.about) == ([("theirs", Ended.ERASED)], about[2])
    stranger = await newcomer(store, "Eve")
    await store.erase(stranger.id, START)
    with pytest.raises(Refusal) as refused:
        await report(store, ada, None, about=stranger.id)
    assert refused.value.reason is Reason.MEMBER_UNKNOWN


async def test_evidence_of_the_erased_goes_so_long_after_the_case_was_closed(store: Store, database: Database) -> None:
    ada, bo = await newcomer(store, "Ada"), await newcomer(store, "Bo")
    file = await report(store, ada, await say(store, bo, "NEEDLE"))
    which = file.report.id
    await store.erase(bo.id, START)
    await expire_all(store, START + 100 * DAY, FOR_LONG)
    assert (await opened(store, which)).posts[-1].text == "NEEDLE", "an open case keeps what it holds"
    await store.claim_report(which, at(MODERATOR), None, "", START)
    await store.close_report(which, at(MODERATOR), Outcome.HANDLED, "", Millis(START + 100 * DAY))
    await expire_all(store, START + 130 * DAY, FOR_LONG)
    assert (await opened(store, which)).posts[-1].text == "NEEDLE"
    await expire_all(store, START + 130 * DAY + 1, FOR_LONG)
    found = await opened(store, which)
    assert found.posts[-1].text == ""
    assert (found.report.about, found.earlier) == (None, ())
    assert await rows(database, "SELECT sealed FROM reports WHERE sealed IS NOT NULL") == []


async def test_a_case_that_was_closed_long_ago_keeps_nothing_of_whoever_is_erased(store: Store) -> None:
    ada, bo = await newcomer(store, "Ada"), await newcomer(store, "Bo")
    file = await report(store, ada, await say(store, bo, "NEEDLE"))
    await store.claim_report(file.report.id, at(MODERATOR), None, "", START)
    await store.close_report(file.report.id, at(MODERATOR), Outcome.HANDLED, "", START)
    now = Millis(START + 31 * DAY)
    await store.erase(bo.id, now)
    await expire_all(store, now, FOR_LONG)
    assert "NEEDLE" not in repr(await opened(store, file.report.id))


async def test_what_forbids_somebody_something_survives_their_erasure(store: Store) -> None:
    bo = await newcomer(store, "Bo")
    kinds = (MeasureKind.NOTICE, MeasureKind.MUTE, MeasureKind.REMOVE, MeasureKind.BAN)
    ids = [(await store.take_measure(measure(MODERATOR, bo, kind, room=SLEEP), START)).measure.id for kind in kinds]
    for which in ids:
        await store.appeal(bo.id, which, f"NEEDLE {which}", START)
    await store.bar(ids[-1], [b"key"], START)
    await store.erase(bo.id, START)
    found = (await store.queue(ANYBODY, START)).measures
    assert {each.kind for each in found} == set(kinds[1:]), "a notice forbids nothing"
    assert {(each.reason, each.expires_at) for each in found} == {("too loud", START + HOUR)}
    assert len({each.about for each in found}) == 1
    assert all(is_alias(each.about) for each in found)
    assert "NEEDLE" not in repr(found), "the answer was theirs"
    assert all(each.appealed_at is not None for each in found)
    assert [each.until for each in await store.bars([b"key"], START)] == [START + HOUR]
    ban = next(each for each in await store.restricting(START) if each.kind is MeasureKind.BAN)
    await store.lift_measure(ban.id, MODERATOR, "a mistake", START)
    assert await store.bars([b"key"], START) == []


async def test_bystanders_who_are_erased_leave_no_word_in_others_cases(store: Store) -> None:
    ada, bo, cy = [await newcomer(store, name) for name in ("Ada", "Bo", "Cy")]
    await say(store, cy, "of a bystander")
    file = await report(store, ada, await say(store, bo, "vile"))
    await store.erase(cy.id, START)
    assert [post.text for post in (await opened(store, file.report.id)).posts] == ["", "vile"]


# ------------------------------------------------------------------------------------------------ rewriting


async def test_however_many_are_erased_the_files_are_rewritten_once_an_hour(store: Store, other: Store) -> None:
    assert not await store.rewrite(START), "nothing is owed"
    for n in range(3):
        bo = await newcomer(store, f"Bo {n}")
        await say(store, bo, "words", where=GRIEF)
        await store.erase(bo.id, START)
    assert await other.rewrite(START)
    assert not await store.rewrite(START), "that was for all of them"
    late = await newcomer(store, "Late")
    await say(store, late, "words")
    await store.erase(late.id, Millis(START + 1))
    assert not await store.rewrite(Millis(START + HOUR - 1))
    assert await store.rewrite(Millis(START + HOUR))
    assert not await other.rewrite(Millis(START + 3 * HOUR))
