"""What commands say and read: warnings, the reason why one fails, documents, and a password."""

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


def password_line() -> str:
    """Return the first line of standard input, without the byte order mark and line end that an editor on Windows adds.

    Fails if it is not UTF-8, because a password that is read wrongly would never be accepted again.
    """
    line = sys.stdin.buffer.readline()
    try:
        # UTF-16 without a mark is UTF-8 as well, with a zero in every second place.
        password = None if b"\0" in line else line.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError:
        password = None
    if password is None:
        fail(2, "the password is not written in UTF-8; save the file as UTF-8 and try again")
    return password
