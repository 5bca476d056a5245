"""Nobody handles their own case: what the wire shows and refuses to those whose case it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from chatserver.protocol.codec import Encoding
from tests.conformance.clusters import Cluster, Meet
from tests.conformance.listeners import ANSWERS, Listeners
from tests.conformance.peer import Peer
from tests.conformance.personnel import Personnel
from tests.conformance.traffic import Traffic
from tests.kit.web import WebClient

Json = dict[str, Any]
CONTACT = "Kim Lee, safeguarding lead, +00 000 0000"


async def staffed(listening: Listeners, *roles: str) -> Peer:
    """Somebody who works here and looks at what there is to do."""
    token, _ = await listening.personnel.hire(*roles)
    peer = await listening.guest(staff=True, token=token)
    await peer.ask("reports")
    return peer


async def listening_moderator(listening: Listeners) -> Peer:
    """A moderator who listens, too, and is free."""
    token, _ = await listening.personnel.hire("listener", "moderator")
    peer = await listening.console(token)
    await peer.ask("ready", answers=ANSWERS)
    await peer.ask("profile", languages=[listening.tongue])
    await peer.ask("available", on=True)
    return peer


def of_session(session: str, status: str = "open") -> Any:
    def find(view: Json) -> Json | None:
        return next((each for each in view["open"] if (each["room"], each["status"]) == (session, status)), None)

    return find


async def shown(peer: Peer, session: str, status: str = "open") -> Json:
    """A session's report, as a peer who looks is shown it."""
    find = of_session(session, status)
    found: Json = find(await peer.push("reports", find))
    return found


async def test_whoever_is_reported_sees_hears_and_does_nothing_of_it(listening: Listeners) -> None:
    """[P-MOD-11] [P-MOD-12]"""
    accused, moderator = await listening_moderator(listening), await staffed(listening, "moderator")
    operators = [await staffed(listening, "operator"), await staffed(listening, "operator")]
    seeker = await listening.seeker()
    session = await listening.session(seeker, accused)
    before = await accused.ask("reports")
    await seeker.ask("report", session=session, reason="pressure", note="He says that I must not tell anybody.")
    await accused.ask("post", room=session, text="send me nudes")
    first, second = operators
    # Both are there: what the seeker said, and what the server raised about the listener's words.
    await first.push("reports", lambda view: len([each for each in view["open"] if each["room"] == session]) == 2)
    await first.push("ring", lambda push: push["room"] == session)
    report = next(
        each for each in (await first.ask("reports"))["open"] if each["room"] == session and "level" not in each
    )
    assert (report["about"], report["about_staff"]) == (accused.member, True)

    async def is_unknown(peer: Peer) -> None:
        for cmd, fields in (
            ("open_report", {"why": "to see"}),
            ("claim", {}),
            ("claim", {"instead_of": first.member["id"], "why": "mine"}),
            ("release", {}),
            ("note", {"note": "lies"}),
            ("close", {"outcome": "nothing", "reply": "Please trust your listener."}),
            ("review", {"agree": True}),
        ):
            refused = await peer.refusal(cmd, report=report["id"], **fields)
            assert (refused["code"], refused.get("details")) == ("report_unknown", None)

    await first.ask("claim", report=report["id"])
    await first.ask("close", report=report["id"], outcome="handled", reply="We have talked with him.")
    await shown(second, session, "proposed")
    await is_unknown(accused)
    await is_unknown(moderator)
    refused = await first.refusal("review", report=report["id"], agree=True)
    assert (refused["code"], refused["details"]) == ("not_allowed", {"why": "second"})
    await second.ask("review", report=report["id"], agree=False, why="Ask her again.")
    assert "claimed_by" not in await shown(first, session)
    await second.ask("claim", report=report["id"])
    await second.ask("close", report=report["id"], outcome="handled", reply="He does not listen here any more.")
    assert not seeker.pushes("matters", lambda push: push["answers"])
    refused = await first.refusal("review", report=report["id"], agree=True)
    assert refused["code"] == "report_changed", "another outcome is proposed than the one that they know of"
    find = of_session(session, "proposed")
    again = await first.push(
        "reports", lambda view: (find(view) or {}).get("reply") == "He does not listen here any more."
    )
    proposed = find(again)
    await first.ask("review", report=report["id"], agree=True, outcome=proposed["outcome"], reply=proposed["reply"])
    (answer,) = (await seeker.push("matters", lambda push: push["answers"]))["answers"]
    assert answer["reply"] == "He does not listen here any more."
    await is_unknown(accused)
    assert not accused.pushes("reports")
    assert not [each for each in accused.pushes("ring") if each["room"] == session]
    after = await accused.ask("reports")
    assert after.pop("version") == before.pop("version") + 1, "it counts what this connection was shown"
    assert session not in str(after)


