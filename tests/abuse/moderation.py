"""Attacks by insiders and by those who are reported: judging one's own case, wiping it, learning of it."""

from __future__ import annotations

from typing import Any, Final

from tests.abuse.attack import Attack, Outcome
from tests.abuse.queue import StaffConsole
from tests.abuse.scene import Scene, enter, room_ids, tries
from tests.abuse.sessions import pair
from tests.kit.client import ChatClient

Json = dict[str, Any]


async def seekers_calls(scene: Scene) -> Outcome:
    """Let a seeker say 25 times that a listener calls."""
    outcome = Outcome(cost="1 seeker, 25 reports")
    desk = await StaffConsole.of(scene, "operator", "moderator")
    seeker, _, session = await pair(scene)
    done = await tries(
        seeker.ask("report", session=session, reason="other", note=f"number {number}", call=True)
        for number in range(25)
    )
    cards = await desk.until()
    outcome.expect(desk.rings() == 0, f"{desk.rings()} rings by a seeker")
    outcome.expect(not any(each.get("is_call") for each in cards), "a seeker's report stands as a listener's call")
    outcome.noticed = f"{len(cards)} cards, {desk.rings()} rings, answers {done}"
    return outcome


async def own_case(scene: Scene) -> Outcome:
    """Let a listener who is a moderator, too, handle the report that a seeker made about him."""
    outcome = Outcome(cost="1 account with two roles")
    desk = await StaffConsole.of(scene, "operator", "moderator")
    seeker, accused, session = await pair(scene, "moderator")
    await seeker.ask("report", session=session, reason="pressure", note="he says I must not tell anybody")
    (report, *_) = await desk.until()
    which = report["id"]
    his = StaffConsole(accused)
    seen = [each["id"] for each in await his.cards()]
    outcome.expect(which not in seen, "the accused is shown the report about himself")
    attempts: list[tuple[str, Json]] = [
        ("open_report", {"why": "to read it"}),
        ("claim", {}),
        ("claim", {"instead_of": desk.client.member, "why": "I know him"}),
        ("note", {"note": "I know this one."}),
        ("release", {}),
        ("review", {"agree": True}),
        ("close", {"outcome": "nothing", "reply": "Please trust your listener."}),
    ]
    for command, fields in attempts:
        codes = await tries([accused.ask(command, report=which, **fields)])
        outcome.expect(set(codes) == {"report_unknown"}, f"{command} by the accused was answered {codes}")
    rung = any(each.get("report") == which for each in accused.pushes)
    outcome.expect(not rung, "the accused was rung")
    outcome.noticed = "the accused is shown nothing; all eight commands are refused"
    return outcome


async def export_tells(scene: Scene) -> Outcome:
    """Let the reported poll their own export while a moderator reads the report."""
    outcome = Outcome(cost="1 reported guest, exports")
    desk = await StaffConsole.of(scene, "moderator")
    victim, accused = await scene.guest(scene.honest), await scene.guest()
    room = (await room_ids(victim))[0]
    for each in (victim, accused):
        await enter(each, room)
    offset = (await accused.ask("post", room=room, text="you again. you know i can find you"))["offset"]

    async def told() -> Json:
        async with scene.caller(accused.token) as http:
            export: Json = (await http.get("/api/identity/export")).json()
            return {key: export.get(key) for key in ("views", "measures", "reports")}

    before = await told()
    await victim.ask("report_post", room=room, offset=offset, reason="pressure")
    (report, *_) = await desk.until()
    await desk.client.ask("open_report", report=report["id"], why="the victim says they press her")
    outcome.expect(await told() == before, "the export changed when the report was opened")
    outcome.noticed = "nothing changes while the report is open"
    return outcome


