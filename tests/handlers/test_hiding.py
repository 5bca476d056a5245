"""Hiding is mutual, on every worker, and tells nobody who somebody was before."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from chatserver.domain.identity import MemberId
from chatserver.domain.limits import Limits
from chatserver.domain.moderation.pace import TOGGLES_A_MINUTE
from chatserver.domain.people.staff import Role
from chatserver.domain.rooms.hiding import NOBODY_HIDDEN, Hiding
from chatserver.domain.rooms.rooms import Room, RoomId
from chatserver.handlers.people import hiding
from tests.handlers.workers import PLAIN, SLOW, Cluster, Guest, Worker, open_cluster
from tests.kit.waiting import eventually

ROOM = f"room:{PLAIN}"


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Cluster]:
    async with open_cluster(tmp_path) as opened:
        yield opened


async def pass_time(*workers: Worker) -> None:
    """What presence has to say is told on these workers, and between them."""
    while True:
        for worker in workers:
            await worker.rooms.tell_presence()
        await asyncio.sleep(0.02)
        # A worker that has told all that it knows, and heard it from the others, has nothing left to say.
        if not any(worker.node.presence._untold for worker in workers) and all(
            one.node.presence._here == other.node.presence._here for one, other in pairwise(workers)
        ):
            break
    for worker in workers:
        await worker.rooms.tell_presence()
        worker.node.hub.flush()


async def there(worker: Worker, *rooms: str) -> Guest:
    guest = await worker.guest()
    for room in rooms or (PLAIN,):
        assert "ok" in await guest.ask("join", room=room, agreement=1)
    return guest


def shown(guest: Guest, room: str = PLAIN) -> set[str]:
    """The ids in a room's list of people, as this guest's page has it by all that it was told."""
    people: set[str] = set()
    for message in guest.wire.pushes():
        ok = message.get("ok", {})
        if ok.get("ok") == "join" and ok["room"]["id"] == room:
            people = {each["id"] for each in ok["people"]}
        elif message.get("push") == "presence" and message["channel"] == f"room:{room}":
            if message.get("people") is not None:
                people = {each["id"] for each in message["people"]}
            people -= set(message["went"])
            people |= {each["id"] for each in message["came"]}
    return people


def typists(guest: Guest) -> list[str]:
    return [push["member"] for push in guest.heard("typing")]


@pytest.mark.parametrize("count", [1, 2], ids=["one worker", "two workers"])
async def test_who_hides_and_who_is_hidden_do_not_see_each_other_come_go_or_type(site: Cluster, count: int) -> None:
    """[P-HIDE-1]"""
    workers = [await site.worker() for _ in range(count)]
    wren, stalker = await there(workers[0]), await there(workers[-1])
    witness, other_tab = await there(workers[-1]), await workers[0].guest(workers[0].token_of(wren))
    await other_tab.ask("join", room=PLAIN, agreement=1)
    await pass_time(*workers)
    everybody = {each.id_in(PLAIN) for each in (wren, stalker, witness)}
    assert all(shown(each) == everybody for each in (wren, stalker, witness, other_tab))

    assert "ok" in await wren.ask("mute", member=stalker.id_in(PLAIN), on=True)
    await eventually(lambda: wren.id_in(PLAIN) not in shown(stalker))
    assert shown(stalker) == everybody - {wren.id_in(PLAIN)}
    assert shown(wren) == shown(other_tab) == everybody - {stalker.id_in(PLAIN)}
    assert shown(witness) == everybody
    assert stalker.heard("self") == [], "the one who is hidden is told nothing"

    for each in (wren, stalker, witness):
        assert "ok" in await each.ask("typing", room=PLAIN)
    await eventually(lambda: len(typists(witness)) == 3)
    await pass_time(*workers)
    assert set(typists(wren)) == set(typists(other_tab)) == everybody - {stalker.id_in(PLAIN)}
    assert set(typists(stalker)) == everybody - {wren.id_in(PLAIN)}

    # They go and come, and others do in the same moment.
    heard = len(stalker.wire.pushes())
    late = await there(workers[0])
    for each in (wren, other_tab):
        await each.ask("leave", room=PLAIN)
    await pass_time(*workers)
    for each in (wren, other_tab):
        await each.ask("join", room=PLAIN)
    await pass_time(*workers)
    assert wren.id_in(PLAIN) not in str(stalker.wire.pushes()[heard:])
    assert shown(stalker) == {each.id_in(PLAIN) for each in (stalker, witness, late)}
    assert shown(witness) == everybody | {late.id_in(PLAIN)}
    assert shown(wren) == {each.id_in(PLAIN) for each in (wren, witness, late)}

    # Whoever comes anew is told the same.
    again = await workers[-1].guest(workers[-1].token_of(stalker))
    await again.ask("join", room=PLAIN)
    assert wren.id_in(PLAIN) not in shown(again)

    assert "ok" in await wren.ask("mute", member=stalker.id_in(PLAIN), on=False)
    await eventually(lambda: wren.id_in(PLAIN) in shown(stalker))
    await pass_time(*workers)
    assert all(shown(each) == everybody | {late.id_in(PLAIN)} for each in (wren, stalker, witness, again))


async def test_who_comes_while_they_are_being_hidden_is_not_shown_afterwards(site: Cluster) -> None:
    """What a room tells waits for the reply; that somebody is hidden from now on must not be told before it."""
    worker = await site.worker()
    wren = await there(worker)
    await pass_time(worker)
    stalker = await there(worker)
    gate = site.store.hold("hiding")
    hiding_them = asyncio.create_task(wren.ask("mute", member=stalker.id_in(PLAIN), on=True))
    await eventually(lambda: "hiding" in site.store.waiting)
    await pass_time(worker)
    gate.set()
    assert "ok" in await hiding_them
    await pass_time(worker)
    assert stalker.id_in(PLAIN) not in shown(wren)
    assert shown(stalker) == {stalker.id_in(PLAIN)}


async def test_nobody_comes_and_goes_before_somebody_by_hiding_them_and_showing_them_again(site: Cluster) -> None:
    worker = await site.worker(limits=Limits(member_command_burst=10_000, command_burst=10_000))
    pest, victim = await there(worker), await there(worker)
    await pass_time(worker)
    before, codes = len(victim.heard("presence")), []
    for turn in range(40):
        reply = await pest.ask("mute", member=victim.id_in(PLAIN), on=turn % 2 == 0)
        codes.append(reply.get("error", {}).get("code", "ok"))
    assert codes.count("ok") == int(TOGGLES_A_MINUTE)
    assert codes.count("rate_limited") == 40 - int(TOGGLES_A_MINUTE)
    assert len(victim.heard("presence")) - before <= TOGGLES_A_MINUTE
    assert "ok" in await victim.ask("mute", member=pest.id_in(PLAIN), on=True), "a victim hides them at any time"


async def test_a_hidden_person_still_gets_every_fact_and_in_order(site: Cluster) -> None:
    """Frames that are made for one connection stand in their place among those that all share."""
    worker = await site.worker()
    wren, stalker = await there(worker), await there(worker)
    await pass_time(worker)
    await wren.ask("mute", member=stalker.id_in(PLAIN), on=True)
    for number in range(5):
        await wren.ask("typing", room=PLAIN)
        await wren.ask("post", room=PLAIN, text=str(number))
        await stalker.ask("typing", room=PLAIN)
    worker.node.hub.flush()
    for each in (wren, stalker):
        posts = [push["post"]["text"] for push in each.heard("posted")]
        assert posts == [str(number) for number in range(5)]


async def test_a_new_name_is_another_person_in_every_room(site: Cluster) -> None:
    """[P-ID-1] [P-ID-2] [P-ID-3] One socket in all rooms learns that one went and another came."""
    worker = await site.worker()
    target, watcher = await there(worker, PLAIN, SLOW), await there(worker, PLAIN, SLOW)
    await pass_time(worker)
    await target.ask("post", room=PLAIN, text="before")
    before = {room: target.id_in(room) for room in (PLAIN, SLOW)}
    await target.ask("rename", name="Totally Other")
    await pass_time(worker)
    await target.ask("post", room=PLAIN, text="after")
    worker.node.hub.flush()
    after = {room: target.id_in(room) for room in (PLAIN, SLOW)}
    assert len({*before.values(), *after.values()}) == 4
    for room in (PLAIN, SLOW):
        push = next(each for each in watcher.heard("presence") if before[room] in each["went"])
        assert (push["went"], push["came"]) == ([before[room]], [{"id": after[room], "name": "Totally Other"}])
    posts = watcher.heard("posted")
    assert [push["post"]["author"] for push in posts] == [before[PLAIN], after[PLAIN]]
    assert target.member not in str(watcher.wire.pushes())
    own = target.heard("self")[-1]["rooms"][PLAIN]["me"]
    assert own == [after[PLAIN], before[PLAIN]], "their own page knows both"
    anew = await worker.guest(worker.token_of(target))
    joined = (await anew.ask("join", room=PLAIN))["ok"]
    assert {post["author"] for post in joined["posts"]} == {*joined["me"]} == {*own}
    assert "ok" in await anew.ask("redact", room=PLAIN, offset=1), "what they wrote under the old name stays theirs"


async def test_hiding_follows_a_new_name_where_everybody_saw_it_and_nowhere_else(site: Cluster) -> None:
    """[P-HIDE-2]"""
    here, far = await site.worker(), await site.worker()
    loud, wren = await there(here, PLAIN), await there(far, PLAIN, SLOW)
    await pass_time(here, far)
    await wren.ask("mute", member=loud.id_in(PLAIN), on=True)
    name = wren.heard("self")[-1]["muted"][0]["name"]
    await loud.ask("rename", name="Loud Again")
    await eventually(lambda: loud.id_in(PLAIN) in wren.heard("self")[-1]["rooms"][PLAIN]["hidden"])
    await pass_time(here, far)
    await loud.ask("typing", room=PLAIN)
    await pass_time(here, far)
    assert loud.id_in(PLAIN) not in shown(wren)
    assert loud.id_in(PLAIN) not in typists(wren)
    told = wren.heard("self")[-1]
    assert [each["name"] for each in told["muted"]] == [name], "the list says what they were called then"
    assert told["rooms"][SLOW]["hidden"] != told["rooms"][PLAIN]["hidden"]

    # Where nobody saw it, they are a stranger: also to whoever hid them, or to who looks for them that way.
    await loud.ask("join", room=SLOW, agreement=1)
    await pass_time(here, far)
    assert loud.id_in(SLOW) in shown(wren, SLOW)
    assert loud.id_in(SLOW) not in wren.heard("self")[-1]["rooms"][SLOW]["hidden"]


async def test_hiding_is_no_way_to_find_somebody_who_left_and_renamed(site: Cluster) -> None:
    """Of two sockets one hides the target: when the target comes back under another name, both are shown the same."""
    worker = await site.worker()
    target, hider, control = await there(worker), await there(worker), await there(worker)
    await pass_time(worker)
    await hider.ask("mute", member=target.id_in(PLAIN), on=True)
    await target.ask("leave", room=PLAIN)
    await pass_time(worker)
    await target.ask("rename", name="Somebody Else")
    before = len(hider.wire.pushes()), len(control.wire.pushes())
    await target.ask("join", room=PLAIN)
    await pass_time(worker)
    await target.ask("typing", room=PLAIN)
    await target.ask("post", room=PLAIN, text="hello, I am new here")
    worker.node.hub.flush()
    mine, other = hider.wire.pushes()[before[0] :], control.wire.pushes()[before[1] :]
    assert mine == other
    assert [push["push"] for push in mine] == ["presence", "typing", "posted"]
    rejoined = [(await each.ask("join", room=PLAIN))["ok"] for each in (hider, control)]
    assert rejoined[0]["people"] == rejoined[1]["people"]
    assert target.id_in(PLAIN) not in rejoined[0]["hidden"]
    assert rejoined[0]["unread"] == rejoined[1]["unread"] == 1


async def test_who_renames_shows_themselves_to_nobody_as_the_one_who_hid_them(site: Cluster) -> None:
    """The other way round: somebody who is hidden cannot tell by a second socket who it was that renamed."""
    worker = await site.worker()
    wren, stalker, control = await there(worker), await there(worker), await there(worker)
    await wren.ask("mute", member=stalker.id_in(PLAIN), on=True)
    await wren.ask("leave", room=PLAIN)
    await wren.ask("rename", name="Somebody Else")
    await wren.ask("join", room=PLAIN)
    await pass_time(worker)
    assert wren.id_in(PLAIN) in shown(stalker)
    assert wren.id_in(PLAIN) in shown(control)
    await wren.ask("mute", member=stalker.id_in(PLAIN), on=False)
    for message in (await wren.ask("mute", member=stalker.id_in(PLAIN), on=True),):
        assert "ok" in message
    assert wren.id_in(PLAIN) not in shown(stalker), "hidden anew, under the new name"


async def test_an_old_post_names_only_who_wrote_it_then(site: Cluster) -> None:
    """Hiding the author of an old post hides the old name, and does not show under which one they go on."""
    worker = await site.worker()
    target, hider = await there(worker), await there(worker)
    await target.ask("post", room=PLAIN, text="before")
    old = target.id_in(PLAIN)
    await target.ask("rename", name="Somebody Else")
    await pass_time(worker)
    assert "ok" in await hider.ask("mute", member=old, on=True)
    assert hider.heard("self")[-1]["muted"][0]["name"] != "Somebody Else"
    assert target.id_in(PLAIN) in shown(hider)
    assert hider.heard("self")[-1]["rooms"][PLAIN]["hidden"] == [old]


async def test_nobody_is_named_by_an_id_of_elsewhere(site: Cluster) -> None:
    """[P-ID-4] A member's id, an id of another room, or one from somebody else's list leads nowhere."""
    worker = await site.worker(limits=Limits(command_burst=1_000, member_command_burst=1_000))
    wren, otter = await there(worker), await there(worker, PLAIN, SLOW)
    await otter.ask("mute", member=wren.id_in(PLAIN), on=True)
    theirs = otter.heard("self")[-1]["muted"][0]["id"]
    for wrong in (otter.member, otter.id_in(SLOW), theirs, otter.id_in(PLAIN)[:-1], wren.id_in(PLAIN)):
        assert (await wren.ask("mute", member=wrong, on=True))["error"]["code"] == "member_unknown"
        refused = await wren.ask("report_post", room=PLAIN, member=wrong, reason="unkind")
        assert refused["error"]["code"] in {"member_unknown", "invalid"}


async def test_posts_of_hidden_people_are_not_unread(site: Cluster) -> None:
    worker = await site.worker()
    wren, loud, otter = await there(worker), await there(worker), await there(worker)
    await wren.ask("mute", member=loud.id_in(PLAIN), on=True)
    for guest in (loud, loud, loud, otter):
        await guest.ask("post", room=PLAIN, text="hello")
    assert (await site.store.joined_rooms(wren.member))[PLAIN].unread == 1, "as the lobby says it"
    assert (await wren.ask("join", room=PLAIN))["ok"]["unread"] == 1
    await wren.ask("mute", member=loud.id_in(PLAIN), on=False)
    assert (await wren.ask("join", room=PLAIN))["ok"]["unread"] == 4


async def test_a_split_keeps_apart_whoever_hides_somebody_under_any_name(site: Cluster) -> None:
    worker = await site.worker()
    guests = [await there(worker) for _ in range(8)]
    victim, stalker = guests[:2]
    offset = (await victim.ask("post", room=PLAIN, text="hello"))["ok"]["offset"]
    for reaction in ("hug", "strength", "thank_you", "same_here", "with_you"):
        await stalker.ask("react", room=PLAIN, offset=offset, reaction=reaction, on=True)
    await victim.ask("mute", member=stalker.id_in(PLAIN), on=True)
    await stalker.ask("leave", room=PLAIN)
    await stalker.ask("rename", name="Somebody Else")
    circle = await site.store.companions(PLAIN, [each.member for each in guests])
    assert circle.apart == ((victim.member, stalker.member),)


async def test_a_list_that_is_told_whole_leaves_them_out_too(site: Cluster) -> None:
    worker = await site.worker(limits=Limits(people_listed=4))
    wren, stalker = await there(worker), await there(worker)
    await pass_time(worker)
    await wren.ask("mute", member=stalker.id_in(PLAIN), on=True)
    crowd = [await there(worker) for _ in range(6)]
    await pass_time(worker)
    whole = [push for push in stalker.heard("presence") if push.get("people") is not None]
    assert whole
    assert wren.id_in(PLAIN) not in str(whole)
    assert any(each.id_in(PLAIN) in str(whole) for each in crowd)
    assert whole[-1]["here"] == 8
    worker.rooms.restate_presence(stalker.connection.outbox, worker.node.hub._channels[ROOM].name)  # type: ignore[index]
    assert wren.id_in(PLAIN) not in str(stalker.heard("presence")[-1])


async def test_no_member_is_told_anothers_id(site: Cluster) -> None:
    """Everything that a page is sent in an hour of one person's life, but for what it says of themselves."""
    worker = await site.worker()
    wren, otter = await there(worker, PLAIN, SLOW), await there(worker, PLAIN, SLOW)
    for guest in (wren, otter):
        await guest.ask("post", room=PLAIN, text="hello")
        await guest.ask("react", room=PLAIN, offset=1, reaction="hug", on=True)
        await guest.ask("edit", room=PLAIN, offset=1, text="hello again")
        await guest.ask("typing", room=PLAIN)
    await wren.ask("mute", member=otter.id_in(PLAIN), on=True)
    await otter.ask("rename", name="Somebody Else")
    await otter.ask("redact", room=PLAIN, offset=2)
    await wren.ask("history", room=PLAIN, before=9)
    await wren.ask("join", room=PLAIN, since={"epoch": wren.heard("posted")[0]["epoch"], "offset": 0})
    await otter.ask("leave", room=PLAIN)
    await pass_time(worker)
    for guest, other in ((wren, otter), (otter, wren)):
        said: list[dict[str, Any]] = guest.wire.pushes()
        assert other.member not in str(said)
        own = [each for each in said if guest.member in str(each)]
        assert {each.get("push") or each["ok"]["ok"] for each in own} <= {"hello", "self", "rename"}


