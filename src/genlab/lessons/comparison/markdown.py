"""A comparison as a Markdown table, for a README, an issue or a notebook."""

from __future__ import annotations

from collections.abc import Iterator

from genlab.evaluation.cells import Cell
from genlab.evaluation.compare import Comparison, Row
from genlab.evaluation.records import Reading
from genlab.lessons.comparison.figures import described, missing, provenance, spread_text, value_text
from genlab.metrics.unavailable import Unavailable


def as_markdown(comparison: Comparison) -> str:
    """Instruments below each other, entries side by side; what is best, or within noise of it, is bold. Then
    the legend, what is missing, and how all was measured."""
    letters = [entry.letter for entry in comparison.entries]
    heads = ["instrument", *letters, "floor", "ceiling", "verdict"]
    lines = [line(heads), line([":--", *["--:"] * (len(letters) + 2), ":--"])]
    lines += [line(cells(row)) for row in comparison.shown()]
    return "\n".join([*lines, "", *(f"- {escaped(said)}" for said in notes(comparison)), ""])


def cells(row: Row) -> Iterator[str]:
    yield escaped(row.instrument.heading)
    for index, cell in enumerate(row.cells):
        text = worded(cell, row)
        yield f"**{text}**" if index in row.top else text
    yield from (worded(end, row) for end in (row.floor, row.ceiling))
    yield escaped(row.text)


def worded(cell: Cell | Reading | Unavailable, row: Row) -> str:
    if isinstance(cell, Unavailable):
        return "–"
    spread = spread_text(cell, row.instrument) if isinstance(cell, Cell) else ""
    return value_text(cell, row.instrument) + (f" ± {spread}" if spread else "")


def notes(comparison: Comparison) -> Iterator[str]:
    for entry in comparison.entries:
        yield f"{entry.letter}: {entry.name} ({described(entry)})"
    for reason, labels, letters in missing(comparison):
        yield f"– {labels}{f' ({letters})' if letters else ''}: {reason}"
    yield from ("± half a 95 % interval.", *comparison.notes)
    yield from (f"{name}: {said}" for name, said in provenance(comparison))


def line(texts: list[str] | Iterator[str]) -> str:
    return f"| {' | '.join(texts)} |"


def escaped(text: str) -> str:
    """With what Markdown would take for its own made plain, on one line."""
    for sign in "\\|*_`<[":
        text = text.replace(sign, f"\\{sign}")
    return " ".join(text.split())
