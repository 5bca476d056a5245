"""The command `chatserver`: serve, check-config, migrate, renew-epochs, protocol, openapi, types, statistics, audit,
and the staff's accounts.

Problems that an operator can solve end the command with one line on standard error: exit code 2 if the configuration is
wrong, 1 if the machine does not provide what is needed.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.metadata
import os
import sys
import time
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

import click

from chatserver.cli_output import fail, password_line, warn, write_document, write_text
from chatserver.cli_screening import screening
from chatserver.config import (
    CONFIG_VARIABLE,
    ConfigError,
    Settings,
    hand_over,
    load,
    mask_url,
    masked,
    to_toml,
)
from chatserver.datalock import DirectoryInUse, hold
from chatserver.logwriter import STANDARD_ERROR, say
from chatserver.serving import CannotListen, listen, run_alone
from chatserver.shared_numbers import DIRECTORY_VARIABLE, find_place
from chatserver.supervisor import Supervisor

if TYPE_CHECKING:
    from chatserver.domain.identity import MemberId
    from chatserver.handlers.people.staff import StaffAccounts
    from chatserver.store.store import Store


F = TypeVar("F", bound=Callable[..., object])
T = TypeVar("T")

_ANY_ADDRESS = {"0.0.0.0": "localhost", "::": "localhost", "": "localhost"}  # noqa: S104 - names, not a binding


def _settings_options(command: F) -> F:
    """Add the options that set a key of the configuration. Each has the key's name."""
    for option in (
        click.option("--data-dir", type=click.Path(path_type=Path), help="Where the database and the secret are."),
        click.option("--database-url", metavar="URL", help="sqlite:///FILE or postgresql://…"),
        click.option("--redis-url", metavar="URL", help="redis://…, redis+sentinel://… or redis+cluster://…"),
        click.option("--workers", type=int, help="Number of processes. More than one need Redis."),
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


main.add_command(screening)


@main.command()
@_settings_options
def serve(config: Path | None, **options: object) -> None:
    """Migrate the database, then serve until told to stop."""
    settings = _load(config, options)
    warn(settings)
    _make_data_dir(settings)
    try:
        # Make it now, before several workers would want to make it at once.
        settings.master_secret()
    except ConfigError as error:
        fail(2, error)
    try:
        hold(settings.data_dir, shared=settings.redis_url is not None)
    except DirectoryInUse as error:
        fail(1, error)
    except OSError as error:
        fail(1, f"cannot use the data directory {settings.data_dir}: {error.strerror}")
    _migrate(settings, settings.workers * settings.database_connections)
    _renew_if_restored(settings)
    try:
        sock = listen(settings.host, settings.port)
        inside = [] if settings.metrics_port is None else [listen(settings.metrics_host, settings.metrics_port)]
    except CannotListen as error:
        fail(1, error)
    host = _ANY_ADDRESS.get(settings.host, settings.host)
    url = f"http://{f'[{host}]' if ':' in host else host}:{sock.getsockname()[1]}"

    def announce() -> None:
        say(f"The chat is open at {url} (Ctrl+C closes it)")

    os.environ.update(hand_over(settings))
    if settings.workers == 1:
        run_alone(settings, sock, announce, inside)
        return
    place = find_place(settings.workers, settings.data_dir)
    if place is None:
        say("chatserver: warning: /metrics tells of one worker only: there is no room for the others'", STANDARD_ERROR)
    else:
        os.environ[DIRECTORY_VARIABLE] = str(place.directory)
    try:
        started = Supervisor(settings, sock, announce, inside).run()
    finally:
        if place is not None:
            place.close()
    if not started:
        fail(1, "the workers could not start")


@main.command("check-config")
@_settings_options
def check_config(config: Path | None, **options: object) -> None:
    """Print the effective configuration as TOML, with secrets and passwords masked."""
    settings = _load(config, options)
    click.echo(to_toml(masked(settings)), nl=False)
    warn(settings)


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

    async def renew(store: Store, settings: Settings) -> int:
        from chatserver.handlers.high_water import note  # noqa: PLC0415 - as in _migrate

        count = await store.renew_epochs()
        # So that the next start does not renew the epochs once more.
        with contextlib.suppress(OSError):
            note(settings.data_dir, await store.high_water())
        return count

    click.echo(f"{_with_store(_load(config, options), renew)} channels begin anew.")


@screening.command()
@click.option("--trial", is_flag=True, help="Say what would change, and write nothing.")
@_settings_options
def learn(config: Path | None, *, trial: bool, **options: object) -> None:
    """Let the second look learn from the alerts that moderators closed here. Nothing leaves this machine."""
    from chatserver.cli_learning import learn_from  # noqa: PLC0415 - as in _migrate

    settings = _load(config, options)
    cases = _with_store(settings, lambda store, _: store.closed_cases())
    for line in learn_from(cases, settings.data_dir, is_trial=trial):
        click.echo(line)


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
        password = password_line()
    staff = _with_store(
        settings, lambda store, settings: _accounts(store, settings).add_operator(login, name or login, password)
    )
    click.echo(f"{staff.login} is an operator, called {staff.name}. Sign in at /listen.html")
    if staff.operator_from is not None:
        click.echo("It counts in 24 hours, or at once when another operator agrees to it on their page.", err=True)


@main.command()
@click.option("--role", "roles", multiple=True, required=True, help="listener, facilitator, moderator or operator.")
@_settings_options
def invite(roles: tuple[str, ...], config: Path | None, **options: object) -> None:
    """Print a link that makes one account with these roles, once."""
    from chatserver.domain.people.staff import INVITATION_PATH, Role  # noqa: PLC0415 - as in _migrate

    settings = _load(config, options)
    _make_data_dir(settings)
    try:
        wanted = [Role(role) for role in roles]
    except ValueError:
        fail(2, f"--role: there are {', '.join(Role)}")
    link = _with_store(settings, lambda store, settings: _accounts(store, settings).make_invitation(wanted, None))
    _show_link(settings, INVITATION_PATH + link.secret)


@main.command()
@_settings_options
def staff(config: Path | None, **options: object) -> None:
    """List the accounts of the staff: login, name, roles, and notes."""
    from chatserver.domain.history import Millis  # noqa: PLC0415 - as in _migrate
    from chatserver.domain.people.staff import Authority, authority, in_order  # noqa: PLC0415 - as in _migrate

    now = Millis(time.time_ns() // 1_000_000)
    for each in _with_store(_load(config, options), lambda store, settings: store.all_staff()):
        notes = [*(["two factors"] if each.has_totp else []), *(["revoked"] if each.revoked_at is not None else [])]
        if authority(each, now) is Authority.WAITING:
            notes.append("not an operator yet")
        click.echo("\t".join([each.login, each.name, ", ".join(in_order(each.roles)), ", ".join(notes)]).rstrip())


@main.command()
@click.argument("login")
@_settings_options
def revoke(login: str, config: Path | None, **options: object) -> None:
    """End an account of the staff: its sign-ins and connections end within a second, on every worker."""

    async def end(store: Store, settings: Settings) -> bool:
        from chatserver.domain.people.staff import fold_login  # noqa: PLC0415 - as in _migrate

        found = await store.staff_by_login(fold_login(login))
        if found is not None:
            await _accounts(store, settings).end(found.staff.member)
        return found is not None

    if not _with_store(_load(config, options), end):
        fail(1, f"nobody has the login {login}")
    click.echo(f"{login} is revoked.")


@main.command()
@click.argument("login")
@_settings_options
def reset(login: str, config: Path | None, **options: object) -> None:
    """Print a link with which the owner of an account sets a new password and keeps everything else. Until then nothing
    opens the account: password, second factor, recovery codes, passkeys and sign-ins end at once."""
    from chatserver.domain.people.staff import RESET_PATH, fold_login  # noqa: PLC0415 - as in _migrate

    settings = _load(config, options)

    async def make(store: Store, settings: Settings) -> str | None:
        found = await store.staff_by_login(fold_login(login))
        if found is None or found.staff.revoked_at is not None:
            return None
        accounts = _accounts(store, settings)
        accounts.on_reset = lambda member: _step_out(store, settings, member)
        return (await accounts.make_reset(found.staff.member)).secret

    secret = _with_store(settings, make)
    if secret is None:
        fail(1, f"nobody has the login {login}, or it is revoked")
    _show_link(settings, RESET_PATH + secret)


async def _step_out(store: Store, settings: Settings, member: MemberId) -> None:
    """Take somebody whose account is reset out of their sessions. Running workers see it within a second."""
    from chatserver.domain.history import Millis  # noqa: PLC0415 - as in _migrate
    from chatserver.domain.listening.commands import StepOut  # noqa: PLC0415 - as in _migrate
    from chatserver.domain.listening.decide import decide  # noqa: PLC0415 - as in _migrate
    from chatserver.store.records import ListeningChange  # noqa: PLC0415 - as in _migrate

    now = await store.clock() or Millis(time.time_ns() // 1_000_000)
    command, rules = StepOut(member=member), settings.listening_rules
    # Due work is left to the workers, because they know who is connected.
    await store.commit_listening(
        ListeningChange(decide=lambda state: decide(state, command, member, now, rules), now=now)
    )


@main.command("statistics")
@_settings_options
def statistics_of(config: Path | None, **options: object) -> None:
    """Print the daily numbers of reports and feedback by kind, as CSV. Small numbers are left out so that nobody can
    work them out (docs/privacy.md). Only weeks that are over and still kept whole are included."""
    from chatserver.domain.history import Millis  # noqa: PLC0415 - as in _migrate
    from chatserver.handlers.moderation.statistics import statistics  # noqa: PLC0415 - as in _migrate

    def work(store: Store, settings: Settings) -> Coroutine[Any, Any, str]:
        now = Millis(time.time_ns() // 1_000_000)
        return statistics(store, now, settings.store_retention, keep=settings.listening_rules.keep)

    click.echo(_with_store(_load(config, options), work), nl=False)


@main.command("simulate")
@click.option("--days", type=click.IntRange(1, 90), default=7, show_default=True, help="How many of the last days.")
@click.option("--listeners", type=int, default=0, help="How many more, such as +1, or fewer, such as -1, on every day.")
@click.option("--pause-minutes", type=int, help="The pause after a session.")
@click.option("--cap", type=int, help="How many people a listener may listen to at once.")
@click.option("--session-minutes", type=int, help="How long a session may be.")
@click.option("--proposal-seconds", type=int, help="How long a listener has for an answer.")
@_settings_options
def simulate_queue(config: Path | None, days: int, listeners: int, **options: Any) -> None:
    """Replay who asked and who listened in the last days under another policy. Print the waits beside the real ones,
    and beside a replay without changes. Options that are left out change nothing. See docs/operating.md."""
    from chatserver.domain.history import Millis  # noqa: PLC0415 - as in _migrate
    from chatserver.domain.listening.queue_simulator import FEWEST_ASKS, OutOfRange, Simulation, lines, policy  # noqa: PLC0415
    from chatserver.handlers.listening.queue_simulator import simulation  # noqa: PLC0415

    asked = {name: options.pop(name) for name in ("pause_minutes", "cap", "session_minutes", "proposal_seconds")}
    settings = _load(config, options)
    try:
        wanted = policy(settings.listening_rules, listeners=listeners, **asked)
    except OutOfRange as error:
        fail(2, str(error))

    def work(store: Store, settings: Settings) -> Coroutine[Any, Any, Simulation | None]:
        now = Millis(time.time_ns() // 1_000_000)
        return simulation(store, now, settings.listening_rules, wanted, days=days)

    found = _with_store(settings, work)
    if found is None:
        fail(1, f"fewer than {FEWEST_ASKS} people asked in these {days} days, which is too few to say anything")
    for line in lines(found):
        click.echo(line)


# ----------------------------------------------------------------------------------------------------------- audit


@main.group()
def audit() -> None:
    """The log of what moderators did."""


@audit.command("head")
@_settings_options
def audit_head(config: Path | None, **options: object) -> None:
    """Print the newest entry's number and hash. Keep them elsewhere: they prove later that nothing was cut off."""
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
    """Check the whole log: that no entry was changed, removed, moved or rewritten. Exit code 1 if one was."""
    from chatserver.domain.moderation.audit_log import AuditHead, Tampered  # noqa: PLC0415 - as in _migrate
    from chatserver.handlers.moderation.monitor import verify  # noqa: PLC0415 - as in _migrate

    try:
        lines = [line.split() for line in heads or () if line.strip()]
        exported = [AuditHead(int(seq), bytes.fromhex(hashed)) for seq, hashed in lines]
    except ValueError:
        fail(2, "--heads: each line is a number and a hash, as `audit head` prints them")

    try:
        head = _with_store(_load(config, options), lambda store, settings: verify(store, exported))
    except Tampered as tampered:
        fail(1, tampered)
    click.echo(f"{head.seq} entries hold together. The newest is {head.hash.hex()}")


def _show_link(settings: Settings, path: str) -> None:
    """Print a link alone on standard output, and what one must know about it on standard error."""
    port = f":{settings.port}" if settings.port else ""
    origin = next(iter(settings.public_origins), f"http://{_ANY_ADDRESS.get(settings.host, settings.host)}{port}")
    click.echo(origin + path)
    click.echo(f"It can be used once, for {settings.staff.invitation_hours:g} hours.", err=True)


def _accounts(store: Store, settings: Settings) -> StaffAccounts:
    from chatserver.server import make_accounts  # noqa: PLC0415 - as in _migrate

    return make_accounts(settings, store)


def _with_store(
    settings: Settings, work: Callable[[Store, Settings], Coroutine[Any, Any, T]], *, is_migrated: bool = False
) -> T:
    """Return what `work` returns, with the store open. If it is refused, or the store is away, fail with one line."""
    # Imported here for the same reason as in `_migrate`.
    from chatserver.domain.errors import Refusal  # noqa: PLC0415
    from chatserver.protocol.codes import error_body  # noqa: PLC0415
    from chatserver.server import make_store  # noqa: PLC0415
    from chatserver.store.records import StoreUnavailable  # noqa: PLC0415

    async def run() -> T:
        store = make_store(settings)
        await store.open()
        try:
            return await work(store, settings)
        finally:
            await store.close()

    if not is_migrated:
        _migrate(settings)
    try:
        return asyncio.run(run())
    except StoreUnavailable as error:
        fail(1, f"cannot use the database {mask_url(settings.database_url)}: {error}")
    except Refusal as refusal:
        why = "" if refusal.details is None else f" ({', '.join(str(each) for each in refusal.details.values())})"
        fail(1, error_body(refusal).message + why)


_output = click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), help="A file instead of standard output."
)


@main.command()
@_output
def protocol(output: Path | None) -> None:
    """Write the wire protocol as an AsyncAPI document (JSON)."""
    from chatserver.protocol.asyncapi import document  # noqa: PLC0415 - as in _migrate

    write_document(document(importlib.metadata.version("chatserver")), output)


@main.command()
@_output
def openapi(output: Path | None) -> None:
    """Write the HTTP calls as an OpenAPI document (JSON)."""
    from chatserver.edge.openapi import document  # noqa: PLC0415 - as in _migrate

    write_document(document(importlib.metadata.version("chatserver")), output)


@main.command()
@_output
def types(output: Path | None) -> None:
    """Write both as TypeScript declarations, for clients."""
    from chatserver.edge.declarations import document  # noqa: PLC0415 - as in _migrate

    write_text(document(), output)


def _load(config: Path | None, options: Mapping[str, object]) -> Settings:
    try:
        return load(config, {key: value for key, value in options.items() if value is not None})
    except ConfigError as error:
        fail(2, error)


def _make_data_dir(settings: Settings) -> None:
    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        fail(1, f"cannot use the data directory {settings.data_dir}: {error.strerror}")


def _migrate(settings: Settings, connections: int = 0) -> None:
    # Imported here because every worker imports this module when it starts, and needs none of it.
    from alembic.util import CommandError  # noqa: PLC0415
    from sqlalchemy.exc import DBAPIError, SQLAlchemyError  # noqa: PLC0415

    from chatserver.store.drivers.migrate import migrate as migrate_database  # noqa: PLC0415
    from chatserver.store.store import Unfit  # noqa: PLC0415

    try:
        migrate_database(settings.database_url, connections)
    except (SQLAlchemyError, CommandError, OSError, Unfit) as error:
        cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
        fail(1, f"cannot use the database {mask_url(settings.database_url)}: {cause}")


def _renew_if_restored(settings: Settings) -> None:
    """If the database is behind what this machine has served, say so, and give every channel a new epoch."""
    from chatserver.handlers.high_water import recall, renew_if_behind  # noqa: PLC0415 - as in _migrate

    if recall(settings.data_dir) is None:
        return
    count = _with_store(settings, lambda store, settings: renew_if_behind(store, settings.data_dir), is_migrated=True)
    if count is not None:
        click.echo(
            "chatserver: warning: the database is older than what was served from here, as after restoring a backup: "
            f"{count} channels begin anew",
            err=True,
        )
