"""Members, and their memberships in rooms, as `chatserver.store.store` promises them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

import msgspec
import pytest

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis, Offset
from chatserver.domain.identity import Member, MemberId
from chatserver.domain.rooms.rooms import Membership, Reaction, ReactToPost, RedactPost, RoomId, RoomStatus, WritePost
from chatserver.store.records import JoinedRoom
from chatserver.store.store import Store
from tests.store.kit import GRIEF, SLEEP, START, change, hidden, newcomer, only, room, say

NOBODY = MemberId("m_nobody")


def member(name: str, **fields: object) -> Member:
    plain = Member(id=MemberId(f"m_{name}"), name=name, name_key=name.lower(), created_at=START, seen_at=START)
    return msgspec.structs.replace(plain, **fields)


async def refusal(attempt: Awaitable[object]) -> Reason:
    with pytest.raises(Refusal) as refused:
        await attempt
    return refused.value.reason


# ------------------------------------------------------------------------------------------------ who somebody is


async def test_a_member_is_kept_as_given(store: Store, other: Store) -> None:
    await store.add_member(member("Ada"))
    assert await other.member(MemberId("m_Ada")) == member("Ada")
    assert await other.member(NOBODY) is None


async def test_two_members_cannot_have_names_that_look_alike(store: Store, other: Store) -> None:
    await store.add_member(member("Ada"))
    assert await refusal(store.add_member(member("ADA"))) is Reason.NAME_TAKEN
    attempts = (s.add_member(member(f"bea{i}", name_key="bea")) for i, s in enumerate((store, other, store, other)))
    results = await asyncio.gather(*attempts, return_exceptions=True)
    assert [type(result) for result in results].count(Refusal) == 3


async def test_a_new_name_is_taken_and_the_old_one_given_up(store: Store) -> None:
    await store.add_member(member("Ada"))
    await store.add_member(member("Bea"))
    ada = MemberId("m_Ada")
    assert await refusal(store.rename(ada, "bEA", "bea")) is Reason.NAME_TAKEN
    assert await refusal(store.rename(NOBODY, "Cleo", "cleo")) is Reason.MEMBER_UNKNOWN
    assert await store.rename(ada, "Cleo", "cleo") == 1
    assert await store.rename(ada, "CLEO", "cleo") == 2
    assert await store.rename(ada, "CLEO", "cleo") == 2, "the same name is no new one"
    assert await store.member(ada) == msgspec.structs.replace(member("Ada"), name="CLEO", name_key="cleo", generation=2)
    await store.add_member(member("ada"))


async def test_posts_keep_the_name_they_were_written_under(store: Store) -> None:
    ada = await newcomer(store, "Ada")
    await say(store, ada, "hi")
    await store.rename(ada.id, "Cleo", "cleo")
    page = await store.page(change(ada, WritePost(text="x")).channel, None, 1, ada.id)
    assert page.posts[0].name == "Ada"


async def test_a_code_finds_its_member_until_another_replaces_it(store: Store) -> None:
    await store.add_member(member("Ada"))
    ada = MemberId("m_Ada")
    assert await refusal(store.set_code(NOBODY, b"1")) is Reason.MEMBER_UNKNOWN
    await store.set_code(ada, b"1" * 32)
    await store.set_code(ada, b"2" * 32)
    assert await store.member_by_code(b"1" * 32) is None
    assert await store.member_by_code(b"2" * 32) == member("Ada", has_code=True)


async def test_a_visit_is_noted_and_never_moved_back(store: Store) -> None:
    ada, hour = await newcomer(store, "Ada"), 3_600_000
    assert await store.touch([ada.id, NOBODY], Millis(START + hour)) == {NOBODY}
    # Again after a moment, from a clock that is behind, and for nobody: nothing is noted.
    assert await store.touch([ada.id], Millis(START + hour + 5)) == set()
    assert await store.touch([ada.id], Millis(START + 5)) == set()
    assert await store.touch([], Millis(START)) == set()
    found = await store.member(ada.id)
    assert found is not None
    assert found.seen_at == START + hour


async def test_a_crowd_is_noted_whole_and_those_who_are_no_more_are_named(store: Store) -> None:
    there = [(await newcomer(store, f"Wren {number}")).id for number in range(120)]
    missing = {MemberId(f"m_missing_{number}") for number in range(1_100)}
    assert await store.touch([*there, *missing], Millis(START + 3_600_000)) == missing
    for who in (there[0], there[-1]):
        found = await store.member(who)
        assert found is not None
        assert found.seen_at == START + 3_600_000


async def test_mutes_are_personal_and_limited(store: Store, other: Store) -> None:
    ada, bea = await newcomer(store, "Ada"), await newcomer(store, "Bea")
    others = [MemberId(f"m_{i}") for i in range(6)]
    results = await asyncio.gather(
        *((store, other)[i % 2].set_mute(ada.id, who, on=True, limit=4) for i, who in enumerate(others)),
        return_exceptions=True,
    )
    assert [getattr(result, "reason", None) for result in results].count(Reason.TOO_MANY_MUTES) == 2
    muted = await hidden(other, ada)
    assert len(muted) == 4
    await store.set_mute(ada.id, muted[0], on=True, limit=4)
    await store.set_mute(ada.id, muted[0], on=False, limit=4)
    await store.set_mute(ada.id, muted[0], on=False, limit=4)
    assert await hidden(store, ada) == muted[1:]
    assert await hidden(store, bea) == []


# ------------------------------------------------------------------------------------------------ rooms


async def test_a_first_join_needs_the_agreement_and_reads_from_the_present(store: Store) -> None:
    ada = await newcomer(store, "Ada")
    await say(store, ada, "before")
    bea = await newcomer(store, "Bea", GRIEF)
    assert await refusal(store.join(bea.id, SLEEP, None)) is Reason.AGREEMENT_REQUIRED
    assert await refusal(store.join(bea.id, SLEEP, 0)) is Reason.AGREEMENT_REQUIRED
    joined = await store.join(bea.id, SLEEP, 1)
    assert joined == JoinedRoom(membership=Membership(room=SLEEP, agreement_version=1, read=Offset(1)), unread=0)
    assert await store.join(bea.id, SLEEP, None) == joined
    await say(store, ada, "after")
    assert (await store.join(bea.id, SLEEP, None)).unread == 1


async def test_joining_needs_a_room_that_is_open_and_a_member_who_is_there(store: Store) -> None:
    ada = await newcomer(store, "Ada")
    await store.add_rooms([room(RoomId("closed"), status=RoomStatus.CLOSED)])
    assert await refusal(store.join(ada.id, RoomId("closed"), 1)) is Reason.ROOM_CLOSED
    assert await refusal(store.join(ada.id, RoomId("nowhere"), 1)) is Reason.ROOM_UNKNOWN
    assert await refusal(store.join(NOBODY, SLEEP, 1)) is Reason.MEMBER_UNKNOWN


async def test_a_new_agreement_must_be_accepted_and_none_can_be_accepted_ahead(store: Store) -> None:
    await store.add_rooms([room(RoomId("strict"), agreement_version=3)])
    ada = await newcomer(store, "Ada", GRIEF)
    assert await refusal(store.join(ada.id, RoomId("strict"), 2)) is Reason.AGREEMENT_REQUIRED
    joined = await store.join(ada.id, RoomId("strict"), 99)
    assert joined.membership.agreement_version == 3


async def test_joining_at_once_on_two_workers_joins_once(store: Store, other: Store) -> None:
    await store.add_rooms([room(RoomId(f"room-{i}")) for i in range(10)])
    ada = await newcomer(store, "Ada")
    for i in range(10):
        results = await asyncio.gather(*(s.join(ada.id, RoomId(f"room-{i}"), 1) for s in (store, other, store)))
        assert len({result.membership for result in results}) == 1


async def test_leaving_keeps_acceptance_slow_mode_and_read_position(store: Store) -> None:
    ada, bea = await newcomer(store, "Ada"), await newcomer(store, "Bea")
    await say(store, ada, "hi", now=START + 3)
    await store.leave(ada.id, SLEEP)
    assert set(await store.joined_rooms(ada.id)) == {GRIEF}
    assert await store.left_rooms([ada.id, bea.id]) == {(ada.id, SLEEP)}
    assert await store.left_rooms([]) == await store.left_rooms([bea.id]) == set()
    await say(store, bea, "still here?")
    again = await store.join(ada.id, SLEEP, None)
    assert again.membership == Membership(
        room=SLEEP, agreement_version=1, read=Offset(0), last_post_at=Millis(START + 3)
    )
    assert again.unread == 1
    assert set(await store.joined_rooms(ada.id)) == {GRIEF, SLEEP}
    assert await store.left_rooms([ada.id, bea.id]) == set()


async def test_unread_counts_posts_of_others_that_still_say_something(store: Store) -> None:
    ada, bea = await newcomer(store, "Ada"), await newcomer(store, "Bea")
    for text in ("one", "two"):
        await say(store, bea, text)
    target = await say(store, bea, "three")
    await say(store, ada, "own")
    await store.commit(change(ada, ReactToPost(target=target, reaction=Reaction.HUG, on=True)))
    await store.commit(change(bea, RedactPost(target=target)))
    assert {id_: joined.unread for id_, joined in (await store.joined_rooms(ada.id)).items()} == {SLEEP: 2, GRIEF: 0}


async def test_unread_is_counted_up_to_a_hundred(store: Store) -> None:
    ada, bea = await newcomer(store, "Ada"), await newcomer(store, "Bea")
    await asyncio.gather(*(say(store, bea, "x") for _ in range(105)))
    assert (await store.joined_rooms(ada.id))[SLEEP].unread == 100
    await store.mark_read(ada.id, SLEEP, Offset(60))
    assert (await store.joined_rooms(ada.id))[SLEEP].unread == 45


async def test_a_read_position_moves_forward_and_not_beyond_the_end(store: Store) -> None:
    ada, bea = await newcomer(store, "Ada"), await newcomer(store, "Bea")
    for _ in range(5):
        await say(store, bea, "x")
    for asked, stands in ((3, 3), (2, 3), (99, 5)):
        await store.mark_read(ada.id, SLEEP, Offset(asked))
        assert (await store.joined_rooms(ada.id))[SLEEP].membership.read == stands
    await store.mark_read(NOBODY, SLEEP, Offset(1))
    await store.mark_read(ada.id, RoomId("nowhere"), Offset(1))


# ------------------------------------------------------------------------------------------------ all about one


async def test_an_export_is_everything_about_one_person(store: Store) -> None:
    ada, bea = await newcomer(store, "Ada"), await newcomer(store, "Bea")
    first = only(await store.commit(change(ada, WritePost(text="mine"))))
    theirs = await say(store, bea, "not mine", where=GRIEF)
    await store.commit(change(ada, ReactToPost(target=theirs, reaction=Reaction.WITH_YOU, on=True), where=GRIEF))
    await store.set_mute(ada.id, bea.id, on=True, limit=5)
    await store.leave(ada.id, GRIEF)
    export = await store.export(ada.id, START)
    assert export is not None
    assert export.member == await store.member(ada.id)
    assert [membership.room for membership in export.memberships] == [GRIEF, SLEEP]
    assert [(where, post.text) for where, post in export.posts] == [(SLEEP, "mine")]
    assert export.posts[0][1].offset == first.offset
    assert export.reactions == ((GRIEF, theirs, Reaction.WITH_YOU),)
    assert export.muted == (bea.name,)
    assert await store.export(NOBODY, START) is None
