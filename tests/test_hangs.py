"""A test that hangs ends, fails, and shows where it hung; the tests behind it run, on other workers if one died."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

_ROOT: Final = Path(__file__).parents[1]
_CONFTEST: Final = """
import asyncio
import uvloop
from tests.kit import hangs

hangs.GRACE_SECONDS = 0.3
hangs.MOST_RINGS = 2
pytest_plugins = ["tests.kit.hangs"]

def pytest_asyncio_loop_factories(config, item):
    return {"LOOP": LOOP.new_event_loop}
"""
_INI: Final = "[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n"
_TESTS: Final = """
import asyncio
import time
import pytest

async def test_waits():
    await asyncio.get_running_loop().create_future()  # for ever

async def test_swallows():
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        pass

class SlowToTell(Exception):
    def __str__(self):
        time.sleep(1)
        return "told at last"

async def test_fails_with_what_is_slow_to_tell():
    try:
        await asyncio.sleep(60)
    finally:
        raise SlowToTell

async def test_blocks_the_loop():
    time.sleep(60)

def test_sleeps():
    time.sleep(60)

@pytest.fixture
async def slow_to_end():
    yield
    await asyncio.sleep(60)

async def test_with_a_fixture(slow_to_end):
    pass

async def test_afterwards():
    await asyncio.sleep(0)
"""
_STUBBORN: Final = """
import asyncio

async def test_catches_everything():
    while True:
        try:
            await asyncio.sleep(60)
        except BaseException:
            pass
"""


def run(folder: Path, tests: str, loop: str) -> subprocess.CompletedProcess[str]:
    """Run these tests in a process of their own, each with a second of time."""
    (folder / "conftest.py").write_text(_CONFTEST.replace("LOOP", loop))
    (folder / "test_it.py").write_text(tests)
    (folder / "pytest.ini").write_text(_INI)
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-rA", "--timeout=1", "-p", "no:cacheprovider", "-p", "no:valkey", folder],
        env={
            **{name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"},
            "PYTHONPATH": str(_ROOT),
        },
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
    )


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_a_test_that_hangs_ends_and_shows_where(tmp_path: Path, loop: str) -> None:
    said = run(tmp_path, _TESTS, loop).stdout
    lines = said.splitlines()
    names = (
        "test_waits",
        "test_swallows",
        "test_fails_with_what_is_slow_to_tell",
        "test_blocks_the_loop",
        "test_sleeps",
    )
    for name in names:
        assert any(line.startswith("FAILED") and name in line for line in lines), said
    assert any(line.startswith("ERROR") and "test_with_a_fixture" in line for line in lines), said
    assert any(line.startswith("PASSED") and "test_afterwards" in line for line in lines), said
    assert ">       await asyncio.get_running_loop().create_future()  # for ever" in lines, said
    assert "Timeout (>1 s)" in said
    assert "told at last" in said


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_a_test_that_catches_everything_ends_with_its_process(tmp_path: Path, loop: str) -> None:
    done = run(tmp_path, _STUBBORN, loop)
    assert done.returncode == 1
    assert "test_catches_everything" in done.stderr
    assert "Timeout (>1 s)" in done.stderr
    assert "await asyncio.sleep(60)" in done.stderr


_DIES: Final = """
import os

def test_is_the_last():
    os._exit(1)

def test_left_behind():
    pass
"""


def test_run_ends_when_a_worker_dies_that_had_finished_files(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["tests.kit.scheduling"]\n')
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    files = 12
    for number in range(files):
        (tmp_path / f"test_{number:02}.py").write_text("def test_passes():\n    pass\n")
    (tmp_path / "test_dies.py").write_text(_DIES)
    said = subprocess.run(
        [sys.executable, "-m", "pytest", "-rA", "-p", "xdist", "-n", "2", "--dist", "loadfile", tmp_path],
        env={
            **{name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"},
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "PYTHONPATH": str(_ROOT),
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
    ).stdout
    assert f"1 failed, {files + 1} passed" in said
    assert "FAILED test_dies.py::test_is_the_last" in said
    assert said.count("node down") == 1, said
