"""The command `chatserver`: serve, check-config, migrate, renew-epochs, protocol, openapi.

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
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NoReturn, TypeVar

import click

from chatserver.config import CONFIG_VARIABLE, ConfigError, Settings, hand_over, load, mask_url, masked, to_toml
from chatserver.supervisor import CannotListen, Supervisor, listen, run_alone

F = TypeVar("F", bound=Callable[..., object])

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
    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Now, before several workers would want to make it at once.
        settings.master_secret()
    except ConfigError as error:
        _fail(2, error)
    except OSError as error:
        _fail(1, f"cannot use the data directory {settings.data_dir}: {error.strerror}")
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
    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        _fail(1, f"cannot use the data directory {settings.data_dir}: {error.strerror}")
    _migrate(settings)
    click.echo("The database is up to date.")


@main.command("renew-epochs")
@_settings_options
def renew_epochs(config: Path | None, **options: object) -> None:
    """After restoring a backup, before `serve`: returning pages are told of a gap, and never take new posts for old."""
    # As for `_migrate`: no worker needs these from here.
    from chatserver.server import make_store  # noqa: PLC0415
    from chatserver.store.contract import StoreUnavailable  # noqa: PLC0415

    async def renew() -> int:
        store = make_store(settings)
        await store.open()
        try:
            return await store.renew_epochs()
        finally:
            await store.close()

    settings = _load(config, options)
    _migrate(settings)
    try:
        count = asyncio.run(renew())
    except StoreUnavailable as error:
        _fail(1, f"cannot use the database {mask_url(settings.database_url)}: {error}")
    click.echo(f"{count} channels begin anew.")


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
