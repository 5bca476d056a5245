"""Free TCP ports on the loopback interface."""

from __future__ import annotations

import random
import socket
from typing import Final

HOST: Final = "127.0.0.1"

# Below the range from which Linux takes outgoing ports, so that no client socket can take one between here and a
# server's bind.
_LOWEST: Final = 18_000
_HIGHEST: Final = 32_000

_given: set[int] = set()
# Random, so that another process that asks at the same moment tries other ports.
_random = random.Random()


def free_port() -> int:
    """Return a port on which nothing listens now, and which this process has not returned before."""
    for _ in range(1_000):
        port = _random.randrange(_LOWEST, _HIGHEST)
        if port not in _given and is_free(port):
            _given.add(port)
            return port
    raise RuntimeError(f"no free port between {_LOWEST} and {_HIGHEST}")


def is_free(port: int) -> bool:
    """Return whether a server could listen on `port` now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True
