"""Which code a piece of work can reach, and a digest of it: what was measured by other code is measured anew.

Reach is read from the source, by following every import of genlab's own modules, those within functions too.
The digest is of what Python makes of them: comments, docstrings and layout do not count, nor does the commit.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import genlab

PACKAGE = "genlab"


def source_of(module: str) -> Path | None:
    """The file of a module of genlab's; None for a name that is none (a class, say)."""
    assert genlab.__file__ is not None
    path = Path(genlab.__file__).parent.joinpath(*module.split(".")[1:])
    for each in (path / "__init__.py", path.with_suffix(".py")):
        if each.is_file():
            return each
    return None


def imported(tree: ast.Module) -> Iterator[str]:
    """The names of genlab's modules, and of what is in them, that `tree` asks for."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names if name.name.split(".")[0] == PACKAGE)
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == PACKAGE:
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)


@cache
def stripped(path: Path) -> ast.Module:
    """The file's syntax without docstrings, and without what only type checkers read."""
    tree = ast.parse(path.read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = []
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and (
            ast.get_docstring(node, clean=False) is not None
        ):
            node.body = node.body[1:]
    return tree


@cache
def reach(module: str) -> tuple[str, ...]:
    """`module` and all of genlab's that it can import, by name."""
    found: set[str] = set()
    ahead = [module]
    while ahead:
        name = ahead.pop()
        path = source_of(name)
        if path is None or name in found:
            continue
        found.add(name)
        ahead += imported(stripped(path))
    return tuple(sorted(found))


@cache
def digest(module: str) -> str:
    """16 digits for all the code that `module` can reach."""
    told = hashlib.sha256()
    for name in reach(module):
        path = source_of(name)
        assert path is not None
        told.update(f"{name}\n{ast.dump(stripped(path))}\n".encode())
    return told.hexdigest()[:16]
