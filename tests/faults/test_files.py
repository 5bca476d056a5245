"""A server that was started where a process may open few files."""

from __future__ import annotations

import resource

import psutil

from tests.kit.server import ChatServer


def test_a_worker_asks_for_as_many_files_as_it_may_have_sockets() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    server = ChatServer(config={"limits": {"connections_per_worker": 1_000}}, is_forked=False)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    try:
        with server:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            (pid,) = server.worker_pids()
            assert psutil.Process(pid).rlimit(psutil.RLIMIT_NOFILE) == (2_024, hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
