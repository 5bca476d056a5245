"""What the commands of operators work with."""

from __future__ import annotations

from dataclasses import dataclass, field

from chatserver.domain.moderation.screening_curve import Curve
from chatserver.handlers.node import Node
from chatserver.handlers.operating.load import LoadMonitor
from chatserver.handlers.operating.split_plans import SplitPlans
from chatserver.handlers.rooms.admission import RoomAdmission
from chatserver.handlers.rooms.model_levels import ModelLevels


@dataclass(frozen=True, slots=True)
class Operations:
    """The rooms and workers of a service, as an operator sees them from one worker."""

    node: Node
    admission: RoomAdmission
    load: LoadMonitor
    levels: ModelLevels | None = None
    """Those of the model on this worker; None without one."""
    curve: Curve | None = None
    """What the model finds of test sentences, if it is known."""
    is_second_look_wanted: bool = True
    """Whether the configuration wants a model to read along."""
    plans: SplitPlans = field(default_factory=SplitPlans)
    """Of splits, as operators were shown them."""
