"""`chatserver screening learn`: a model that has learnt from what moderators of this server closed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from chatserver.cli_output import fail
from chatserver.domain.moderation.local_training import (
    FEWEST_CASES,
    ClosedCase,
    Sentences,
    changes,
    changes_here,
    faults,
    figures,
    lesson_of,
    said_of,
)
from chatserver.domain.moderation.model_training import train
from chatserver.domain.moderation.screening_figures import MARKED
from chatserver.domain.moderation.text_model import TextModel
from chatserver.text_model import load_model, load_sentences, save_own
from chatserver.wordlists import load


def learn_from(cases: Sequence[ClosedCase], data_dir: Path, *, is_trial: bool) -> Iterator[str]:
    """Do as `learn` does, with what is shipped."""
    shipped = load_model()
    if shipped is None:
        fail(1, "the shipped model cannot be used; the log line above says why")
    return learn(cases, load_sentences(), shipped, data_dir, is_trial=is_trial)


def learn(
    cases: Sequence[ClosedCase], sentences: Sentences, shipped: TextModel, data_dir: Path, *, is_trial: bool = False
) -> Iterator[str]:
    """Train on closed cases together with the shipped sentences, and write the model unless it is worse than the
    shipped one, or this is a trial. Give what to tell, line by line; fail with one line where nothing is written."""
    lesson = lesson_of(cases)
    if len(lesson.examples) < FEWEST_CASES:
        fail(1, f"there are {len(lesson.examples)} closed cases to learn from, and it takes {FEWEST_CASES}")
    yield from said_of(lesson)
    yield "Training. It takes a minute or two."
    new = train([*sentences.examples, *lesson.examples], sentences.ordinary, MARKED, "en", base=shipped.head.inputs)
    words = load()
    before, after = figures(words, shipped, sentences), figures(words, new, sentences)
    yield from changes(before, after)
    yield from changes_here(lesson, shipped, new)
    wrong = faults(before, after)
    if wrong:
        fail(1, f"the new model is not good enough, and nothing has changed: {'; '.join(wrong)}")
    if is_trial:
        yield "Nothing was written."
        return
    try:
        path = save_own(data_dir, new)
    except OSError as error:
        fail(1, f"cannot write the model into {data_dir}: {error.strerror}")
    yield f"Written to {path}. Each server process takes it up when it starts; SIGHUP replaces them one by one."
    yield "To go back to the shipped model, remove that file."
