"""Of what is late and of what has changed nobody is told who may not know of it."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from chatserver.domain.history import Millis
from tests.handlers.test_load import keep, operator, turn
from tests.handlers.test_moderation_monitor import said
from tests.handlers.workers import PLAIN, Guest, Worker, open_cluster

HOUR = 3_600_000


async def concerns_of(guest: Guest) -> list[str]:
    """What somebody's page says needs somebody, of reports."""
    load: dict[str, Any] = (await guest.ask("load"))["ok"]
    assert load["concerns"] == len(load["attention"])
    return [each["kind"] for each in load["attention"] if each["kind"] in ("reports_overdue", "escalation_overdue")]


async def reported(worker: Worker, about: Guest) -> Guest:
    """Somebody who has reported another; they are in a room."""
    ben = await worker.guest()
    for guest in (ben, about):
        assert "ok" in await guest.ask("join", room=PLAIN, agreement=1)
    assert "ok" in await ben.ask("report_post", room=PLAIN, member=about.id_in(PLAIN), reason="unkind")
    return ben


async def test_what_is_late_is_told_to_all_but_whom_it_is_about(tmp_path: Path) -> None:
    async with open_cluster(tmp_path) as site:
        worker = await site.worker()
        keeper, anna = keep(worker), await operator(worker)
        bea = await operator(worker, "bea", agreed_by=anna)
        await reported(worker, anna)
        real = worker.node.now
        for guest in (anna, bea):
            assert await concerns_of(guest) == []
        worker.node.now = lambda: Millis(real() + HOUR + 180_000)
        await turn(keeper)
        await turn(keeper)
        for guest, is_told in ((anna, False), (bea, True)):
            told = [each for push in guest.heard("load") for each in push.get("attention") or []]
            assert any(each["kind"] == "reports_overdue" for each in told) is is_told
        for guest, kinds in ((anna, []), (bea, ["reports_overdue"])):
            assert await concerns_of(guest) == kinds
        await worker.moderation.monitor.count()
        assert said(worker)["chat_reports_overdue"] == "1.0", "numbers without names tell everything"


async def test_a_flood_of_reports_about_somebody_is_not_told_to_them(tmp_path: Path) -> None:
    async with open_cluster(tmp_path) as site:
        worker = await site.worker()
        keep(worker)
        anna = await operator(worker)
        bea = await operator(worker, "bea", agreed_by=anna)
        assert "ok" in await anna.ask("join", room=PLAIN, agreement=1)
        for _ in range(worker.node.limits.new_people_alerts_per_minute + 1):
            guest = await worker.guest(address=b"one address")
            assert "ok" in await guest.ask("join", room=PLAIN, agreement=1)
            told = {"room": PLAIN, "member": anna.id_in(PLAIN), "reason": "unkind"}
            assert "ok" in await guest.ask("report_post", **told)
        await worker.moderation.monitor.count()
        assert said(worker)["chat_report_floods"] == "1.0"
        for guest, floods in ((anna, []), (bea, ["alert_flood"])):
            load = (await guest.ask("load"))["ok"]
            assert [each["kind"] for each in load["attention"] if each["kind"] == "alert_flood"] == floods


async def test_no_number_counts_what_others_do_about_somebody(tmp_path: Path) -> None:
    """[P-MOD-11] In a quiet house whoever watches a number rise would know of a report, and that it is read."""
    async with open_cluster(tmp_path) as site:
        worker = await site.worker()
        anna = await operator(worker)
        bea = await operator(worker, "bea", agreed_by=anna)
        acts = (await anna.ask("accounts"))["ok"]["acts"]
        assert [each["seq"] for each in acts] == sorted((each["seq"] for each in acts), reverse=True)
        await reported(worker, anna)
        (report,) = (await bea.ask("reports"))["ok"]["open"]
        for _ in range(3):
            assert "ok" in await bea.ask("open_report", report=report["id"], why="To answer it.")
        assert (await anna.ask("accounts"))["ok"]["acts"] == acts
        before = worker.node.now()
        await worker.node.store.note_failed_try(bea.member, before)
        (newest, *others) = (await anna.ask("accounts"))["ok"]["acts"]
        assert others == acts
        assert newest["seq"] // 16 == before, "its time, and nothing of what was entered in between"


async def test_a_listener_sees_no_number_rise_when_they_are_reported(tmp_path: Path) -> None:
    """[P-MOD-11]"""
    async with open_cluster(tmp_path) as site:
        worker = await site.worker()
        liv, seeker = await worker.listener("liv"), await worker.guest()
        assert "ok" in await seeker.ask("ask", agreement=True, language="en")
        talk = (await liv.ask("accept", proposal=await liv.proposal()))["ok"]["session"]
        before = (await liv.ask("console"))["ok"]
        version = worker.listening.service.state.version
        assert "ok" in await seeker.ask("report", session=talk, reason="pressure")
        assert worker.listening.service.state.version > version
        assert (await liv.ask("console"))["ok"] == before
        newer = (await seeker.ask("standing"))["ok"]["version"]
        assert newer > version + 1_000, "what a new connection is told counts nothing either"


async def test_nothing_is_pushed_to_whose_view_is_the_same(tmp_path: Path) -> None:
    async with open_cluster(tmp_path) as site:
        worker = await site.worker()
        anna = await operator(worker)
        bea = await operator(worker, "bea", agreed_by=anna)
        for guest in (anna, bea):
            assert (await guest.ask("reports"))["ok"]["version"] == 1
        await reported(worker, anna)
        assert [(push["version"], push["open_count"]) for push in bea.heard("reports")] == [(2, 1)]
        report = bea.heard("reports")[0]["open"][0]["id"]
        assert "ok" in await bea.ask("claim", report=report)
        assert "ok" in await bea.ask("open_report", report=report, why="To answer it.")
        assert anna.heard("reports") == []
        nothing = {"open": [], "open_count": 0, "next": None, "closed": [], "measures": [], "unread_debriefs": 0}
        ranks = {"now": 0, "reports": 0, "words": 0}
        assert (await anna.ask("reports"))["ok"] == {"ok": "reports", "version": 2, "ranks": ranks, **nothing}


async def test_that_nobody_may_handle_a_report_is_in_the_log_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_cluster(tmp_path) as site:
        worker = await site.worker()
        worker.node.safety_contact = "Kim Lee"
        anna = await operator(worker)
        await worker.moderation.enforcement.tick()
        ben = await reported(worker, anna)
        (matters,) = ben.heard("matters")
        assert (matters["stranded"], matters["contact"]) == (True, "Kim Lee")
        with caplog.at_level(logging.WARNING, "chatserver.handlers"):
            for _ in range(2):
                await worker.moderation.monitor.count()
        assert [record.getMessage() for record in caplog.records] == ["report_nobody_may_handle"]
        assert said(worker)["chat_reports_stranded"] == "1.0"
        await operator(worker, "bea", agreed_by=anna)
        await worker.moderation.monitor.count()
        assert said(worker)["chat_reports_stranded"] == "0.0"
