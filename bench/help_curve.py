"""Makes `chatserver/words/en/help.curve.json`: what the model finds of authors it has not seen, by its score.

python -m bench.help_curve

It reads the sentences of the authors who are never trained on. The operators' page says with it what a threshold is
expected to find. A test says when it has to be made again.
"""

from __future__ import annotations

import msgspec

from bench.help_model import checked
from chatserver.domain.moderation.screening_curve import Curve, curve_of
from chatserver.text_model import CURVE, load_model


def measure() -> Curve:
    """Return the curve of the shipped model."""
    model = load_model()
    assert model is not None
    needed: list[float] = []
    urgent: list[float] = []
    near: list[float] = []
    for each in checked():
        score = model.read(each.text).score
        (near if each.category is None else needed).append(score)
        if each.is_urgent:
            urgent.append(score)
    return curve_of(model.head.inputs, needed, urgent, near)


if __name__ == "__main__":
    CURVE.write_bytes(msgspec.json.encode(measure()) + b"\n")
