"""No module of the server imports another one in a circle, whether for types only or inside a function."""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "chatserver"


def imports(package: Path) -> dict[str, set[str]]:
    """Return every module of a package with the modules of that package that it imports."""
    files = {_name(file, package): file for file in package.rglob("*.py")}
    return {name: _imported(file, files) for name, file in files.items()}


def _name(file: Path, package: Path) -> str:
    parts = file.relative_to(package.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imported(file: Path, known: dict[str, Path]) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return {name for name in found if name in known and not file.samefile(known[name])}


def circle(graph: dict[str, set[str]]) -> list[str]:
    """Return modules that import each other in a circle, the first one again at the end; empty where there is none."""
    # A package imports nothing here; that its modules name it is no dependency.
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as found:
        members: list[str] = found.args[1]
        return members
    return []


def test_no_module_imports_another_in_a_circle() -> None:
    graph = imports(PACKAGE)
    assert len(graph) > 300
    assert graph["chatserver.worker"] >= {"chatserver.handlers.node", "chatserver.handlers.rooms.part"}
    assert circle(graph) == []


def test_a_circle_for_types_only_is_found(tmp_path: Path) -> None:
    package = tmp_path / "house"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "a.py").write_text("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from house.b import B\n")
    (package / "b.py").write_text("def late():\n    from house import a\n    return a\n")
    assert set(circle(imports(package))) == {"house.a", "house.b"}
