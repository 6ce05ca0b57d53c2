"""What the docs say of the code is what the code says."""

from __future__ import annotations

import re
from pathlib import Path

from genlab.evaluation.instruments import INSTRUMENTS
from genlab.lessons.catalogue import names
from genlab.lessons.instruments_page import documented
from genlab.lessons.record import shipped
from genlab.lessons.writing.pages import pages

DOCS = Path(__file__).parent.parent / "docs"


def test_the_page_of_instruments_is_up_to_date() -> None:
    page = (DOCS / "evaluation.md").read_text("utf-8")
    assert documented(page) == page, "run python scripts/document-instruments"
    assert all(instrument.sees in page for instrument in INSTRUMENTS.values())


def test_every_command_of_the_docs_is_one() -> None:
    from typer.main import get_command

    from genlab.cli import load_commands, root

    load_commands()

    known = set(get_command(root.app).commands)  # type: ignore[attr-defined]
    for page in DOCS.glob("*.md"):
        used = set(re.findall(r"\./lab ([a-z][a-z-]*)", page.read_text("utf-8"))) - {"build"}
        assert used <= known, (page.name, used - known)


def test_the_pages_of_the_lessons_are_up_to_date() -> None:
    records = {name: record for name in names() if (record := shipped(name)) is not None}
    for name, text in pages(records).items():
        assert (DOCS / "lessons" / name).read_text("utf-8") == text, "run python scripts/ship-lessons --pages"


def test_every_picture_and_page_that_the_docs_name_is_there() -> None:
    for page in [*DOCS.rglob("*.md"), DOCS.parent / "README.md"]:
        for place in re.findall(r"\]\(([^)#]+)\)", page.read_text("utf-8")):
            assert (page.parent / place).is_file() or place.startswith("http"), (page.name, place)


def test_the_tables_of_the_search_are_what_was_kept_of_it() -> None:
    import argparse
    import json

    import search  # of benchmarks/

    page = (DOCS / "recipes.md").read_text("utf-8")
    rows = json.loads((DOCS.parent / "benchmarks" / "results" / "search.json").read_text("utf-8"))
    known = argparse.Namespace(data="mnist", seeds=1)
    assert search.documented(page, known, rows) == page, (
        "run genlab bench search --json benchmarks/results/search.json --page docs/recipes.md"
    )


def test_the_tables_of_performance_are_what_the_benchmarks_left() -> None:
    import performance  # of benchmarks/

    for page in performance.PAGES:
        text = page.read_text("utf-8")
        assert performance.written(text) == text, "run genlab bench performance"