async def test_what_the_bus_lost_about_members_is_found_within_the_minute(site: Cluster) -> None:
    """As if another worker had written it, and its message had got lost."""
    worker = await site.worker()
    wren, stalker, friend = [await there(worker) for _ in range(3)]
    await pass_time(worker)
    node = worker.node
    named = node.connections_of(stalker.member)[0].person
    assert named is not None
    await site.store.set_mute(wren.member, stalker.member, True, 100, named.generation)
    await site.store.rename(friend.member, "Somebody Else", "somebody else")
    await worker.people.touch()
    await pass_time(worker)
    assert wren.id_in(PLAIN) not in shown(stalker)
    assert stalker.id_in(PLAIN) not in shown(wren)
    assert [each.person.name for each in node.connections_of(friend.member) if each.person] == ["Somebody Else"]
    assert friend.heard("self")[-1]["member"]["name"] == "Somebody Else"
    heard = len(wren.heard("self"))
    await worker.people.touch()
    assert len(wren.heard("self")) == heard, "who is up to date is told nothing"
    standings = await site.store.standings([wren.member, stalker.member, friend.member])
    for member, (persona, hides) in standings.items():
        assert hides == await site.store.hiding(member)
        assert persona == (await site.store.member(member)).persona  # type: ignore[union-attr]


