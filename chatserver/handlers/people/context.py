"""What the commands of members and staff about themselves work with."""

from __future__ import annotations

from dataclasses import dataclass

from chatserver.handlers.node import Node
from chatserver.handlers.people.arrivals import Arrivals
from chatserver.handlers.people.identity import Identities
from chatserver.handlers.people.staff import StaffAccounts


@dataclass(frozen=True, slots=True)
class People:
    """Members and staff, as one worker knows them."""

    node: Node
    identities: Identities
    accounts: StaffAccounts
    arrivals: Arrivals
