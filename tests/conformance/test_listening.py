"""One to one: asking for a listener, and listening."""

from __future__ import annotations

import asyncio
import time
from functools import partial

import pytest

from chatserver.protocol.codec import Encoding
from tests.conformance.clusters import Cluster
from tests.conformance.listeners import ANSWERS, IGNORED, Json, Listeners, session_of, shown, view
from tests.conformance.personnel import Personnel
from tests.conformance.traffic import Traffic

DAY = 86_400


# ------------------------------------------------------------------------------------------------------ asking


async def test_asking_gives_a_place_and_asking_again_keeps_it(listening: Listeners) -> None:
    """[P-ASK-1]"""
    guest = await listening.guest()
    assert (await guest.refusal("ask", agreement=False))["code"] == "agreement_required"
    assert (await guest.ask("standing"))["state"] == "none"
    asked = await guest.ask("ask", agreement=True)
    assert (asked["state"], asked["place"]) == ("waiting", asked["waiting"])
    other = await listening.seeker()
    again = await listening.ask(
        guest,
        topics=["plain-0"],
        need="think",
        minutes=30,
        not_with=["over_60"],
        rather_with=["under_25", "plain-1"],
        heavy=4,
    )
    assert (again["place"], again["asked_at"]) == (asked["place"], asked["asked_at"])
    assert (await other.ask("standing"))["place"] == asked["place"] + 1
    listener = await listening.listener()
    shown = (await view(listener, "console", lambda it: "proposal" in it))["proposal"]
    assert (shown["topics"], shown["need"]) == (["plain-0"], "think")
    assert (shown["minutes"], shown["heavy"]) == (30, 4)
    assert guest.member["name"] not in str(shown), "who it is is told when it is accepted"
    session = await listening.session(guest, listener)
    began = session_of(await listener.ask("console"), session)
    assert guest.member["name"] in [each["name"] for each in began["people"]]
    assert (await guest.refusal("ask", agreement=True))["code"] == "in_session"


async def test_asking_for_what_nobody_here_can_offer_is_refused(listening: Listeners) -> None:
    """[P-ASK-7] Otherwise somebody would wait for nobody."""
    guest = await listening.guest()
    shown = await guest.ask("standing")
    open_rooms = [card["id"] for card in (await guest.ask("rooms"))["rooms"]]
    assert (listening.tongue in shown["languages"], shown["topics"]) == (True, open_rooms)
    for field, wrong in (
        ("language", "tlh"),
        ("topics", ["plain-0", "a room that is no more"]),
        ("topics", ["no-such-topic"]),
    ):
        error = await guest.refusal("ask", agreement=True, **{field: wrong})
        assert (error["code"], error["details"]["field"]) == ("invalid", f"$.{field}")
    assert (await guest.ask("standing"))["state"] == "none"
    asked = await guest.ask("ask", agreement=True, topics=shown["topics"][:2])
    assert asked["state"] == "waiting"
    # Upper case is the same language.
    assert (await guest.ask("ask", agreement=True, language=listening.tongue.upper()))["state"] == "waiting"
    learner = await listening.learner()
    console = await learner.ask("console")
    assert (console["languages"], console["topics"]) == (shown["languages"], shown["topics"])
    for field, wrong in (("languages", ["tlh"]), ("lived", ["no-such-topic"]), ("not_topics", ["no-such-topic"])):
        error = await learner.refusal("profile", **{"languages": [listening.tongue], field: wrong})
        assert (error["code"], error["details"]["field"]) == ("invalid", f"$.{field}")


async def test_without_a_language_it_is_the_first_of_this_place(traffic: Traffic) -> None:
    """[P-ASK-7]"""
    with Cluster(config={"listening": {"languages": ["de", "fr"]}}) as site:
        listening = Listeners(site, Personnel(site), traffic, Encoding.JSON)
        listening.tongue = "de"
        guest = await listening.guest()
        await guest.ask("ask", agreement=True)
        listener = await listening.listener()
        shown = (await view(listener, "console", lambda it: "proposal" in it))["proposal"]
        assert shown["language"] == "de"
        await listening.see_off()