async def test_an_older_answer_does_not_replace_a_newer_one_and_nothing_is_kept_of_who_left(
    site: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = await site.worker()
    wren, stalker = await there(worker), await there(worker)
    read, gate, late = site.store.hiding, asyncio.Event(), asyncio.Event()

    async def slow(member: MemberId) -> Hiding:
        found: Hiding = await read(member)
        if not late.is_set():
            late.set()
            await gate.wait()
        return found

    monkeypatch.setattr(site.store, "hiding", slow)
    old = asyncio.create_task(hiding.reload(worker.node, [stalker.member]))
    await late.wait()
    await wren.ask("mute", member=stalker.id_in(PLAIN), on=True)
    gate.set()
    await old
    assert worker.node.hiding.of(stalker.member) == await read(stalker.member) != NOBODY_HIDDEN

    gate.clear()
    late.clear()
    old = asyncio.create_task(hiding.reload(worker.node, [stalker.member]))
    await late.wait()
    assert stalker.connection is not None
    worker.node.dismiss(stalker.connection)
    gate.set()
    await old
    assert worker.node.hiding.of(stalker.member) == NOBODY_HIDDEN
    assert stalker.member not in worker.node.hiding._as_of


async def test_what_staff_hide_while_they_say_hello_once_more_stays_hidden(site: Cluster) -> None:
    """Where rooms were split, the hello asks the store where the member was led to."""
    await site.store.add_rooms([Room(id=RoomId("plain-2"), name="Plain 2", about="Beside", split_of=PLAIN)])
    worker = await site.worker()
    link = await worker.people.accounts.make_invitation([Role.LISTENER], None)
    lena = await worker.people.accounts.accept_invitation(link.secret, "lena", "Lena", "lamp river boots sky")
    here, again = Guest(worker, None), Guest(worker, None)
    assert "ok" in await here.ask("hello", staff=True, token=lena.token)
    stalker = await there(worker)
    assert "ok" in await here.ask("join", room=PLAIN, agreement=1, exact=True)
    gate = site.store.hold("moves_of")
    coming = asyncio.create_task(again.ask("hello", staff=True, token=lena.token))
    await eventually(lambda: "moves_of" in site.store.waiting)
    assert "ok" in await here.ask("mute", member=stalker.id_in(PLAIN), on=True)
    gate.set()
    hidden = (await coming)["ok"]["muted"]
    assert len(hidden) == 1
    assert worker.node.hiding.hides(here.member, stalker.member)
