"""How moderation is doing, in numbers, and whether the audit log is whole."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec

from chatserver.domain.history import Millis
from chatserver.domain.moderation.measures import REASONS, MeasureKind
from chatserver.handlers.moderation.monitor import ModerationMonitor
from tests.handlers.test_load import operator
from tests.handlers.workers import PLAIN, Worker, open_cluster


def said(worker: Worker) -> dict[str, str]:
    """The samples of `/metrics`."""
    lines = worker.node.metrics.exposition().decode().splitlines()
    return dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))


async def test_reports_and_measures_are_counted_and_timed(tmp_path: Path) -> None:
    async with open_cluster(tmp_path) as site:
        worker = await site.worker()
        overseer = worker.moderation.monitor
        anna, ben, cleo = await operator(worker), await worker.guest(), await worker.guest()
        for guest in (ben, cleo):
            await guest.ask("join", room=PLAIN, agreement=1)
        about = cleo.member
        assert "ok" in await ben.ask("report_post", room=PLAIN, member=cleo.id_in(PLAIN), reason="danger")
        await overseer.count()
        assert said(worker)['chat_reports_open{reason="danger"}'] == "1.0"
        assert overseer.load(worker.node.now()).overdue == 0
        (report,) = (await anna.ask("reports"))["ok"]["open"]
        for command in ("claim", "claim"):
            assert "ok" in await anna.ask(command, report=report["id"])
        measure = {"cmd": "measure", "id": "one", "kind": "mute", "member": about, "minutes": 60, "reason": "Too loud."}
        for _ in range(2):
            # The same command again is the same measure.
            await worker.dispatcher.receive(anna.connection, msgspec.json.encode(measure).decode())
        assert len([each for each in anna.wire.pushes() if each.get("re") == "one" and "ok" in each]) == 2
        assert "ok" in await anna.ask("close", report=report["id"], outcome="measure")
        await overseer.count()
        told = said(worker)
        assert told["chat_report_claim_seconds_count"] == told["chat_report_close_seconds_count"] == "1.0"
        assert told['chat_measures_total{kind="mute"}'] == told['chat_measures_active{kind="mute"}'] == "1.0"
        assert told['chat_reports_open{reason="danger"}'] == "0.0"
        assert float(told["chat_audit_entries"]) == (await worker.node.store.audit_head()).seq
        labels = {name for name in told if name.startswith(("chat_reports_open", "chat_measures_active"))}
        assert len(labels) == len(REASONS) + len(MeasureKind)


async def test_a_late_report_is_told_with_how_late_it_is(tmp_path: Path) -> None:
    async with open_cluster(tmp_path) as site:
        worker = await site.worker()
        ben, cleo = await worker.guest(), await worker.guest()
        for guest in (ben, cleo):
            await guest.ask("join", room=PLAIN, agreement=1)
        await ben.ask("report_post", room=PLAIN, member=cleo.id_in(PLAIN), reason="unkind")
        overseer, real = worker.moderation.monitor, worker.node.now
        worker.node.now = lambda: Millis(real() + 3_600_000 + 180_000)
        await overseer.count()
        load = overseer.load(worker.node.now())
        assert load.overdue == 1
        assert 180_000 <= load.overdue_ms < 240_000


async def test_a_log_that_was_changed_is_found_and_told(tmp_path: Path) -> None:
    async with open_cluster(tmp_path) as site:
        worker = await site.worker()
        anna, ben, cleo = await operator(worker), await worker.guest(), await worker.guest()
        for guest in (ben, cleo):
            await guest.ask("join", room=PLAIN, agreement=1)
        await ben.ask("report_post", room=PLAIN, member=cleo.id_in(PLAIN), reason="unkind")
        (report,) = (await anna.ask("reports"))["ok"]["open"]
        await anna.ask("claim", report=report["id"])
        overseer: ModerationMonitor = worker.moderation.monitor
        await overseer.check()
        assert overseer.load(worker.node.now()).is_log_whole
        assert said(worker)["chat_audit_whole"] == "1.0"
        with closing(sqlite3.connect(tmp_path / "chat.db")) as database, database:
            for (trigger,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                database.execute(f'DROP TRIGGER "{trigger}"')
            database.execute("UPDATE audit SET by = 'm_somebody_else'")
        await overseer.check()
        assert not overseer.load(worker.node.now()).is_log_whole
        assert said(worker)["chat_audit_whole"] == "0.0"
