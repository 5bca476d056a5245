"""Who is here, who is writing, how many are where: never facts, soon right."""

from __future__ import annotations

import pytest

from chatserver.protocol.codec import Encoding
from tests.conformance.clusters import Meet
from tests.conformance.peer import Peer


async def test_coming_and_going_is_told(meet: Meet, room: str) -> None:
    """[P-PRESENCE-1]"""
    wren = await meet()
    await wren.join(room)
    otter = await meet()
    await otter.join(room)
    came = await wren.push("presence", lambda push: otter.id_in(room) in [each["id"] for each in push["came"]])
    assert came["here"] == 2
    await otter.ask("leave", room=room)
    went = await wren.push("presence", lambda push: otter.id_in(room) in push["went"])
    assert went["here"] == 1


async def test_a_lost_connection_goes(meet: Meet, room: str) -> None:
    """[P-PRESENCE-1]"""
    wren, otter = await meet(), await meet()
    for peer in (wren, otter):
        await peer.join(room)
    await wren.push("presence", lambda push: push["here"] == 2)
    otter.drop()
    await wren.push("presence", lambda push: otter.id_in(room) in push["went"] and push["here"] == 1)


async def test_a_member_counts_once(meet: Meet, room: str) -> None:
    """[P-PRESENCE-2]"""
    wren, otter = await meet(), await meet()
    device = await meet(token=otter.token)
    await wren.join(room)
    await otter.join(room)
    ok = await device.join(room)
    assert ok["here"] == 2
    assert sorted(person["id"] for person in ok["people"]) == sorted([wren.id_in(room), otter.id_in(room)])
    await otter.close()
    assert (await wren.join(room))["here"] == 2
    await device.close()
    await wren.push("presence", lambda push: otter.id_in(room) in push["went"])
    assert (await wren.join(room))["here"] == 1


async def test_a_new_name_is_told(meet: Meet, room: str) -> None:
    """[P-PRESENCE-1]"""
    wren, otter = await meet(), await meet()
    for peer in (wren, otter):
        await peer.join(room)
    before = otter.id_in(room)
    name = (await otter.ask("rename", name=f"Tidal {otter.member['name'][:14]}"))["member"]["name"]
    told = await wren.push("presence", lambda push: {"id": otter.id_in(room), "name": name} in push["came"])
    assert told["went"] == [before] != [otter.id_in(room)]


async def test_writing_is_told(meet: Meet, room: str) -> None:
    """[P-TYPING-1]"""
    wren, otter = await meet(), await meet()
    elsewhere = await meet()
    for peer in (wren, otter):
        await peer.join(room)
    await otter.ask("typing", room=room)
    told = await wren.push("typing")
    assert told == {"push": "typing", "channel": f"room:{room}", "member": otter.id_in(room)}
    await elsewhere.ask("ping")
    assert elsewhere.pushes("typing") == []


@pytest.mark.parametrize("encoding", [Encoding.JSON])
async def test_the_lobby_counts_while_watched(meet: Meet, room: str) -> None:
    """[P-COUNTS-1]"""
    watcher, guest = await meet(), await meet()
    await watcher.ask("rooms", watch=True)
    await guest.join(room)
    await watcher.push("counts", lambda push: push["here"].get(room) == 1)
    await guest.ask("leave", room=room)
    await watcher.push("counts", lambda push: push["here"].get(room) == 0)
    await watcher.ask("rooms")
    second = await meet()
    await second.ask("rooms", watch=True)
    heard = len(watcher.pushes("counts"))
    await guest.join(room)
    await second.push("counts", lambda push: push["here"].get(room) == 1)
    await watcher.ask("ping")
    assert len(watcher.pushes("counts")) == heard


async def test_who_is_nowhere_hears_nothing(meet: Meet, room: str) -> None:
    """[P-ROOM-5]"""
    wren = await meet()
    bystander: Peer = await meet()
    await wren.join(room)
    await wren.post(room, "hello")
    await bystander.ask("ping")
    assert [each for each in bystander.heard if "push" in each] == []
