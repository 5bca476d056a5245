"""Killed inside the commit: before, between and after all that a commit says to its database, and around its answer.

`python -m tests.faults.commit_points --points 300` does the same for longer, edits, reactions and removals included.
"""

from __future__ import annotations

import pytest

from tests.faults.commit_points import OF_POSTS, Outcome, run
from tests.kit.postgres import PostgresServer

pytestmark = [pytest.mark.faults, pytest.mark.slow]


async def test_no_point_of_a_commit_in_sqlite_loses_or_doubles_anything() -> None:
    _is_flawless(await run(len(OF_POSTS), seed=1))


async def test_no_point_of_a_commit_in_postgresql_loses_or_doubles_anything(postgres_server: PostgresServer) -> None:
    _is_flawless(await run(len(OF_POSTS), seed=2, database_url=postgres_server.fresh_database()))


def _is_flawless(outcome: Outcome) -> None:
    assert outcome.complaints == []
    assert (outcome.lost, outcome.doubled, outcome.reordered) == (0, 0, 0)
    # Each point once; and what was cut off was sent again until it had five answers.
    assert outcome.died == dict.fromkeys(OF_POSTS, 1)
    assert outcome.answers > outcome.acknowledged >= outcome.kills
