"""Meetings of support groups, as `docs/protocol.md` promises them, on three workers over one Redis."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from chatserver.protocol.codec import Encoding
from tests.conformance.clusters import Cluster, Meet
from tests.conformance.load_console import clusters_over
from tests.conformance.peer import PATIENCE, Peer
from tests.conformance.personnel import Personnel
from tests.conformance.traffic import Traffic
from tests.kit.redis import RedisServer

Json = dict[str, Any]


@pytest.fixture
def encoding() -> Encoding:
    return Encoding.JSON


class Evening:
    """Three workers, a facilitator, and one meeting that begins in a moment."""

    def __init__(self, clusters: list[Cluster], meets: list[Meet], host: Peer, group: str, meeting: str) -> None:
        self.clusters = clusters
        self.meets = meets
        self.host = host
        self.group = group
        self.meeting = meeting

    async def come(self, number: int, **fields: Any) -> Peer:
        """Somebody who enters the meeting through one of the workers."""
        peer = await self.meets[number]()
        await enter(peer, self.meeting, **fields)
        return peer

    async def step(self) -> None:
        seen = (await self.host.ask("meeting", meeting=self.meeting))["meeting"]["step"]
        await self.host.ask("step", meeting=self.meeting, seen=seen)

    async def go_to(self, kind: str) -> None:
        for _ in range(10):
            view = (await self.host.ask("meeting", meeting=self.meeting))["meeting"]
            if phase_of(view) == kind:
                return
            await self.step()
        raise AssertionError(f"{kind} does not come")


async def enter(peer: Peer, meeting: str, **fields: Any) -> Json:
    await peer.ask("enter", meeting=meeting, agreement=1, **fields)
    return await peer.join(meeting)


def phase_of(view: Json) -> str:
    return str(view["phases"][view["phase"]]["kind"])


async def shown(peer: Peer, where: Callable[[Json], object], patience: float = PATIENCE) -> Json:
    """The meeting as it is pushed to somebody, as soon as it is so."""

    def newest() -> Json | None:
        views = [each["meeting"] for each in peer.heard if each.get("push") == "meeting"]
        return views[-1] if views and where(views[-1]) else None

    return await peer.until(newest, patience)


@contextlib.asynccontextmanager
async def _evening(
    redis: RedisServer, traffic: Traffic, form: str, count: int = 3, **options: Any
) -> AsyncIterator[Evening]:
    with clusters_over(redis, count) as clusters:
        meets = [Meet(each, traffic, Encoding.JSON) for each in clusters]
        token, _ = await Personnel(clusters[0]).hire("facilitator")
        host = await meets[0](staff=True, token=token)
        words = {"name": "Evening round", "about": "For tonight.", "agreement": "Be kind.", "script": ["Hello."]}
        card = await host.ask("open_group", form=form, **words, **options)
        group, begins_at = card["group"]["id"], time.time_ns() // 1_000_000 + 5_000
        planned = await host.ask("plan", group=group, dates=[begins_at])
        meeting = planned["group"]["dates"][0]["id"]
        try:
            await enter(host, meeting)
            yield Evening(clusters, meets, host, group, meeting)
        finally:
            for meet in meets:
                await meet.see_off()


async def begun(evening: Evening) -> None:
    """Wait until the meeting's time has come."""
    starts_at = (await evening.host.ask("meeting", meeting=evening.meeting))["meeting"]["starts_at"]
    await asyncio.sleep(max(0.0, starts_at / 1000 - time.time() + 0.05))


