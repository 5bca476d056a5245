"""`chatserver screening`: what the word lists and the model find of sentences in a file."""

from __future__ import annotations

from pathlib import Path

import click

from chatserver.cli_output import fail
from chatserver.domain.moderation.crisis_phrases import BadPhrase
from chatserver.domain.moderation.model_training import BadLine, Example, examples_of
from chatserver.domain.moderation.screening_figures import found_by, table
from chatserver.text_model import load_model
from chatserver.wordlists import load

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def screening() -> None:
    """Measure what screening finds."""


@screening.command()
@click.argument("file", type=_FILE)
@click.option("--ordinary", type=_FILE, help="Ordinary talk, by which the load is measured. The lines of FILE with -.")
@click.option("--words-dir", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Your word lists.")
def evaluate(file: Path, ordinary: Path | None, words_dir: Path | None) -> None:
    """Say what is found of the sentences in FILE.

    It has one on each line: `category: text`, `category!: text` where a human should look within minutes, `-: text`
    where nothing must be raised. Recall is stated with its interval of 95 %, at several shares of ordinary talk that is
    marked for it, and precision by the share of posts that need a human."""
    own = _read(file)
    calm = [each.text for each in (own if ordinary is None else _read(ordinary)) if each.category is None]
    model = load_model()
    if not calm:
        fail(1, f"{file if ordinary is None else ordinary}: there is no ordinary talk, which begins with `-: `")
    if model is None:
        fail(1, "the model cannot be used; the log line above says why")
    try:
        words = load(words_dir)
    except BadPhrase as error:
        fail(1, error)
    for line in table(found_by(words, model, own, calm)):
        click.echo(line)


def _read(file: Path) -> list[Example]:
    try:
        return [*examples_of(file.read_text(encoding="utf-8"))]
    except (BadLine, UnicodeDecodeError, OSError) as error:
        fail(1, f"{file}: {error}")
