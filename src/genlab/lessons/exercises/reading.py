"""The reader's file: its code, and which exercise it is. It is read here, and not run."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import NamedTuple

from genlab.errors import UserError
from genlab.lessons.exercises.catalogue import EXERCISES, Exercise, exercise_called
from genlab.lessons.exercises.writing import MARK

LARGEST = 500_000  # bytes


class Answer(NamedTuple):
    """The code of a reader's file, and what it answers."""

    exercise: Exercise
    code: str


def answer(path: Path) -> Answer:
    """Raises UserError where the file is no answer to any exercise."""
    code = code_of(path)
    try:
        tree = ast.parse(code)
    except SyntaxError as error:
        raise UserError(f"{path.name} is not Python: {error.msg}, line {error.lineno}") from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise UserError(f"{path.name} can't be read as Python ({type(error).__name__})") from None
    names = defined(tree)
    exercise = marked(code) or found(names, path.name)
    if exercise.function not in names:
        others = f"; it has {', '.join(sorted(names)[:5])}" if names else ""
        raise UserError(
            f"{path.name} has no function called {exercise.function}, which is what {exercise.name} asks "
            f"for{others}"
        )
    return Answer(exercise, code)


def code_of(path: Path) -> str:
    """The text of a .py file, or the code cells of a notebook, one after another."""
    if not path.is_file():
        raise UserError(f"there is no file {path}; `genlab exercise NAME` writes one")
    if path.stat().st_size > LARGEST:
        raise UserError(f"{path.name} is larger than an exercise can be ({LARGEST:,} bytes)")
    if path.suffix not in (".py", ".ipynb"):
        raise UserError(f"an exercise is a .py or an .ipynb file, not {path.name!r}")
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise UserError(f"{path.name} is not text in UTF-8; save it as that") from None
    return cells(text, path.name) if path.suffix == ".ipynb" else text


def cells(text: str, name: str) -> str:
    """The code of a notebook, without what only IPython understands."""
    try:
        sources = [cell["source"] for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
        joined = ["".join(source) for source in sources]  # a list of lines, or one string
    except (ValueError, KeyError, TypeError, RecursionError):
        raise UserError(f"{name} is not a Jupyter notebook; write it anew with --notebook") from None
    lines = [line for source in joined for line in [*source.splitlines(), ""]]
    return "\n".join("" if line.lstrip().startswith(("%", "!")) else line for line in lines) + "\n"


def marked(code: str) -> Exercise | None:
    """The exercise that the file's own mark names."""
    for line in code.splitlines():
        if line.startswith(MARK):
            return exercise_called(line.removeprefix(MARK).strip())
    return None


def found(names: set[str], file: str) -> Exercise:
    """The one exercise whose function is among `names`."""
    answered = [each for each in EXERCISES.values() if each.function in names]
    if len(answered) != 1:
        functions = ", ".join(each.function for each in answered or EXERCISES.values())
        what = "answers several exercises" if answered else "has none of the functions that are asked for"
        raise UserError(
            f"{file} {what} ({functions}): keep the first line of the file that `genlab exercise NAME` writes"
        )
    return answered[0]


def defined(tree: ast.Module) -> set[str]:
    """The names of functions at the top of a file, and of what is assigned there."""
    names = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    for node in tree.body:
        if isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        if isinstance(node, ast.ImportFrom):
            names |= {each.asname or each.name for each in node.names}
    return names