async def test_a_circle_of_three_workers_outlives_the_death_of_one(redis_server: RedisServer, traffic: Traffic) -> None:
    """[P-MEET-3] [P-MEET-4] [P-VOICE-1] [P-VOICE-2] [P-VOICE-3]"""
    async with _evening(redis_server, traffic, "circle", no_crosstalk=True) as evening:
        meeting = evening.meeting
        people = [await evening.come(number) for number in (1, 2, 1)]
        view = await shown(evening.host, lambda view: len(view["people"]) == 4)
        assert [each["place"] for each in view["people"]] == ["host", "seat", "seat", "seat"]
        assert view["script"] == ["Hello."]
        assert "script" not in (await people[0].ask("meeting", meeting=meeting))["meeting"]
        await people[0].post(meeting, "Good evening.")

        await begun(evening)
        await evening.step()
        refused = await people[0].refusal("post", room=meeting, text="x")
        assert (refused["code"], refused["details"]["phase"]) == ("not_your_turn", "welcome")
        await evening.host.post(meeting, "Welcome.")
        await evening.go_to("checkin")
        for peer in people:
            await peer.post(meeting, "Tired.")
            again = await peer.refusal("post", room=meeting, text="And sad.")
            assert again["code"] == "said_once"
        assert (await people[0].refusal("post", room=meeting, text="x" * 201))["code"] in ("said_once", "text_too_long")
        await evening.go_to("share")
        view = await shown(people[0], lambda view: phase_of(view) == "share" and "turn" in view)
        holder = next(peer for peer in people if peer.id_in(meeting) == view["turn"]["holder"])
        others = [peer for peer in people if peer is not holder]
        assert view["allotment"] == 11 * 60
        await holder.post(meeting, "I cannot rest.")
        for peer in (*others, evening.host):
            assert (await peer.refusal("post", room=meeting, text="x"))["code"] == "not_your_turn"
        # Reactions and taking back need no voice.
        offset = next(each["offset"] for each in reversed(holder.facts(meeting)) if each["push"] == "posted")
        await others[0].ask("react", room=meeting, offset=offset, reaction="hug", on=True)

        # The worker of the facilitator, on which the meeting was planned, dies in the middle of the turn.
        evening.clusters[0].server.process.kill()
        await holder.post(meeting, "I go on all the same.")
        await holder.ask("finish", meeting=meeting)
        for peer in people:
            view = await shown(peer, lambda view: view["turn"]["holder"] != holder.id_in(meeting))
        following = next(peer for peer in people if peer.id_in(meeting) == view["turn"]["holder"])
        await following.post(meeting, "And I.")
        assert (await holder.refusal("post", room=meeting, text="x"))["code"] == "not_your_turn"
        check_log(people[0].facts(meeting), meeting)


def check_log(facts: list[Json], room: str, least: int = 5) -> None:
    """Every post was allowed by the newest voice before it: nothing else than the log is needed to know that."""
    voice: Json | None = None
    said: set[str] = set()
    posts = 0
    for fact in facts:
        if fact["push"] == "room_changed" and fact["room"]["id"] == room:
            voice, said = fact["room"]["voice"], set()
        elif fact["push"] == "posted" and voice is not None:
            author = fact["post"]["author"]
            assert voice["who"] == "all" or author in voice["some"]
            assert not voice["once"] or author not in said
            said.add(author)
            posts += 1
    assert posts >= least


async def test_who_comes_late_listens_and_is_shown_nothing_of_before(
    redis_server: RedisServer, traffic: Traffic
) -> None:
    """[P-MEET-6] [P-VOICE-4]"""
    async with _evening(redis_server, traffic, "circle", 1) as evening:
        meeting = evening.meeting
        people = [await evening.come(0) for _ in range(3)]
        offset = await people[0].post(meeting, "Between us.")
        await begun(evening)
        await evening.go_to("share")
        late = await evening.meets[0]()
        assert (await late.ask("enter", meeting=meeting, agreement=1))["meeting"]["place"] == "listener"
        joined = await late.join(meeting)
        assert joined["posts"] == []
        assert (await late.ask("history", room=meeting, before=offset + 1))["posts"] == []
        again = await late.join(meeting, since={"epoch": joined["position"]["epoch"], "offset": 0})
        assert (again["history"], again["missed"], again["posts"]) == ("gap", [], [])
        edit = await people[0].refusal("edit", room=meeting, offset=offset, text="Us.")
        assert edit["code"] == "edit_too_late"
        assert "Between us." not in str(late.heard)


