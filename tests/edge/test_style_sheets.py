"""The page's style sheets: no rule for what no page shows, every rule in a layer, every sheet short."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

from chatserver.edge.static import without_comments

WEB: Final = Path(__file__).resolve().parents[2] / "web"
PAGES: Final = sorted(WEB.glob("*.html"))
SHEETS: Final = sorted((WEB / "css").glob("*.css"))
MOST_LINES: Final = 500
OUTSIDE_OF_LAYERS: Final = re.compile(r"@layer [\w, ]+$|:root\b|@media|@supports not \(color: revert-layer\)$")
"""What may stand outside of a layer: the order of the layers, tokens, and what browsers without layers are given."""
_COMMENT: Final = re.compile(r"/\*.*?\*/", re.DOTALL)
_STRING: Final = re.compile(r'"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\.)*)`')


def classes_of(sheet: str) -> set[str]:
    """The classes that the selectors of a style sheet name."""
    bare = re.sub(r'"[^"\n]*"', '""', _COMMENT.sub("", sheet))
    preludes = re.findall(r"([^{};]+)\{", bare)
    selectors = [prelude for prelude in preludes if not prelude.strip().startswith("@")]
    return {name for selector in selectors for name in re.findall(r"\.([A-Za-z][\w-]*)", selector)}


def words_of(script: str) -> tuple[set[str], set[str]]:
    """The words of a script's strings that may be classes, and the beginnings of those that are put together, as
    `c-` of `c-${column}`. A string with other characters than classes and selectors have is a sentence."""
    words, beginnings = set(), set()
    for quoted, template in _STRING.findall(without_comments(script)):
        text = quoted or template
        beginnings.update(re.findall(r"([A-Za-z][\w-]*-)\$\{", text))
        inner = [part for one in re.findall(r"\$\{([^}]*)\}", text) for part in re.findall(r'"([^"]*)"', one)]
        for part in [*re.split(r"\$\{[^}]*\}", text), *inner]:
            if re.fullmatch(r"[\w .#>,:()-]*", part):
                words.update(re.findall(r"[A-Za-z][\w-]*", part))
    return words, beginnings


def blocks(sheet: str) -> list[str]:
    """What stands before each block or statement of a style sheet that is in no other block."""
    depth, start, found = 0, 0, []
    text = _COMMENT.sub("", sheet)
    for place, letter in enumerate(text):
        if depth == 0 and letter in "{;":
            found.append(" ".join(text[start:place].split()))
        depth += {"{": 1, "}": -1}.get(letter, 0)
        if depth == 0 and letter in "};":
            start = place + 1
    return found


def test_every_class_that_is_styled_is_used() -> None:
    used, beginnings = set(), set()
    for script in sorted((WEB / "js").rglob("*.js")):
        words, begun = words_of(script.read_text())
        used |= words
        beginnings |= begun
    for page in PAGES:
        used.update(name for names in re.findall(r'class="([^"]*)"', page.read_text()) for name in names.split())
    unused = {
        f"{sheet.name}: .{name}"
        for sheet in SHEETS
        for name in classes_of(sheet.read_text())
        if name not in used and not name.startswith(tuple(beginnings))
    }
    assert unused == set()


def test_classes_and_words_are_read_as_browsers_read_them() -> None:
    sheet = '/* .gone */ @layer page { .a:not(.b, [x=".c"])::before { content: ".d"; margin: 0.5rem } #e > .f-g {} }'
    assert classes_of(sheet) == {"a", "b", "f-g"}
    script = 'h("p", { class: `h ${is ? "i" : ""} j-${k}` }); say("No class: it\'s a sentence.");\n  // "l"'
    assert words_of(script) == ({"p", "h", "i", "j-"}, {"j-"})


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
def test_rules_stand_in_layers(sheet: Path) -> None:
    names = [name for name in blocks(sheet.read_text()) if not re.fullmatch(r"@layer \w+", name)]
    assert [name for name in names if not OUTSIDE_OF_LAYERS.match(name)] == []
    if sheet.name != "base.css":
        assert [name for name in names if ":root" in name or "@media" in name] == []


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
def test_sheets_are_short(sheet: Path) -> None:
    assert len(sheet.read_text().splitlines()) <= MOST_LINES


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_begin_with_the_same_sheets(page: Path) -> None:
    linked = re.findall(r'<link rel="stylesheet" href="/css/([^"]+)">', page.read_text())
    assert linked[:3] == ["base.css", "controls.css", "shell.css"]
    assert set(linked) <= {sheet.name for sheet in SHEETS}
