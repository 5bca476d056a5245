"""An operator's own word lists: beside the shipped ones, instead of them, and refused with file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from chatserver import config
from chatserver.domain.moderation.crisis_phrases import BadPhrase
from chatserver.wordlists import load


def written(directory: Path, name: str, text: str) -> Path:
    path = directory / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_a_list_of_ones_own_stands_beside_the_shipped(tmp_path: Path) -> None:
    written(tmp_path, "de/hilfe.txt", "[self_harm 2]\nwill sterben\n")
    words = load(tmp_path)
    assert [each.category for each in words.screen("ich will sterben")] == ["self_harm"]
    assert words.screen("I want to die")


def test_a_list_of_the_same_name_stands_instead(tmp_path: Path) -> None:
    written(tmp_path, "en/help.txt", "[hostile 2]\nbad apple\n")
    words = load(tmp_path)
    assert words.count == 1
    assert words.screen("I want to die") == ()


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadPhrase, match="there is no such directory"):
        load(tmp_path / "none")
    with pytest.raises(BadPhrase, match="there is no list here"):
        load(tmp_path)
    path = written(tmp_path, "en/own.txt", "[self_harm 2]\ndie (\n")
    with pytest.raises(BadPhrase, match=f"{path}:2: "):
        load(tmp_path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(BadPhrase, match="is not UTF-8"):
        load(tmp_path)
    path.unlink()
    written(tmp_path, "English/own.txt", "")
    with pytest.raises(BadPhrase, match="named after its language"):
        load(tmp_path)


def test_the_configuration_says_file_and_line_before_anything_starts(tmp_path: Path) -> None:
    path = written(tmp_path, "en/own.txt", "no section\n")
    with pytest.raises(config.ConfigError, match=f"{path}:1"):
        config.load(None, {"words_dir": str(tmp_path)})
