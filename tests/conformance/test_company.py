"""Company while waiting, as `docs/protocol.md` promises it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from chatserver.protocol.codec import Encoding
from tests.conformance.listeners import Json, Listeners, view
from tests.conformance.peer import Peer

Hosts = Callable[[], Awaitable[Peer]]


@pytest.fixture
def encoding() -> Encoding:
    return Encoding.JSON


@pytest.fixture
async def hosts(listening: Listeners) -> AsyncIterator[Hosts]:
    """Makes facilitators, who stop keeping company when the test is over."""
    made: list[Peer] = []

    async def host() -> Peer:
        token, _ = await listening.personnel.hire("facilitator")
        peer = await listening.guest(token=token, staff=True)
        made.append(peer)
        return peer

    yield host
    for peer in made:
        await peer.ask("host", on=False)


async def opened(listening: Listeners, host: Peer) -> Json:
    """The company that this host keeps."""
    company: Json = (await host.ask("host", on=True, language=listening.tongue))["company"]
    await host.join(company["room"])
    return company


async def seated(listening: Listeners, company: Json, **wish: object) -> Peer:
    peer = await listening.seeker(**wish)
    await peer.ask("sit", company=company["id"])
    await peer.join(company["room"])
    return peer


def people(company: Json) -> list[tuple[str, str]]:
    return [(each["name"], each["role"]) for each in company["people"]]


async def test_people_who_wait_sit_together_and_keep_their_places(listening: Listeners, hosts: Hosts) -> None:
    """[P-COMP-1] [P-COMP-4] [P-COMP-7]"""
    first, second = await listening.seeker(), await listening.seeker()
    place = (await second.ask("standing"))["place"]
    host = await hosts()
    company = await opened(listening, host)
    assert people(company) == [(host.member["name"], "host")]
    assert "me" in company

    offered = (await view(second, "standing", lambda it: "offer" in it))["offer"]
    assert (offered["id"], offered["host"], offered["sit"], offered["ask"]) == (
        company["id"],
        host.member["name"],
        0,
        True,
    )
    declined = await second.ask("wait_alone")
    assert (declined["offer"]["id"], "ask" in declined["offer"]) == (company["id"], False)

    await first.ask("sit", company=company["id"])
    await first.join(company["room"])
    await first.post(company["room"], "It is a long night.")
    shown = await second.ask("sit", company=company["id"])
    assert (shown["place"], "offer" in shown) == (place, False)
    assert people(shown["company"])[1:] == [(each.member["name"], "seeker") for each in (first, second)]
    joined = await second.join(company["room"])
    assert "It is a long night." not in str(joined)
    await host.post(company["room"], "Welcome, both.")
    await second.until(lambda: "Welcome, both." in str(second.heard) or None)

    again = await second.ask("sit", company=company["id"])
    assert people(again["company"]) == people(shown["company"])
    stood = await second.ask("stand")
    assert (stood["place"], stood["offer"]["sit"]) == (place, 1)
    assert (await second.refusal("join", room=company["room"], agreement=1))["code"] == "room_unknown"
    assert await second.ask("stand") == stood


async def test_who_meets_a_listener_is_out_of_company_at_once(listening: Listeners, hosts: Hosts) -> None:
    """[P-COMP-3]"""
    host = await hosts()
    company = await opened(listening, host)
    seeker, other = await seated(listening, company), await seated(listening, company)
    listener = await listening.listener()
    start = len(seeker.heard)
    proposal = (await view(listener, "console", lambda it: "proposal" in it))["proposal"]["id"]
    await listener.ask("accept", proposal=proposal)
    standings = await seeker.until(
        lambda: (
            [each for each in seeker.heard[start:] if each.get("push") == "standing" and each["state"] == "session"]
            or None
        )
    )
    assert "company" not in standings[0]
    assert all("company" in each for each in seeker.heard[start:] if each.get("state") == "waiting")
    assert (await seeker.refusal("post", room=company["room"], text="Wait"))["code"] in {"not_in_room", "room_unknown"}
    left = (await view(other, "standing", lambda it: "left" in it.get("company", {})))["company"]["left"]
    assert (left["name"], left["met"]) == (seeker.member["name"], True)
    assert (await seeker.refusal("sit", company=company["id"]))["code"] == "not_waiting"


async def test_seats_are_for_those_who_wait_and_fit(listening: Listeners, hosts: Hosts) -> None:
    """[P-COMP-2]"""
    company = await opened(listening, await hosts())
    guest = await listening.guest()
    assert (await guest.refusal("sit", company=company["id"]))["code"] == "not_waiting"
    assert (await guest.refusal("wait_alone"))["code"] == "not_waiting"
    heavy = [await listening.seeker(heavy=5) for _ in range(3)]
    for peer in heavy[:2]:
        await peer.ask("sit", company=company["id"])
    assert (await heavy[2].refusal("sit", company=company["id"]))["code"] == "no_seat"
    await seated(listening, company)
    last = await listening.seeker()
    assert (await last.refusal("sit", company="c--nowhere"))["code"] == "no_seat"
    await last.ask("sit", company=company["id"])
    shown = await last.join(company["room"])
    assert shown["room"]["id"] == company["room"]


async def test_who_hides_somebody_stands_up_and_is_not_seated_beside_them(
    listening: Listeners,
    hosts: Hosts,
) -> None:
    """[P-COMP-2]"""
    company = await opened(listening, await hosts())
    one, other = await seated(listening, company), await seated(listening, company)
    shown = (await one.ask("standing"))["company"]
    them = next(each["id"] for each in shown["people"] if each["name"] == other.member["name"])
    await one.ask("mute", member=them, on=True)
    await view(one, "standing", lambda it: "company" not in it)
    assert (await one.refusal("sit", company=company["id"]))["code"] == "no_seat"
    assert "company" in await other.ask("standing")


async def test_nobody_with_an_urgent_alert_is_seated(listening: Listeners, hosts: Hosts) -> None:
    """[P-COMP-2]"""
    company = await opened(listening, await hosts())
    seeker = await listening.seeker()
    await seeker.join("plain-0")
    await seeker.post("plain-0", "I want to kill myself tonight")
    assert (await seeker.refusal("sit", company=company["id"]))["code"] == "no_seat"


async def test_a_company_is_read_only_without_a_host_and_another_takes_it_on(
    listening: Listeners,
    hosts: Hosts,
) -> None:
    """[P-COMP-5] [P-COMP-6]"""
    first, second = await hosts(), await hosts()
    company = await opened(listening, first)
    assert (await first.ask("host", on=True, language=listening.tongue))["company"]["id"] == company["id"]
    seeker = await seated(listening, company)
    left = await first.ask("host", on=False)
    assert "company" not in left
    refused = await first.refusal("host", on=True, language=listening.tongue)
    assert (refused["code"], refused["details"]["until"]) == ("host_rests", left["rests_until"])
    quiet = (await view(seeker, "standing", lambda it: "quiet_since" in it.get("company", {})))["company"]
    assert quiet["closes_at"] == quiet["quiet_since"] + 300_000
    refusal = await seeker.refusal("post", room=company["room"], text="Hello?")
    assert (refusal["code"], refusal["details"]["phase"]) == ("not_your_turn", "no_host")
    assert (await opened(listening, second))["id"] == company["id"]
    await view(seeker, "standing", lambda it: "quiet_since" not in it["company"])
    await seeker.post(company["room"], "There you are.")


async def test_who_listens_or_waits_keeps_no_company(listening: Listeners) -> None:
    """[P-COMP-6]"""
    listener = await listening.listener()
    assert (await listener.refusal("host", on=True, language=listening.tongue))["code"] == "host_busy"
    assert (await listener.ask("hosting"))["busy"] is True
    await listener.ask("available", on=False)
    assert "company" in await listener.ask("host", on=True, language=listening.tongue)
    await listener.ask("available", on=True)
    await view(listener, "hosting", lambda it: "company" not in it)
