"""Chat servers that start quickly: forks of one process that has imported everything and read the word lists already.

That takes nearly three seconds of processor time, and the tests start hundreds of servers. A fork runs the same
command line as `python -m chatserver` would, in a session, directory and environment of its own. Starting without a
fork is tested in `tests/test_cli.py`, `tests/test_scripts.py` and `tests/test_supervising.py`.

The fork server is a separate program (`python -m tests.kit.forks`), because the tests' process has threads. It reads
one JSON request per line from its standard input and answers each with one line.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import json
import os
import runpy
import signal
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

_POLL_SECONDS: Final = 0.01
_ROOT: Final = Path(__file__).resolve().parents[2]
_asking: Final = threading.Lock()


class Fork:
    """A forked process, with the parts of `subprocess.Popen` that the tests use."""

    def __init__(
        self,
        module: Sequence[str],
        files: tuple[Path, Path, Path],
        env: Mapping[str, str],
        cwd: Path,
        *,
        hashes_quickly: bool = True,
    ) -> None:
        """`module` is what would follow `python -m`: a module's name and its arguments. `files` are its standard input,
        the file to which its output is appended, and the one for its errors. If it `hashes_quickly`, hashing a password
        takes a millisecond instead of a quarter of a second."""
        self.args = module
        self.returncode: int | None = None
        request = {
            "module": [*module],
            "files": [str(file) for file in files],
            "env": dict(env),
            "cwd": str(cwd),
            "hashes_quickly": hashes_quickly,
        }
        self.pid: int = _ask(request)

    def poll(self) -> int | None:
        """Return the exit code, or None while it runs; the negative number of a signal that ended it."""
        if self.returncode is None:
            self.returncode = _ask({"poll": self.pid})
        return self.returncode

    def wait(self, timeout: float) -> int:
        """Return the exit code once it has ended. Raises subprocess.TimeoutExpired."""
        deadline = time.monotonic() + timeout
        while (code := self.poll()) is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(self.args, timeout)
            time.sleep(_POLL_SECONDS)
        return code


def run(
    module: Sequence[str | Path],
    said: str | bytes = "",
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path = _ROOT,
    timeout: float = 55,
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, as `subprocess.run` does. `module` is what would follow `python -m`; `said` is its
    standard input."""
    parts = [str(part) for part in module]
    with tempfile.TemporaryDirectory() as directory:
        told, printed, errors = (Path(directory, name) for name in ("said", "printed", "errors"))
        told.write_bytes(said if isinstance(said, bytes) else said.encode())
        running = Fork(parts, (told, printed, errors), os.environ if env is None else env, cwd)
        try:
            code = running.wait(timeout)
        except subprocess.TimeoutExpired:
            os.killpg(running.pid, signal.SIGKILL)
            running.wait(timeout)
            raise
        return subprocess.CompletedProcess(parts, code, printed.read_text(), errors.read_text())


@functools.cache
def _server() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", __name__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=_ROOT,
        start_new_session=True,
    )


def _ask(request: Mapping[str, object]) -> Any:
    with _asking:
        server = _server()
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdin.write(json.dumps(request).encode() + b"\n")
        server.stdin.flush()
        line = server.stdout.readline()
    if not line:
        raise RuntimeError(f"the fork server ended with {server.wait()}")
    return json.loads(line)


def _serve() -> None:
    """Answer requests until standard input ends; then end the forks that still run."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    running: set[int] = set()
    for line in sys.stdin.buffer:
        request = json.loads(line)
        if "poll" in request:
            pid, status = os.waitpid(request["poll"], os.WNOHANG)
            running.discard(pid)
            answer = os.waitstatus_to_exitcode(status) if pid else None
        else:
            answer = os.fork()
            if answer == 0:
                _run(request)
            running.add(answer)
        sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n")
        sys.stdout.buffer.flush()
    for pid in running:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)


def _run(request: Mapping[str, Any]) -> None:
    """Run a fork. It ends like any program: by an exception, or when nothing is left to do."""
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    read, *written = request["files"]
    opened = [os.open(read, os.O_RDONLY), *(os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT) for file in written)]
    for number, there in enumerate(opened):
        os.dup2(there, number)
        os.close(there)
    # The old buffer contains what the fork server was sent.
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 - it stands for what the process has as long as it runs
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    if request["hashes_quickly"]:
        # A kept hash names its own cost, so either kind of server can check the other's hashes.
        from chatserver.handlers.people import password_hashing

        password_hashing.TIME_COST = 1  # type: ignore[misc]
        password_hashing.MEMORY_KIB = 64  # type: ignore[misc]
    name, *arguments = request["module"]
    sys.argv = [name, *arguments]
    runpy.run_module(name, run_name="__main__", alter_sys=True)
    sys.exit()


if __name__ == "__main__":
    # As PYTHONWARNINGS says for processes that are not forked.
    warnings.simplefilter("default")
    import chatserver.cli
    import chatserver.edge.http_protocol
    import chatserver.edge.websocket_protocol
    import chatserver.server
    import chatserver.store.drivers.migrate  # noqa: F401
    from chatserver import wordlists
    from chatserver.domain.people import names
    from chatserver.edge import static
    from chatserver.webroot import web_root

    # Each server would make the same tables anew, and pack the same files of the page.
    names.warm_up()
    wordlists.load()
    static._read = functools.cache(static._read)
    static._read(web_root())
    gc.freeze()
    _serve()
