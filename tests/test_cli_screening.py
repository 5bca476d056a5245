"""`chatserver screening evaluate`: what is found of a file of sentences, and what is wrong with a file."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from chatserver.cli import main
from chatserver.text_model import SHIPPED

SAID = ["self_harm!: i want to die tonight", "abuse: my uncle hits me", "# a note", "-: we had soup", "-: good morning"]


def _evaluate(*arguments: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["screening", "evaluate", *map(str, arguments)])
    return result.exit_code, result.output


def test_recall_is_said_with_its_interval_and_precision_by_base_rate(tmp_path: Path) -> None:
    file = tmp_path / "said.txt"
    file.write_text("\n".join(SAID))
    code, said = _evaluate(file)
    assert code == 0, said
    assert "at 1.5% of ordinary talk (lists | model | lists or model):" in said
    anything = next(line for line in said.splitlines() if line.strip().startswith("anything"))
    assert "of 2)" in anything
    assert "at 1%" in said
    assert "(p50)" in said.splitlines()[-1]
    assert "2.1 MB in each worker" in said.splitlines()[-1]
    assert _evaluate(file, "--model", SHIPPED)[0] == 0
    assert {line.split()[0] for line in said.splitlines()} >= {"anything", "urgent", "self_harm", "abuse", "precision"}


def test_ordinary_talk_may_stand_in_another_file(tmp_path: Path) -> None:
    file, calm = tmp_path / "said.txt", tmp_path / "calm.txt"
    file.write_text("\n".join(SAID[:2]))
    assert _evaluate(file)[0] == 1
    calm.write_text("-: we had soup")
    assert _evaluate(file, "--ordinary", calm)[0] == 0


@pytest.mark.parametrize("content", ["sadness: i", "just words"])
def test_a_file_that_cannot_be_read_is_named_with_its_line(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], content: str
) -> None:
    file = tmp_path / "said.txt"
    file.write_text(f"-: fine\n{content}")
    assert _evaluate(file)[0] == 1
    assert f"{file}: line 2" in capfd.readouterr().err


def test_a_missing_file_is_a_mistake(tmp_path: Path) -> None:
    assert _evaluate(tmp_path / "nothing.txt")[0] == 2
