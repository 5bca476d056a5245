"""Attacks by somebody who was sent away and comes back as another, or as somebody's old name."""

from __future__ import annotations

import contextlib
from typing import Any, Final

from tests.abuse.attack import Attack, Outcome
from tests.abuse.scene import Scene, enter, room_ids, tries
from tests.kit.client import ChatClient, Refused
from tests.kit.sums import solve

Json = dict[str, Any]
_PUPILS: Final = 5


async def ban_evasion(scene: Scene) -> Outcome:
    """Let somebody banned come back as new guests of each address they had lately, and of its neighbour."""
    return await _come_back(scene, kind="ban")


async def mute_evasion(scene: Scene) -> Outcome:
    """Let somebody muted everywhere come back as new guests."""
    return await _come_back(scene, kind="mute")


async def removal_evasion(scene: Scene) -> Outcome:
    """Let somebody removed from a room come back into it as new guests."""
    return await _come_back(scene, kind="remove")


async def _come_back(scene: Scene, kind: str) -> Outcome:
    outcome = Outcome(cost="1 guest, one request each from 2 earlier addresses and a neighbour of one")
    moderator = await scene.staff("moderator")
    network = f"2001:db8:{scene.address(0).split('.')[1]}"
    earlier = (f"{network}:100::1", scene.address(1))
    offender = await scene.guest(earlier[0])
    room = (await room_ids(offender))[0]
    pupils = [await scene.guest(earlier[1]) for _ in range(_PUPILS)]
    offender = await scene.guest(earlier[1], token=offender.token)
    for each in (offender, *pupils):
        await enter(each, room)
    offset = (await offender.ask("post", room=room, text="you are all pathetic"))["offset"]
    everywhere: Json = {} if kind == "remove" else {"member": offender.member}
    where: Json = {"room": room, "offset": offset} if kind == "remove" else {}
    await moderator.ask("measure", kind=kind, minutes=1_440, reason="insults", **where, **everywhere)
    for address in (*earlier, f"{network}:101::1"):
        try:
            newcomer = await scene.guest(address)
            has_proved = await come_in(newcomer, room)
        except Refused as refused:
            outcome.expect(False, f"whoever is new at {address} cannot even read: {refused.code}")
            continue
        outcome.expect(has_proved, f"whoever is new at {address} came in without a sum")
        if address in earlier:
            codes = await tries([newcomer.ask("post", room=room, text="it is me again")])
            outcome.expect("ok" not in codes, f"came back from {address} and wrote at once")
    codes = await tries(each.ask("post", room=room, text="we were here before") for each in pupils)
    outcome.expect(codes == {"ok": _PUPILS}, f"pupils of the same address were answered {codes}")
    outcome.noticed = (
        f"newcomers from there do a sum and read first; {codes.get('ok', 0)} of {_PUPILS} others there write on"
    )
    return outcome


async def come_in(client: ChatClient, room: str) -> bool:
    """Join a room, with the sum done where one is asked for, and return whether it was."""
    try:
        await enter(client, room)
        return False
    except Refused as refused:
        if refused.code != "challenge":
            raise
        details = refused.error["details"]
    rooms = (await client.ask("rooms"))["rooms"]
    version = next(each["agreement_version"] for each in rooms if each["id"] == room)
    proof = solve(details["challenge"], details["bits"])
    await client.ask("join", room=room, agreement=version, proof=proof)
    return True


async def taken_name(scene: Scene) -> Outcome:
    """Let somebody take the name that another one has just given up, or one beside it, while posts stand under it."""
    outcome = Outcome(cost="4 guests, one new name each")
    victim = await scene.guest(scene.honest)
    room = (await room_ids(victim))[0]
    await victim.ask("rename", name="Mellow Juniper")
    await enter(victim, room)
    await victim.ask("post", room=room, text="see you at eight as always")
    await victim.ask("rename", name="Sunny Harbour")
    taken = []
    for name in ("Mellow Juniper", "Mellow Juniperr", "The Mellow Juniper", "Mellow Juniper 2"):
        with contextlib.suppress(Refused):
            await (await scene.guest()).ask("rename", name=name)
            taken.append(name)
    outcome.expect(not taken, f"taken while the post stands: {taken}")
    outcome.noticed = "a name rests as long as posts stand under it"
    return outcome


ATTACKS: Final = (
    Attack("ban-evasion", "newcomers from there do a sum and read first; others there write on", ban_evasion),
    Attack("mute-evasion", "the same for an hour after a mute", mute_evasion),
    Attack("removal-evasion", "the same for an hour after a removal", removal_evasion),
    Attack("taken-name", "name_taken, and for names that look like it", taken_name),
)
