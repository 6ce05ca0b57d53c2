"""A page's tables stand between `<!-- NAME -->` and `<!-- /NAME -->`, and are written anew there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence


def documented(page: str, tables: Mapping[str, Callable[[], str]]) -> str:
    """`page` with each of `tables` that it has a place for."""
    for name, table in tables.items():
        before, begins, rest = page.partition(f"<!-- {name} -->")
        _, ends, after = rest.partition(f"<!-- /{name} -->")
        if begins:
            assert ends, f"the part {name} of the page has no end"
            page = f"{before}{begins}\n\n{table().strip()}\n\n{ends}{after}"
    return page


def markdown(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of Markdown."""
    lines = ["| " + " | ".join(cells) + " |" for cells in (heads, *rows)]
    lines.insert(1, "|" + "---|" * len(heads))
    return "\n".join(lines)


def judged(goal: str, met: bool) -> str:
    return f"{goal}: {'met' if met else 'missed'}"
