"""The file of the model, where it is missing, damaged or of another version."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from chatserver.text_model import SHIPPED, load_model


def test_the_shipped_file_is_small_and_can_be_used() -> None:
    assert load_model() is not None
    assert SHIPPED.stat().st_size < 1_000_000


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (None, "No such file or directory"),
        (b"nothing like it", "it is no model"),
        (SHIPPED.read_bytes()[:-1000], "it is damaged"),
        (SHIPPED.read_bytes().replace(b'"format":1', b'"format":2'), "it is of another version"),
        (b"x" * 4_000_001, "it is too large"),
    ],
    ids=["missing", "another file", "cut off", "another version", "huge"],
)
def test_without_a_usable_file_one_line_says_why(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, content: bytes | None, cause: str
) -> None:
    path = tmp_path / "help.model"
    if content is not None:
        path.write_bytes(content)
    with caplog.at_level(logging.INFO):
        assert load_model(path) is None
    (line,) = caplog.records
    assert line.getMessage() == "text_model_unusable"
    assert vars(line)["cause"] == cause
