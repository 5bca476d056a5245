"""What the commands of operators work with."""

from __future__ import annotations

from dataclasses import dataclass, field

from chatserver.handlers.node import Node
from chatserver.handlers.operating.load import LoadMonitor
from chatserver.handlers.operating.split_plans import SplitPlans
from chatserver.handlers.rooms.admission import RoomAdmission


@dataclass(frozen=True, slots=True)
class Operations:
    """The rooms and workers of a service, as an operator sees them from one worker."""

    node: Node
    admission: RoomAdmission
    load: LoadMonitor
    plans: SplitPlans = field(default_factory=SplitPlans)
    """Of splits, as operators were shown them."""
