"""The catalogue of instruments and what each sees, as Markdown: filled in from the code and the shipped
tables, so that the page cannot drift from either."""

from __future__ import annotations

from genlab.evaluation.calibration import Table, decided, shipped, verdict
from genlab.evaluation.corruptions import CORRUPTIONS
from genlab.evaluation.instruments import INSTRUMENTS

SIGNS = {"sees": "●", "blind": "·", "fooled": "▽"}
NAMES = {
    "classifier": "Digits through the shipped classifier, texture beside it",
    "random": "The same digits without their labels, through random convolutions alone",
}


def documented(page: str) -> str:
    """`page` with its two marked parts replaced."""
    for name, text in {"calibration": calibration(), "instruments": instruments()}.items():
        before, _, rest = page.partition(f"<!-- {name} -->")
        _, end, after = rest.partition(f"<!-- /{name} -->")
        assert end, f"the page has no part {name}"
        page = f"{before}<!-- {name} -->\n{text}\n{end}{after}"
    return page


def calibration() -> str:
    return "\n\n".join(f"**{NAMES[kind]}**\n\n{grid(table)}" for kind, table in shipped().items())


def grid(table: Table) -> str:
    """Faults down, instruments across; those of the default report in bold."""
    keys = [key for key in INSTRUMENTS if any(value is not None for value in table["responses"].get(key, ()))]
    kept = decided(table)
    heads = [f"**{INSTRUMENTS[key].label}**" if key in kept else INSTRUMENTS[key].label for key in keys]
    lines = [f"| real images with | {' | '.join(heads)} |", f"|---|{':-:|' * len(keys)}"]
    for index, row in enumerate(table["rows"]):
        name = row["corruption"]
        label = "nothing: other images" if name == "none" else f"{name} {row['grade']:g}"
        found = (SIGNS[verdict(table["responses"][key][index], table["threshold"])] for key in keys)
        lines.append(f"| {label} | {' | '.join(found)} |")
    grades = "; ".join(f"{name}: {each.unit}" for name, each in CORRUPTIONS.items())
    lines.append("")
    lines.append(
        f"● for the worse by more than {table['threshold']:g} standard errors, ▽ for the better, · neither; "
        f"N = {table['count']:,} samples against {table['references']:,} test images of `{table['data']}`; "
        f"networks: {', '.join(f'`{each}`' for each in table['networks'].values())}. Bold: in the default "
        f"report. Grades: {grades}."
    )
    return "\n".join(lines)


def instruments() -> str:
    lines = ["| instrument | unit | sees | does not see |", "|---|---|---|---|"]
    for each in INSTRUMENTS.values():
        more = "" if each.standard else " (`--full`)"
        lines.append(f"| {each.heading}{more} | {each.unit} | {each.sees} | {each.blind} |")
    return "\n".join(lines)
