"""Moderation on the wire: reports, measures, and who is told what."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from chatserver.protocol.codec import Encoding
from tests.conformance.clusters import Cluster, Meet
from tests.conformance.listeners import Listeners
from tests.conformance.peer import Peer
from tests.conformance.personnel import Personnel
from tests.conformance.traffic import Traffic
from tests.kit.redis import RedisServer
from tests.kit.web import WebClient

Json = dict[str, Any]
REASON = "It was too much for the others."


@pytest.fixture(scope="module")
def personnel(site: Cluster) -> Personnel:
    return Personnel(site)


@pytest.fixture
async def moderator(personnel: Personnel, meet: Meet) -> Peer:
    """Somebody who looks at what there is to do."""
    token, _ = await personnel.hire("moderator")
    peer = await meet(staff=True, token=token)
    await peer.ask("reports")
    return peer


@pytest.fixture
async def pair(meet: Meet, room: str) -> tuple[Peer, Peer]:
    """Ada and Bo, in one room."""
    ada, bo = await meet(), await meet()
    for peer in (ada, bo):
        await peer.join(room)
    return ada, bo


def reported(room: str) -> Any:
    return lambda view: next((each for each in view["open"] if each["room"] == room), None)


async def report_in(moderator: Peer, room: str, where: Any = lambda report: True) -> Json:
    """A room's report as a moderator is shown it: in what is pushed, or on a page further on."""

    def find(view: Json) -> Json | None:
        found = reported(room)(view)
        return found if found is not None and where(found) else None

    while True:
        view = await moderator.push("reports", lambda view: find(view) is not None or view.get("next") is not None)
        while True:
            if (found := find(view)) is not None:
                return found
            if view.get("next") is None:
                break
            page = await moderator.ask("report_page", after=view["next"])
            view = {"open": page["reports"], "next": page.get("next")}


async def call(site: Cluster, peer: Peer, path: str, body: Json | None = None) -> httpx.Response:
    async with WebClient(base_url=site.http, headers={"authorization": f"Bearer {peer.token}"}) as http:
        return await (http.get(path) if body is None else http.post(path, json=body))


async def test_a_report_keeps_what_was_written_and_is_one(pair: tuple[Peer, Peer], moderator: Peer, room: str) -> None:
    """[P-MOD-1] [P-MOD-2]"""
    ada, bo = pair
    offset = await bo.post(room, "tell me where you live")
    for _ in range(3):
        assert await ada.ask("report_post", room=room, offset=offset, reason="pressure", note="again") == {"ok": "done"}
    await bo.ask("redact", room=room, offset=offset)
    report = await report_in(moderator, room)
    assert (report["by"], report["about"]) == (ada.member, bo.member)
    assert (report["offset"], report["reason"], report["status"]) == (offset, "pressure", "open")
    assert report["due_at"] > report["at"]
    file = await moderator.ask("open_report", report=report["id"], why="to answer it")
    assert file["note"] == "again"
    assert [post["text"] for post in file["posts"]] == ["tell me where you live"]
    again = await moderator.ask("reports")
    assert len([each for each in again["open"] if each["room"] == room]) == 1
    await ada.ask("report_post", room=room, member=bo.id_in(room), reason="pressure")
    await bo.ask("ping")
    assert not [each for each in bo.heard if each.get("push") == "matters"]
    wrong: tuple[tuple[Json, str], ...] = (
        ({"offset": 99}, "post_unknown"),
        ({"member": "m_nobody"}, "member_unknown"),
        ({"member": ada.id_in(room)}, "invalid"),
        ({"member": bo.member["id"]}, "member_unknown"),
        ({}, "invalid"),
        ({"member": bo.id_in(room), "offset": offset}, "invalid"),
    )
    for fields, code in wrong:
        assert (await ada.refusal("report_post", room=room, reason="x", **fields))["code"] == code
    assert (await moderator.refusal("report_post", room=room, reason="x", offset=1))["code"] == "not_in_room"


async def test_a_silent_call_rings_at_every_moderator(listening: Listeners) -> None:
    """[P-MOD-2]"""
    token, _ = await listening.personnel.hire("moderator")
    looking, elsewhere = await listening.guest(staff=True, token=token), await listening.guest(staff=True, token=token)
    await looking.ask("reports")
    _, listener, session = await listening.pair()
    started = time.monotonic()
    await listener.ask("report", session=session, reason="help", call=True)
    for peer in (looking, elsewhere):
        assert (await peer.push("ring"))["room"] == session
    assert time.monotonic() - started < 1.0
    report = await report_in(looking, session)
    assert report["is_call"] is True
    assert report["due_at"] - report["at"] == 5 * 60_000
    assert not listener.pushes("ring")


