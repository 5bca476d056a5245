"""`python -m chatserver`, the same as the command `chatserver`."""

from __future__ import annotations

from chatserver.cli import main

if __name__ == "__main__":
    main()
