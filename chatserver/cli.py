"""The command `chatserver`: serve, check-config, migrate, renew-epochs, protocol, openapi, statistics, audit, and the
staff's accounts.

Whatever an operator can put right ends with one line on standard error: exit code 2 where the configuration is wrong,
1 where the machine does not give what is needed.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TextIO, TypeVar

import click

from chatserver.config import CONFIG_VARIABLE, ConfigError, Settings, hand_over, load, mask_url, masked, to_toml
from chatserver.supervisor import CannotListen, Supervisor, listen, run_alone

if TYPE_CHECKING:
    from chatserver.handlers.staff import StaffAccounts
    from chatserver.store.contract import Store


F = TypeVar("F", bound=Callable[..., object])
T = TypeVar("T")

_ANY_ADDRESS = {"0.0.0.0": "localhost", "::": "localhost", "": "localhost"}  # noqa: S104 - names, not a binding


def _settings_options(command: F) -> F:
    """The options that set a key of the configuration; their names are the keys."""
    for option in (
        click.option("--data-dir", type=click.Path(path_type=Path), help="Where the database and the secret lie."),
        click.option("--database-url", metavar="URL", help="sqlite:///FILE or postgresql://…"),
        click.option("--redis-url", metavar="URL", help="redis://…, redis+sentinel://… or redis+cluster://…"),
        click.option("--workers", type=int, help="Processes. More than one need Redis."),
        click.option("--port", type=int, help="0 takes any free port."),
        click.option("--host", help="The address to listen on."),
        click.option(
            "--config",
            type=click.Path(path_type=Path, dir_okay=False),
            help=f"A TOML file; also {CONFIG_VARIABLE}.",
        ),
    ):
        command = option(command)
    return command


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="chatserver", prog_name="chatserver")
def main() -> None:
    """A real-time peer-support chat server."""


@main.command()
@_settings_options
def serve(config: Path | None, **options: object) -> None:
    """Migrate the database, then serve until told to stop."""
    settings = _load(config, options)
    _make_data_dir(settings)
    try:
        # Now, before several workers would want to make it at once.
        settings.master_secret()
    except ConfigError as error:
        _fail(2, error)
    _migrate(settings)
    try:
        sock = listen(settings.host, settings.port)
    except CannotListen as error:
        _fail(1, error)
    host = _ANY_ADDRESS.get(settings.host, settings.host)
    url = f"http://{f'[{host}]' if ':' in host else host}:{sock.getsockname()[1]}"

    def announce() -> None:
        click.echo(f"The chat is open at {url} (Ctrl+C closes it)")

    os.environ.update(hand_over(settings))
    if settings.workers == 1:
        run_alone(settings, sock, announce)
        return
    numbers = _place_for_numbers(settings.data_dir)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = numbers
    try:
        started = Supervisor(settings, sock, announce).run()
    finally:
        shutil.rmtree(numbers, ignore_errors=True)
    if not started:
        _fail(1, "the workers could not start")


@main.command("check-config")
@_settings_options
def check_config(config: Path | None, **options: object) -> None:
    """Print the effective configuration as TOML, with secrets and passwords masked."""
    click.echo(to_toml(masked(_load(config, options))), nl=False)


@main.command()
@_settings_options
def migrate(config: Path | None, **options: object) -> None:
    """Bring the database to this version's schema. `serve` does it too."""
    settings = _load(config, options)
    _make_data_dir(settings)
    _migrate(settings)
    click.echo("The database is up to date.")


@main.command("renew-epochs")
@_settings_options
def renew_epochs(config: Path | None, **options: object) -> None:
    """After restoring a backup, before `serve`: returning pages are told of a gap, and never take new posts for old."""
    count = _with_store(_load(config, options), lambda store, settings: store.renew_epochs())
    click.echo(f"{count} channels begin anew.")


# ----------------------------------------------------------------------------------------------------------- staff


@main.command("add-operator")
@click.argument("login")
@click.option("--name", help="What others see. The login, unless given.")
@_settings_options
def add_operator(login: str, name: str | None, config: Path | None, **options: object) -> None:
    """Make an operator's account: the first one, or one more. Asks for the password, or reads a line of it."""
    settings = _load(config, options)
    _make_data_dir(settings)
    if sys.stdin.isatty():
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    staff = _with_store(
        settings, lambda store, settings: _accounts(store, settings).add_operator(login, name or login, password)
    )
    click.echo(f"{staff.login} is an operator, called {staff.name}. Sign in at /listen.html")