async def test_the_standing_tells_the_place_and_who_waits_longest_is_met_first(listening: Listeners) -> None:
    """[P-ASK-2]"""
    before = (await (await listening.guest()).ask("standing"))["waiting"]
    other_tongue = await listening.seeker(language="en")
    seekers = [await listening.seeker() for _ in range(3)]
    for number, seeker in enumerate(seekers):
        shown = await view(seeker, "standing", lambda it: it["waiting"] == before + 4)
        assert shown["place"] == before + 2 + number
    listener = await listening.listener(cap=4)
    for number, seeker in enumerate(seekers):
        await listening.session(seeker, listener)
        for later, waiting in enumerate(seekers[number + 1 :]):
            await view(waiting, "standing", partial(_is_at, before + 2 + later))
    shown = await view(other_tongue, "standing")
    assert shown["state"] == "waiting", "who cannot be met by anybody here is passed over, and keeps the place"
    assert "estimate_seconds" not in shown, "nobody can tell when somebody comes who speaks that"
    shown = await view(await listening.seeker(), "standing")
    assert shown["estimate_from"] >= 3
    assert shown["estimate_seconds"] > 0


def _is_at(place: int, standing: Json) -> bool:
    return bool(standing["place"] == place)


async def test_nobody_guesses_how_long_it_takes(traffic: Traffic) -> None:
    """[P-ASK-2]"""
    with Cluster() as site:
        listening = Listeners(site, Personnel(site), traffic, Encoding.JSON)
        shown = await view(await listening.seeker(), "standing")
        assert (shown["place"], shown.get("estimate_from", 0)) == (1, 0)
        assert "estimate_seconds" not in shown
        await listening.see_off()


async def test_a_place_is_the_members_and_not_the_connections(listening: Listeners) -> None:
    """[P-ASK-3]"""
    seeker = await listening.seeker()
    asked = await seeker.ask("standing")
    seeker.drop()
    await seeker.ended()
    back = await listening.guest(token=seeker.token)
    there = await back.ask("standing")
    assert [there[key] for key in ("state", "place", "asked_at")] == [asked[k] for k in ("state", "place", "asked_at")]
    listener = await listening.listener()
    await listening.session(back, listener)
    second_device = await listening.guest(token=seeker.token)
    assert (await second_device.ask("standing"))["state"] == "session"


async def test_a_place_lapses_and_can_be_taken_back_until_it_is_gone(traffic: Traffic) -> None:
    """[P-ASK-3] Two workers of the same place take over, one after the other, each with a later clock."""
    # A worker that has just started gives everybody half of this time to come back.
    short = {"listening": {"gone_seconds": 10.0}}
    with Cluster(config=short) as first:
        listening = Listeners(first, Personnel(first), traffic, Encoding.JSON)
        one, other = await listening.seeker(), await listening.seeker()
        asked = await one.ask("standing")
        kept = asked["kept_seconds"]
        await listening.see_off_as_they_are()
        same = _same_place(first) | short
        first.server.stop()
        with Cluster(config=same, clock=kept + 20) as second:
            listening = Listeners(second, Personnel(second), traffic, Encoding.JSON)
            watcher = await listening.guest()
            async with asyncio.timeout(20):
                # How many wait is told to those who ask.
                while (await watcher.ask("standing"))["waiting"] > 0:  # noqa: ASYNC110 - another process's state
                    await asyncio.sleep(0.1)
            back = await listening.guest(token=one.token)
            lapsed = await back.ask("standing")
            assert lapsed["state"] == "lapsed"
            assert lapsed["gone_at"] == lapsed["lapsed_at"] + kept * 1000
            taken = await back.ask("take_back")
            assert (taken["state"], taken["place"], taken["asked_at"]) == ("waiting", 1, asked["asked_at"])
            assert (await back.ask("take_back"))["place"] == 1, "twice is once"
            await listening.see_off_as_they_are()
        with Cluster(config=same, clock=3 * kept) as third:
            listening = Listeners(third, Personnel(third), traffic, Encoding.JSON)
            late = await listening.guest(token=other.token)
            await view(late, "standing", lambda it: it["state"] == "none")
            assert (await late.refusal("take_back"))["code"] == "place_gone"
            await listening.see_off()


