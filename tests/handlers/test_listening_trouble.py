"""One-to-one where things go wrong at a bad moment: clocks, the store, a hand-over, a block."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chatserver.domain.history import Millis
from chatserver.domain.limits import Limits
from chatserver.domain.listening.commands import AnswerAskIn, ApplyDue, AskIn
from chatserver.domain.listening.state import ListeningState, SessionId
from chatserver.domain.people.staff import Role
from chatserver.domain.rooms.rooms import RoomId
from chatserver.handlers.listening import service as floors
from chatserver.store.records import StoreUnavailable
from tests.handlers.workers import PLAIN, Cluster, Guest, Worker
from tests.kit.waiting import eventually

HOUR = 3_600_000


async def ask(worker: Worker, **wish: Any) -> Guest:
    seeker = await worker.guest()
    assert "ok" in await seeker.ask("ask", agreement=True, **wish)
    return seeker


async def talk(seeker: Guest, listener: Guest) -> RoomId:
    accepted = await listener.ask("accept", proposal=await listener.proposal())
    return RoomId(accepted["ok"]["room"])


@pytest.mark.parametrize("skew", [HOUR, -HOUR])
async def test_a_worker_whose_clock_is_wrong_goes_by_the_one_of_the_database(
    site: Cluster, monkeypatch: pytest.MonkeyPatch, skew: int
) -> None:
    right = await site.worker()

    async def clock() -> Millis:
        return right.node.now()

    monkeypatch.setattr(site.store, "clock", clock)
    wrong = await site.worker(skew=skew)
    seeker = await ask(right)
    await wrong.listening.service.do(floors.NOBODY, ApplyDue())
    assert wrong.listening.service.state.seekers[seeker.member].lapsed_at is None
    late = await ask(wrong)
    assert abs(wrong.listening.service.state.seekers[late.member].asked_at - right.node.now()) < 5_000
    assert (await late.ask("standing"))["ok"]["place"] == 2
    said = next(each for each in late.wire.pushes() if "limits" in each.get("ok", {}))
    assert abs(said["ok"]["now"] - right.node.now()) < 5_000, "what is shown is counted from the same clock"


async def test_a_listener_who_was_away_and_is_revoked_keeps_nobody_waiting_for_them(site: Cluster) -> None:
    worker = await site.worker()
    listener = await worker.listener("anna")
    await listener.ask("available", on=False)
    await worker.people.accounts.add_operator("olga", "Olga", "lamp river boots sky")
    await site.store.set_staff(listener.member, frozenset({Role.MODERATOR}), now=worker.node.now())
    worker.follow()
    await eventually(lambda: listener.member not in worker.listening.service.state.listeners)


async def test_whoever_hands_over_while_entering_does_not_stay(site: Cluster) -> None:
    worker = await site.worker()
    first = await worker.listener("anna")
    seeker = await ask(worker)
    room = await talk(seeker, first)
    second = await worker.listener("ben")
    gate = site.store.hold("join_with_page")
    entering = asyncio.create_task(first.ask("join", room=room))
    await eventually(lambda: "join_with_page" in site.store.waiting)
    again = await worker.guest(worker.token_of(seeker))
    await first_hands_over(worker, first, again, second, room)
    gate.set()
    assert (await entering)["error"]["code"] == "room_unknown"
    assert room not in first.connection.rooms
    assert worker.node.presence.here(f"room:{room}") == 0  # type: ignore[arg-type]


async def first_hands_over(worker: Worker, first: Guest, seeker: Guest, second: Guest, room: RoomId) -> None:
    """As if the first had asked on another tab."""
    session, keeper = SessionId(room), worker.listening.service
    await keeper.do(first.member, AskIn(session=session, listener=second.member, is_handover=True))
    for who in (seeker, second):
        await keeper.do(who.member, AnswerAskIn(session=session, yes=True))


async def test_nobody_types_at_somebody_who_has_ended_it(site: Cluster) -> None:
    worker = await site.worker()
    listener = await worker.listener("anna")
    seeker = await ask(worker)
    room = await talk(seeker, listener)
    for each in (seeker, listener):
        assert "ok" in await each.ask("join", room=room)
    assert "ok" in await seeker.ask("typing", room=room)
    await eventually(lambda: len(listener.heard("typing")) == 1)
    assert "ok" in await listener.ask("block", session=room)
    assert "ok" in await seeker.ask("typing", room=room)
    worker.node.hub.flush()
    assert len(listener.heard("typing")) == 1


async def test_a_block_is_never_refused_and_holds_from_the_moment_the_session_ends(
    site: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = await site.worker(limits=Limits(mutes_per_member=1))
    listener = await worker.listener("anna")
    stranger = await worker.guest()
    for each in (listener, stranger):
        await each.ask("join", room=PLAIN, agreement=1)
    assert "ok" in await listener.ask("mute", member=stranger.id_in(PLAIN), on=True)
    seeker = await ask(worker)
    room = await talk(seeker, listener)
    blocked: list[bool] = []
    do = worker.listening.service.do

    async def watched(*args: Any) -> Any:
        blocked.append(listener.member in await site.store.blocked_with(seeker.member))
        return await do(*args)

    monkeypatch.setattr(worker.listening.service, "do", watched)
    assert "ok" in await listener.ask("block", session=room)
    assert blocked == [True]
    assert "ok" in await seeker.ask("ask", agreement=True)
    assert worker.listening.service.state.seekers[seeker.member].avoid == {listener.member}


async def test_a_store_that_is_away_is_not_asked_without_end(site: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = await site.worker()
    await ask(worker)
    tries = 0

    async def away() -> int:
        nonlocal tries
        tries += 1
        raise StoreUnavailable("gone")

    monkeypatch.setattr(site.store, "listening_version", away)
    monkeypatch.setattr(worker.listening.service.picture, "due", Millis(0))
    worker.follow()
    await asyncio.sleep(1.5)
    assert 1 <= tries <= 3


async def test_a_queue_that_went_back_is_shown_as_it_is(site: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that took over may have missed the last commits."""
    worker = await site.worker()
    await ask(worker)
    version = worker.listening.service.state.version

    async def earlier() -> ListeningState:
        return ListeningState(version=version - 1)

    async def earlier_version() -> int:
        return version - 1

    monkeypatch.setattr(site.store, "listening_state", earlier)
    monkeypatch.setattr(site.store, "listening_version", earlier_version)
    worker.follow()
    await eventually(lambda: worker.listening.service.state.version == version - 1)


