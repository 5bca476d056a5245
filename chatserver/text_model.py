"""Loads the model that gives a second opinion on texts. Without one, or with a damaged one, the word lists go alone."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Final

import msgspec

from chatserver.domain.moderation.screening_curve import Curve
from chatserver.domain.moderation.text_model import BadModel, TextModel, load

SHIPPED: Final = Path(__file__).parent / "words" / "en" / "help.model"
CURVE: Final = SHIPPED.with_name("help.curve.json")
_MOST_BYTES: Final = 4_000_000

log = logging.getLogger("chatserver.screening")


def load_model(path: Path = SHIPPED) -> TextModel | None:
    """Load the model in a file. Return None where it cannot be used, and log one line that says why."""
    try:
        return load(_read(path))
    except (OSError, BadModel) as error:
        cause = error.strerror if isinstance(error, OSError) else str(error)
        log.warning("text_model_unusable", extra={"path": str(path), "cause": cause, "effect": "word lists only"})
        return None


def _read(path: Path) -> bytes:
    if path.stat().st_size > _MOST_BYTES:
        raise BadModel("it is too large")
    return path.read_bytes()


def load_curve(model: TextModel | None, path: Path = CURVE) -> Curve | None:
    """Load what a model finds of test sentences. Return None where that is known of another model only, or the file
    cannot be read: nothing but a sentence on the operators' page depends on it."""
    try:
        curve = msgspec.json.decode(path.read_bytes(), type=Curve)
    except (OSError, msgspec.MsgspecError) as error:
        log.warning("curve_unusable", extra={"path": str(path), "cause": str(error)})
        return None
    return curve if model is not None and model.head.inputs == curve.inputs else None
