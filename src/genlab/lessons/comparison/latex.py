r"""A comparison for a paper: a booktabs table with intervals as value ± half-width.

Needs `\usepackage{booktabs}`. What is best, or within noise of it, is bold; where noise decides nothing,
nothing is.
"""

from __future__ import annotations

from genlab.evaluation.cells import Cell
from genlab.evaluation.compare import Comparison, Row
from genlab.evaluation.records import Reading
from genlab.lessons.comparison.figures import (
    CEILING,
    FEW,
    FLOOR,
    described,
    in_order,
    provenance,
    spread_text,
    value_text,
)
from genlab.metrics.unavailable import Unavailable

ESCAPES = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{",
    "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}",
    ">": r"\textgreater{}", "↓": r"$\downarrow$", "↑": r"$\uparrow$", "→": r"$\rightarrow$",
    "∞": r"$\infty$", "×": r"$\times$", "−": r"$-$", "±": r"$\pm$", "·": r"$\cdot$", "\u202f": r"\,",
    "‖": r"$\Vert$", "β": r"$\beta$", "σ": r"$\sigma$", "\n": " ",
}  # fmt: skip


def escaped(text: str) -> str:
    return "".join(ESCAPES.get(character, character) for character in text)


def as_latex(comparison: Comparison) -> str:
    rows = [row for row in comparison.shown() if _judged(row)] or list(comparison.shown())
    few = len(comparison.entries) <= FEW
    body = by_instrument(comparison, rows) if few else by_entry(comparison, rows)
    facts = "; ".join(f"{name}: {said}" for name, said in provenance(comparison))
    legend = "; ".join(f"{e.letter}: {e.name} ({described(e)})" for e in comparison.entries if few)
    note = " ".join(filter(None, ["95 % intervals.", *comparison.notes, f"{facts}.", legend]))
    return "\n".join(
        [
            "% needs \\usepackage{booktabs}",
            "\\begin{table}",
            "\\centering",
            *body,
            "",
            f"\\par\\smallskip\\footnotesize {escaped(note)}",
            "\\end{table}",
            "",
        ]
    )  # fmt: skip


def _judged(row: Row) -> bool:
    return row.instrument.better != "neither"


def by_instrument(comparison: Comparison, rows: list[Row]) -> list[str]:
    """Instruments below each other, entries side by side, then floor, ceiling and the verdict."""
    letters = [entry.letter for entry in comparison.entries]
    lines = [_line(["", *letters, "floor", "ceiling", "verdict"])]
    body = []
    for row in rows:
        cells = [_cell(cell, row, i in row.top) for i, cell in enumerate(row.cells)]
        ends = [_cell(end, row, False) for end in (row.floor, row.ceiling)]
        body.append(_line([escaped(row.instrument.heading), *cells, *ends, escaped(row.text)]))
    return _tabular("l" + "r" * (len(letters) + 2) + "l", lines, body)


def by_entry(comparison: Comparison, rows: list[Row]) -> list[str]:
    """Entries below each other, the best by the first instrument first; the bounds at the end."""
    lines = [_line(["", *(escaped(row.instrument.heading) for row in rows)])]
    body = []
    for index in in_order(comparison):
        entry = comparison.entries[index]
        cells = [_cell(row.cells[index], row, index in row.top) for row in rows]
        body.append(_line([escaped(f"{entry.letter} {entry.name}"), *cells]))
    body.append("\\midrule")
    for name, place in ((FLOOR, "floor"), (CEILING, "ceiling")):
        body.append(_line([escaped(name), *(_cell(getattr(row, place), row, False) for row in rows)]))
    return _tabular("l" + "r" * len(rows), lines, body)


def _tabular(columns: str, head: list[str], body: list[str]) -> list[str]:
    return [
        f"\\begin{{tabular}}{{{columns}}}", "\\toprule", *head, "\\midrule", *body, "\\bottomrule",
        "\\end{tabular}",
    ]  # fmt: skip


def _line(cells: list[str]) -> str:
    return " & ".join(cells) + r" \\"


def _cell(cell: Cell | Reading | Unavailable, row: Row, bold: bool) -> str:
    if isinstance(cell, Unavailable):
        return "--"
    text = value_text(cell, row.instrument).replace("−", "-").replace("\u202f", r"\,")
    spread = spread_text(cell, row.instrument) if isinstance(cell, Cell) else ""
    spread = rf" \pm {spread}".replace("\u202f", r"\,") if spread else ""
    return rf"$\mathbf{{{text}}}{spread}$" if bold else f"${text}{spread}$"
