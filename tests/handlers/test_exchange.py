"""The exchange on workers: how two people find each other, talk by turns, and what is kept from everybody else."""

from __future__ import annotations

from chatserver.domain.exchange.practice import SCENES
from chatserver.domain.history import Millis
from chatserver.domain.meetings.state import MINUTE
from chatserver.domain.rooms.rooms import Restriction, RestrictionKind
from tests.handlers.workers import PLAIN, Cluster, Guest, Worker, ok, refused


async def opened(site: Cluster) -> Worker:
    worker = await site.worker()
    worker.exchange.service.is_enabled = True
    return worker


async def practised(worker: Worker) -> Guest:
    guest = await worker.guest()
    await ok(guest, "exchange_practice", answers=[each.right for each in SCENES])
    return guest


async def paired(one: Guest, other: Guest) -> str:
    """Let two people find each other, and return their meeting."""
    for guest in (one, other):
        await ok(guest, "exchange_join", agreement=True, minutes=8)
    offer = (await ok(other, "exchange"))["exchange"]["offer"]["id"]
    for guest in (one, other):
        await ok(guest, "exchange_answer", offer=offer, yes=True)
    assert (await ok(other, "exchange"))["exchange"]["meeting"] == offer
    return str(offer)


async def post(guest: Guest, meeting: str, text: str) -> str:
    reply = await guest.ask("post", room=meeting, text=text)
    return "ok" if "ok" in reply else str(reply["error"]["code"])


async def test_where_it_is_off_nothing_of_it_is_there(site: Cluster) -> None:
    worker = await site.worker()
    guest = await worker.guest()
    for cmd, fields in (("exchange", {}), ("exchange_join", {"agreement": True}), ("exchange_practice", {})):
        assert await refused(guest, cmd, **fields) == "exchange_off"


async def test_what_was_begun_ends_where_it_was_turned_off(site: Cluster) -> None:
    worker = await opened(site)
    wren, robin, finch = [await practised(worker) for _ in range(3)]
    meeting = await paired(wren, robin)
    await ok(finch, "exchange_join", agreement=True)
    service = worker.exchange.service
    service.is_enabled = False
    await service.turn()
    found = await worker.node.store.exchange([finch.member])
    assert found.pool.people[finch.member].waiting is None
    await ok(finch, "exchange_leave")
    await ok(robin, "exchange_report", meeting=meeting, reason="pressure")
    await ok(robin, "exchange_block", meeting=meeting)
    await service.turn()
    found = await worker.node.store.exchange([wren.member, robin.member])
    assert all(not each.is_active for each in found.pool.people.values())
    await ok(wren, "exchange_after", meeting=meeting, heard=0)


async def test_practice_comes_first_and_then_an_agreement(site: Cluster) -> None:
    worker = await opened(site)
    guest = await worker.guest()
    assert await refused(guest, "exchange_join", agreement=False) == "agreement_required"
    assert await refused(guest, "exchange_join", agreement=True) == "not_practised"
    assert (await ok(guest, "exchange_practice", answers=[0, 0, 0, 0]))["again"] == [0, 1, 3]
    assert (await ok(guest, "exchange_practice", answers=[each.right for each in SCENES]))["practised"] is True
    view = (await ok(guest, "exchange_join", agreement=True))["exchange"]
    assert view["practised"] is True
    assert "waiting_since" in view


async def test_two_people_talk_and_listen_by_turns(site: Cluster) -> None:
    """[P-EXCH-1] [P-EXCH-3]"""
    worker = await opened(site)
    wren, robin, finch = [await practised(worker) for _ in range(3)]
    meeting = await paired(wren, robin)
    for guest in (wren, robin):
        await ok(guest, "join", room=meeting)
        assert "step_out" in (await ok(guest, "meeting", meeting=meeting))["meeting"]["may"]
    assert await post(wren, meeting, "hello") == "not_your_turn"
    await ok(wren, "choose", meeting=meeting, how="ask")
    await ok(robin, "choose", meeting=meeting, how="listen")
    view = (await ok(wren, "meeting", meeting=meeting))["meeting"]
    assert set(view["contracts"].values()) == {"ask", "listen"}
    assert view["allotment"] == 8 * 60
    first, second = (wren, robin) if view["turn"]["holder"] == view["me"] else (robin, wren)
    assert await post(first, meeting, "x" * 300) == "ok"
    assert await post(second, meeting, "y" * 141) == "text_too_long"
    assert await post(second, meeting, "I'm here.") == "ok"
    assert await post(second, meeting, "Take your time.") == "slow_mode"
    # Nobody else comes in, or learns of it.
    assert await refused(finch, "join", room=meeting) == "room_unknown"
    for cmd in ("meeting", "step_out", "finish"):
        assert await refused(finch, cmd, meeting=meeting) == "meeting_unknown"
    assert await refused(finch, "enter", meeting=meeting, agreement=1) == "meeting_unknown"
    for cmd, fields in (
        ("exchange_report", {"reason": "pressure"}),
        ("exchange_block", {}),
        ("exchange_after", {"heard": 2}),
    ):
        assert await refused(finch, cmd, meeting=meeting, **fields) == "meeting_unknown"
    await ok(first, "finish", meeting=meeting)
    assert await post(second, meeting, "now?") == "not_your_turn", "a minute to breathe"
    assert await refused(first, "exchange_join", agreement=True) == "in_exchange"


