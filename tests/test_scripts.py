"""The scripts, the locks and the wheel: what a stranger meets first."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import requires, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from chatserver.webroot import web_root

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = [*sorted(path for path in (ROOT / "scripts").iterdir() if path.is_file()), ROOT / ".ci" / "run"]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))


def sh(*command: str | Path, path: Path, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", *command],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        cwd=cwd,
        env={"PATH": str(path), "HOME": os.devnull},
        stdin=subprocess.DEVNULL,
    )


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A PATH with what every Unix has, and no Python."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("cat", "dirname", "printf", "rm"):
        (folder / name).symlink_to(next(p for p in (Path("/bin") / name, Path("/usr/bin") / name) if p.exists()))
    return folder


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The scripts and the locks, without an environment."""
    for name in ("scripts/serve", "scripts/python.sh", "requirements/runtime.txt", "pyproject.toml"):
        copy = tmp_path / "checkout" / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes((ROOT / name).read_bytes())
    return tmp_path / "checkout"


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_are_plain_sh(script: Path) -> None:
    result = subprocess.run(["/bin/sh", "-n", script], capture_output=True, text=True, check=False, timeout=10)
    assert result.stderr == ""
    assert script.suffix == ".sh" or os.access(script, os.X_OK)


def test_without_python_serve_says_what_is_needed(checkout: Path, tools: Path) -> None:
    result = sh(checkout / "scripts" / "serve", path=tools)
    assert result.returncode == 1
    assert "Python 3.11 or newer is needed" in result.stderr


def test_an_old_python_is_not_taken(checkout: Path, tools: Path) -> None:
    old = tools / "python3"
    # As Python 3.10 would answer the script's question: with nothing.
    old.write_text("#!/bin/sh\nexit 0\n")
    old.chmod(0o755)
    assert "Python 3.11 or newer is needed" in sh(checkout / "scripts" / "serve", path=tools).stderr


def test_a_python_without_venv_is_named(checkout: Path, tools: Path) -> None:
    crippled = tools / "python3"
    crippled.write_text(
        f'#!/bin/sh\n{{ echo "import sys; sys.modules[\'ensurepip\'] = None"; cat; }} | {sys.executable} "$@"\n'
    )
    crippled.chmod(0o755)
    result = sh(checkout / "scripts" / "serve", path=tools)
    assert result.returncode == 1
    assert "python3 cannot make virtual environments here" in result.stderr
    assert "python3-venv" in result.stderr


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_locks_are_exact_and_name_no_index(lock: Path) -> None:
    text = lock.read_text("utf-8").replace(" \\\n", "")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert lines
    # What Python 2.7 gets is written by hand; of everything else each file's hash is known.
    hashes = "" if lock.stem == "autobahn" else r"(?: +--hash=sha256:[0-9a-f]{64})+"
    for line in lines:
        assert re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+" + hashes, line), line


def test_the_lock_of_node_packages_is_exact_and_names_no_index() -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text("utf-8"))["packages"]
    for path, package in packages.items():
        # Some say where they can be given money. Nothing is fetched from there.
        assert "://" not in json.dumps({key: value for key, value in package.items() if key != "funding"}), path
        assert path == "" or package["integrity"].startswith("sha512-"), path


def test_locks_hold_what_the_project_asks_for() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        declared = tomllib.load(file)
    project, groups = declared["project"], declared["dependency-groups"]
    locked = {lock.stem: _locked(lock) for lock in LOCKS}
    for wanted, lock in (
        (project["dependencies"] + project["optional-dependencies"]["postgres"], locked["runtime"]),
        (groups["dev"], locked["dev"]),
    ):
        for requirement in map(Requirement, wanted):
            held = lock.get(_normal(requirement.name))
            assert held is not None, f"{requirement.name} is not locked: run scripts/lock"
            assert requirement.specifier.contains(held), f"{requirement} but locked {held}: run scripts/lock"
    shared = locked["runtime"].keys() & locked["dev"].keys()
    assert {name: locked["runtime"][name] for name in shared} == {name: locked["dev"][name] for name in shared}


@pytest.mark.parametrize("python", ["3.11.0", "3.11.2", "3.11.3", "3.12.0", "3.13.0", "3.14.0"])
def test_locks_hold_what_locked_packages_ask_for_on_every_python(python: str) -> None:
    """A package may need another one only on an older Python than the one that wrote the locks."""
    on = {"python_full_version": python, "python_version": ".".join(python.split(".")[:2]), "extra": ""}
    held: set[str] = set()
    for name in ("runtime", "dev"):
        held |= _locked(ROOT / "requirements" / f"{name}.txt").keys()
        for each in sorted(held):
            wanted = [Requirement(line) for line in requires(each) or ()]
            missing = {
                one.name
                for one in wanted
                if _normal(one.name) not in held and (one.marker is None or one.marker.evaluate(on))
            }
            assert not missing, f"{each} needs {missing} on Python {python}"


def test_the_wheel_holds_the_whole_page_and_the_migrations(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", tmp_path, ROOT],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert result.returncode == 0, result.stderr
    wheel = tmp_path / f"chatserver-{version('chatserver')}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    page = [path for path in (ROOT / "web").rglob("*") if path.is_file()]
    assert {f"chatserver/web/{path.relative_to(ROOT / 'web').as_posix()}" for path in page} <= names
    assert "chatserver/py.typed" in names
    assert any(re.fullmatch(r"chatserver/store/migrations/versions/0001_\w+\.py", name) for name in names)
    assert not [name for name in names if name.startswith(("tests/", "bench/"))]


def test_in_a_checkout_the_page_lies_beside_the_package() -> None:
    assert web_root() == ROOT / "web"


def _locked(lock: Path) -> dict[str, str]:
    found = (line.split()[0] for line in lock.read_text("utf-8").splitlines() if "==" in line)
    pairs = (line.split("==") for line in found)
    return {_normal(name): held for name, held in pairs}


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
