"""What a handler returns: the reply, and what happens once it has been written."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from chatserver.protocol.messages import AnyOk


class Answer(Struct, frozen=True):
    """A reply, and `then`, which is called right after the reply was written, with nothing in between. It never waits
    or raises.

    So an author has the acknowledgement before the publication, and a joiner has the history before what is live.
    """

    ok: AnyOk
    then: Callable[[], object] | None = None
