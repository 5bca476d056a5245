"""Writes the tables of `docs/protocol.md` and the rows of `docs/authorization.md` that follow from the code.

`scripts/lint --fix` runs it; `python -m tests.kit.tables` runs it alone. A table stands between two comments,
`<!-- generated: NAME -->` and `<!-- end of NAME -->`. Cells that a person wrote are kept. A cell that a person has to
write holds `?`, which the tests of the page refuse.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, get_args

import msgspec

from chatserver.domain.errors import Reason, Refusal
from chatserver.edge.routes import DOCUMENTS, IDENTITY, STAFF, STATUS, RouteSpec
from chatserver.protocol import messages as m
from chatserver.protocol.asyncapi import tag_of
from chatserver.protocol.codes import Close, advice, error_body
from chatserver.protocol.fields import Command
from chatserver.protocol.moderation.messages import ModerationCommand
from chatserver.protocol.refusals import ANY
from chatserver.protocol.rooms.messages import FactBase, FactPush

DOCS: Final = Path(__file__).parents[2] / "docs"
UNWRITTEN: Final = "?"
"""What stands in a cell that a person has to write."""
_COMMANDS: Final[tuple[type[Command], ...]] = get_args(m.AnyCommand)

Row = list[str]
Block = Callable[[str], str]
"""Returns the new text between the two comments, from the old one."""


def rewritten(text: str, blocks: Mapping[str, Block]) -> str:
    """Return a page with its blocks made anew. Raises ValueError if a block is not on the page exactly once."""
    for name, block in blocks.items():
        head, end = f"<!-- generated: {name} -->\n", f"<!-- end of {name} -->"
        if text.count(head) != 1 or text.count(end) != 1:
            raise ValueError(f"the page must have one {head.strip()} and one {end}")
        before, rest = text.split(head)
        old, after = rest.split(end)
        text = before + head + block(old) + end + after
    return text


def table(rows: Iterable[tuple[Row, str]]) -> Block:
    """Return a block for a table whose last column is written by people.

    Each row is its other cells, of which the first is its key, and the words for the last one of a new row.
    """

    def block(old: str) -> str:
        head, known = _read(old)
        return _write(head, [[*cells, known[cells[0]][-1] if cells[0] in known else words] for cells, words in rows])

    return block


def skeleton(keys: Sequence[str], *, is_ordered: bool = False) -> Block:
    """Return a block for a table of which only the first column, the key, follows from the code.

    A row about a key under a condition (`measure` with `report`) counts as one about that key. Rows about keys that are
    gone are dropped. With `is_ordered` the rows stand in the order of the keys; otherwise they stay where they are, and
    a new one stands after those of the key before it.
    """

    def block(old: str) -> str:
        head, known = _read(old)
        width = len(_cells(head[0]))
        rows = {name: row for name, row in known.items() if any(_is_about(name, key) for key in keys)}
        order = [*rows]
        for before, key in zip(["", *keys], keys, strict=False):
            if any(_is_about(name, key) for name in rows):
                continue
            rows[key] = [key, *[UNWRITTEN] * (width - 1)]
            last = [number for number, name in enumerate(order) if before and _is_about(name, before)]
            order.insert(last[-1] + 1 if last else len(order), key)
        if is_ordered:
            order = [name for key in keys for name in order if _is_about(name, key)]
        return _write(head, [rows[name] for name in order])

    return block


def _is_about(name: str, key: str) -> bool:
    return name == key or name.startswith(f"{key} with ")


def _read(block: str) -> tuple[list[str], dict[str, Row]]:
    """Return the two lines of a table's head, and its rows by their first cell."""
    lines = [line for line in block.splitlines() if line.startswith("|")]
    rows = [_cells(line) for line in lines[2:]]
    return lines[:2], {row[0]: row for row in rows}


def _cells(line: str) -> Row:
    return [cell.strip() for cell in line.strip().removeprefix("|").removesuffix("|").split("|")]


def _write(head: list[str], rows: Iterable[Row]) -> str:
    return "".join(f"{line}\n" for line in [*head, *map(_line, rows)])


def _line(row: Row) -> str:
    return "|" + "|".join(f" {cell} " if cell else " " for cell in row) + "|"


def _code(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _fields(kind: type[msgspec.Struct], besides: Iterable[str] = ()) -> str:
    fields = [field for field in msgspec.structs.fields(kind) if field.encode_name not in besides]
    return _code(field.encode_name + ("" if field.required else "?") for field in fields)


def _commands() -> Iterable[tuple[Row, str]]:
    for kind in _COMMANDS:
        sentence = " ".join(re.split(r"(?<=\.)\s", inspect.cleandoc(kind.__doc__ or ""), maxsplit=1)[0].split())
        words = sentence[:1].lower() + sentence[1:].removesuffix(".")
        yield [f"`{tag_of(kind)}`", _fields(kind, ["id"]), f"`{kind.answer}`"], words or UNWRITTEN


def _facts() -> Iterable[tuple[Row, str]]:
    common = [field.encode_name for field in msgspec.structs.fields(FactBase)]
    return [([f"`{tag_of(kind)}`", _fields(kind, common)], UNWRITTEN) for kind in get_args(FactPush)]


def _costs(old: str) -> str:
    costs = sorted({kind.cost for kind in _COMMANDS} - {1.0})
    rows = [[f"{cost:g}", _code(tag_of(kind) for kind in _COMMANDS if kind.cost == cost)] for cost in costs]
    return _write(_read(old)[0], [*rows, ["1", "every other"]])


def _errors() -> Iterable[tuple[Row, str]]:
    for body in (error_body(Refusal(reason)) for reason in Reason):
        yield [f"`{body.code}`", "yes" if body.temporary else "no", body.message], UNWRITTEN


def _refusals(old: str) -> str:
    rows = [[f"`{tag_of(kind)}`", _code(kind.refusals)] for kind in _COMMANDS if kind.refusals]
    any_command = f"Any command: {_code(ANY)} (`busy` and `internal` are rare). Besides these:\n\n"
    return any_command + _write(_read(old)[0], rows)


def _closes() -> Iterable[tuple[Row, str]]:
    return [([str(code.value), f"`{code.name}`", advice(code).value], UNWRITTEN) for code in Close]


def _keys(kinds: Iterable[type[Any]]) -> list[str]:
    return [f"`{tag_of(kind)}`" for kind in kinds]


_CALLS: Final[tuple[RouteSpec[Any], ...]] = (*IDENTITY, *STAFF, *STATUS, *DOCUMENTS)
PAGES: Final[Mapping[str, Mapping[str, Block]]] = {
    "protocol.md": {
        "commands": table([*_commands()]),
        "facts": table(_facts()),
        "costs": _costs,
        "errors": table([*_errors()]),
        "refusals": _refusals,
        "close codes": table(_closes()),
    },
    "authorization.md": {
        "commands": skeleton(_keys(_COMMANDS)),
        "cases": skeleton(_keys(kind for kind in get_args(ModerationCommand) if kind.capability is not None)),
        "calls": skeleton([f"`{call.method} {call.path}`" for call in _CALLS], is_ordered=True),
    },
}


if __name__ == "__main__":
    for name, blocks in PAGES.items():
        text = (DOCS / name).read_text("utf-8")
        if (new := rewritten(text, blocks)) != text:
            (DOCS / name).write_text(new, "utf-8")
