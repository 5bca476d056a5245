"""Loads the word lists for `crisis_phrases`: those of the package, and those in a directory of the operator's."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Final

from chatserver.domain.moderation.crisis_phrases import LANGUAGE, BadPhrase, Words, words_of

SHIPPED: Final = Path(__file__).parent / "words"
MOST_BYTES: Final = 1_000_000
"""The largest list file. A larger one is not a list that anybody has read."""


def load(directory: Path | None = None) -> Words:
    """Load the lists of every language: `<language>/<name>.txt`. A file in `directory` replaces the shipped one of the
    same name, and is added otherwise. Raises BadPhrase, which names the file and line."""
    files = _files(SHIPPED)
    if directory is not None:
        own = _files(directory)
        if not own:
            raise BadPhrase(f"{directory}: there is no list here, such as en/help.txt")
        files.update(own)
    return _words_of(tuple((str(path), _read(path)) for _, path in sorted(files.items())))


@lru_cache(maxsize=1)
def _words_of(lists: tuple[tuple[str, str], ...]) -> Words:
    """Return the lists, which take half a second to compile: only once as long as nothing changes in a file."""
    return words_of(dict(lists))


def _files(directory: Path) -> dict[str, Path]:
    if not directory.is_dir():
        raise BadPhrase(f"{directory}: there is no such directory")
    found = {}
    for path in sorted(directory.glob("*/*.txt")):
        if LANGUAGE.fullmatch(path.parent.name) is None:
            raise BadPhrase(f"{path.parent}: a directory must be named after its language, such as en or pt-br")
        found[f"{path.parent.name}/{path.name}"] = path
    return found


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise BadPhrase(f"{path}: is larger than {MOST_BYTES} bytes")
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise BadPhrase(f"{path}: is not UTF-8") from error
    except OSError as error:
        raise BadPhrase(f"{path}: {error.strerror}") from error