@main.command()
@click.option("--role", "roles", multiple=True, required=True, help="listener, facilitator, moderator or operator.")
@_settings_options
def invite(roles: tuple[str, ...], config: Path | None, **options: object) -> None:
    """Print a link that makes one account with these roles, once."""
    from chatserver.domain.staff import INVITATION_PATH, Role  # noqa: PLC0415 - as in _migrate

    settings = _load(config, options)
    _make_data_dir(settings)
    try:
        wanted = [Role(role) for role in roles]
    except ValueError:
        _fail(2, f"--role: there are {', '.join(Role)}")
    link = _with_store(settings, lambda store, settings: _accounts(store, settings).make_invitation(wanted, None))
    port = f":{settings.port}" if settings.port else ""
    origin = next(iter(settings.public_origins), f"http://{_ANY_ADDRESS.get(settings.host, settings.host)}{port}")
    click.echo(origin + INVITATION_PATH + link.secret)
    click.echo(f"It can be used once, for {settings.staff.invitation_hours:g} hours.", err=True)


@main.command()
@_settings_options
def staff(config: Path | None, **options: object) -> None:
    """List the accounts of the staff: login, name, roles, and what there is to know."""
    from chatserver.domain.staff import in_order  # noqa: PLC0415 - as in _migrate

    for each in _with_store(_load(config, options), lambda store, settings: store.all_staff()):
        notes = [*(["two factors"] if each.has_totp else []), *(["revoked"] if each.revoked_at is not None else [])]
        click.echo("\t".join([each.login, each.name, ", ".join(in_order(each.roles)), ", ".join(notes)]).rstrip())


@main.command()
@click.argument("login")
@_settings_options
def revoke(login: str, config: Path | None, **options: object) -> None:
    """End an account of the staff: its sign-ins and connections end within a second, on every worker."""

    async def end(store: Store, settings: Settings) -> bool:
        from chatserver.domain.staff import fold_login  # noqa: PLC0415 - as in _migrate

        found = await store.staff_by_login(fold_login(login))
        if found is not None:
            await _accounts(store, settings).end(found.staff.member)
        return found is not None

    if not _with_store(_load(config, options), end):
        _fail(1, f"nobody has the login {login}")
    click.echo(f"{login} is revoked.")


@main.command("statistics")
@_settings_options
def statistics_of(config: Path | None, **options: object) -> None:
    """Print how many reports and how much feedback there was by day and kind, as CSV, with small numbers left out so
    that nobody can work them out: docs/privacy.md. Only weeks that are over, and kept whole."""
    from chatserver.domain.history import Millis  # noqa: PLC0415 - as in _migrate
    from chatserver.handlers.statistics import statistics  # noqa: PLC0415 - as in _migrate

    def work(store: Store, settings: Settings) -> Coroutine[Any, Any, str]:
        now = Millis(time.time_ns() // 1_000_000)
        return statistics(store, now, settings.store_retention, keep=settings.floor_rules.keep)

    click.echo(_with_store(_load(config, options), work), nl=False)


@main.command("simulate")
@click.option("--days", type=click.IntRange(1, 90), default=7, show_default=True, help="How many of the last days.")
@click.option("--listeners", type=int, default=0, help="So many more on every day, such as +1; or fewer, such as -1.")
@click.option("--pause-minutes", type=int, help="The pause after a session.")
@click.option("--cap", type=int, help="How many people everybody listens to at once.")
@click.option("--session-minutes", type=int, help="How long a session may be.")
@click.option("--proposal-seconds", type=int, help="How long a listener has for an answer.")
@_settings_options
def simulate_queue(config: Path | None, days: int, listeners: int, **options: Any) -> None:
    """Replay who asked and who listened in the last days under another policy, and print the waits beside the real
    ones and beside a replay of how it was. What is left out stays as it is. See docs/operating.md."""
    from chatserver.domain.history import Millis  # noqa: PLC0415 - as in _migrate
    from chatserver.domain.replay import FEWEST_ASKS, OutOfRange, Simulation, lines, policy  # noqa: PLC0415
    from chatserver.handlers.simulation import simulation  # noqa: PLC0415

    asked = {name: options.pop(name) for name in ("pause_minutes", "cap", "session_minutes", "proposal_seconds")}
    settings = _load(config, options)
    try:
        wanted = policy(settings.floor_rules, listeners=listeners, **asked)
    except OutOfRange as error:
        _fail(2, str(error))

    def work(store: Store, settings: Settings) -> Coroutine[Any, Any, Simulation | None]:
        now = Millis(time.time_ns() // 1_000_000)
        return simulation(store, now, settings.floor_rules, wanted, days=days)

    found = _with_store(settings, work)
    if found is None:
        _fail(1, f"fewer than {FEWEST_ASKS} people asked in these {days} days: nothing can be said from so few")
    for line in lines(found):
        click.echo(line)


# ----------------------------------------------------------------------------------------------------------- audit


@main.group()
def audit() -> None:
    """The log of what moderators did."""


@audit.command("head")
@_settings_options
def audit_head(config: Path | None, **options: object) -> None:
    """Print the newest entry's number and hash. Keep them elsewhere: they show later that nothing was cut off."""
    head = _with_store(_load(config, options), lambda store, settings: store.audit_head())
    click.echo(f"{head.seq} {head.hash.hex()}")


@audit.command("verify")
@click.option(
    "--heads",
    type=click.File("r"),
    help="A file with lines of `audit head`, or - for standard input: the log must hold every one of them.",
)
@_settings_options
def audit_verify(heads: TextIO | None, config: Path | None, **options: object) -> None:
    """Check the whole log: that no entry was changed, taken out, moved or written anew. Exit code 1 where one was."""
    from chatserver.domain.ledger import LedgerHead, Tampered  # noqa: PLC0415 - as in _migrate
    from chatserver.handlers.overseer import verify  # noqa: PLC0415 - as in _migrate

    try:
        lines = [line.split() for line in heads or () if line.strip()]
        exported = [LedgerHead(int(seq), bytes.fromhex(hashed)) for seq, hashed in lines]
    except ValueError:
        _fail(2, "--heads: each line is a number and a hash, as `audit head` prints them")

    try:
        head = _with_store(_load(config, options), lambda store, settings: verify(store, exported))
    except Tampered as tampered:
        _fail(1, tampered)
    click.echo(f"{head.seq} entries hold together. The newest is {head.hash.hex()}")


def _accounts(store: Store, settings: Settings) -> StaffAccounts:
    from chatserver.server import make_accounts  # noqa: PLC0415 - as in _migrate

    return make_accounts(settings, store)


def _with_store(settings: Settings, work: Callable[[Store, Settings], Coroutine[Any, Any, T]]) -> T:
    """What `work` gives, with the store open. What is refused, and a store that is away, ends with one line."""
    # As for `_migrate`: no worker needs these from here.
    from chatserver.domain.errors import Refusal  # noqa: PLC0415
    from chatserver.protocol.codes import error_body  # noqa: PLC0415
    from chatserver.server import make_store  # noqa: PLC0415
    from chatserver.store.contract import StoreUnavailable  # noqa: PLC0415

    async def run() -> T:
        store = make_store(settings)
        await store.open()
        try:
            return await work(store, settings)
        finally:
            await store.close()

    _migrate(settings)
    try:
        return asyncio.run(run())
    except StoreUnavailable as error:
        _fail(1, f"cannot use the database {mask_url(settings.database_url)}: {error}")
    except Refusal as refusal:
        why = "" if refusal.details is None else f" ({', '.join(str(each) for each in refusal.details.values())})"
        _fail(1, error_body(refusal).message + why)


_output = click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), help="A file instead of standard output."
)


