"""The parts of an operation: statements, the calls that it yields, and their text in one dialect.

A driver never writes SQL: it looks a Statement up in its `Compiler` and runs the text with the parameters in the order
of the text.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Dialect, Select
from sqlalchemy.sql import ClauseElement

T = TypeVar("T")
Row = Sequence[Any]
Params = tuple[Any, ...]


class Statement:
    """A clause and the order in which callers give its parameters. `returns` says whether it yields rows."""

    __slots__ = ("clause", "names", "returns")

    def __init__(self, clause: ClauseElement, *names: str, returns: bool = False) -> None:
        self.clause = clause
        self.names = names
        self.returns = returns or isinstance(clause, Select)


class Call(NamedTuple):
    """An operation's request to its driver: one statement, once per tuple of parameters, rows in one list."""

    statement: Statement
    params: Sequence[Params]


Op = Generator[Call, list[Row], T]
"""An operation: it yields Calls, receives their rows, and returns its result. It runs in one transaction."""
MakeOp = Callable[[], Op[T]]
"""Starts an operation, anew for each attempt."""


def by_keys(keys: list[Any], width: int) -> list[Params]:
    """Return keys in tuples of `width`, for a statement that finds that many at once. The last tuple is filled up with
    the last key."""
    padded = [*keys, *keys[-1:] * (-len(keys) % width)]
    return [tuple(padded[at : at + width]) for at in range(0, len(padded), width)]


class Compiled(NamedTuple):
    """A statement in one dialect. `order` places the caller's parameters (None: as they are)."""

    sql: str
    returns: bool
    order: tuple[int, ...] | None
    constants: Params

    def arrange(self, params: Sequence[Params]) -> Sequence[Params]:
        """Return the parameters in the order of the text."""
        order = self.order
        if order is None:
            return params
        constants = self.constants
        return [tuple((*given, *constants)[i] for i in order) for given in params]


class Compiler:
    """Statements in one dialect, each compiled at its first use."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._compiled: dict[Statement, Compiled] = {}

    def __call__(self, statement: Statement) -> Compiled:
        compiled = self._compiled.get(statement)
        if compiled is None:
            compiled = self._compiled[statement] = self._compile(statement)
        return compiled

    def _compile(self, statement: Statement) -> Compiled:
        text = statement.clause.compile(dialect=self._dialect)
        wanted: Sequence[str] = getattr(text, "positiontup", None) or ()
        constants = {name: value for name, value in text.params.items() if name not in statement.names}
        missing = set(statement.names) - set(wanted)
        if missing:
            raise ValueError(f"parameters that the statement does not have: {sorted(missing)}")
        places = [*statement.names, *constants]
        order = tuple(places.index(name) for name in wanted)
        as_given = order == tuple(range(len(statement.names)))
        return Compiled(str(text), statement.returns, None if as_given else order, tuple(constants.values()))