async def test_a_report_has_one_owner_and_its_reporter_an_answer(
    pair: tuple[Peer, Peer], moderator: Peer, room: str, personnel: Personnel, meet: Meet
) -> None:
    """[P-MOD-3] [P-MOD-4]"""
    ada, bo = pair
    token, _ = await personnel.hire("operator")
    colleague = await meet(staff=True, token=token)
    await ada.ask("report_post", room=room, member=bo.id_in(room), reason="unkind")
    report = (await report_in(moderator, room))["id"]
    assert (await moderator.refusal("close", report=report, outcome="nothing"))["code"] == "not_claimed"
    await moderator.ask("claim", report=report)
    await moderator.ask("claim", report=report)
    refused = await colleague.refusal("claim", report=report)
    assert (refused["code"], refused["details"]) == ("report_taken", {"by": moderator.member["id"]})
    taking = {"report": report, "instead_of": moderator.member["id"]}
    assert (await colleague.refusal("claim", **taking))["code"] == "text_empty"
    await colleague.ask("claim", **taking, why="You went home.")
    taken = await report_in(moderator, room, lambda it: it.get("claimed_by") == colleague.member)
    assert (taken["taken_from"], taken["taken_why"]) == (moderator.member, "You went home.")
    assert (await moderator.refusal("release", report=report))["code"] == "report_taken"
    await colleague.ask("note", report=report, note="Spoke with both.")
    await colleague.ask("close", report=report, outcome="handled", reply="Thank you for telling us.")
    assert (await colleague.refusal("claim", report=report))["code"] == "report_closed"
    (answer,) = (await ada.push("matters", lambda push: push["answers"]))["answers"]
    assert (answer["id"], answer["outcome"]) == (report, "handled")
    assert answer["reply"] == "Thank you for telling us."
    device = await meet(token=ada.token)
    assert (await device.push("matters"))["answers"] == [answer]
    await device.ask("seen", ids=[report])
    later = await meet(token=ada.token)
    await later.ask("ping")
    assert not later.pushes("matters")
    file = await moderator.ask("open_report", report=report, why="to learn")
    assert [note["note"] for note in file["notes"]] == ["Spoke with both."]


async def test_a_measure_is_told_to_whom_it_is_about_and_can_be_answered_once(
    pair: tuple[Peer, Peer], moderator: Peer, site: Cluster, personnel: Personnel, meet: Meet
) -> None:
    """[P-MOD-5] [P-MOD-15]"""
    ada, bo = pair
    colleague = await meet(staff=True, token=(await personnel.hire("moderator"))[0])
    await colleague.ask("reports")
    who = bo.member["id"]
    taken = await moderator.ask("measure", kind="notice", member=who, reason=REASON)
    push = await bo.push("matters", lambda push: push["measures"])
    (told,) = push["measures"]
    assert (told["id"], told["kind"], told["reason"], told["until"]) == (
        taken["measure"],
        "notice",
        REASON,
        taken["until"],
    )
    assert moderator.member["id"] not in str(push)
    assert not ada.pushes("matters")
    answer = {"measure": taken["measure"], "text": "I did not know. Sorry."}
    assert (await call(site, ada, "/api/identity/appeal", answer)).status_code == 404
    assert (await call(site, bo, "/api/identity/appeal", answer)).status_code == 204
    twice = await call(site, bo, "/api/identity/appeal", answer)
    assert (twice.status_code, twice.json()["error"]["code"]) == (409, "appealed")

    def appealed(view: Json) -> bool:
        return any(each.get("appeal") == answer["text"] for each in view["measures"])

    await colleague.push("reports", appealed)
    own = next(each for each in (await moderator.ask("reports"))["measures"] if each["id"] == taken["measure"])
    assert (own["appeal"], "appealed_at" in own) == ("", True), "somebody else is there to read it"
    refused = await moderator.refusal("lift", measure=taken["measure"], reason="I was wrong")
    assert (refused["code"], refused["details"]) == ("not_allowed", {"why": "own_measure"})
    matters = (await call(site, bo, "/api/identity/matters")).json()
    assert [each["appealed"] for each in matters["measures"]] == [True]
    for kind in ("mute", "remove", "ban"):
        refused = await moderator.refusal("measure", kind=kind, member=who, room="plain-0", reason=REASON)
        assert (refused["code"], refused["details"]["field"]) == ("invalid", "$.minutes")
    assert (await moderator.refusal("measure", kind="notice", member=who, reason=" "))["code"] == "text_empty"


