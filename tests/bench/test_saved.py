"""Saved runs become tables and plots that give ranges over the runs."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import msgspec
import pytest

from bench.plots import Scale
from bench.report import Mark, Section, Spread, Verdict, figure
from bench.saved import BEGIN, DOCUMENT, END, Report, renew, rows, save, verdict


def _report(at: str, ours: list[float], machine: str = "A machine") -> Report:
    cost = figure("server CPU", "s/M", {"ours": ours, "bun": [1.0] * len(ours)}, Mark(most=4))
    post = figure("1,000: post, CPU", "ms", {"ours": ours, "bun": [2.0] * len(ours)})
    small = figure("50: post, CPU", "ms", {"ours": [one / 10 for one in ours]})
    return Report(
        at=at,
        commit="abc1234",
        machine=machine,
        quick=False,
        baseline="C relay",
        peers={"bun": "Bun 1"},
        missing={"centrifugo": "there is no go on PATH"},
        sections=[
            Section(scenario="throughput", about="", figures=[cost]),
            Section(scenario="rooms", about="", figures=[small, post]),
        ],
    )


FIRST, SECOND = _report("2026-01-01T10:00:00Z", [2.0, 3.0, 3.5]), _report("2026-01-02T10:00:00Z", [1.0, 5.0, 6.0])


def test_row_has_the_range_over_all_runs() -> None:
    row = rows([FIRST, SECOND])[0]
    assert row.values["ours"] == Spread(4.0, 1.0, 6.0)
    assert row.ratios["bun"] == Spread(4.0, 1.0, 6.0)
    assert row.verdicts == [Verdict.NOT_DECIDED, Verdict.REACHED]


def test_runs_that_do_not_agree_decide_nothing() -> None:
    assert verdict([Verdict.REACHED, Verdict.REACHED]) == "reached"
    assert verdict([Verdict.REACHED, Verdict.MISSED]) == "not decided"
    assert verdict([]) == ""


@pytest.fixture
def document(tmp_path: Path) -> Path:
    file = tmp_path / "bench.md"
    file.write_text(f"before\n\n{BEGIN}\n\nold\n\n{END}\n\nafter\n")
    return file


def test_saving_keeps_the_run_and_renews_the_document(tmp_path: Path, document: Path) -> None:
    folder = tmp_path / "bench"
    kept = [save(one, folder, document) for one in (FIRST, SECOND)]
    assert [file.name for file in kept] == ["20260101T100000Z-abc1234.json", "20260102T100000Z-abc1234.json"]
    assert msgspec.json.decode(kept[0].read_bytes(), type=Report) == FIRST
    text = document.read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "old" not in text
    assert "| server CPU [s/M] | 4 (1-6) | 1: 4 (1-6)x | <= 4 | not decided |" in text
    assert "centrifugo: there is no go on PATH" in text
    for name in ("ratios-1.svg", "rooms-1.svg"):
        assert f"(bench/{name})" in text
        assert ET.parse(folder / name).getroot().tag.endswith("svg")  # noqa: S314 - it was written above
    renew(folder, document)
    assert document.read_text() == text


def test_machines_are_not_mixed(tmp_path: Path, document: Path) -> None:
    folder = tmp_path / "bench"
    save(FIRST, folder, document)
    save(_report("2026-01-03T10:00:00Z", [9.0, 9.0, 9.0], "Another one"), folder, document)
    text = document.read_text()
    assert "### A machine" in text
    assert "### Another one" in text
    assert "3 (2-3.5)" in text


def test_document_without_marks_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "bench.md"
    file.write_text("nothing")
    with pytest.raises(ValueError, match="marks"):
        renew(tmp_path, file)


def test_the_project_document_has_the_marks() -> None:
    text = DOCUMENT.read_text()
    assert 0 < text.index(BEGIN) < text.index(END)


def test_scale_is_logarithmic_between_powers_of_ten() -> None:
    scale = Scale.around([2.0, 500.0, 0.0], 0.0, 300.0)
    assert scale.ticks == [1.0, 10.0, 100.0, 1_000.0]
    assert [scale(value) for value in (1.0, 10.0, 1_000.0)] == [0.0, 100.0, 300.0]
    # What is not above zero stands at the edge.
    assert scale(0.0) == 0.0
    with pytest.raises(ValueError, match="nothing to draw"):
        Scale.around([0.0], 0.0, 1.0)