async def session_measures(scene: Scene) -> Outcome:
    """Let a moderator use the id of a private session that they hold no report about."""
    outcome = Outcome(cost="1 moderator who knows a session's id")
    desk = await StaffConsole.of(scene, "moderator")
    seeker, helper, session = await pair(scene)
    said = (await seeker.ask("post", room=session, text="this is my evidence"))["offset"]
    attempts: tuple[Json, ...] = (
        {"kind": "redact", "room": session, "offset": said},
        {"kind": "redact", "room": session, "offset": said + 7},
        {"kind": "mute", "room": session, "member": seeker.member, "minutes": 60},
        {"kind": "remove", "room": session, "offset": said, "minutes": 60},
        {"kind": "notice", "room": session, "offset": said},
    )
    codes: dict[str, int] = {}
    for fields in attempts:
        for code, count in (await tries([desk.client.ask("measure", reason="because", **fields)])).items():
            codes[code] = codes.get(code, 0) + count
    outcome.expect(set(codes) == {"room_unknown"}, f"the answers differ: {codes}")
    await seeker.ask("post", room=session, text="I can still write to my listener")
    page = await helper.ask("history", room=session, before=1_000)
    texts = [each["text"] for each in page["posts"]]
    outcome.expect("this is my evidence" in texts, "the seeker's words are gone")
    outcome.noticed = f"answers {codes}"
    return outcome


async def erased_alert(scene: Scene) -> Outcome:
    """Let somebody threaten and approach, take it back or erase themselves, and only then be reported or looked at."""
    outcome = Outcome(cost="3 guests, one post and one erasure, edit or redaction each")
    desk = await StaffConsole.of(scene, "moderator")
    victim = await scene.guest(scene.honest)
    room = (await room_ids(victim))[0]
    await enter(victim, room)

    async def write(address: str, text: str) -> tuple[ChatClient, int]:
        accused = await scene.guest(address)
        await enter(accused, room)
        return accused, int((await accused.ask("post", room=room, text=text))["offset"])

    threat = "i will shoot my teacher tomorrow"
    eraser, _ = await write(scene.address(1), threat)
    async with scene.caller(eraser.token, scene.address(1)) as http:
        answer = await http.post("/api/identity/erase")
        outcome.expect(answer.is_success, f"erasing was answered {answer.status_code}")
    editor, edited = await write(scene.address(2), "you are pathetic, nobody would miss you")
    await editor.ask("edit", room=room, offset=edited, text="I hope you feel better soon")
    taker, taken = await write(scene.address(3), "tell me where you live little one")
    await taker.ask("redact", room=room, offset=taken)
    for offset in (edited, taken):
        await victim.ask("report_post", room=room, offset=offset, reason="unkind")
    texts = ""
    for card in await desk.until(3):
        file = await desk.client.ask("open_report", report=card["id"], why="to see what was written")
        texts += str(file)
    for words in (threat, "nobody would miss you", "where you live little one"):
        outcome.expect(words in texts, f"the moderators cannot read {words!r}")
    outcome.noticed = "moderators read the words as they were first written"
    return outcome


async def listener_leads_away(scene: Scene) -> Outcome:
    """Let a listener send a seeker how to be found elsewhere, though the page warns."""
    outcome = Outcome(cost="1 listener, 1 post")
    desk = await StaffConsole.of(scene, "operator", "moderator")
    _, helper, session = await pair(scene)
    text = "write to me on snap: wolfie_99"
    warned = await tries([helper.ask("post", room=session, text=text)])
    outcome.expect("ok" not in warned, f"the listener was not warned: {warned}")
    await tries([helper.ask("post", room=session, text=text, anyway=True)])
    about = [(each.get("about") or {}).get("id") for each in await desk.until()]
    outcome.expect(about == [helper.member], f"the operators' cards are about {about}")
    outcome.expect(
        not any(each.get("push") == "matters" for each in helper.pushes), "the listener is told of the report"
    )
    outcome.noticed = "operators have a report about the listener"
    return outcome


ATTACKS: Final = (
    Attack("own-case", "report_unknown to the accused in every command, never listed, never rung", own_case),
    Attack("erased-alert", "erased, edited and redacted words reach the moderators of the case", erased_alert),
    Attack("seekers-calls", "no ring, no call", seekers_calls),
    Attack("export-tells", "the export of the reported does not change while a report is open", export_tells),
    Attack(
        "listener-leads-away", "the listener is warned; else operators have a report about them", listener_leads_away
    ),
    Attack("session-measures", "room_unknown without a claimed report; nothing changes", session_measures),
)
