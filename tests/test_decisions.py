"""The records of decisions follow one template, stand in the index, and exist wherever they are named."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

_ROOT: Final = Path(__file__).resolve().parents[1]
_DECISIONS: Final = _ROOT / "docs" / "decisions"
_RECORDS: Final = sorted(_DECISIONS.glob("[0-9][0-9][0-9][0-9]-*.md"))

_HEADING: Final = re.compile(r"# (?P<number>\d{4}): (?P<title>\S.*\S)")
_STATUS: Final = re.compile(
    r"Status: (?P<status>accepted|accepted, amended by (?P<amended>\d{4}(?:, \d{4})*(?: and \d{4})?)"
    r"|superseded by (?P<superseded>\d{4})) · (?P<date>\d{4}-\d{2}-\d{2})"
)
_SECTIONS: Final = ["Context", "Decision", "Consequences"]
_OPTIONAL_SECTION: Final = "Alternatives considered"
_INDEX_LINE: Final = re.compile(r"- \[(?P<heading>\d{4}: .+)\]\((?P<file>[^)]+)\) · (?P<status>.+)")
_REFERENCE: Final = re.compile(r"\bdecisions/(\d{4})|\b[Dd]ecisions?\s+(\d{4})\b")
"""A record that is named by its path, with or without the rest of its file name, or by its number."""
_LINK: Final = re.compile(r"\(((?:[\w./-]*/)?\d{4}-[\w-]+\.md)\)")

_NAMING: Final = ["bench", "chatserver", "deploy", "docs", "scripts", "tests", "web"]
_TEXT_SUFFIXES: Final = {".css", ".html", ".js", ".md", ".py", ".toml", ".txt", ".yaml", ".yml", ""}


def _naming_files() -> list[Path]:
    folders = [path for name in _NAMING for path in (_ROOT / name).rglob("*")]
    return sorted(
        path
        for path in [*_ROOT.glob("*.md"), *folders]
        if path.is_file() and path.suffix in _TEXT_SUFFIXES and "node_modules" not in path.parts
    )


def _head(record: Path) -> tuple[re.Match[str], re.Match[str]]:
    lines = record.read_text(encoding="utf-8").splitlines()
    heading, status = _HEADING.fullmatch(lines[0]), _STATUS.fullmatch(lines[2])
    assert heading is not None, f"{record.name} begins with {lines[0]!r}"
    assert status is not None, f"the status of {record.name} is {lines[2]!r}"
    return heading, status


@pytest.mark.parametrize("record", _RECORDS, ids=lambda record: record.name[:4])
def test_record_follows_the_template(record: Path) -> None:
    heading, status = _head(record)
    assert heading["number"] == record.name[:4]
    assert len(heading["title"]) <= 72

    body = record.read_text(encoding="utf-8").splitlines()[3:]
    sections = [line.removeprefix("## ") for line in body if line.startswith("## ")]
    assert sections in (_SECTIONS, [*_SECTIONS, _OPTIONAL_SECTION])
    parts = re.split(r"^## .+$", "\n".join(body), flags=re.MULTILINE)
    assert not parts[0].strip(), "text stands before the first section"
    assert all(part.strip() for part in parts[1:]), "a section is empty"

    numbers = {record.name[:4] for record in _RECORDS}
    later = re.findall(r"\d{4}", status["amended"] or status["superseded"] or "")
    assert set(later) <= numbers
    assert all(number > record.name[:4] for number in later)


def test_record_numbers_are_unique() -> None:
    numbers = [record.name[:4] for record in _RECORDS]
    assert numbers
    assert len(set(numbers)) == len(numbers)


def test_index_lists_every_record_once_with_its_title_and_status() -> None:
    index = (_DECISIONS / "README.md").read_text(encoding="utf-8")
    lines = [line for line in map(_INDEX_LINE.fullmatch, index.splitlines()) if line is not None]
    listed = sorted((line["heading"], line["file"], line["status"]) for line in lines)
    expected = sorted(
        (f"{heading['number']}: {heading['title']}", record.name, status["status"])
        for record in _RECORDS
        for heading, status in [_head(record)]
    )
    assert listed == expected


def test_every_record_that_is_named_exists() -> None:
    numbers = {record.name[:4] for record in _RECORDS}
    named: set[tuple[str, str]] = set()
    dead_links: list[str] = []
    for path in _naming_files():
        text = path.read_text(encoding="utf-8")
        where = str(path.relative_to(_ROOT))
        if path != Path(__file__).resolve():
            named |= {(first or second, where) for first, second in _REFERENCE.findall(text)}
        if path.suffix == ".md":
            dead_links += [f"{where}: {link}" for link in _LINK.findall(text) if not (path.parent / link).is_file()]
    assert named, "no file names a decision"
    assert sorted((number, where) for number, where in named if number not in numbers) == []
    assert dead_links == []
