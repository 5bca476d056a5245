"""`chatserver screening`: what the word lists and the model find of sentences in a file."""

from __future__ import annotations

from pathlib import Path
from time import process_time

import click

from chatserver.cli_output import fail
from chatserver.domain.moderation.crisis_phrases import BadPhrase
from chatserver.domain.moderation.model_training import BadLine, Example, examples_of
from chatserver.domain.moderation.screening_figures import found_by, table
from chatserver.text_model import SHIPPED, load_model, milliseconds
from chatserver.wordlists import load

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def screening() -> None:
    """Measure what screening finds."""


@screening.command()
@click.argument("file", type=_FILE)
@click.option("--ordinary", type=_FILE, help="Ordinary talk, by which the load is measured. The lines of FILE with -.")
@click.option("--model", "own", type=_FILE, help="Another model, such as `help.model` of your data directory.")
@click.option("--words-dir", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Your word lists.")
def evaluate(file: Path, ordinary: Path | None, own: Path | None, words_dir: Path | None) -> None:
    """Say what is found of the sentences in FILE.

    It has one on each line: `category: text`, `category!: text` where a human should look within minutes, `-: text`
    where nothing must be raised. Recall is stated with its interval of 95 %, at several shares of ordinary talk that is
    marked for it, and precision by the share of posts that need a human. At the end stands what the model
    costs here."""
    said = _read(file)
    calm = [each.text for each in (said if ordinary is None else _read(ordinary)) if each.category is None]
    began = process_time()
    model = load_model(SHIPPED if own is None else own)
    start_up = process_time() - began
    if not calm:
        fail(1, f"{file if ordinary is None else ordinary}: there is no ordinary talk, which begins with `-: `")
    if model is None:
        fail(1, "the model cannot be used; the log line above says why")
    try:
        words = load(words_dir)
    except BadPhrase as error:
        fail(1, error)
    for line in table(found_by(words, model, said, calm)):
        click.echo(line)
    taken = milliseconds(model, [*(each.text for each in said), *calm])
    p50, p99 = taken[len(taken) // 2], taken[len(taken) * 99 // 100]
    click.echo(
        f"a post takes {p50:.2f} ms of the processor (p50), {p99:.2f} (p99); the model {model.size / 1e6:.1f} MB in "
        f"each worker, and {1000 * start_up:.0f} ms at its start"
    )


def _read(file: Path) -> list[Example]:
    try:
        return [*examples_of(file.read_text(encoding="utf-8"))]
    except (BadLine, UnicodeDecodeError, OSError) as error:
        fail(1, f"{file}: {error}")
