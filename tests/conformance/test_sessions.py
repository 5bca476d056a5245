"""One to one: what holds in a session, and after it."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from tests.conformance.listeners import KEEP_SECONDS, LONGEST_MINUTES, Json, Listeners, session_of, view
from tests.conformance.peer import Peer


async def test_nobody_else_can_enter_a_session(listening: Listeners) -> None:
    """[P-TALK-1]"""
    seeker, listener, session = await listening.pair()
    stranger, other = await listening.guest(), await listening.listener()
    for peer in (stranger, other):
        assert (await peer.refusal("join", room=session))["code"] == "room_unknown"
        assert (await peer.refusal("post", room=session, text="let me in"))["code"] == "not_in_room"
        assert (await peer.refusal("end", session=session))["code"] == "session_unknown"
    assert (await stranger.refusal("join", room="s-" + "x" * 16))["code"] == "room_unknown"
    assert session not in [room["id"] for room in (await stranger.ask("rooms"))["rooms"]]
    offset = await seeker.post(session, "only you")
    await listener.heard_offset(session, offset)
    await listener.ask("typing", room=session)
    assert (await seeker.push("typing"))["member"] == listener.id_in(session)
    assert stranger.facts(session) == other.facts(session) == []
    shown = (await seeker.ask("standing"))["session"]
    assert [(each["id"], each["role"]) for each in shown["people"]] == [
        (seeker.id_in(session), "seeker"),
        (listener.id_in(session), "listener"),
    ]


async def test_a_seeker_is_in_one_session_and_a_session_has_one_seeker(listening: Listeners) -> None:
    """[P-TALK-1]"""
    listener = await listening.listener(cap=3)
    seekers = [await listening.seeker() for _ in range(3)]
    sessions = [await listening.session(seeker, listener) for seeker in seekers]
    assert len(set(sessions)) == 3
    console = await view(listener, "console", lambda it: len(it["sessions"]) == 3)
    assert console["state"] == "busy"
    for seeker, session in zip(seekers, sessions, strict=True):
        people = [each["id"] for each in session_of(console, session)["people"]]
        assert people == [seeker.id_in(session), listener.id_in(session)]
        assert (await seeker.ask("standing"))["session"]["id"] == session
        assert (await seeker.refusal("ask", agreement=True))["code"] == "in_session"
        for other in {*sessions} - {session}:
            assert (await seeker.refusal("join", room=other))["code"] == "room_unknown"


async def test_the_end_is_told_from_the_beginning_and_both_can_move_it(listening: Listeners) -> None:
    """[P-TALK-2]"""
    seeker, listener, session = await listening.pair(minutes=40)
    began = (await seeker.ask("standing"))["session"]
    assert began["ends_at"] - began["started_at"] == 40 * 60_000
    assert 9 * 60_000 < began["idle_at"] - began["started_at"] <= 10 * 60_000
    assert began["can_extend"]
    await seeker.ask("extend", session=session)
    asked = await view(listener, "console", lambda it: session_of(it, session).get("extend"))
    assert session_of(asked, session)["extend"] == [seeker.id_in(session)]
    await seeker.ask("extend", session=session, on=False)
    await view(listener, "console", lambda it: not session_of(it, session).get("extend"))
    await seeker.ask("extend", session=session)
    await listener.ask("extend", session=session)
    for peer, where in ((seeker, "standing"), (listener, "console")):
        moved = await view(peer, where, lambda it: _session(it, session)["ends_at"] == began["ends_at"] + 15 * 60_000)
        assert not _session(moved, session).get("extend")
    for peer in (listener, seeker):
        await peer.ask("extend", session=session)
    shown = (await seeker.ask("standing"))["session"]
    assert shown["ends_at"] == began["started_at"] + LONGEST_MINUTES * 60_000
    assert not shown["can_extend"]
    assert (await seeker.refusal("extend", session=session))["code"] == "no_more_time"


async def test_an_ended_session_can_be_read_until_it_is_gone(hasty_listeners: Listeners) -> None:
    """[P-TALK-3]"""
    listening = hasty_listeners
    seeker, listener, session = await listening.pair()
    await seeker.post(session, "what nobody shall find")
    await listener.ask("end", session=session)
    assert (await seeker.push("room_changed"))["room"]["status"] == "closed"
    ended = await view(seeker, "standing", lambda it: it["state"] == "ended")
    assert ended["session"]["ending"] == "other"
    mine = session_of(await view(listener, "console", lambda it: session_of(it, session).get("ending")), session)
    assert mine["ending"] == "you"
    kept = round(KEEP_SECONDS * 1000)
    assert ended["session"]["forget_at"] == mine["forget_at"] == mine["ended_at"] + kept
    assert (await seeker.refusal("post", room=session, text="one more"))["code"] == "room_closed"
    again = await listening.guest(token=seeker.token)
    assert [post["text"] for post in (await again.ask("join", room=session))["posts"]] == ["what nobody shall find"]
    await view(seeker, "standing", lambda it: it["state"] == "none")
    await view(listener, "console", lambda it: not it.get("sessions"))
    for peer in (seeker, listener, again):
        assert (await peer.refusal("join", room=session))["code"] == "room_unknown"
        assert (await peer.refusal("feedback", session=session, heard=1))["code"] == "session_unknown"
    with closing(sqlite3.connect(f"file:{listening.site.database}?mode=ro", uri=True)) as db:
        assert db.execute("SELECT count(*) FROM log WHERE channel = ?", [f"room:{session}"]).fetchone() == (0,)


async def test_whoever_vanishes_is_missed(hasty_listeners: Listeners) -> None:
    """[P-TALK-4] Both ways at the same time: the waiting is the same."""
    listening = hasty_listeners
    lonely, lost_listener, first = await listening.pair(heavy=2)
    lost_seeker, left, second = await listening.pair()
    asked_at = (await lonely.ask("standing"))["session"]["started_at"]
    for peer in (lost_listener, lost_seeker):
        peer.drop()
        await peer.ended()
    grace = 30.0
    missed = await view(lonely, "standing", lambda it: _gone(_session(it, first)), patience=grace)
    assert _gone(_session(missed, first)) == [lost_listener.id_in(first)]
    missed = await view(left, "console", lambda it: _gone(_session(it, second)), patience=grace)
    assert _gone(_session(missed, second)) == [lost_seeker.id_in(second)]

    waiting = await view(lonely, "standing", lambda it: it["state"] == "waiting", patience=grace)
    assert (waiting["is_first"], waiting["place"], waiting["session"]["ending"]) == (True, 1, "gone")
    assert waiting["asked_at"] <= asked_at
    freed = await view(left, "console", lambda it: _session(it, second).get("ending"), patience=grace)
    assert _session(freed, second)["ending"] == "gone"
    proposal = (await view(left, "console", lambda it: "proposal" in it))["proposal"]
    assert proposal["came_back"] is True
    third = await listening.session(lonely, left)
    assert third not in {first, second}


async def test_a_listener_who_comes_back_in_time_was_never_gone(hasty_listeners: Listeners) -> None:
    """[P-TALK-4]"""
    seeker, listener, session = await hasty_listeners.pair()
    listener.drop()
    await listener.ended()
    back = await hasty_listeners.console(str(listener.token))
    joined = await back.ask("join", room=session)
    assert joined["room"]["id"] == session
    offset = await back.post(session, "I am here again")
    await seeker.heard_offset(session, offset)
    assert (await seeker.ask("standing"))["state"] == "session"


async def test_a_second_listener_comes_in_when_the_seeker_and_they_agree(listening: Listeners) -> None:
    """[P-TALK-5]"""
    seeker, listener, session = await listening.pair()
    colleague, third = await listening.listener(), await listening.listener()
    them = await _colleague(listener, colleague)
    assert (await seeker.refusal("invite", session=session, listener=them))["code"] == "not_allowed"
    await listener.ask("invite", session=session, listener=them)
    asked = (await view(seeker, "standing", lambda it: "invitation" in it["session"]))["session"]["invitation"]
    name = colleague.member["name"]
    assert (asked["listener"]["name"], asked["handover"], asked["waits_for"]) == (name, False, "seeker")
    assert not (await colleague.ask("console")).get("invitations"), "the seeker is asked first"
    assert (await colleague.refusal("answer", session=session, yes=True))["code"] == "proposal_gone"
    assert (await third.refusal("answer", session=session, yes=True))["code"] == "session_unknown"
    assert (await colleague.refusal("join", room=session))["code"] == "room_unknown"
    await seeker.ask("answer", session=session, yes=True)
    invited = await view(colleague, "console", lambda it: it.get("invitations"))
    assert invited["invitations"][0]["id"] == session
    assert (await colleague.refusal("join", room=session))["code"] == "room_unknown"
    await colleague.ask("answer", session=session, yes=True)
    await colleague.ask("join", room=session)
    offset = await colleague.post(session, "hello, I am here too")
    for peer in (seeker, listener):
        await peer.heard_offset(session, offset)
    people = [each["id"] for each in (await seeker.ask("standing"))["session"]["people"]]
    assert people == [each.id_in(session) for each in (seeker, listener, colleague)]
    assert len({*people, them, *(each.member["id"] for each in (seeker, listener, colleague))}) == 7, "ids of its own"
    other = await _colleague(colleague, third)
    assert (await colleague.refusal("invite", session=session, listener=other))["code"] == "not_holding"
    await colleague.ask("end", session=session)
    await view(seeker, "standing", lambda it: len(it["session"]["people"]) == 2)
    assert (await colleague.refusal("join", room=session))["code"] == "room_unknown", "the second goes alone"
    assert (await listener.ask("console"))["sessions"][0].get("ending") is None


async def test_a_session_is_handed_over_when_the_seeker_agrees(listening: Listeners) -> None:
    """[P-TALK-5]"""
    seeker, listener, session = await listening.pair()
    colleague = await listening.listener()
    them = await _colleague(listener, colleague)
    await listener.ask("invite", session=session, listener=them, handover=True)
    await seeker.ask("answer", session=session, yes=False)
    await view(listener, "console", lambda it: "invitation" not in session_of(it, session))
    await listener.ask("invite", session=session, listener=them, handover=True)
    shown = (await seeker.ask("standing"))["session"]["invitation"]
    assert (shown["handover"], shown["waits_for"]) == (True, "seeker")
    await seeker.ask("answer", session=session, yes=True)
    await view(colleague, "console", lambda it: it.get("invitations"))
    await colleague.ask("answer", session=session, yes=True)
    await colleague.ask("join", room=session)
    both = [seeker.id_in(session), colleague.id_in(session)]
    await view(seeker, "standing", lambda it: [each["id"] for each in it["session"]["people"]] == both)
    await view(listener, "console", lambda it: not it.get("sessions"))
    offset = await seeker.post(session, "thank you for coming")
    await colleague.heard_offset(session, offset)
    assert (await listener.refusal("post", room=session, text="and me?"))["code"] == "not_in_room"
    assert (await listener.refusal("join", room=session))["code"] == "room_unknown"
    assert "thank you for coming" not in [fact["post"]["text"] for fact in listener.facts(session) if "post" in fact]
    (left,) = (await listener.ask("console"))["left"]
    assert (left["id"], left["seeker"]["id"], left["flagged"]) == (session, seeker.id_in(session), False)
    await listener.ask("report", session=session, reason="unkind")
    await listener.ask("flag", session=session, on=True)
    shown = await view(listener, "console", lambda it: it.get("owes") == session)
    assert (shown["left"][0]["flagged"], shown["pause"]) == (True, "debrief")
    assert not session_of(await colleague.ask("console"), session).get("flagged")
    for about in (None, listener.id_in(session)):
        await seeker.ask("report", session=session, reason="confused", about=about)
    stranger = {"session": session, "reason": "confused", "about": "m_somebody_else"}
    assert (await seeker.refusal("report", **stranger))["code"] == "member_unknown"
    with closing(sqlite3.connect(f"file:{listening.site.database}?mode=ro", uri=True)) as db:
        kept = db.execute("SELECT by, about FROM reports WHERE room = ? ORDER BY at, id", [session]).fetchall()
    assert sorted(kept, key=str) == sorted(
        [
            (listener.member["id"], seeker.member["id"]),
            (seeker.member["id"], None),
            (seeker.member["id"], listener.member["id"]),
        ],
        key=str,
    )


async def test_who_was_blocked_is_never_met_again(listening: Listeners) -> None:
    """[P-TALK-6]"""
    seeker, listener, session = await listening.pair()
    await seeker.ask("block", session=session)
    for peer, where in ((seeker, "standing"), (listener, "console")):
        shown = await view(peer, where, lambda it: _session(it, session).get("ending"))
        assert _session(shown, session)["ending"] == "other"
        assert not any("block" in key for key in _session(shown, session))
    for peer in (seeker, listener):
        await peer.ask("again", session=session)
    assert (await seeker.refusal("words", session=session))["code"] == "no_words_yet"
    await listening.ask(seeker)
    assert (await seeker.ask("standing")).get("being_asked", False) is False
    other = await listening.listener()
    await view(other, "console", lambda it: "proposal" in it)
    assert "proposal" not in await listener.ask("console")
    await listening.session(seeker, other)


async def test_a_report_is_separate_and_keeps_what_was_written(listening: Listeners) -> None:
    """[P-TALK-6]"""
    seeker, listener, session = await listening.pair()
    await listener.post(session, "something unkind")
    await seeker.ask("report", session=session, reason="unkind", note="It hurt.")
    await seeker.ask("report", session=session, reason="unkind", note="It hurt.")
    await listener.ask("report", session=session, reason="help", call=True)
    assert (await seeker.ask("standing"))["state"] == "session", "the session goes on"
    with closing(sqlite3.connect(f"file:{listening.site.database}?mode=ro", uri=True)) as db:
        db.row_factory = sqlite3.Row
        kept = [dict(row) for row in db.execute("SELECT * FROM reports WHERE room = ? ORDER BY at, id", [session])]
    assert [(each["by"], each["reason"], each["is_call"]) for each in kept] == [
        (seeker.member["id"], "unkind", 0),
        (listener.member["id"], "help", 1),
    ]
    assert all("something unkind" in each["snapshot"] for each in kept)
    assert (kept[0]["about"], kept[1]["about"]) == (listener.member["id"], None)


async def test_wanting_to_talk_again_is_told_when_both_said_so(listening: Listeners) -> None:
    """[P-TALK-7]"""
    seeker, listener, session = await listening.pair()
    assert (await seeker.refusal("again", session=session))["code"] == "in_session"
    await listener.ask("end", session=session)
    await listener.ask("again", session=session)
    before = (await view(seeker, "standing", lambda it: it["state"] == "ended"))["session"]
    assert (before.get("again", False), before.get("again_both", False)) == (False, False)
    assert (await seeker.refusal("words", session=session))["code"] == "no_words_yet"
    await listener.ask("again", session=session, on=False)
    await seeker.ask("again", session=session)
    alone = (await seeker.ask("standing"))["session"]
    assert (alone["again"], alone.get("again_both", False)) == (True, False)
    unasked = session_of(await listener.ask("console"), session)
    assert (unasked.get("again", False), unasked.get("again_both", False)) == (False, False)
    await listener.ask("again", session=session)
    await view(seeker, "standing", lambda it: it["session"].get("again_both"))
    assert not session_of(await listener.ask("console"), session).get("again_both")
    words = await seeker.ask("words", session=session)
    assert words["expires_at"] > 0
    for hidden in (seeker, listener):
        assert hidden.member["id"] not in words["words"]
        assert hidden.member["name"].lower() not in words["words"].lower()
    assert words["words"] != (await seeker.ask("words", session=session))["words"]
    assert (await listener.refusal("words", session=session))["code"] == "no_words_yet"


async def test_contact_details_are_caught_before_they_are_sent(listening: Listeners, room: str) -> None:
    """[P-TALK-8]"""
    seeker, listener, session = await listening.pair()
    text = "write to me: anna@example.org"
    refused = await seeker.refusal("post", room=session, text=text)
    assert (refused["code"], refused["details"]) == ("contact_details", {"kinds": ["email"], "may_send": True})
    offset = await seeker.post(session, "write to me some day")
    refused = await seeker.refusal("edit", room=session, offset=offset, text=text)
    assert refused["code"] == "contact_details"
    await listener.heard_offset(session, offset)
    anyway = await seeker.post(session, text, anyway=True)
    await listener.heard_offset(session, anyway)
    assert [fact["post"]["text"] for fact in listener.facts(session)] == ["write to me some day", text]
    await seeker.join(room)
    refused = await seeker.refusal("post", room=room, text="https://example.org is where I read it", anyway=True)
    assert refused["details"] == {"kinds": ["link"], "may_send": False}


async def test_moderators_are_told_of_a_listener_who_sends_contact_details(listening: Listeners) -> None:
    """[P-TALK-8] Whoever moderates, and was not in the session."""
    token, _ = await listening.personnel.hire("moderator")
    moderator = await listening.guest(staff=True, token=token)
    seeker, listener, session = await listening.pair()
    assert (await listener.refusal("post", room=session, text="snap: wolfie_99"))["code"] == "contact_details"
    await listener.post(session, "snap: wolfie_99", anyway=True)
    await seeker.post(session, "mine is anna_07", anyway=True)
    await seeker.post(session, "insta: anna_07", anyway=True)
    view = await moderator.ask("reports")
    mine = [each for each in view["open"] if each["room"] == session]
    assert [(each["reason"], each["level"], each["about"]) for each in mine] == [("contact", 2, listener.member)]
    await listener.ask("ping")
    for told in (seeker, listener):
        assert "wolfie" not in repr([each for each in told.heard if each.get("push") in ("reports", "ring", "matters")])


async def test_an_operator_may_refuse_contact_details_altogether(hasty_listeners: Listeners) -> None:
    """[P-TALK-8]"""
    seeker, _, session = await hasty_listeners.pair()
    for anyway in (False, True):
        refused = await seeker.refusal("post", room=session, text="call +49 170 5550123", anyway=anyway)
        assert (refused["code"], refused["details"]["may_send"]) == ("contact_details", False)


async def test_nothing_of_an_earlier_person_is_shown_to_the_next(listening: Listeners) -> None:
    """[P-TALK-1] One listener, two seekers after one another: in no view and no room is there anything of the first."""
    first, listener, session = await listening.pair(heavy=5, topics=["plain-3"])
    await first.post(session, "a secret of the first")
    await first.ask("end", session=session)
    second = await listening.seeker()
    following = await listening.session(second, listener)
    offset = await second.post(following, "hello")
    await listener.heard_offset(following, offset)
    await second.ask("standing")
    # What can be chosen here is told to everybody.
    told = str([_without_choices(each) for each in second.heard])
    for secret in ("a secret of the first", first.member["id"], first.member["name"], session, "plain-3"):
        assert secret not in told
    joined = await (await listening.guest(token=second.token)).ask("join", room=following)
    assert [post["text"] for post in joined["posts"]] == ["hello"]


def _without_choices(message: Json) -> Json:
    return {key: {**part, "topics": []} if isinstance(part, dict) else part for key, part in message.items()} | {
        "topics": []
    }


def _session(shown: Json, session: str) -> Json:
    """A session in either kind of view."""
    found: Json = shown["session"] if "session" in shown else session_of(shown, session)
    return found


def _gone(session: Json) -> list[str]:
    return [each["id"] for each in session["people"] if "gone_since" in each]


async def _colleague(listener: Peer, other: Peer) -> str:
    """By which id a listener knows another one who is free."""
    name = other.member["name"]
    shown = await view(
        listener, "console", lambda it: name in [each["name"] for each in it["colleagues"] if each["free"]]
    )
    return str(next(each["id"] for each in shown["colleagues"] if each["name"] == name))
