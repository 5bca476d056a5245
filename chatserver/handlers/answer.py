"""What a handler gives back: the reply, and what happens once it has been written."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from chatserver.protocol.messages import AnyOk


class Answer(Struct, frozen=True):
    """`then` runs right after the reply was written, without anything in between; it never waits or raises.

    So an author has the acknowledgement before the publication, and a joiner the history before what is live.
    """

    ok: AnyOk
    then: Callable[[], object] | None = None