async def test_moderators_reach_nothing_in_a_session_by_its_id(listening: Listeners) -> None:
    """[P-MOD-14]"""
    moderator, operator = await staffed(listening, "moderator"), await staffed(listening, "operator")
    seeker, listener, session = await listening.pair()
    offset = await seeker.post(session, "this is my evidence")
    room: Json = {"room": session, "reason": "To see."}
    tried: list[tuple[str, Json]] = [
        *(
            ("measure", {**room, "kind": kind, "minutes": 5, **what})
            for kind in ("notice", "redact", "mute", "remove", "ban")
            for what in ({"offset": offset}, {"offset": 99}, {"member": seeker.member["id"]})
        ),
        ("join", {"room": session, "agreement": 1}),
        ("history", {"room": session, "before": 9}),
        ("slow_room", {**room, "seen": 0, "seconds": 60}),
        ("change_room", {**room, "seen": 0, "name": "Ours"}),
        ("close_room", {**room, "seen": 0}),
        ("reopen_room", {**room, "seen": 0}),
        ("announce", {**room, "text": "Hear me.", "minutes": 5}),
        ("plan_split", {"room": session}),
        ("split", {**room, "seen": 0}),
        ("raid", {**room, "minutes": 5, "quiet_minutes": 5}),
        ("house", {"room": session}),
        ("settle", {"room": session, "to": session}),
        ("report_post", {"room": session, "reason": "x", "offset": offset}),
    ]
    for cmd, fields in tried:
        refused = await operator.refusal(cmd, **fields)
        assert refused["code"] in ("room_unknown", "not_in_room"), (cmd, fields, refused)
        assert "details" not in refused
    await listener.ask("report", session=session, reason="help", call=True)
    report = await shown(moderator, session)
    redact = {**room, "kind": "redact", "offset": offset}
    assert (await moderator.refusal("measure", **redact))["code"] == "room_unknown"
    await moderator.ask("claim", report=report["id"])
    mute = await moderator.refusal("measure", **{**redact, "kind": "mute", "minutes": 5})
    assert (mute["code"], mute["details"]["field"]) == ("invalid", "$.room")
    await moderator.ask("measure", **redact)
    assert (await listener.push("redacted"))["target"] == offset
    await seeker.post(session, "and I can still write to my listener")


@pytest.fixture
def lone_site() -> Iterator[Cluster]:
    with Cluster(config={"safety_contact": CONTACT}) as site:
        yield site


async def test_a_report_that_nobody_may_handle_waits_and_names_somebody_outside(
    lone_site: Cluster, traffic: Traffic
) -> None:
    """[P-MOD-13]"""
    personnel, meet = Personnel(lone_site), Meet(lone_site, traffic, Encoding.JSON)
    boss = await meet(staff=True, token=(await personnel.hire("moderator"))[0])
    ada = await meet()
    async with WebClient(base_url=lone_site.http, headers={"authorization": f"Bearer {boss.token}"}) as http:
        people = (await http.get("/api/staff/people")).json()["people"]
    (only,) = [each["member"]["id"] for each in people if "operator" in each["roles"]]
    room = lone_site.rooms.plain()
    await ada.join(room)
    await ada.ask("report_post", room=room, member=lone_site.alias(room, only), reason="pressure")
    push = await ada.push("matters", lambda push: push.get("stranded"))
    assert push["contact"] == CONTACT
    again = await meet(token=ada.token)
    assert (await again.push("matters"))["contact"] == CONTACT
    assert boss.pushes("reports") == []
    another = await meet(staff=True, token=(await personnel.hire("operator"))[0])
    assert [each["room"] for each in (await another.ask("reports"))["open"]] == [room]
    later = await meet(token=ada.token)
    await later.ask("ping")
    assert not later.pushes("matters")
    await meet.see_off()
