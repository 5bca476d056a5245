"""The generated tables of the documents: what is made anew, and what a person wrote and keeps."""

from __future__ import annotations

import pytest

from tests.kit.tables import DOCS, PAGES, UNWRITTEN, rewritten, skeleton, table

PAGE = """\
Before.
<!-- generated: fruits -->
| fruit | colour | words |
|---|---|---|
| `apple` | green | an old word |
| `plum` | blue | is gone |
<!-- end of fruits -->
After.
"""
RIGHTS = """\
<!-- generated: rights -->
| | guest | host |
|---|---|---|
| `b` | no | yes |
| `a` | yes | yes |
| `a` with `kind` `x` | no | password |
| `gone` with `kind` `x` | no | no |
<!-- end of rights -->
"""


def test_a_table_is_made_anew_and_keeps_what_a_person_wrote() -> None:
    fruits = table([(["`pear`", "yellow"], UNWRITTEN), (["`apple`", "red"], "new words"), (["`fig`", ""], "sweet")])
    page = rewritten(PAGE, {"fruits": fruits})
    assert page.splitlines()[2:-2] == [
        "| fruit | colour | words |",
        "|---|---|---|",
        "| `pear` | yellow | ? |",
        "| `apple` | red | an old word |",
        "| `fig` | | sweet |",
    ]
    assert page.startswith("Before.\n")
    assert page.endswith("\nAfter.\n")
    assert rewritten(page, {"fruits": fruits}) == page


def test_a_skeleton_gets_rows_to_be_filled_in_and_changes_no_cell() -> None:
    page = rewritten(RIGHTS, {"rights": skeleton(["`a`", "`c`", "`b`", "`d`"])})
    assert page.splitlines()[3:-1] == [
        "| `b` | no | yes |",
        "| `d` | ? | ? |",
        "| `a` | yes | yes |",
        "| `a` with `kind` `x` | no | password |",
        "| `c` | ? | ? |",
    ]


def test_an_ordered_skeleton_stands_in_the_order_of_its_keys() -> None:
    page = rewritten(RIGHTS, {"rights": skeleton(["`a`", "`c`", "`b`"], is_ordered=True)})
    assert page.splitlines()[3:-1] == [
        "| `a` | yes | yes |",
        "| `a` with `kind` `x` | no | password |",
        "| `c` | ? | ? |",
        "| `b` | no | yes |",
    ]


@pytest.mark.parametrize("page", ["No block.\n", PAGE + PAGE, PAGE.replace("<!-- end of fruits -->", "")])
def test_a_page_without_its_block_is_refused(page: str) -> None:
    with pytest.raises(ValueError, match="the page must have one"):
        rewritten(page, {"fruits": table([])})


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_as_the_command_writes_it(name: str) -> None:
    text = (DOCS / name).read_text("utf-8")
    assert rewritten(text, PAGES[name]) == text, "run scripts/lint --fix"


@pytest.mark.parametrize("name", PAGES)
def test_every_cell_that_a_person_has_to_write_is_written(name: str) -> None:
    text = (DOCS / name).read_text("utf-8")
    assert [line for line in text.splitlines() if line.startswith("|") and f" {UNWRITTEN} |" in line] == []
