"""`--recipe auto`, as the command line shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from genlab.recipes.auto import Chosen


def announce(choices: list[Chosen], console: Console) -> None:
    """One line a choice, with its reason."""
    wide = max((len(choice.assignment) for choice in choices), default=0)
    for choice in choices:
        console.print(f"  {choice.assignment:<{wide}}  {choice.why}", style="dim", highlight=False)
