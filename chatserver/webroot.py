"""Where the web client lies: inside the installed package, or beside it in a checkout."""

from __future__ import annotations

from pathlib import Path


def web_root() -> Path:
    """The folder that holds `index.html`. Raises FileNotFoundError where there is none."""
    package = Path(__file__).resolve().parent
    for folder in (package / "web", package.parent / "web"):
        if (folder / "index.html").is_file():
            return folder
    raise FileNotFoundError("the web client is missing from this installation")
