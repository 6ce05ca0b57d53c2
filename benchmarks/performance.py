"""The tables of docs/performance.md and of the README, written anew from what the benchmarks left in
benchmarks/results.

    genlab bench performance

It measures nothing. Which benchmark leaves which file, by which command, stands on the first of these pages.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from in_markdown import quality, speed
from in_markdown.places import documented
from side_by_side.settings import BENCHMARKS

from genlab.runs.files import read_json

RESULTS = BENCHMARKS / "results"
PAGES = [BENCHMARKS.parent / "docs" / "performance.md", BENCHMARKS.parent / "README.md"]

# place on the page -> the file that it is made from, and how
TABLES: dict[str, tuple[str, Callable[[Any], str]]] = {
    "machine": ("peers", lambda kept: speed.machine(speed.alone(kept))),
    "peers": ("peers", lambda kept: speed.as_run(speed.alone(kept))),
    "ahead": ("peers", lambda kept: speed.in_a_sentence(speed.alone(kept))),
    "same-settings": ("peers", lambda kept: speed.same_settings(speed.alone(kept))),
    "own": ("peers", lambda kept: speed.own(speed.alone(kept))),
    "layers": ("layers", speed.layers),
    "threads": ("threads", speed.threads),
    "startup": ("startup", speed.startup),
    "overhead": ("overhead", speed.overhead),
    "quality-mnist": ("quality", lambda rows: quality.quality(rows, "mnist")),
    "quality-fashion": ("quality", lambda rows: quality.quality(rows, "fashion-mnist")),
    "own-scale": ("quality", quality.own_scale),
    "charged": ("quality", lambda rows: quality.charged(rows, "mnist")),
    "curves": ("curves", lambda rows: curves(rows)),
}


def curves(rows: list[dict[str, Any]]) -> str:
    from curves import ARMS, sooner

    found = sooner(rows, quality.shipped(rows))
    return quality.sooner(found, {name: arm.label for name, arm in ARMS.items()})


def made(results: Path, file: str, table: Callable[[Any], str]) -> str:
    path = results / f"{file}.json"
    return table(read_json(path)) if path.exists() else f"*Not measured yet: `genlab bench {file}`.*"


def written(page: str, results: Path = RESULTS) -> str:
    """`page` with its tables as `results` have them."""
    return documented(page, {name: partial(made, results, *how) for name, how in TABLES.items()})


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="genlab bench performance",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument(
        "--pages", type=Path, nargs="+", default=PAGES, help="pages of Markdown with places for tables"
    )
    for page in parser.parse_args().pages:
        page.write_text(written(page.read_text("utf-8")), "utf-8")
        print(f"wrote the tables of {page.name}")


if __name__ == "__main__":
    main()
