"""After a backup was restored and every channel began anew, an offset from before names nothing any more."""

from __future__ import annotations

from msgspec.structs import replace

from chatserver.domain.errors import Reason
from chatserver.domain.history import Epoch, Offset
from chatserver.domain.identity import Persona
from chatserver.domain.moderation.measures import MeasureKind
from chatserver.domain.rooms.rooms import (
    EditPost,
    Reaction,
    ReactToPost,
    RedactPost,
    RoomCommand,
    WritePost,
    room_channel,
)
from chatserver.store.records import RoomChange
from chatserver.store.store import Store
from tests.contract.test_store_moderation import at, measure, moderator, refused, reported
from tests.store.kit import SLEEP, change, newcomer, only, say

ROOM = room_channel(SLEEP)


async def present(store: Store) -> Epoch:
    return (await store.heads([ROOM]))[ROOM].epoch


async def renewed(store: Store) -> tuple[Epoch, Epoch]:
    """Renew every epoch. Return the epoch before, and the present one."""
    before = await present(store)
    assert isinstance(store, Store)
    await store.renew_epochs()
    return before, await present(store)


def naming(author: Persona, command: RoomCommand, epoch: Epoch | None, id_: str | None = None) -> RoomChange:
    return replace(change(author, command, id_=id_), epoch=epoch)


def commands(target: Offset) -> list[RoomCommand]:
    """Return one command of each kind that names a post."""
    return [
        WritePost(text="to you", reply_to=target),
        EditPost(target=target, text="other words"),
        ReactToPost(target=target, reaction=Reaction.HUG, on=True),
        RedactPost(target=target),
    ]


async def test_command_names_a_post_without_epoch_while_the_numbering_is_the_first(store: Store) -> None:
    ada = await newcomer(store, "Ada")
    target = await say(store, ada, "mine")
    for command in commands(target):
        assert (await store.commit(naming(ada, command, None))).publications


async def test_command_with_the_epoch_of_before_is_refused_and_changes_nothing(store: Store) -> None:
    ada = await newcomer(store, "Ada")
    target = await say(store, ada, "mine")
    before, now = await renewed(store)
    for command in commands(target):
        for told in (before, None, Epoch("another"), Epoch("")):
            await refused(store.commit(naming(ada, command, told)), Reason.EPOCH_STALE)
    page = await store.page(ROOM, None, 9, ada.id)
    assert [(post.text, post.reactions, post.redacted) for post in page.posts] == [("mine", {}, False)]
    assert (page.head.epoch, page.head.last) == (now, target)
    for command in commands(target):
        assert (await store.commit(naming(ada, command, now))).publications


async def test_channel_that_a_worker_began_anew_takes_no_offset_without_its_epoch(store: Store) -> None:
    """A worker finds out while it runs that a backup was restored, without a renewal by hand."""
    ada = await newcomer(store, "Ada")
    target = await say(store, ada, "mine")
    head = await store.renew_epoch(ROOM, await present(store), Offset(target + 1))
    for command in commands(target):
        await refused(store.commit(naming(ada, command, None)), Reason.EPOCH_STALE)
    for command in commands(target):
        assert (await store.commit(naming(ada, command, head.epoch))).publications


async def test_post_that_names_no_other_is_taken_whatever_its_epoch(store: Store) -> None:
    ada = await newcomer(store, "Ada")
    before, now = await renewed(store)
    publication = only(await store.commit(naming(ada, WritePost(text="hello"), before)))
    assert publication.epoch == now


async def test_command_that_the_backup_holds_is_answered_as_it_was(store: Store) -> None:
    ada = await newcomer(store, "Ada")
    target = await say(store, ada, "mine")
    asked = naming(ada, EditPost(target=target, text="other words"), await present(store), "edit-1")
    first = only(await store.commit(asked))
    _, now = await renewed(store)
    again = await store.commit(asked)
    assert again.repeated
    assert (only(again).offset, only(again).epoch) == (first.offset, now)


async def test_read_mark_of_before_moves_nothing(store: Store) -> None:
    ada, bea = await newcomer(store, "Ada"), await newcomer(store, "Bea")
    for number in range(3):
        await say(store, ada, str(number))
    before, now = await renewed(store)
    await refused(store.mark_read(bea.id, SLEEP, Offset(3), before), Reason.EPOCH_STALE)
    await refused(store.mark_read(bea.id, SLEEP, Offset(3)), Reason.EPOCH_STALE)
    assert (await store.joined_rooms(bea.id))[SLEEP].unread == 3
    await store.mark_read(bea.id, SLEEP, Offset(3), now)
    assert (await store.joined_rooms(bea.id))[SLEEP].unread == 0


async def test_report_and_measure_of_before_reach_nobody(store: Store) -> None:
    ada, bea = await newcomer(store, "Ada"), await newcomer(store, "Bea")
    mo = await moderator(store)
    target = await say(store, ada, "innocent")
    before, now = await renewed(store)
    about_it = reported(bea, offset=target)
    taking_it_back = measure(mo, None, MeasureKind.REDACT, room=SLEEP, offset=target, minutes=None)
    for told in (before, None):
        await refused(store.report(replace(about_it, epoch=told)), Reason.EPOCH_STALE)
        await refused(store.take_measure(replace(taking_it_back, epoch=told), about_it.at), Reason.EPOCH_STALE)
    assert not (await store.moderation_notices(ada.id, about_it.at)).measures
    assert (await store.page(ROOM, None, 9, ada.id)).posts[0].text == "innocent"
    await store.report(replace(about_it, epoch=now))
    taken = await store.take_measure(replace(taking_it_back, epoch=now), about_it.at)
    assert taken.measure.about == ada.id
    # The same request sent again is the same measure.
    assert (await store.take_measure(replace(taking_it_back, epoch=before), about_it.at)).measure == taken.measure


async def test_report_tells_of_which_numbering_its_post_is(store: Store) -> None:
    ada, bea = await newcomer(store, "Ada"), await newcomer(store, "Bea")
    mo = await moderator(store)
    target = await say(store, ada, "unkind")
    told = reported(bea, offset=target)
    await store.report(replace(told, epoch=await present(store)))
    _, now = await renewed(store)
    queue = await store.queue(at(mo), told.at)
    assert [(each.offset, each.epoch) for each in queue.open] == [(target, now)]