async def test_hosts_offer_one_person_a_listener_and_have_a_room_of_their_own(
    redis_server: RedisServer, traffic: Traffic
) -> None:
    """[P-MEET-7] [P-MEET-8] [P-MEET-9]"""
    async with _evening(redis_server, traffic, "circle", 2) as evening:
        meeting, host = evening.meeting, evening.host
        token, account = await Personnel(evening.clusters[0]).hire("facilitator")
        kim = await evening.meets[1](staff=True, token=token)
        # Of a second meeting, because hosts are those of when it was planned.
        starts_at = time.time_ns() // 1_000_000 + 3 * 3_600_000
        cards = await host.ask("change_group", group=evening.group, seen=1, cohosts=[account["id"]])
        assert cards["group"]["revision"] == 2
        planned = await host.ask("plan", group=evening.group, dates=[starts_at])
        assert len(planned["group"]["dates"]) == 2
        people = [await evening.come(number) for number in (0, 1, 1)]
        assert (await kim.refusal("join", room=f"{meeting}-b"))["code"] == "room_unknown"
        assert (await people[0].refusal("join", room=f"{meeting}-b"))["code"] == "room_unknown"
        waits = await evening.meets[0]()
        await waits.ask("ask", agreement=True)
        await begun(evening)
        await evening.go_to("share")
        view = await shown(people[0], lambda view: phase_of(view) == "share" and "turn" in view)
        holder = next(peer for peer in people if peer.id_in(meeting) == view["turn"]["holder"])
        other = next(peer for peer in people if peer is not holder)
        assert (await other.refusal("post", room=meeting, text="x"))["code"] == "not_your_turn"
        await host.ask("aside", meeting=meeting, member=other.id_in(meeting))
        await shown(other, lambda view: "offered_until" in view and "answer_aside" in view["may"])
        await other.ask("answer_aside", meeting=meeting, yes=True, agreement=True)
        await shown(other, lambda view: "offered_until" not in view)
        standing = await other.ask("standing")
        assert (standing["place"], standing["is_first"]) == (1, True)
        again = await host.refusal("aside", meeting=meeting, member=holder.id_in(meeting))
        assert (again["code"], again["details"]["why"]) == ("offered_already", "others")
        assert "offered_until" not in str(holder.heard)
        await holder.ask("finish", meeting=meeting)
        await shown(other, lambda view: "answers_until" in view and "turn" not in view)
        await people[0].heard_offset(meeting, await other.post(meeting, "Thank you."))
        check_log([*people[0].facts(meeting)], meeting, least=1)


async def test_what_cannot_be_done_is_refused_with_a_reason(redis_server: RedisServer, traffic: Traffic) -> None:
    """[P-MEET-1] [P-MEET-2] [P-MEET-5] [P-MEET-6]"""
    async with _evening(redis_server, traffic, "hands", 1, seats=2) as evening:
        meeting, host = evening.meeting, evening.host
        later = (await host.ask("meeting", meeting=meeting))["meeting"]["starts_at"] + 3 * 3_600_000
        dates = (await host.ask("plan", group=evening.group, dates=[later]))["group"]["dates"]
        stranger = await evening.meets[0]()
        early = await stranger.refusal("enter", meeting=dates[1]["id"], agreement=1)
        assert (early["code"], early["details"]["doors_at"]) == ("not_yet", later - 600_000)
        asked = await stranger.refusal("enter", meeting=meeting, agreement=0)
        assert (asked["code"], asked["details"]["agreement"]) == ("agreement_required", "Be kind.")
        robin, wren = [await evening.come(0) for _ in range(2)]
        assert (await stranger.refusal("enter", meeting=meeting, agreement=1))["code"] == "meeting_full"
        assert (await stranger.refusal("join", room=meeting))["code"] == "room_unknown"
        assert (await stranger.refusal("meeting", meeting=meeting))["code"] == "meeting_unknown"

        await begun(evening)
        seen = (await host.ask("meeting", meeting=meeting))["meeting"]["step"]
        for _ in range(2):
            await host.ask("step", meeting=meeting, seen=seen)
        assert phase_of((await host.ask("meeting", meeting=meeting))["meeting"]) == "welcome"
        await evening.go_to("hands")
        await robin.ask("raise", meeting=meeting, on=True)
        for peer in (robin, wren, host):
            may = (await peer.ask("meeting", meeting=meeting))["meeting"]["may"]
            for command in ("finish", "later", "add_time"):
                if command not in may:
                    await peer.refusal(command, meeting=meeting)
        assert "finish" in (await robin.ask("meeting", meeting=meeting))["meeting"]["may"]
        await robin.ask("finish", meeting=meeting)
        await wren.ask("step_out", meeting=meeting)
        await evening.go_to("closing")
        assert (await stranger.refusal("enter", meeting=meeting, agreement=1))["code"] == "doors_closed"
        await host.ask("end_meeting", meeting=meeting)
        assert (await robin.refusal("post", room=meeting, text="x"))["code"] == "room_closed"
