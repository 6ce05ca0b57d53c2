"""What the docs say of the code is what the code says."""

from __future__ import annotations

import re
from pathlib import Path

from genlab.evaluation.instruments import INSTRUMENTS
from genlab.lessons.instruments_page import documented

DOCS = Path(__file__).parent.parent / "docs"


def test_the_page_of_instruments_is_up_to_date() -> None:
    page = (DOCS / "evaluation.md").read_text("utf-8")
    assert documented(page) == page, "run python scripts/document-instruments"
    assert all(instrument.sees in page for instrument in INSTRUMENTS.values())


def test_every_command_of_the_docs_is_one() -> None:
    from typer.main import get_command

    from genlab.cli import bring, calibrate, compare, data, export, look, measure, root, take, train, use  # noqa: F401

    known = set(get_command(root.app).commands)  # type: ignore[attr-defined]
    for page in DOCS.glob("*.md"):
        used = set(re.findall(r"\./lab ([a-z][a-z-]*)", page.read_text("utf-8"))) - {"build"}
        assert used <= known, (page.name, used - known)