async def test_a_moderator_takes_a_post_back(pair: tuple[Peer, Peer], moderator: Peer, room: str) -> None:
    """[P-MOD-5]"""
    ada, bo = pair
    offset = await bo.post(room, "something unkind")
    await moderator.ask("measure", kind="redact", room=room, offset=offset, reason=REASON)
    assert (await ada.push("redacted"))["target"] == offset
    assert (await bo.push("matters"))["measures"][0]["kind"] == "redact"
    page = await ada.ask("history", room=room, before=offset + 1)
    assert [(post["text"], post["redacted"]) for post in page["posts"]] == [("", True)]


async def test_who_is_muted_or_removed_is_told_until_when(
    pair: tuple[Peer, Peer], moderator: Peer, room: str, rooms: Any
) -> None:
    """[P-MOD-6]"""
    ada, bo = pair
    other = rooms.plain()
    await bo.join(other)
    mine = await bo.post(room, "mine")
    muted = await moderator.ask("measure", kind="mute", member=bo.id_in(room), room=room, minutes=10, reason=REASON)
    for cmd, fields in (
        ("post", {"text": "x"}),
        ("edit", {"offset": mine, "text": "x"}),
        ("react", {"offset": mine, "reaction": "hug", "on": True}),
    ):
        refused = await bo.refusal(cmd, room=room, **fields)
        assert (refused["code"], refused["temporary"]) == ("muted", False)
        assert refused["details"] == {**refused["details"], "measure": muted["measure"], "until": muted["until"]}
        assert refused["details"]["appeal"] == "/api/identity/appeal"
    await bo.post(other, "elsewhere I may")
    await bo.ask("redact", room=room, offset=mine)
    await bo.join(room)
    await moderator.ask("lift", measure=muted["measure"], reason="It is well.")
    await bo.post(room, "thank you")

    await moderator.ask("measure", kind="remove", member=bo.member["id"], room=room, minutes=10, reason=REASON)
    await ada.push("presence", lambda push: bo.id_in(room) in push["went"])
    assert (await bo.refusal("join", room=room, agreement=1))["code"] == "removed"
    assert (await bo.refusal("post", room=room, text="x"))["code"] == "not_in_room"
    await bo.post(other, "elsewhere I may")
    muted = await moderator.ask("measure", kind="mute", member=bo.member["id"], minutes=10, reason=REASON)
    assert (await bo.refusal("post", room=other, text="x"))["code"] == "muted"
    # Otherwise it would hold for the newcomers of other tests, who come from the same address.
    await moderator.ask("lift", measure=muted["measure"], reason="It was a test.")


async def test_newcomers_from_where_somebody_is_banned_are_met_with_care_and_nobody_else(
    traffic: Traffic, encoding: Encoding
) -> None:
    """[P-MOD-7] [P-MOD-21]"""
    with Cluster(config={"shared_networks": []}) as site:
        meet = Meet(site, traffic, encoding)
        moderator = await meet(staff=True, token=(await Personnel(site).hire("moderator"))[0])
        await moderator.ask("reports")
        ada, bo = await meet(), await meet()
        room = site.rooms.plain()
        await ada.join(room)
        # They are away when it is decided.
        await bo.close()
        ban = await moderator.ask("measure", kind="ban", member=bo.member["id"], minutes=60, reason=REASON)
        again = await meet()
        challenge = await again.refusal("join", room=room, agreement=1)
        assert challenge["code"] == "challenge"
        await again.join(room, proof=solved(challenge["details"]))
        refused = await again.refusal("post", room=room, text="here again")
        assert refused["code"] == "read_only"
        assert 0 < refused["retry_after"] <= 600
        # Who was here before is not touched, in a new connection neither.
        device = await meet(token=ada.token)
        await device.join(room)
        await device.post(room, "I was here before")
        await ada.ask("report_post", room=room, member=again.id_in(room), reason="pressure")
        report = await report_in(moderator, room)
        opened = await moderator.ask("open_report", report=report["id"], why="To decide.")
        assert opened["network"] == {"others": 2, "newcomer": True}
        await moderator.ask("lift", measure=ban["measure"], reason="They explained.")
        await (await meet()).join(room)
        await meet.see_off()


def solved(details: dict[str, Any]) -> str:
    """The answer to a sum."""
    for number in itertools.count():
        proof = f"{details['challenge']}:{number}"
        if int.from_bytes(hashlib.sha256(proof.encode()).digest()) >> (256 - details["bits"]) == 0:
            return proof
    raise AssertionError("there is always one")


