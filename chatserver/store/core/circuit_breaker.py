"""A circuit breaker: a database that hangs is waited for once, and a probe finds out when it answers again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from chatserver.domain.errors import Refusal
from chatserver.store.records import StoreUnavailable

_ASK_AGAIN_SECONDS: Final = 0.1
_PATIENCE_SECONDS: Final = 0.25
_QUICK_SHARE: Final = 0.2
"""A call that is refused before this share of its timeout does not open the breaker: trying again may succeed."""

log = logging.getLogger("chatserver.store")


class CircuitBreaker:
    """Refuses calls at once after the database has left a caller without an answer, until it answers a probe.

    Commands of one connection are carried out one after another: if each waited the whole timeout for a database that
    hangs, the tenth would be refused after ten timeouts. So while the breaker is open everybody is refused at once, and
    one probe, `ask`, is repeated until it is answered. A quick refusal counts as an answer; one that takes seconds, as
    from a machine that cannot be reached, does not.

    `timeout` is a call's timeout in seconds; `of_what` is a word for the log.
    """

    def __init__(self, of_what: str, ask: Callable[[], Awaitable[object]], timeout: float) -> None:
        self._of_what = of_what
        self._ask = ask
        self._quick = timeout * _QUICK_SHARE
        self._asking: asyncio.Task[None] | None = None
        self._began_at = 0.0

    @property
    def is_on(self) -> bool:
        """Return whether `check` has to be called."""
        return self._asking is not None

    async def check(self) -> None:
        """Raise StoreUnavailable while the breaker is open. Just after it opened, wait a moment first, because the
        cause may be one long job."""
        asking = self._asking
        if asking is None:
            return
        patience = self._began_at + _PATIENCE_SECONDS - asyncio.get_running_loop().time()
        if patience > 0:
            await asyncio.wait({asking}, timeout=patience)
        if not asking.done():
            raise StoreUnavailable("it has not answered for a while")

    def refused(self, asked_at: float) -> None:
        """Note that a caller who asked at `asked_at`, by the loop's clock, was refused now."""
        now = asyncio.get_running_loop().time()
        if self._asking is None and now - asked_at > self._quick:
            self._began_at = now
            self._asking = asyncio.create_task(self._until_it_answers(), name=f"store-silence {self._of_what}")

    async def close(self) -> None:
        """Stop probing. The `ask` of a closed store is answered at once, so that no probe begins after this."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)

    async def _until_it_answers(self) -> None:
        log.warning("store_silent", extra={"of": self._of_what})
        answer = "not waited for any more"
        try:
            answer = await self._answer()
        finally:
            self._asking = None
            seconds = asyncio.get_running_loop().time() - self._began_at
            log.warning("store_silence_over", extra={"of": self._of_what, "after": round(seconds, 3), "answer": answer})

    async def _answer(self) -> str:
        clock = asyncio.get_running_loop().time
        while True:
            asked_at = clock()
            try:
                await self._ask()
            except StoreUnavailable as trouble:
                if clock() - asked_at <= self._quick:
                    return str(trouble)
            except Refusal:
                # The database has no room even for the probe.
                pass
            except Exception as error:  # noqa: BLE001 (a task's boundary; the next caller meets the same)
                return type(error).__name__
            else:
                return "ok"
            await asyncio.sleep(_ASK_AGAIN_SECONDS)
