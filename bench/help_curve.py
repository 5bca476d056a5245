"""Makes `chatserver/words/en/help.curve.json`: what the model finds of authors it has not seen, by its score.

python -m bench.help_curve

It trains once without each author (some minutes), and scores that author's sentences. The operators' page says with it
what a threshold is expected to find. A test says when it has to be made again.
"""

from __future__ import annotations

import msgspec

from bench.help_model import AUTHORS, MARKED, common, everything, ordinary, sentences
from chatserver.domain.moderation.model_training import hash_of, train
from chatserver.domain.moderation.screening_curve import Curve, curve_of
from chatserver.text_model import CURVE


def measure() -> Curve:
    """Return the curve of the sentences that are here."""
    needed: list[float] = []
    urgent: list[float] = []
    near: list[float] = []
    for left_out in AUTHORS:
        seen = [*common(), *(each for name in AUTHORS if name != left_out for each in sentences(name))]
        model = train(seen, ordinary(), MARKED, "en")
        for each in sentences(left_out):
            score = model.read(each.text).score
            (near if each.category is None else needed).append(score)
            if each.is_urgent:
                urgent.append(score)
        print(left_out, flush=True)
    return curve_of(hash_of(everything()), needed, urgent, near)


if __name__ == "__main__":
    CURVE.write_bytes(msgspec.json.encode(measure()) + b"\n")
