"""A channel's history: its numbering, a reader's position in it, and whether a return is exact or a gap.

Pure. Offsets are gapless within an epoch: publication n+1 follows publication n, or something was missed.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NewType

import msgspec

from chatserver.domain.errors import Reason, Refusal

ChannelName = NewType("ChannelName", str)
"""A delivery address, `kind:name`, for instance `room:sleep`."""
Epoch = NewType("Epoch", str)
"""Names one unbroken numbering of a channel. It changes only when the numbering begins anew."""
Offset = NewType("Offset", int)
"""The place of a publication in its channel, from 1. 0 is before everything."""
CommandId = NewType("CommandId", str)
"""The client's own id of a command, unique per author; the key that makes sending again safe."""
Millis = NewType("Millis", int)
"""Milliseconds since 1970-01-01T00:00:00Z."""


RENEWED: Final = "~"
"""The first character of an epoch that is not its channel's first. No first epoch begins with it."""


class StreamPosition(msgspec.Struct, frozen=True):
    """A reader's position: everything up to and including `offset` of `epoch` has been seen."""

    epoch: Epoch
    offset: Offset


class Head(msgspec.Struct, frozen=True):
    """The content of a channel's log: offsets `first`..`last`. An empty log has `first == last + 1`."""

    epoch: Epoch
    first: Offset
    last: Offset

    @property
    def position(self) -> StreamPosition:
        return StreamPosition(self.epoch, self.last)


class HighWater(msgspec.Struct, frozen=True):
    """How far a database has come: numbers that only grow, so that an older copy of it is recognised."""

    facts: int
    """How many publications all rooms have had together, except sessions' rooms, which are removed."""
    floor: int
    """The version of the listening state."""

    def is_behind(self, other: HighWater) -> bool:
        """Return whether this is an earlier state than one that was seen."""
        return self.facts < other.facts or self.floor < other.floor


class Return(StrEnum):
    """How a returning reader can be served."""

    EXACT = "exact"
    """Everything that was missed is in the log."""
    EXPIRED = "expired"
    """Part of what was missed has expired: an explicit gap."""
    FOREIGN = "foreign"
    """The position belongs to another epoch, or is ahead of the log (a restored backup): an explicit gap."""


def require_epoch(told: Epoch | None, epoch: Epoch) -> None:
    """Check that an offset was read in the channel's present numbering, whose epoch is `epoch`.

    `told` is the epoch that came with the offset. None is accepted as long as the channel has had one numbering only:
    then nothing else can be meant. Raises EPOCH_STALE.
    """
    if told != epoch and (told is not None or epoch.startswith(RENEWED)):
        raise Refusal(Reason.EPOCH_STALE)


def assess_return(position: StreamPosition, head: Head) -> Return:
    """Return whether everything after `position` can be replayed from a log that holds `head`."""
    if position.epoch != head.epoch or position.offset > head.last or position.offset < 0:
        return Return.FOREIGN
    if position.offset + 1 < head.first:
        return Return.EXPIRED
    return Return.EXACT