@main.command()
@_output
def protocol(output: Path | None) -> None:
    """Write the wire protocol as an AsyncAPI document (JSON)."""
    from chatserver.protocol.asyncapi import document  # noqa: PLC0415 - as in _migrate

    _write(document(importlib.metadata.version("chatserver")), output)


@main.command()
@_output
def openapi(output: Path | None) -> None:
    """Write the HTTP calls as an OpenAPI document (JSON)."""
    from chatserver.edge.openapi import document  # noqa: PLC0415 - as in _migrate

    _write(document(importlib.metadata.version("chatserver")), output)


def _write(document: Mapping[str, object], output: Path | None) -> None:
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        output.write_text(text, "utf-8")
    except OSError as error:
        _fail(1, f"cannot write {output}: {error.strerror}")


def _place_for_numbers(data_dir: Path) -> str:
    """A new directory where workers write their metrics, so that any of them can answer for all. What a supervisor that
    was killed has left of such is removed."""
    for left in data_dir.glob("metrics-*-*"):
        number = left.name.split("-")[1]
        if number.isdecimal() and not _is_another(int(number)):
            shutil.rmtree(left, ignore_errors=True)
    return tempfile.mkdtemp(prefix=f"metrics-{os.getpid()}-", dir=data_dir)


def _is_another(pid: int) -> bool:
    """Whether another process has this id now. In a container ours may be the one that was killed."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return pid != os.getpid()


def _load(config: Path | None, options: Mapping[str, object]) -> Settings:
    try:
        return load(config, {key: value for key, value in options.items() if value is not None})
    except ConfigError as error:
        _fail(2, error)


def _make_data_dir(settings: Settings) -> None:
    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        _fail(1, f"cannot use the data directory {settings.data_dir}: {error.strerror}")


def _migrate(settings: Settings) -> None:
    # Imported here because every worker imports this module again when it starts, and needs none of it.
    from alembic.util import CommandError  # noqa: PLC0415
    from sqlalchemy.exc import DBAPIError, SQLAlchemyError  # noqa: PLC0415

    from chatserver.store.migrate import migrate as migrate_database  # noqa: PLC0415

    try:
        migrate_database(settings.database_url)
    except (SQLAlchemyError, CommandError, OSError) as error:
        cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
        _fail(1, f"cannot use the database {mask_url(settings.database_url)}: {cause}")


def _fail(code: int, problem: object) -> NoReturn:
    click.echo(f"chatserver: {' '.join(str(problem).split())}", err=True)
    sys.exit(code)
