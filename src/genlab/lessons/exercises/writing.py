"""An exercise as a file: Python, or a Jupyter notebook. Nothing here imports torch."""

from __future__ import annotations

import json
from pathlib import Path

from genlab.errors import UserError
from genlab.lessons.exercises.catalogue import Exercise
from genlab.runs.files import replacing

MARK = "# genlab exercise: "
BLANK = 'raise NotImplementedError("fill this in")'


def python(exercise: Exercise, file: str) -> str:
    return (
        f'{MARK}{exercise.name}\n"""{exercise.title}.\n\n    {exercise.plain}\n\n{wrapped(exercise.words)}\n'
        f"{exercise.source}.\n\nTo check it: genlab exercise check {file}\n"
        f'"""\n\n{code(exercise)}'
    )


def code(exercise: Exercise) -> str:
    """The imports, and the function with its blank."""
    first = "from collections.abc import Callable\n\n" if "Callable" in exercise.signature else ""
    torch = "import torch\nimport torch.nn.functional as F\nfrom torch import Tensor, nn\n"
    return (
        f"{first}{torch}\n\ndef {exercise.function}{exercise.signature}:\n"
        f'    """{wrapped(exercise.shapes, 4)}"""\n    {BLANK}\n'
    )


def wrapped(text: str, indent: int = 0) -> str:
    import textwrap

    return textwrap.fill(text, 96, subsequent_indent=" " * indent)


def notebook(exercise: Exercise, file: str) -> str:
    """nbformat 4.5, as JSON."""
    told = (
        f"# {exercise.title}\n\n$${exercise.latex}$$\n\n{exercise.words}\n\n*{exercise.source}*\n\n"
        "Fill in the blank. The shapes stand in the function."
    )
    after = (
        f"To check it, save this notebook and run in a terminal:\n\n```\ngenlab exercise check {file}\n```"
    )
    cells = [
        {"cell_type": "markdown", "id": "equation", "metadata": {}, "source": told},
        {"cell_type": "code", "id": "blank", "metadata": {}, "outputs": [], "execution_count": None,
         "source": f"{MARK}{exercise.name}\n{code(exercise)}".rstrip()},
        {"cell_type": "markdown", "id": "check", "metadata": {}, "source": after},
    ]  # fmt: skip
    metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    made = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(made, ensure_ascii=False, indent=1) + "\n"


def write(exercise: Exercise, out: Path | None = None, *, as_notebook: bool = False) -> Path:
    """The new file. Raises UserError where there is one of that name already, which may hold work."""
    ending = ".ipynb" if as_notebook else ".py"
    path = out or Path(exercise.function + ending)
    if path.suffix not in (".py", ".ipynb"):
        raise UserError(f"an exercise is a .py or an .ipynb file, not {path.name!r}")
    if as_notebook and path.suffix != ".ipynb":
        raise UserError(f"--notebook writes an .ipynb file, and --out says {path.name!r}")
    if path.exists():
        raise UserError(f"{path} is there already and may hold your work: give another name with --out")
    if not path.absolute().parent.is_dir():
        raise UserError(f"there is no folder {path.parent}; make it first, or give another name with --out")
    made = notebook(exercise, path.name) if path.suffix == ".ipynb" else python(exercise, path.name)
    with replacing(path) as temporary:
        temporary.write_text(made, "utf-8")
    return path
