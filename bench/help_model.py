"""Makes the model of `chatserver/words/en/help.model` from the sentences of the repository, and measures it.

python -m bench.help_model                  writes the files: the same sentences make the same weights
python -m bench.help_model --leave-one-out  trains without one author at a time, and says what is found of theirs
python -m bench.help_model --cost           measures milliseconds of each text
python -m bench.help_model --on FILE        says what the file finds of other labelled sentences
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from chatserver.domain.moderation.crisis_phrases import Words
from chatserver.domain.moderation.local_training import Sentences
from chatserver.domain.moderation.model_training import Example, examples_of, hash_of, train
from chatserver.domain.moderation.screening_figures import (
    ANYTHING,
    BOTH,
    MARKED,
    NEVER,
    Found,
    Heard,
    Rate,
    found_by,
    is_marked,
    marked,
    table,
)
from chatserver.domain.moderation.text_model import TextModel
from chatserver.text_model import SENTENCES as SHIPPED_SENTENCES
from chatserver.text_model import SHIPPED, dump_sentences, load_model, milliseconds
from chatserver.wordlists import load

_TESTS: Final = Path(__file__).parents[1] / "tests" / "domain"
SENTENCES: Final = _TESTS / "help_sentences"
AUTHORS: Final = tuple(sorted(path.name for path in SENTENCES.glob("author-*.txt")))
ORDINARY_WEIGHT: Final = 3.0
"""How much ordinary talk counts against other sentences: there is far more of it than was written here."""

NEAR_WEIGHT: Final = 0.5
"""How much a sentence counts that is near the ones that are meant, and is not: half of what was written is of this
kind, and next to nothing of what is said in rooms."""


def sentences(name: str) -> list[Example]:
    """Return the sentences of one author of `help_sentences`."""
    return [*examples_of((SENTENCES / name).read_text(encoding="utf-8"))]


def authors_but(left_out: str | None = None) -> list[Example]:
    """Return the sentences of all authors but one."""
    seen = [each for name in AUTHORS if name != left_out for each in sentences(name)]
    return [msgspec.structs.replace(each, weight=NEAR_WEIGHT) if each.category is None else each for each in seen]


def common() -> list[Example]:
    """Return what is always trained on: ordinary talk, and the sentences that the word lists were made with."""
    built = (_TESTS / "crisis_sentences" / "built.txt").read_text(encoding="utf-8")
    calm = [msgspec.structs.replace(each, weight=ORDINARY_WEIGHT) for each in sentences("ordinary.txt")]
    return [*calm, *examples_of(built)]


def everything() -> list[Example]:
    """Return all sentences that the shipped model is trained on."""
    return [*common(), *authors_but()]


def ordinary() -> list[str]:
    """Return the ordinary talk that is only measured on."""
    return [each.text for each in sentences("load.txt")]


def checked() -> list[Example]:
    """Return the sentences of authors on whom nothing is ever trained or tuned."""
    return [each for path in sorted(SENTENCES.glob("held-*.txt")) for each in sentences(path.name)]


def shipped_sentences() -> Sentences:
    """Return what the shipped model is made from and measured on, as `chatserver screening learn` needs it."""
    return Sentences(tuple(everything()), tuple(ordinary()), tuple(checked()))


def is_current(model: TextModel) -> bool:
    """Return whether a model was made from the sentences that are here."""
    return model.head.inputs == hash_of(everything())


def leave_one_out(words: Words) -> Iterator[str]:
    """Say what is found of each author's sentences by a model that has seen nothing of theirs."""
    calm = ordinary()
    by_lists = marked([Heard(is_marked(words, text), 0.0) for text in calm], NEVER, with_lists=True)
    yield f"ordinary talk marked by the lists alone: {by_lists}"
    sums: Found = {}
    for left_out in AUTHORS:
        model = train([*common(), *authors_but(left_out)], calm, MARKED, "en")
        for key, rate in found_by(words, model, sentences(left_out), calm).items():
            before = sums.get(key, Rate(0, 0))
            sums[key] = Rate(before.found + rate.found, before.of + rate.of)
            if key[1:] == (ANYTHING, BOTH):
                yield f"{left_out}: {rate} at {key[0]:.1%}"
    yield from table(sums)


def costs(model: TextModel) -> Iterator[str]:
    """Say what it costs to read a text."""
    texts = [each.text for each in everything()]
    taken = milliseconds(model, texts)
    yield f"ms of CPU a text: p50 {taken[len(taken) // 2]:.3f}, p99 {taken[len(taken) * 99 // 100]:.3f}"
    long = milliseconds(model, [(" ".join(texts[at : at + 60]))[:2000] for at in range(0, 1200, 60)])
    yield f"of 2,000 characters: p50 {long[len(long) // 2]:.2f}, longest {long[-1]:.2f}"


def found_on(model: TextModel, path: Path) -> Found:
    """Return what a model finds of a file of labelled sentences."""
    return found_by(load(), model, [*examples_of(path.read_text(encoding="utf-8"))], ordinary())


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.help_model")
    parser.add_argument("--leave-one-out", action="store_true")
    parser.add_argument("--cost", action="store_true")
    parser.add_argument("--on", type=Path)
    parser.add_argument("--output", type=Path, default=SHIPPED)
    given = parser.parse_args()
    if given.leave_one_out:
        for line in leave_one_out(load()):
            print(line, flush=True)
        return
    if given.cost or given.on:
        shipped = load_model(given.output)
        assert shipped is not None
        print(*(costs(shipped) if given.cost else table(found_on(shipped, given.on))), sep="\n")
        return
    model = train(everything(), ordinary(), MARKED, "en")
    given.output.write_bytes(model.dump())
    if given.output == SHIPPED:
        SHIPPED_SENTENCES.write_bytes(dump_sentences(shipped_sentences()))
    print(f"{given.output}: {given.output.stat().st_size} bytes, thresholds {model.head.thresholds}")


if __name__ == "__main__":
    main()
