"""The location of the web client: inside the installed package, or beside it in a checkout."""

from __future__ import annotations

from pathlib import Path


def web_root() -> Path:
    """Return the folder with `index.html`. Raises FileNotFoundError if there is none."""
    package = Path(__file__).resolve().parent
    for folder in (package / "web", package.parent / "web"):
        if (folder / "index.html").is_file():
            return folder
    raise FileNotFoundError("the web client is missing from this installation")