async def test_a_ban_ends_what_is_open_and_what_comes(traffic: Traffic, encoding: Encoding) -> None:
    """[P-MOD-7]"""
    with Cluster() as site:
        meet = Meet(site, traffic, encoding)
        personnel = Personnel(site)
        token, _ = await personnel.hire("moderator")
        moderator = await meet(staff=True, token=token)
        bo = await meet()
        device = await meet(token=bo.token)
        ban = await moderator.ask("measure", kind="ban", member=bo.member["id"], minutes=60, reason=REASON)
        assert [await peer.ended() for peer in (bo, device)] == [4402, 4402]
        back = await meet.silent()
        refused = await back.refusal("hello", token=bo.token)
        assert (refused["code"], refused["details"]["until"]) == ("banned", ban["until"])
        said = {"measure": ban["measure"], "text": "Please let me explain."}
        assert (await call(site, bo, "/api/identity/appeal", said)).status_code == 204
        # They answered: it is for somebody else to decide than for whoever banned them.
        colleague = await meet(staff=True, token=(await personnel.hire("moderator"))[0])
        await colleague.ask("lift", measure=ban["measure"], reason="They explained.")
        await meet(token=bo.token)
        await meet()
        await meet.see_off()


@pytest.fixture
async def meets(two_clusters: tuple[Cluster, Cluster], traffic: Traffic) -> AsyncIterator[tuple[Meet, Meet]]:
    both = Meet(two_clusters[0], traffic, Encoding.JSON), Meet(two_clusters[1], traffic, Encoding.MSGPACK)
    yield both
    for meet in both:
        await meet.see_off()


@pytest.mark.parametrize("has_redis", [True, False], ids=["with Redis", "without Redis"])
async def test_moderation_holds_on_every_worker_within_a_second(
    two_clusters: tuple[Cluster, Cluster], meets: tuple[Meet, Meet], redis_server: RedisServer, has_redis: bool
) -> None:
    """[P-MOD-2] [P-MOD-7]"""
    here, there = meets
    token, _ = await Personnel(two_clusters[0]).hire("moderator")
    moderators = [await meet(staff=True, token=token) for meet in meets]
    ada, bo = await here(), await there()
    devices = [bo, await here(token=bo.token), await there(token=bo.token)]
    room = two_clusters[0].rooms.plain()
    for peer in (ada, bo):
        await peer.join(room)
    for peer in moderators:
        await peer.ask("reports")
    if not has_redis:
        await asyncio.to_thread(redis_server.kill)
    started = time.monotonic()
    await ada.ask("report_post", room=room, member=bo.id_in(room), reason="pressure")
    for peer in moderators:
        await report_in(peer, room)
    assert time.monotonic() - started < 1.0
    started = time.monotonic()
    await moderators[0].ask("measure", kind="ban", member=bo.member["id"], minutes=5, reason=REASON)
    assert [await peer.ended() for peer in devices] == [4402] * 3
    assert time.monotonic() - started < 1.0
    for meet in meets:
        assert (await (await meet.silent()).refusal("hello", token=bo.token))["code"] == "banned"


async def test_who_reads_a_report_gives_a_reason_and_nobody_learns_of_it_while_it_is_open(
    pair: tuple[Peer, Peer], moderator: Peer, room: str, site: Cluster
) -> None:
    """[P-MOD-8]"""
    ada, bo = pair
    await bo.post(room, "a hard word")
    before = [(await call(site, peer, "/api/identity/export")).json() for peer in pair]
    await ada.ask("report_post", room=room, member=bo.id_in(room), reason="unkind")
    report = (await report_in(moderator, room))["id"]
    assert (await moderator.refusal("open_report", report=report, why=""))["code"] == "text_empty"
    await moderator.ask("open_report", report=report, why="Ada says that Bo presses her.")
    await moderator.ask("claim", report=report)
    theirs = (await call(site, bo, "/api/identity/export")).json()
    assert {**theirs, "member": None} == {**before[1], "member": None}
    await moderator.ask("close", report=report, outcome="nothing")
    assert (await call(site, bo, "/api/identity/export")).json()["views"] == []


async def test_nothing_is_done_about_staff_or_oneself(personnel: Personnel, moderator: Peer) -> None:
    """[P-MOD-9]"""
    _, colleague = await personnel.hire("listener")
    for who, why in ((colleague["id"], "staff"), (moderator.member["id"], "self")):
        for kind in ("notice", "mute", "ban"):
            refused = await moderator.refusal("measure", kind=kind, member=who, minutes=5, reason=REASON)
            assert (refused["code"], refused["details"]) == ("not_allowed", {"why": why})


