"""The command `chatserver`, run as an operator runs it: one line for each mistake, and workers that are kept alive."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

import argon2
import httpx
import psutil
import pytest

from chatserver.config import load
from chatserver.serving import listen
from tests.faults.outliving import disks_can_be_made
from tests.kit import forks
from tests.kit.client import ChatClient
from tests.kit.ports import HOST
from tests.kit.postgres import PostgresServer
from tests.kit.process import obtain, wait_until
from tests.kit.redis import RedisServer
from tests.kit.server import ChatServer
from tests.kit.web import WebClient


def run(*arguments: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("CHATSERVER_")} | variables
    return forks.run(["chatserver", *arguments], env=environment)


def assert_one_line(result: subprocess.CompletedProcess[str], code: int, *words: str) -> None:
    assert result.returncode == code, result.stderr
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1, result.stderr
    assert result.stderr.startswith("chatserver: ")
    for word in words:
        assert word in result.stderr


def test_check_config_prints_what_is_in_effect_and_no_secret() -> None:
    result = run(
        "check-config",
        *("--redis-url", "redis://me:hunter2@localhost/0", "--workers", "3"),
        CHATSERVER_SECRET_KEY="k" * 40,
        CHATSERVER_LIMITS__NAME_LENGTH="12",
    )
    assert result.returncode == 0, result.stderr
    said = tomllib.loads(result.stdout)
    assert said["workers"] == 3
    assert said["redis_url"] == "redis://me:********@localhost/0"
    assert said["limits"]["name_length"] == 12
    assert "hunter2" not in result.stdout
    assert "k" * 40 not in result.stdout


def test_a_wrong_configuration_is_one_line_and_exit_code_2() -> None:
    assert_one_line(run("serve", "--workers", "4"), 2, "--workers", "redis_url")
    assert_one_line(run("check-config", CHATSERVER_PROT="1"), 2, "CHATSERVER_PROT", "did you mean CHATSERVER_PORT?")


def test_a_secret_that_others_may_read_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "secret.key").write_text("x" * 64)
    (tmp_path / "secret.key").chmod(0o644)
    assert_one_line(run("serve", "--data-dir", tmp_path, "--port", "0"), 2, "secret.key", "chmod 600")


def test_a_database_that_is_not_there_is_one_line_without_its_password(tmp_path: Path) -> None:
    result = run("migrate", "--data-dir", tmp_path, "--database-url", f"postgresql://me:hunter2@{HOST}:1/chat")
    assert_one_line(result, 1, "cannot use the database postgresql://me:********@")
    assert "hunter2" not in result.stderr


def test_a_port_in_use_is_one_line(tmp_path: Path) -> None:
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        result = run("serve", "--data-dir", tmp_path, "--port", str(port))
    assert_one_line(result, 1, f"port {port}", "in use", "--port")


@pytest.mark.skipif(not hasattr(socket, "TCP_NOTSENT_LOWAT"), reason="this system has no such option")
def test_kernel_takes_little_for_a_peer_that_reads_nothing() -> None:
    """Otherwise it takes megabytes for each, in nobody's memory, before the server's own bound counts."""
    with listen("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()) as peer:
        # The peer's half is not what is tested: without this it grows with what comes.
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        ours, _ = listener.accept()
        with ours:
            ours.setblocking(False)
            taken = 0
            with contextlib.suppress(BlockingIOError):
                while taken < 8 * 1024 * 1024:
                    taken += ours.send(bytes(65_536))
            assert taken < 512 * 1024


def test_a_configuration_in_another_encoding_is_one_line(tmp_path: Path) -> None:
    file = tmp_path / "chat.toml"
    for encoding in ("utf-16", "latin-1"):
        file.write_bytes('safety_contact = "Zoë"\n'.encode(encoding))
        assert_one_line(run("check-config", "--config", file), 2, "chat.toml", "UTF-8")


def test_a_secret_in_quotation_marks_is_warned_of_and_never_shown() -> None:
    quoted = run("check-config", CHATSERVER_SECRET_KEY='"' + "k" * 40 + '"')
    assert quoted.returncode == 0
    assert quoted.stderr.count("\n") == 1
    assert quoted.stderr.startswith("chatserver: warning: CHATSERVER_SECRET_KEY begins and ends with a quotation mark")
    assert "k" * 40 not in quoted.stdout + quoted.stderr
    assert run("check-config", CHATSERVER_SECRET_KEY="k" * 40 + '"').stderr == ""


@pytest.mark.skipif(not disks_can_be_made(), reason="no disk can be made here: that takes root, or user namespaces")
def test_a_secret_on_a_mount_that_is_really_read_only_is_taken(tmp_path: Path) -> None:
    """As swarm and others mount it: our own file, and readable by everybody."""
    script = (
        'mount -t tmpfs chat "$0" && echo '
        + "k" * 40
        + ' > "$0/secret" && chmod 444 "$0/secret" && mount -o remount,ro "$0" '
        '&& exec "$@"'
    )
    mounted = tmp_path / "secrets"
    mounted.mkdir()
    command: list[str | Path] = [sys.executable, "-m", "chatserver", "renew-epochs", "--data-dir", tmp_path / "data"]
    assert run("migrate", "--data-dir", tmp_path / "data").returncode == 0
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script, mounted, *command],
        env={**os.environ, "CHATSERVER_SECRET_KEY_FILE": str(mounted / "secret")},
        capture_output=True, text=True, timeout=55, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert not (tmp_path / "data" / "secret.key").exists()


def test_migrate_makes_the_database_and_may_be_run_again(tmp_path: Path) -> None:
    for _ in range(2):
        result = run("migrate", "--data-dir", tmp_path / "new")
        assert (result.returncode, result.stdout) == (0, "The database is up to date.\n"), result.stderr
    assert (tmp_path / "new" / "chat.db").exists()


def test_renew_epochs_begins_every_channel_anew(tmp_path: Path) -> None:
    def epochs() -> set[str]:
        with contextlib.closing(sqlite3.connect(tmp_path / "new" / "chat.db")) as database:
            return {epoch for (epoch,) in database.execute("SELECT epoch FROM channels")}

    assert run("renew-epochs", "--data-dir", tmp_path / "new").stdout == "0 channels begin anew.\n"
    with contextlib.closing(sqlite3.connect(tmp_path / "new" / "chat.db")) as database, database:
        database.execute(
            "INSERT INTO channels (channel, epoch, first_offset, last_offset, last_at) VALUES ('room:a', 'x', 1, 0, 0)"
        )
    result = run("renew-epochs", "--data-dir", tmp_path / "new")
    assert result.stdout == "1 channels begin anew.\n", result.stderr
    assert "x" not in epochs()


@pytest.mark.parametrize(("command", "kind"), [("protocol", "asyncapi"), ("openapi", "openapi"), ("types", None)])
def test_a_document_is_printed_or_written(command: str, kind: str | None, tmp_path: Path) -> None:
    printed = run(command)
    if kind is None:
        assert printed.stdout.count("export interface JoinRoom {") == 1
    else:
        assert json.loads(printed.stdout)[kind].startswith("3.")
    assert run(command, "--output", tmp_path / "api.json").returncode == 0
    assert (tmp_path / "api.json").read_text("utf-8") == printed.stdout


def test_version() -> None:
    assert run("--version").stdout.startswith("chatserver, version ")


# -------------------------------------------------------------------------------------------------------- serving


def test_one_command_serves_says_where_and_ends_cleanly() -> None:
    with ChatServer() as server:
        assert f"The chat is open at {server.url} " in server.process.output()
        assert server.get("/healthz") == 200
        assert server.get("/") == 200
        assert server.stop() == 0
        assert server.start().get("/healthz") == 200
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait() == 0


async def test_who_came_as_a_guest_is_known_after_a_restart() -> None:
    with ChatServer() as server:
        async with ChatClient(server.ws_url) as client:
            member, token = client.member, client.token
        assert server.stop() == 0
        server.start()
        async with ChatClient(server.ws_url, token=token) as client:
            assert client.member == member


def test_the_log_is_json_and_names_no_client() -> None:
    with ChatServer() as server:
        server.get("/")
        server.get("/nowhere")
        server.stop()
        lines = [line for line in server.log() if "The chat is open" not in line.get("text", "")]
    assert lines
    assert all({"event", "level", "at"} <= set(line) for line in lines), lines
    assert HOST not in json.dumps(lines)


def test_a_second_server_on_one_data_directory_is_one_line() -> None:
    with ChatServer() as server:
        second = ("--data-dir", server.directory / "data", "--port", "0")
        assert_one_line(
            run("serve", *second), 1, "another server runs on the data directory", "--data-dir", "redis_url"
        )
        # One with Redis would not hear the first one either.
        alone = run("serve", *second, "--redis-url", "redis://127.0.0.1:1/0")
        assert_one_line(alone, 1, "another server runs on the data directory")
        # What is done beside a running server goes on working.
        assert run("staff", "--data-dir", server.directory / "data").returncode == 0
        server.process.kill()
        assert server.start().get("/healthz") == 200


# --------------------------------------------------------------------------------------------------- several workers


@pytest.fixture(scope="module")
def pair() -> Iterator[ChatServer]:
    """Two workers over Redis, with a secret key from the file."""
    with (
        obtain(RedisServer) as redis,
        ChatServer(workers=2, redis_url=redis.url, config={"secret_key": "k" * 40}, is_forked=False) as server,
    ):
        yield server


async def test_servers_with_one_redis_may_share_a_data_directory(pair: ChatServer) -> None:
    pair.wait_for_workers()
    chosen = {"data_dir": str(pair.directory / "data"), "secret_key": "k" * 40}
    with ChatServer(redis_url=load(pair.directory / "chatserver.toml").redis_url, config=chosen) as other:
        async with ChatClient(pair.ws_url) as here, ChatClient(other.ws_url) as there:
            for client in (here, there):
                await client.ask("join", room="sleep", agreement=1)
            await here.wait_for(lambda push: push.get("push") == "presence" and push.get("here") == 2)
        assert other.stop() == 0


def test_secrets_are_not_on_the_command_lines_of_workers(pair: ChatServer) -> None:
    for pid in [pair.process.pid, *pair.wait_for_workers()]:
        assert "k" * 40 not in " ".join(psutil.Process(pid).cmdline())


async def test_a_killed_worker_is_replaced_while_the_others_serve(pair: ChatServer) -> None:
    killed, other = pair.wait_for_workers()
    pair.kill_worker(killed)
    async with ChatClient(pair.ws_url):
        pass
    assert other in pair.wait_for_workers()
    said = [line for line in pair.log() if line.get("event") == "worker_ended"]
    assert said[-1] | {"worker": killed, "code": -9, "level": "warning"} == said[-1]


def test_a_frozen_worker_is_replaced(pair: ChatServer) -> None:
    frozen = pair.wait_for_workers()[0]
    pair.freeze_worker(frozen)
    wait_until(lambda: frozen not in pair.worker_pids(), "the end of the frozen worker", 20)
    pair.wait_for_workers()


def test_hangup_replaces_all_workers_and_somebody_always_answers(pair: ChatServer) -> None:
    before = set(pair.wait_for_workers())
    pair.process.send_signal(signal.SIGHUP)
    answers: list[int | None] = []

    def is_replaced() -> bool:
        # Whoever is accepted by a worker in the moment in which it stops is cut off, and asks again, as browsers do.
        answers.append(pair.get("/healthz") or pair.get("/healthz"))
        pids = set(pair.worker_pids())
        return not pids & before and len(pids) == 2

    wait_until(is_replaced, "two new workers", 30)
    assert set(answers) == {200}


def test_workers_end_when_their_supervisor_is_killed_and_it_can_be_started_again(pair: ChatServer) -> None:
    left = pair.place_of_numbers()
    workers = [psutil.Process(pid) for pid in pair.wait_for_workers()]
    os.kill(pair.process.pid, signal.SIGKILL)
    gone, alive = psutil.wait_procs(workers, timeout=10)
    assert (len(gone), alive) == (2, [])
    pair.process.wait()
    pair.start()
    place = pair.place_of_numbers()
    assert place != left
    assert pair.stop() == 0
    # What the killed one had left is removed as well.
    assert not left.exists()
    assert not place.exists()


def test_a_database_that_can_only_be_read_ends_the_command(pair: ChatServer, postgres_server: PostgresServer) -> None:
    url = postgres_server.fresh_database()
    assert run("migrate", "--database-url", url).returncode == 0
    postgres_server.execute(f"ALTER DATABASE {url.rpartition('/')[2]} SET default_transaction_read_only = on")
    server = ChatServer(workers=2, redis_url="redis://127.0.0.1:1/0", database_url=url)
    with pytest.raises(RuntimeError, match="ended with 1 at its start"):
        server.start()
    assert "it is read-only (default_transaction_read_only is on)" in server.process.output()
    server.close()


# ------------------------------------------------------------------------------------------------------- staff

PASSWORD = "lamp river boots sky"


def add_operator(directory: Path, login: str, password: str, *more: str) -> subprocess.CompletedProcess[str]:
    return forks.run(["chatserver", "add-operator", login, "--data-dir", directory, *more], password + "\n")


def test_the_first_operator_comes_from_the_command_line(tmp_path: Path) -> None:
    """Before the first `serve`, too: directory and database are made."""
    data = tmp_path / "data"
    made = add_operator(data, "Anna", PASSWORD, "--name", "Anna Berg")
    assert (made.returncode, made.stderr) == (0, "")
    assert made.stdout.startswith("anna is an operator, called Anna Berg.")
    for file in data.iterdir():
        assert PASSWORD.encode() not in file.read_bytes()
    assert_one_line(add_operator(data, "anna", PASSWORD), 1, "login")
    listed = run("staff", "--data-dir", data)
    assert (listed.returncode, listed.stdout) == (0, "anna\tAnna Berg\toperator\n")


def test_a_weak_password_is_one_line(tmp_path: Path) -> None:
    assert_one_line(add_operator(tmp_path, "ben", "short"), 1, "too easy to guess", "short", "12")


@pytest.mark.parametrize(
    ("written", "is_read"),
    [
        (b"\xef\xbb\xbf" + PASSWORD.encode() + b"\r\n", True),
        (PASSWORD.encode("utf-16"), False),
        (PASSWORD.encode("utf-16-le"), False),
        ("größe lamp river".encode("latin-1"), False),
    ],
    ids=["UTF-8 with a byte order mark", "UTF-16", "UTF-16 without a mark", "Latin-1"],
)
def test_a_password_file_from_windows_is_read_or_refused_in_one_line(
    tmp_path: Path, written: bytes, is_read: bool
) -> None:
    made = forks.run(["chatserver", "add-operator", "anna", "--data-dir", tmp_path], written)
    if is_read:
        assert made.returncode == 0, made.stderr
        listed = sqlite3.connect(tmp_path / "chat.db").execute("SELECT password_hash FROM staff").fetchone()
        assert argon2.PasswordHasher().verify(listed[0], PASSWORD)
    else:
        assert (made.returncode, made.stderr.count("\n")) == (2, 1)
        assert "UTF-8" in made.stderr


def test_an_invitation_is_a_link_whose_secret_stays_in_the_browser(tmp_path: Path) -> None:
    origin = {"CHATSERVER_PUBLIC_ORIGINS": "https://chat.example.org"}
    made = run("invite", "--role", "listener", "--role", "moderator", "--data-dir", tmp_path, **origin)
    assert made.returncode == 0, made.stderr
    where, _, secret = made.stdout.strip().partition("/listen.html#invite=")
    assert where == "https://chat.example.org"
    assert len(secret) == 43
    assert "72 hours" in made.stderr


def test_an_invitation_without_a_public_origin_leads_to_this_machine(tmp_path: Path) -> None:
    made = run("invite", "--role", "listener", "--data-dir", tmp_path / "new", "--port", "8123")
    assert made.stdout.startswith("http://127.0.0.1:8123/listen.html#invite="), made.stderr
    assert_one_line(run("invite", "--role", "emperor"), 2, "--role", "listener", "operator")


def test_revoking_from_the_command_line_keeps_an_operator(tmp_path: Path) -> None:
    add_operator(tmp_path, "anna", PASSWORD)
    assert_one_line(run("revoke", "anna", "--data-dir", tmp_path), 1, "last_operator")
    assert_one_line(run("revoke", "ben", "--data-dir", tmp_path), 1, "ben")


def test_revoking_from_the_command_line(tmp_path: Path) -> None:
    assert add_operator(tmp_path, "anna", PASSWORD).stderr == ""
    assert "24 hours" in add_operator(tmp_path, "ben", PASSWORD).stderr
    assert "ben\tben\toperator\tnot an operator yet" in run("staff", "--data-dir", tmp_path).stdout
    # Who waits is no replacement for the last operator.
    assert_one_line(run("revoke", "anna", "--data-dir", tmp_path), 1, "last_operator")
    done = run("revoke", "BEN", "--data-dir", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "ben\tben\toperator\trevoked" in run("staff", "--data-dir", tmp_path).stdout


def test_a_listener_is_revoked_where_no_operator_is_yet_and_an_account_is_reset(tmp_path: Path) -> None:
    link = run("invite", "--role", "listener", "--data-dir", tmp_path).stdout.strip().partition("#invite=")[2]

    async def account_of(path: str, body: dict[str, str]) -> httpx.Response:
        with ChatServer(config={"data_dir": str(tmp_path)}) as server:
            async with WebClient(base_url=server.url, timeout=20) as http:
                return await http.post(path, json=body)

    account = {"link": link, "login": "cleo", "name": "Cleo", "password": PASSWORD}
    made = asyncio.run(account_of("/api/staff/invitation", account))
    assert made.status_code == 201
    reset = run("reset", "CLEO", "--data-dir", tmp_path)
    assert (reset.returncode, "72 hours" in reset.stderr) == (0, True)
    again = {"link": reset.stdout.strip().partition("/listen.html#reset=")[2], "password": "nine green bottles fall"}
    back = asyncio.run(account_of("/api/staff/reset/use", again))
    assert back.json()["member"] == made.json()["member"], "it is the same account"
    assert run("revoke", "cleo", "--data-dir", tmp_path).returncode == 0
    assert_one_line(run("reset", "cleo", "--data-dir", tmp_path), 1, "cleo")
    assert_one_line(run("reset", "nobody", "--data-dir", tmp_path), 1, "nobody")


def test_the_audit_log_is_verified_against_what_was_exported(tmp_path: Path) -> None:
    add_operator(tmp_path, "anna", PASSWORD)
    with ChatServer(config={"data_dir": str(tmp_path)}) as server:
        asyncio.run(_decide_twice(server))
    head = run("audit", "head", "--data-dir", tmp_path)
    assert (head.returncode, head.stderr) == (0, "")
    # The account, the sign-in, and what was decided.
    assert head.stdout.startswith("4 ")
    heads = tmp_path / "heads.txt"
    heads.write_text(head.stdout)
    whole = run("audit", "verify", "--heads", heads, "--data-dir", tmp_path)
    assert (whole.returncode, whole.stderr) == (0, "")
    assert whole.stdout.startswith("4 entries hold together.")
    with contextlib.closing(sqlite3.connect(tmp_path / "chat.db")) as db, db:
        db.execute("DROP TRIGGER audit_no_delete")
        db.execute("DELETE FROM audit WHERE seq = 4")
        (first,) = db.execute("SELECT hash FROM audit WHERE seq = 3").fetchone()
        db.execute("UPDATE moderation SET seq = 3, hash = ?", (first,))
    assert run("audit", "verify", "--data-dir", tmp_path).returncode == 0, "by itself it looks whole"
    assert_one_line(run("audit", "verify", "--heads", heads, "--data-dir", tmp_path), 1, "4 was exported", "cut off")
    heads.write_text("two and more\n")
    assert_one_line(run("audit", "verify", "--heads", heads, "--data-dir", tmp_path), 2, "--heads")


async def _decide_twice(server: ChatServer) -> None:
    async with WebClient(base_url=server.url, timeout=20) as http:
        answer = await http.post("/api/staff/sign-in", json={"login": "anna", "password": PASSWORD})
    async with ChatClient(server.ws_url, hello=False) as anna, ChatClient(server.ws_url) as guest:
        await anna.ask("hello", staff=True, token=answer.json()["token"])
        for reason in ("once", "twice"):
            await anna.ask("measure", kind="notice", member=guest.hello_ok["member"]["id"], reason=reason)


def test_statistics_are_printed_as_csv_and_tell_nothing_of_a_place_where_nothing_happened(tmp_path: Path) -> None:
    result = run("statistics", "--data-dir", tmp_path)
    assert result.returncode == 0, result.stderr
    head, *lines = result.stdout.splitlines()
    assert head == "week,table,day,kind,count"
    # Some 25 weeks of which reports are kept, of three tables, all of seven days and no count.
    assert len({line.split(",")[0] for line in lines}) in (24, 25)
    assert all(line.endswith(",withheld,") for line in lines)


def _days_of(tmp_path: Path, asks: int) -> None:
    """Two listeners for some hours yesterday, and people who waited for half a minute."""
    assert run("migrate", "--data-dir", tmp_path).returncode == 0
    start = (time.time_ns() // 1_000_000 - 86_400_000) // 10_000 * 10_000
    with contextlib.closing(sqlite3.connect(tmp_path / "chat.db")) as db, db:
        db.executemany(
            "INSERT INTO asks (asked_at, ended_at, outcome, length) VALUES (?, ?, 'met', 1800000)",
            [(start + number * 120_000, start + number * 120_000 + 30_000) for number in range(asks)],
        )
        db.executemany(
            "INSERT INTO shifts (started_at, ended_at, cap) VALUES (?, ?, 2)", [(start, start + 14_400_000)] * 2
        )


def test_a_policy_is_simulated_beside_the_record(tmp_path: Path) -> None:
    _days_of(tmp_path, 40)
    result = run("simulate", "--listeners", "+10", "--pause-minutes", "0", "--data-dir", tmp_path)
    assert result.returncode == 0, result.stderr
    rows = {line[:32].strip(): re.split(r"\s{2,}", line[32:].strip()) for line in result.stdout.splitlines()}
    assert rows[""] == ["recorded", "replayed", "with this policy"]
    assert rows["asked for a listener"] == ["40", "40", "40"]
    assert rows["half of those met waited up to"][0] == "30 s"
    assert rows["half of those met waited up to"][2] == "10 s"
    assert rows["left without being met"][0] == "under 11, or nearly all"


def test_of_fewer_than_twenty_asks_nothing_is_simulated(tmp_path: Path) -> None:
    _days_of(tmp_path, 19)
    assert_one_line(run("simulate", "--data-dir", tmp_path), 1, "fewer than 20 people asked")


def test_a_policy_out_of_range_is_refused_in_one_line(tmp_path: Path) -> None:
    assert_one_line(run("simulate", "--cap", "9", "--data-dir", tmp_path), 2, "cap is from 1 to 4")