async def test_words_are_tried_as_seldom_as_codes(site: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = await site.worker()
    guest = await worker.guest()
    wrong = {"agreement": True, "words": "lamp river boots sky"}
    assert (await guest.ask("ask", **wrong))["error"]["code"] == "words_unknown"
    worker.words_wait = 60.0
    refusal = (await guest.ask("ask", **wrong))["error"]
    assert (refusal["code"], refusal["retry_after"]) == ("rate_limited", 60.0)
    assert "ok" in await guest.ask("ask", agreement=True), "whoever has no words is not held up"


@pytest.mark.parametrize("is_seeker", [True, False])
async def test_whoever_hides_somebody_while_they_wait_is_not_brought_together_with_them(
    site: Cluster, is_seeker: bool
) -> None:
    worker = await site.worker()
    listener, seeker = await worker.listener("anna"), await ask(worker)
    found = worker.listening.service.state.seekers[seeker.member]
    assert found.proposal is not None
    one, other = (seeker, listener) if is_seeker else (listener, seeker)
    for each in (one, other):
        await each.ask("join", room=PLAIN, agreement=1)
    assert "ok" in await one.ask("mute", member=other.id_in(PLAIN), on=True)
    after = worker.listening.service.state.seekers[seeker.member]
    assert (after.proposal, after.avoid) == (None, frozenset({listener.member}))
