"""Loads the model that gives a second opinion on texts. Without one, or with a damaged one, the word lists go alone.

A server that has learnt from its own closed cases has a model of its own in its data directory. It counts as long as it
was made over the sentences of this release.
"""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import zlib
from collections.abc import Sequence
from pathlib import Path
from time import process_time_ns
from typing import Final

import msgspec

from chatserver.domain.moderation.local_training import Sentences
from chatserver.domain.moderation.screening_curve import Curve
from chatserver.domain.moderation.text_model import BadModel, TextModel, load

SHIPPED: Final = Path(__file__).parent / "words" / "en" / "help.model"
CURVE: Final = SHIPPED.with_name("help.curve.json")
SENTENCES: Final = SHIPPED.with_name("help.sentences")
"""What the shipped model is made from and measured on, compressed."""
OWN: Final = "help.model"
"""The server's own model, in its data directory."""
_MOST_BYTES: Final = 4_000_000

log = logging.getLogger("chatserver.screening")


def load_model(path: Path = SHIPPED, effect: str = "word lists only") -> TextModel | None:
    """Load the model in a file. Return None where it cannot be used, and log one line that says why and what follows
    (`effect`)."""
    try:
        return load(_read(path))
    except (OSError, BadModel) as error:
        cause = error.strerror if isinstance(error, OSError) else str(error)
        log.warning("text_model_unusable", extra={"path": str(path), "cause": cause, "effect": effect})
        return None


def model_in_use(data_dir: Path) -> TextModel | None:
    """Return the server's own model, where there is one that can be used, else the shipped one."""
    shipped, path = load_model(), data_dir / OWN
    if not path.exists():
        return shipped
    own = load_model(path, "the shipped model")
    if own is None or shipped is None:
        return shipped or own
    if own.head.base != shipped.head.inputs:
        cause = "it was made for another release: run `chatserver screening learn`"
        log.warning("text_model_unusable", extra={"path": str(path), "cause": cause, "effect": "the shipped model"})
        return shipped
    log.info("text_model_own", extra={"path": str(path), "model": own.name})
    return own


def save_own(data_dir: Path, model: TextModel) -> Path:
    """Write the server's own model, all of it or nothing. Return where it is. Raises OSError."""
    path = data_dir / OWN
    draft = data_dir / f".{OWN}.{os.getpid()}.{secrets.token_hex(4)}"
    try:
        draft.write_bytes(model.dump())
        draft.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            draft.unlink()
        raise
    return path


def milliseconds(model: TextModel, texts: Sequence[str]) -> list[float]:
    """Return the processor's time that reading each text takes, sorted."""
    taken = []
    for text in texts:
        began = process_time_ns()
        model.read(text)
        taken.append((process_time_ns() - began) / 1e6)
    return sorted(taken)


def load_sentences(path: Path = SENTENCES) -> Sentences:
    """Return what the shipped model is made from and measured on."""
    return msgspec.json.decode(zlib.decompress(path.read_bytes()), type=Sentences)


def dump_sentences(sentences: Sentences) -> bytes:
    """Return the file of these sentences."""
    return zlib.compress(msgspec.json.encode(sentences), 9)


def _read(path: Path) -> bytes:
    if path.stat().st_size > _MOST_BYTES:
        raise BadModel("it is too large")
    return path.read_bytes()


def load_curve(model: TextModel | None, path: Path = CURVE) -> Curve | None:
    """Load what a model finds of test sentences. Return None where that is known of another model only, or the file
    cannot be read: nothing but a sentence on the operators' page depends on it."""
    try:
        curve = msgspec.json.decode(path.read_bytes(), type=Curve)
    except (OSError, ValueError) as error:
        log.warning("curve_unusable", extra={"path": str(path), "cause": str(error)})
        return None
    return curve if model is not None and model.head.inputs == curve.inputs else None
