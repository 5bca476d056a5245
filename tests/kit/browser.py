"""A real Chromium that can connect only to the server under test."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from playwright.async_api import Browser, async_playwright
from playwright.sync_api import sync_playwright

from tests.kit.process import PartMissing

_NAMES: Final = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
"""The headless shell first: it is the same engine without a window's own pages, and a context costs a third less."""
_FEATURES_OFF: Final = (
    # Web pages of the browser's own window: nobody sees them, and they took more time than ours.
    "WebUIReloadButton", "WebUIOmniboxPopup", "WebUIOmniboxAimPopup",
    # What Playwright disables, because a browser uses only the last such list.
    "AimEnabled", "AvoidCorsURLLoaderRestartOnRedirect", "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose", "HttpsFirstBalancedModeAutoEnable", "HttpsUpgrades", "LensOverlay", "MediaRouter",
    "NetworkTimeServiceQuerying", "OptimizationHints", "PaintHolding", "PreconnectToSearch",
    "TcpPortRandomizationWin", "ThirdPartyStoragePartitioning",
)  # fmt: skip
_ARGUMENTS: Final = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--disable-domain-reliability",
    "--disable-features=" + ",".join(_FEATURES_OFF),
    "--disable-gpu",
    "--disable-sync",
    # No test reaches the network.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
    "--no-first-run",
    "--no-pings",
    "--metrics-recording-only",
)


def browser_path() -> Path:
    """Return the path of the browser: the one that TEST_BROWSER names, else the system's, else Playwright's.

    Raises PartMissing if there is none.
    """
    named = os.environ.get("TEST_BROWSER")
    for name in _NAMES if named is None else (named,):
        found = shutil.which(name)
        if found is not None:
            return Path(found)
    with sync_playwright() as playwright:
        own = Path(playwright.chromium.executable_path)
    if own.exists():
        return own
    raise PartMissing("no browser: install Chromium, or run `python -m playwright install chromium`")


def browser_arguments() -> list[str]:
    # Chromium's sandbox refuses root.
    return [*_ARGUMENTS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]


@contextlib.asynccontextmanager
async def open_browser(path: Path) -> AsyncIterator[Browser]:
    """Yield a headless browser for the asynchronous API, on the running loop."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=browser_arguments())
        try:
            yield browser
        finally:
            await browser.close()


if __name__ == "__main__":
    try:
        print(browser_path())
    except PartMissing as missing:
        sys.exit(str(missing))
