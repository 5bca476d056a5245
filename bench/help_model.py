"""Makes the model of `chatserver/words/en/help.model` from the sentences of the repository, and measures it.

python -m bench.help_model                  writes the file: the same sentences make the same weights
python -m bench.help_model --leave-one-out  trains without one author at a time, and says what is found of theirs
python -m bench.help_model --cost           measures milliseconds of each text
python -m bench.help_model --on FILE        says what the file finds of other labelled sentences
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from time import process_time_ns
from typing import Final

import msgspec

from chatserver.domain.moderation.crisis_phrases import ESCALATED, Words
from chatserver.domain.moderation.model_training import Example, examples_of, hash_of, train
from chatserver.domain.moderation.screening_figures import BASE_RATES, Heard, Rate, marked, precision, score_at_load
from chatserver.domain.moderation.text_model import TextModel
from chatserver.text_model import SHIPPED, load_model
from chatserver.wordlists import load

_TESTS: Final = Path(__file__).parents[1] / "tests" / "domain"
SENTENCES: Final = _TESTS / "help_sentences"
AUTHORS: Final = tuple(sorted(path.name for path in SENTENCES.glob("author-*.txt")))
MARKED: Final = (50, 15)
"""Of 1,000 ordinary texts, how many reach level 1 and level 2 with the thresholds of the file."""
ORDINARY_WEIGHT: Final = 3.0
"""How much ordinary talk counts against other sentences: there is far more of it than was written here."""
ANYTHING: Final = "anything"
URGENT: Final = "urgent"
NOTHING: Final = "- (must not ring)"
LISTS: Final = "lists"
MODEL: Final = "model"
BOTH: Final = "lists or model"
_NEVER: Final = float("inf")
LOADS: Final = (0.010, 0.015, 0.024, 0.050)


def sentences(name: str) -> list[Example]:
    """Return the sentences of one author of `help_sentences`."""
    return [*examples_of((SENTENCES / name).read_text(encoding="utf-8"))]


def common() -> list[Example]:
    """Return what is always trained on: ordinary talk, and the sentences that the word lists were made with."""
    built = (_TESTS / "crisis_sentences" / "built.txt").read_text(encoding="utf-8")
    calm = [msgspec.structs.replace(each, weight=ORDINARY_WEIGHT) for each in sentences("ordinary.txt")]
    return [*calm, *examples_of(built)]


def everything() -> list[Example]:
    """Return all sentences that the shipped model is trained on."""
    return [*common(), *(each for name in AUTHORS for each in sentences(name))]


def ordinary() -> list[str]:
    """Return the ordinary talk that is only measured on."""
    return [each.text for each in sentences("load.txt")]


def is_current(model: TextModel) -> bool:
    """Return whether a model was made from the sentences that are here."""
    return model.head.inputs == hash_of(everything())


def heard(words: Words, model: TextModel, text: str) -> Heard:
    """Return how a text is judged."""
    return Heard(_is_marked(words, text), model.read(text).score)


def _is_marked(words: Words, text: str) -> bool:
    return any(signal.level >= ESCALATED for signal in words.screen(text))


def leave_one_out(words: Words) -> Iterator[str]:
    """Say what is found of each author's sentences by a model that has seen nothing of theirs."""
    calm = ordinary()
    by_lists = marked([Heard(_is_marked(words, text), 0.0) for text in calm], _NEVER, with_lists=True)
    yield f"ordinary talk marked by the lists alone: {by_lists}"
    sums: dict[tuple[float, str, str], Rate] = {}
    for left_out in AUTHORS:
        seen = [*common(), *(each for name in AUTHORS if name != left_out for each in sentences(name))]
        model = train(seen, calm, MARKED, "en")
        for key, rate in found_by(words, model, sentences(left_out), calm).items():
            before = sums.get(key, Rate(0, 0))
            sums[key] = Rate(before.found + rate.found, before.of + rate.of)
            if key[1:] == (ANYTHING, BOTH):
                yield f"{left_out}: {rate} at {key[0]:.1%}"
    yield from table(sums)


def found_by(
    words: Words, model: TextModel, own: Sequence[Example], calm: Sequence[str]
) -> dict[tuple[float, str, str], Rate]:
    """Return what is found of sentences, by load, by what they mean, and by what finds it."""
    on_calm = [heard(words, model, text) for text in calm]
    groups: dict[str, list[Heard]] = {ANYTHING: [], URGENT: []}
    for example in own:
        each = heard(words, model, example.text)
        names = [NOTHING] if example.category is None else [ANYTHING, example.category.value]
        for name in [*names, *([URGENT] if example.is_urgent else [])]:
            groups.setdefault(name, []).append(each)
    found = {}
    for load_ in LOADS:
        alone = score_at_load(on_calm, load_, with_lists=False)
        both = score_at_load(on_calm, load_, with_lists=True)
        for name, some in groups.items():
            found[(load_, name, LISTS)] = marked(some, _NEVER, with_lists=True)
            found[(load_, name, MODEL)] = marked(some, alone, with_lists=False)
            found[(load_, name, BOTH)] = marked(some, both, with_lists=True)
    return found


def table(found: Mapping[tuple[float, str, str], Rate]) -> Iterator[str]:
    """Say what was found, with its intervals, and the precision that follows."""
    for load_ in LOADS:
        yield f"at {load_:.1%} of ordinary talk ({LISTS} | {MODEL} | {BOTH}):"
        for name in dict.fromkeys(key[1] for key in found):
            yield f"  {name:<20}" + " | ".join(str(found[(load_, name, row)]) for row in (LISTS, MODEL, BOTH))
        recall = found[(load_, ANYTHING, BOTH)].value
        rates = ", ".join(f"{precision(recall, load_, base):.2f} at {base:.0%}" for base in BASE_RATES)
        yield f"  precision of both, by the share of posts that need a human: {rates}"


def milliseconds(model: TextModel, texts: Sequence[str]) -> list[float]:
    """Return the CPU time of each text, sorted."""
    taken = []
    for text in texts:
        began = process_time_ns()
        model.read(text)
        taken.append((process_time_ns() - began) / 1e6)
    return sorted(taken)


def costs(model: TextModel) -> Iterator[str]:
    """Say what it costs to read a text."""
    texts = [each.text for each in everything()]
    taken = milliseconds(model, texts)
    yield f"ms of CPU a text: p50 {taken[len(taken) // 2]:.3f}, p99 {taken[len(taken) * 99 // 100]:.3f}"
    long = milliseconds(model, [(" ".join(texts[at : at + 60]))[:2000] for at in range(0, 1200, 60)])
    yield f"of 2,000 characters: p50 {long[len(long) // 2]:.2f}, longest {long[-1]:.2f}"


def found_on(model: TextModel, path: Path) -> dict[tuple[float, str, str], Rate]:
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
    print(f"{given.output}: {given.output.stat().st_size} bytes, thresholds {model.head.thresholds}")


if __name__ == "__main__":
    main()
