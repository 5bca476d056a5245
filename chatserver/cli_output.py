"""Output of the command line: warnings, the reason why it fails, and documents."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

import click

from chatserver.config import Settings, quoted_variables
from chatserver.logwriter import STANDARD_ERROR, say


def fail(code: int, problem: object) -> NoReturn:
    say(f"chatserver: {' '.join(str(problem).split())}", STANDARD_ERROR)
    sys.exit(code)


def warn(settings: Settings) -> None:
    for warning in [*settings.warnings, *quoted_variables()]:
        say(f"chatserver: warning: {warning}", STANDARD_ERROR)


def write_document(document: Mapping[str, object], output: Path | None) -> None:
    write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", output)


def write_text(text: str, output: Path | None) -> None:
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        output.write_text(text, "utf-8")
    except OSError as error:
        fail(1, f"cannot write {output}: {error.strerror}")
