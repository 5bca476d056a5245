"""Forked workers: what they hold, how they end, and what their parent learns of it."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from chatserver.forking import can_fork

pytestmark = pytest.mark.skipif(not can_fork(), reason="this system does not fork safely")


def run(body: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a program of its own: the tests' process has threads, and a supervisor has none that matter."""
    program = "import os, signal, sys, time\nfrom chatserver.forking import Fork\n" + textwrap.dedent(body)
    return subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, timeout=30, check=False
    )


def test_a_fork_holds_no_file_that_it_was_not_given(tmp_path: Path) -> None:
    """A lock of the parent's ends with the parent, while the fork lives on and writes to what it was given."""
    lock, given = tmp_path / "lock", tmp_path / "given"
    done = run(
        """
        import fcntl
        lock = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
        fcntl.flock(lock, fcntl.LOCK_EX)
        given = os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT)

        def write_and_stay():
            # The number of the lock is still taken, so that nothing new gets it and is closed for it.
            os.fstat(lock)
            os.write(given, b"here")
            # Or whoever reads what the parent says would wait for this one.
            os.close(1), os.close(2)
            signal.pause()

        print(Fork(write_and_stay, [given]).pid)
        while os.path.getsize(sys.argv[2]) == 0:
            time.sleep(0.01)
        """,
        lock,
        given,
    )
    assert done.returncode == 0, done.stderr
    pid = int(done.stdout)
    try:
        with lock.open() as ours:
            fcntl.flock(ours, fcntl.LOCK_EX | fcntl.LOCK_NB)
        assert given.read_text() == "here"
        os.kill(pid, 0)
    finally:
        os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize(
    ("work", "code", "said"),
    [
        ("lambda: None", 0, ""),
        ("lambda: sys.exit(3)", 3, ""),
        ("lambda: sys.exit('no')", 1, ""),
        ("lambda: 1 / 0", 1, "ZeroDivisionError"),
        ("lambda: os.kill(os.getpid(), signal.SIGTERM)", -signal.SIGTERM, ""),
        ("lambda: os.kill(os.getpid(), signal.SIGHUP)", 0, ""),
    ],
)
def test_the_parent_learns_how_a_fork_ended(work: str, code: int, said: str) -> None:
    done = run(
        f"""
        from multiprocessing.connection import wait
        # A parent takes these itself.
        signal.signal(signal.SIGTERM, lambda *_: None)
        fork = Fork({work}, [])
        assert wait([fork.sentinel], 20) == [fork.sentinel]
        assert not fork.is_alive()
        fork.terminate()
        fork.join()
        fork.close()
        print(fork.exitcode)
        """
    )
    assert (done.returncode, done.stdout) == (0, f"{code}\n"), done.stderr
    assert said in done.stderr


def test_a_fork_is_ended_by_its_parent() -> None:
    done = run(
        """
        fork = Fork(signal.pause, [])
        assert fork.is_alive()
        fork.terminate()
        fork.join()
        print(fork.exitcode)
        """
    )
    assert (done.returncode, done.stdout) == (0, f"{-signal.SIGTERM}\n"), done.stderr
