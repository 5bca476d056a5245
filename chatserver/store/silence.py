"""A database that hangs is waited for once, and found again by asking."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from chatserver.domain.errors import Refusal
from chatserver.store.backlog import NoAnswer
from chatserver.store.contract import StoreUnavailable

_ASK_AGAIN_SECONDS: Final = 0.1
_PATIENCE_SECONDS: Final = 0.25

log = logging.getLogger("chatserver.store")


class Silence:
    """Whether the database left somebody without an answer, and has given none since.

    Commands of one connection are carried out one after another: if each waited its whole time for a database that
    hangs, the tenth would be refused after ten times that. So while it is silent everybody is refused at once, and one
    question of ours, asked over and over, finds out when it speaks again.

    `ask` raises NoAnswer where it got none. Anything else that comes of it is an answer, and be it an error: who is
    told no at once need not be kept from asking. `of_what` is what may be silent while something else is not: a word
    for the log.
    """

    def __init__(self, of_what: str, ask: Callable[[], Awaitable[object]]) -> None:
        self._of_what = of_what
        self._ask = ask
        self._asking: asyncio.Task[None] | None = None
        self._began_at = 0.0

    @property
    def is_on(self) -> bool:
        """Whether `check` has to be asked."""
        return self._asking is not None

    async def check(self) -> None:
        """Raise StoreUnavailable while it is silent. Only at first this waits a moment: perhaps it was one long job."""
        asking = self._asking
        if asking is None:
            return
        patience = self._began_at + _PATIENCE_SECONDS - asyncio.get_running_loop().time()
        if patience > 0:
            await asyncio.wait({asking}, timeout=patience)
        if not asking.done():
            raise StoreUnavailable("it has not answered for a while")

    def begin(self) -> None:
        """Somebody had no answer."""
        if self._asking is None:
            self._began_at = asyncio.get_running_loop().time()
            self._asking = asyncio.create_task(self._until_it_answers(), name=f"store-silence {self._of_what}")

    async def close(self) -> None:
        """Ask no more. The `ask` of a store that is closed has its answer at once, so that none begins after this."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)

    async def _until_it_answers(self) -> None:
        log.warning("store_silent", extra={"of": self._of_what})
        answer = "it is closed"
        try:
            answer = await self._answer()
        finally:
            self._asking = None
            seconds = asyncio.get_running_loop().time() - self._began_at
            log.warning("store_silence_over", extra={"of": self._of_what, "after": round(seconds, 3), "answer": answer})

    async def _answer(self) -> str:
        while True:
            try:
                await self._ask()
            except (NoAnswer, Refusal):
                # A refusal: it has not even room for the question.
                await asyncio.sleep(_ASK_AGAIN_SECONDS)
            except StoreUnavailable as trouble:
                return str(trouble)
            except Exception as error:  # noqa: BLE001 (a task's boundary; whoever asks next meets the same)
                return type(error).__name__
            else:
                return "ok"