async def test_whoever_is_left_is_first_and_whoever_left_after_their_turn_listens_first(site: Cluster) -> None:
    """[P-EXCH-2] [P-EXCH-4]"""
    worker = await opened(site)
    wren, robin = [await practised(worker) for _ in range(2)]
    meeting = await paired(wren, robin)
    for guest in (wren, robin):
        await ok(guest, "choose", meeting=meeting, how="listen")
    view = (await ok(wren, "meeting", meeting=meeting))["meeting"]
    first, second = (wren, robin) if view["turn"]["holder"] == view["me"] else (robin, wren)
    await ok(first, "finish", meeting=meeting)
    await ok(first, "step_out", meeting=meeting)
    await worker.exchange.service.turn()
    left = (await ok(first, "exchange"))["exchange"]
    assert (left["listens_first"], left["after"]["how"]) == (True, "left")
    assert await refused(first, "exchange_join", agreement=True) == "exchanges_used"
    stayed = (await ok(second, "exchange"))["exchange"]
    assert (stayed["first"], stayed["after"]["how"]) == (True, "was_left")
    assert "again_at" not in stayed
    said = (await ok(second, "exchange_after", meeting=meeting, heard=1, again=False))["exchange"]
    assert said["after"]["heard"] == 1
    assert "heard" not in (await ok(first, "exchange"))["exchange"]["after"], "the other is not told"


async def test_block_ends_it_and_keeps_the_two_apart(site: Cluster) -> None:
    worker = await opened(site)
    wren, robin = [await practised(worker) for _ in range(2)]
    meeting = await paired(wren, robin)
    await ok(robin, "exchange_report", meeting=meeting, reason="pressure", note="They asked where I live.")
    await ok(robin, "exchange_block", meeting=meeting)
    found = await worker.meetings.service.picture(meeting)  # type: ignore[arg-type]
    assert not found.is_live
    worker.node.clock_ahead -= 16 * MINUTE
    await worker.exchange.service.turn()
    for guest in (wren, robin):
        await ok(guest, "exchange_join", agreement=True)
    assert "offer" not in (await ok(wren, "exchange"))["exchange"]


async def test_block_counts_for_whoever_of_the_two_waits_for_a_listener_already(site: Cluster) -> None:
    worker = await opened(site)
    wren, robin = await practised(worker), await worker.listener("ada")
    await ok(robin, "exchange_practice", answers=[each.right for each in SCENES])
    meeting = await paired(wren, robin)
    await ok(wren, "ask", agreement=True)
    await ok(robin, "exchange_block", meeting=meeting)
    assert worker.listening.service.state.seekers[wren.member].avoid == {robin.member}


async def test_whoever_joins_is_not_offered_somebody_whom_one_of_the_two_hides(site: Cluster) -> None:
    worker = await opened(site)
    for hides in (0, 1):
        guests = [await practised(worker) for _ in range(2)]
        await worker.node.store.set_mute(guests[hides].member, guests[1 - hides].member, True, 9, 0)
        for guest in guests:
            assert "offer" not in (await ok(guest, "exchange_join", agreement=True))["exchange"]
        for guest in guests:
            await ok(guest, "exchange_leave")


async def test_second_yes_opens_nothing_for_whoever_was_muted_after_the_first(site: Cluster) -> None:
    worker = await opened(site)
    wren, robin = [await practised(worker) for _ in range(2)]
    for guest in (wren, robin):
        await ok(guest, "exchange_join", agreement=True)
    offer = (await ok(wren, "exchange"))["exchange"]["offer"]["id"]
    await ok(wren, "exchange_answer", offer=offer, yes=True)
    muted = Restriction(measure="x", kind=RestrictionKind.MUTE, room=PLAIN, until=Millis(worker.node.now() + MINUTE))
    worker.moderation.enforcement._restrictions[wren.member] = (muted,)
    assert await refused(robin, "exchange_answer", offer=offer, yes=True) == "offer_gone"
    assert "waiting_since" in (await ok(robin, "exchange"))["exchange"]
    assert "waiting_since" not in (await ok(wren, "exchange"))["exchange"]


async def test_whoever_asks_for_a_listener_waits_in_no_second_line(site: Cluster) -> None:
    """[P-EXCH-5]"""
    worker = await opened(site)
    wren = await practised(worker)
    await ok(wren, "exchange_join", agreement=True)
    await ok(wren, "ask", agreement=True)
    await worker.exchange.service.turn()
    assert "waiting_since" not in (await ok(wren, "exchange"))["exchange"]
    assert await refused(wren, "exchange_join", agreement=True) == "in_session"


async def test_nothing_of_somebody_who_is_erased_is_left(site: Cluster) -> None:
    worker = await opened(site)
    wren, robin = [await practised(worker) for _ in range(2)]
    await paired(wren, robin)
    assert wren.connection.person is not None
    member = wren.connection.person.id
    assert (await worker.people.context.identities.export_of(member)).exchange is not None
    await worker.meetings.before_erasure(member)
    await worker.node.store.erase(member, worker.node.now())
    assert robin.connection.person is not None
    other = (await worker.node.store.exchange([robin.connection.person.id])).pool.people
    assert member not in repr(other)