def _same_place(site: Cluster) -> Json:
    """What makes another server one of the same place."""
    secret = (site.server.directory / "data" / "secret.key").read_text().strip()
    return {"secret_key": secret, "database_url": f"sqlite:///{site.database}"}


async def test_leaving_gives_the_place_up(listening: Listeners) -> None:
    """[P-ASK-4]"""
    first, second = await listening.seeker(), await listening.seeker()
    place = (await second.ask("standing"))["place"]
    assert (await first.ask("unask"))["state"] == "none"
    assert (await first.ask("unask"))["state"] == "none", "twice is once"
    await view(second, "standing", lambda it: it["place"] == place - 1)
    assert (await first.refusal("take_back"))["code"] == "place_gone"


def _noon() -> float:
    """The next noon, UTC."""
    return (time.time() // DAY + 1.5) * DAY


async def test_outside_the_hours_nobody_is_let_wait(traffic: Traffic) -> None:
    """[P-ASK-5] (who waits when they end: tests/handlers/test_listening.py)"""
    for hours, ever in (("never", False), ("mon-sun 00:00-00:01", True)):
        # A clock at noon, whatever the time is here.
        with Cluster(config={"listening": {"hours": hours}}, clock=_noon() - time.time()) as site:
            listening = Listeners(site, Personnel(site), traffic, Encoding.JSON)
            guest = await listening.guest()
            standing = await guest.ask("standing")
            assert standing["open"] is False
            refused = await guest.refusal("ask", agreement=True)
            assert refused["code"] == "listening_closed"
            if ever:
                assert standing["opens_at"] == refused["details"]["opens_at"]
                assert 0 < standing["opens_at"] / 1000 - _noon() <= DAY / 2
            await listening.see_off()


async def test_come_back_words_lead_to_the_listener_who_was_met(listening: Listeners) -> None:
    """[P-ASK-6]"""
    seeker, met, session = await listening.pair()
    await seeker.ask("end", session=session)
    for peer in (seeker, met):
        await peer.ask("again", session=session)
    words = (await seeker.ask("words", session=session))["words"]
    stranger = await listening.guest()
    assert (await stranger.refusal("ask", agreement=True, words="no such words at all"))["code"] == "words_unknown"
    assert (await stranger.ask("standing"))["state"] == "none"

    await met.ask("available", on=False)
    other = await listening.listener()
    only = await listening.seeker(words=words, only=True)
    waiting = await listening.seeker(words=words.upper())
    await listening.session(waiting, other)
    assert (await only.ask("standing"))["state"] == "waiting", "nobody else will do"
    await met.ask("available", on=True)
    proposal = (await view(met, "console", lambda it: "proposal" in it))["proposal"]
    assert "came_back" in proposal["why"]
    await listening.session(only, met)
    assert (await only.ask("standing"))["state"] == "session"


# ---------------------------------------------------------------------------------------------------- listening


async def test_the_console_is_for_listeners_who_passed_the_check(listening: Listeners) -> None:
    """[P-LISTEN-1]"""
    guest = await listening.guest()
    for command, fields in (
        ("console", {}),
        ("profile", {"languages": ["en"]}),
        ("available", {"on": True}),
        ("still_here", {}),
        ("accept", {"proposal": "p_" + "x" * 16}),
        ("decline", {"proposal": "p_" + "x" * 16}),
        ("flag", {"session": "s-" + "x" * 16}),
        ("invite", {"session": "s-" + "x" * 16, "listener": "m_" + "x" * 16}),
        ("debrief", {"session": "s-" + "x" * 16, "note": "x"}),
        ("practice", {}),
        ("ready", {"answers": ANSWERS}),
    ):
        assert (await guest.refusal(command, **fields))["code"] == "not_allowed", command
    token, _ = await listening.personnel.hire("facilitator")
    facilitator = await listening.guest(token=token, staff=True)
    assert (await facilitator.refusal("console"))["code"] == "not_allowed"

    learner = await listening.learner()
    assert (await learner.ask("console"))["state"] == "practice"
    assert (await learner.refusal("available", on=True))["code"] == "not_ready"
    practice = await learner.ask("practice")
    assert (len(practice["questions"]), bool(practice["scenes"])) == (len(ANSWERS), True)
    wrong = await learner.ask("ready", answers=[9, *ANSWERS[1:]])
    assert (wrong["passed"], [*wrong["again"]]) == (False, ["0"])
    assert (await learner.refusal("available", on=True))["code"] == "not_ready"
    right = await learner.ask("ready", answers=ANSWERS)
    assert (right["passed"], right["again"]) == (True, {})
    await learner.ask("available", on=True)
    await view(learner, "console", lambda it: it["state"] == "free")


@pytest.mark.parametrize(
    ("command", "fields", "answer"),
    [
        ("profile", {"languages": ["en"]}, None),
        ("available", {"on": True}, "not_ready"),
        ("available", {"on": False}, None),
        ("still_here", {}, None),
        ("ready", {"answers": ANSWERS}, None),
        ("practice", {}, None),
    ],
)
async def test_what_a_listener_asks_first_makes_no_difference(
    listening: Listeners, command: str, fields: Json, answer: str | None
) -> None:
    """[P-LISTEN-7]"""
    token, _ = await listening.personnel.hire("listener")
    listener = await listening.guest(token=token, staff=True)
    if answer is None:
        await listener.ask(command, **fields)
    else:
        assert (await listener.refusal(command, **fields))["code"] == answer
    assert (await listener.ask("console"))["state"] == ("away" if command == "ready" else "practice")


async def test_connections_that_come_and_go_do_not_change_what_a_listener_wants(listening: Listeners) -> None:
    """[P-LISTEN-2]"""
    token, _ = await listening.personnel.hire("listener")
    console = await listening.console(token)
    await console.ask("ready", answers=ANSWERS)
    await console.ask("available", on=True)
    second = await listening.console(token)
    await view(second, "console", lambda it: it["wants"] and it["state"] == "free")
    for peer in (console, second):
        peer.drop()
        await peer.ended()
    third = await listening.console(token)
    shown = await view(third, "console")
    assert (shown["wants"], shown["state"]) == (True, "free")
    assert shown["lease_until"] > 0
    await third.ask("available", on=False)
    shown = await view(third, "console")
    assert (shown["wants"], shown["state"], "lease_until" in shown) == (False, "away", False)


async def test_doing_nothing_ends_what_a_listener_wants(traffic: Traffic) -> None:
    """[P-LISTEN-2] A worker that is nine minutes later, and one that is eleven minutes later than that."""
    with Cluster() as first:
        listening = Listeners(first, Personnel(first), traffic, Encoding.JSON)
        token, _ = await listening.personnel.hire("listener")
        console = await listening.console(token)
        await console.ask("ready", answers=ANSWERS)
        await console.ask("available", on=True)
        lease = (await view(console, "console"))["lease_until"]
        await listening.see_off_as_they_are()
        same = _same_place(first)
        first.server.stop()
        with Cluster(config=same, clock=9 * 60) as later:
            listening = Listeners(later, Personnel(later), traffic, Encoding.JSON)
            console = await listening.console(token)
            assert (await view(console, "console"))["wants"] is True
            await console.ask("still_here")
            assert (await view(console, "console"))["lease_until"] > lease + 8 * 60_000
            await listening.see_off_as_they_are()
        with Cluster(config=same, clock=20 * 60) as latest:
            listening = Listeners(latest, Personnel(latest), traffic, Encoding.JSON)
            console = await listening.console(token)
            await view(console, "console", lambda it: not it["wants"] and it["state"] == "away")
            await listening.see_off_as_they_are()


async def test_proposals_that_nobody_answers_end_what_a_listener_wants(hasty_listeners: Listeners) -> None:
    """[P-LISTEN-2]"""
    listener = await hasty_listeners.listener()
    await hasty_listeners.seeker()
    last = await view(listener, "console", lambda it: not it["wants"])
    assert last["state"] == "away"
    deadlines = {each["proposal"]["deadline"] for each in shown(listener, "console") if "proposal" in each}
    assert len(deadlines) == IGNORED


async def test_a_proposal_is_at_one_listener_until_its_deadline(hasty_listeners: Listeners) -> None:
    """[P-LISTEN-3]"""
    listening = hasty_listeners
    listeners = [await listening.listener() for _ in range(2)]
    seeker = await listening.seeker()
    first, second = listeners
    shown = (await view(first, "console", lambda it: "proposal" in it))["proposal"]
    assert "proposal" not in await second.ask("console")
    assert (await second.refusal("accept", proposal=shown["id"]))["code"] == "proposal_gone", "it is not theirs"
    passed_on = (await view(second, "console", lambda it: "proposal" in it))["proposal"]
    assert passed_on["deadline"] > shown["deadline"]
    assert passed_on["id"] != shown["id"], "an id of a proposal leads to nobody"
    assert (await first.refusal("accept", proposal=shown["id"]))["code"] == "proposal_gone"
    accepted = [await second.ask("accept", proposal=passed_on["id"]) for _ in range(2)]
    assert accepted[0] == accepted[1]
    await view(seeker, "standing", lambda it: it["state"] == "session")
    assert (await first.refusal("accept", proposal=shown["id"]))["code"] == "proposal_gone"


async def test_declining_passes_it_on_at_once(listening: Listeners) -> None:
    """[P-LISTEN-3]"""
    first, second = [await listening.listener() for _ in range(2)]
    seeker = await listening.seeker()
    proposal = (await view(first, "console", lambda it: "proposal" in it))["proposal"]
    await first.ask("decline", proposal=proposal["id"])
    await listening.session(seeker, second)
    assert "proposal" not in await first.ask("console")


async def test_one_of_many_who_accept_at_once_has_it(listening: Listeners) -> None:
    """[P-LISTEN-3]"""
    listener = await listening.listener()
    await listening.seeker()
    proposal = (await view(listener, "console", lambda it: "proposal" in it))["proposal"]
    sent = [await listener.send("accept", proposal=proposal["id"]) for _ in range(5)]
    assert len({(await listener.answer_to(each))["session"] for each in sent}) == 1


async def test_listeners_are_spared(hasty_listeners: Listeners) -> None:
    """[P-LISTEN-4] A pause after the first session, more and a note after the second, the day's cap after the third."""
    listening = hasty_listeners
    listener = await listening.listener(cap=1)
    paused: list[Json] = []
    for number in range(3):
        seeker = await listening.seeker()
        session = await listening.session(seeker, listener)
        waiting = await listening.seeker()
        if number == 1:
            await listener.ask("flag", session=session)
        # What comes without a word costs nothing.
        await seeker.post(session, "it is hard to say")
        await view(listener, "console", lambda it: "nobody_at" not in it["sessions"][0])
        await seeker.ask("end", session=session)
        shown = await view(listener, "console", lambda it: it["state"] == "paused")
        paused.append(shown)
        assert "proposal" not in shown
        if number == 1:
            assert (shown["pause"], shown["owes"]) == ("debrief", session)
            assert "paused_until" not in shown
            wrong = await listener.refusal("debrief", session="s-" + "x" * 16, note="about me")
            assert wrong["code"] == "session_unknown"
            await listener.ask("debrief", session=session, note="It was about loss, and I would like a word.")
            shown = await listener.ask("console")
            assert (shown["state"], shown["pause"], "owes" in shown) == ("paused", "cool_down", False)
        elif number == 0:
            assert shown["pause"] == "after_session"
        else:
            assert (shown["pause"], shown["today"], shown["day_cap"]) == ("day_cap", 3, 3)
            assert shown["paused_until"] - shown["sessions"][0]["started_at"] > (DAY - 600) * 1000
        if number < 2:
            proposed = await view(listener, "console", lambda it: "proposal" in it)
            assert proposed["proposal"]["deadline"] >= shown["paused_until"]
        await waiting.ask("unask")


async def test_a_listener_who_may_not_any_more_is_gone_at_once(listening: Listeners) -> None:
    """[P-LISTEN-5]"""
    seeker, listener, session = await listening.pair()
    await seeker.post(session, "are you there?")
    await listening.personnel.revoke(listener.member["id"])
    assert await listener.ended() == 4401
    shown = await view(seeker, "standing", lambda it: it["state"] == "waiting", patience=2.0)
    assert (shown["is_first"], shown["place"]) == (True, 1)
    assert (await seeker.refusal("post", room=session, text="hello?"))["code"] == "room_closed"
    other = await listening.listener()
    await listening.session(seeker, other)
