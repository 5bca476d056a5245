"""The file of the model, where it is missing, damaged or of another version."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from chatserver.text_model import CURVE, SHIPPED, load_curve, load_model


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
        (SHIPPED.read_bytes().replace(b'"language":"e', b'"language":"\xe9', 1), "it is damaged"),
        (b"x" * 4_000_001, "it is too large"),
    ],
    ids=["missing", "another file", "cut off", "another version", "no UTF-8", "huge"],
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


def test_without_a_usable_curve_one_line_says_why(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "help.curve.json"
    path.write_bytes(CURVE.read_bytes().replace(b'"inputs":"', b'"inputs":"\xe9', 1))
    with caplog.at_level(logging.INFO):
        assert load_curve(load_model(), path) is None
    (line,) = caplog.records
    assert line.getMessage() == "curve_unusable"
