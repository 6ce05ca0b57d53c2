"""A lesson's report in a folder: a page, Markdown with its images, a notebook."""

from __future__ import annotations

from pathlib import Path

from genlab.lessons.lesson import Lesson
from genlab.lessons.record import SHIPPED, Record, home
from genlab.lessons.writing.html import page
from genlab.lessons.writing.markdown import markdown, write_figures
from genlab.lessons.writing.notebook import notebook
from genlab.runs.files import replacing
from genlab.runs.folders import make_folder


def export(lesson: Lesson, record: Record, folder: Path, *, shipped: bool = False) -> Path:
    """Write NAME.html, NAME.md, NAME.ipynb and images/ to `folder`; returns the page. Raises UserError."""
    pictures = SHIPPED / lesson.name if shipped else home(record.lesson, record.setting)
    texts = {
        "html": page(lesson, record, pictures),
        "ipynb": notebook(lesson, record, pictures),
        "md": markdown(lesson, record, "images/"),
    }
    make_folder(folder)
    write_figures(lesson, record, folder / "images")
    for picture in lesson.evidence(record.findings).pictures:
        (folder / "images" / picture.path).write_bytes((pictures / picture.path).read_bytes())
    for ending, text in texts.items():
        with replacing(folder / f"{lesson.name}.{ending}") as temporary:
            temporary.write_text(text, "utf-8")
    return folder / f"{lesson.name}.html"