async def test_what_was_changed_taken_back_and_erased_can_be_reported(
    site: Cluster, pair: tuple[Peer, Peer], moderator: Peer, room: str
) -> None:
    """[P-MOD-16]"""
    ada, bo = pair
    offset = await bo.post(room, "first words")
    await bo.ask("edit", room=room, offset=offset, text="other words")
    await bo.ask("redact", room=room, offset=offset)
    later = await bo.post(room, "last words")
    assert (await call(site, bo, "/api/identity/erase", {})).status_code == 204
    for each in (offset, later):
        await ada.ask("report_post", room=room, offset=each, reason="unkind")
    files: list[Json] = []
    found = (await moderator.ask("reports"))["open"]
    for each in (offset, later):
        report = next(report for report in found if (report["room"], report.get("offset")) == (room, each))
        assert report["about"]["id"].startswith("e_")
        assert report["about"]["name"] == ""
        files.append(await moderator.ask("open_report", report=report["id"], why="to answer it"))
    assert [[(version["text"], version["ended"]) for version in file["earlier"]] for file in files] == [
        [("first words", "edited"), ("other words", "redacted")],
        [("last words", "erased")],
    ]
    assert files[0]["report"]["about"] == files[1]["report"]["about"]


async def test_a_supervisor_reads_what_a_listener_wrote(listening: Listeners) -> None:
    """[P-MOD-10]"""
    token, _ = await listening.personnel.hire("moderator")
    supervisor = await listening.guest(staff=True, token=token)
    await supervisor.ask("reports")
    _, listener, session = await listening.pair()
    await listener.ask("flag", session=session)
    await listener.ask("end", session=session)
    await listener.ask("debrief", session=session, note="I would like to talk.")
    await supervisor.push("reports", lambda view: view["unread_debriefs"] >= 1)
    notes = (await supervisor.ask("debriefs"))["debriefs"]
    mine = next(each for each in notes if each["listener"] == listener.member)
    assert (mine["note"], "read_by" in mine) == ("I would like to talk.", False)
    await supervisor.ask("read_debrief", debrief=mine["id"])
    notes = (await supervisor.ask("debriefs"))["debriefs"]
    assert next(each for each in notes if each["id"] == mine["id"])["read_by"] == supervisor.member


async def test_words_of_crisis_reach_a_human_and_offer_help_to_their_author_alone(
    pair: tuple[Peer, Peer], moderator: Peer, room: str
) -> None:
    """[P-CARE-1] [P-CARE-2]"""
    ada, bo = pair
    await moderator.ask("reports")
    started = time.monotonic()
    ok = await ada.ask("post", room=room, text="I am going to kill myself tonight")
    assert ok["care"] == "self_harm"
    ring = await moderator.push("ring")
    assert time.monotonic() - started < 1.0
    report = await report_in(moderator, room)
    assert (ring["report"], report["level"], report["reason"]) == (report["id"], 3, "self_harm")
    assert (report["about"], "by" in report, report["offset"]) == (ada.member, False, ok["offset"])
    assert report["due_at"] - report["at"] == 5 * 60_000
    await bo.ask("ping")
    seen = [each for each in bo.heard if "kill myself" in repr(each)]
    assert seen
    assert "care" not in repr(seen)
    assert "level" not in repr(seen)
    calm = await bo.ask("post", room=room, text="I am not suicidal, this deadline is killing me")
    assert "care" not in calm
    edited = await bo.ask("edit", room=room, offset=calm["offset"], text="I want to die")
    assert edited["care"] == "self_harm"
    mine = await bo.ask("post", room=room, text="you are pathetic")
    assert "care" not in mine


async def test_of_a_session_only_the_post_that_raised_it_is_shown(listening: Listeners) -> None:
    """[P-CARE-2]"""
    token, _ = await listening.personnel.hire("moderator")
    moderator = await listening.guest(staff=True, token=token)
    await moderator.ask("reports")
    seeker, listener, session = await listening.pair()
    await listener.ask("post", room=session, text="hello, I am here")
    await seeker.ask("post", room=session, text="something between us")
    assert (await seeker.ask("post", room=session, text="I took all my pills"))["care"] == "self_harm"
    ring = await moderator.push("ring", lambda push: push["room"] == session)
    file = await moderator.ask("open_report", report=ring["report"], why="to help")
    assert [post["text"] for post in file["posts"]] == ["I took all my pills"]
    assert file["report"]["about"] == seeker.member
