"""The same as a Jupyter notebook: what was measured, and the cells that measure it again."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path
from typing import Any

from genlab.lessons.figures import svg
from genlab.lessons.lesson import Figure, Lesson, Picture
from genlab.lessons.record import Record
from genlab.lessons.writing.document import document
from genlab.lessons.writing.markdown import block

RERUN = """# Runs the lesson again from its seeds; what is finished already is not done again.
import genlab.lessons.again

record = genlab.lessons.again.lesson({lesson!r}, scale={scale!r}, seed={seed}, data={data!r})"""
VERDICTS = "genlab.lessons.again.verdicts(record)"


def notebook(lesson: Lesson, record: Record, folder: Path) -> str:
    """nbformat 4.5, as JSON; figures and pictures are within it."""
    told = document(lesson, record)
    setting = record.setting
    cells = [prose(f"# {told.title}\n\n*{told.question}*")]
    for section in told.sections:
        cells.append(prose(f"## {section.title}"))
        for each in section.blocks:
            cells.append(
                picture(each, folder) if isinstance(each, Figure | Picture) else prose(block(each, ""))
            )
    cells.append(
        code(RERUN.format(lesson=lesson.name, scale=setting.scale, seed=setting.seed, data=setting.data))
    )
    cells.append(code(VERDICTS))
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
        "genlab": record.as_json(),
    }
    told_as = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(told_as, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def prose(text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": text}


def code(text: str) -> dict[str, Any]:
    return {"cell_type": "code", "metadata": {}, "source": text, "outputs": [], "execution_count": None}


def picture(told: Figure | Picture, folder: Path) -> dict[str, Any]:
    """A cell of Markdown with the image attached to it."""
    if isinstance(told, Figure):
        name, kind, content = f"{told.key}.svg", "image/svg+xml", svg(told.spec).encode()
    else:
        name, kind, content = told.path, "image/png", (folder / told.path).read_bytes()
    cell = prose(f"**{told.title}**\n\n![{told.title}](attachment:{name})\n\n{told.sentence}")
    return cell | {"attachments": {name: {kind: b64encode(content).decode()}}}
