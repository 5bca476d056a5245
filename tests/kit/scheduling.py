"""A pytest plugin that spreads test files over worker processes, and survives the loss of one.

When a worker dies, pytest-xdist 3.8 queues everything again that it ever had, the files that it had finished included.
A worker that gets a finished file has nothing to report and is given nothing more, so the run never ends. The test that
ended the worker is run again, too.
"""

from __future__ import annotations

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController


class SafeFileScheduling(LoadFileScheduling):  # type: ignore[misc]
    """Keeps the tests of one file in one worker. What a dead worker had not run is run by the others."""

    def remove_node(self, node: WorkerController) -> str | None:
        """Take a worker out. Return the test in which it died, if it was in one; that test is not run again."""
        files = self.assigned_work.pop(node)
        left = {file: tests for file, tests in files.items() if not all(tests.values())}
        if not left:
            return None
        tests = next(iter(left.values()))
        crashed = next(name for name, is_done in tests.items() if not is_done)
        tests[crashed] = True
        self.workqueue.update({file: tests for file, tests in left.items() if not all(tests.values())})
        for other in self.assigned_work:
            self._reschedule(other)
        return str(crashed)


@pytest.hookimpl
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> SafeFileScheduling | None:
    """Return the scheduler for `--dist loadfile`; others are left to pytest-xdist."""
    return SafeFileScheduling(config, log) if config.getvalue("dist") == "loadfile" else None
