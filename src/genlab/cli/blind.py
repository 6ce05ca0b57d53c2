"""`genlab compare --blind`: a person chooses, on a page or in the terminal, and is told afterwards."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from genlab.cli.root import print_json
from genlab.errors import UserError

if TYPE_CHECKING:
    from rich.console import Console

    from genlab.evaluation.blind import Choice
    from genlab.lessons.blind.trials import Blind

KEYS: dict[str, Choice] = {
    "1": "left", "2": "right", "0": "neither", "\x1b[D": "left", "\x1b[C": "right", "\x1b[B": "neither",
}  # fmt: skip
GAP = 8  # pixels between the two pictures in a terminal


def ask(runs: list[str], *, trials: int, seed: int, out: Path | None, terminal: bool) -> None:
    """Write the page and its key, or ask here and now."""
    from genlab.cli.progress import console
    from genlab.experiment.trained import open_reference
    from genlab.lessons.blind.page import write_blind
    from genlab.lessons.blind.trials import folder, prepare

    if len(runs) != 2:
        raise UserError(f"--blind sets two runs against each other, not {len(runs)}; name two")
    screen = console()
    models = open_reference(runs[0]), open_reference(runs[1])
    blind = prepare((runs[0], runs[1]), models, trials, seed)
    if terminal:
        choose_here(blind, folder() if out is None else out.parent, screen)
        return
    page, key = write_blind(blind, out or folder() / f"{blind.identity}.html")
    screen.print(f"page: {page.resolve()}", soft_wrap=True)
    screen.print(f"key:  {key.resolve()}  (not before you have chosen)", soft_wrap=True)
    screen.print(
        f"Open the page in a browser, choose {trials} times, save; then: genlab compare --blind-results FILE",
        style="dim",
    )


def report(results: Path, key: Path | None, json: bool) -> None:
    """What was chosen, with intervals, and which run was which."""
    from genlab.cli.progress import console
    from genlab.lessons.blind.trials import read_key, read_results

    identity, choices = read_results(results)
    say(read_key(identity, results, key), choices, console(to_stderr=json), json)


def say(key: dict[str, Any], choices: dict[int, Choice], screen: Console, json: bool = False) -> None:
    from genlab.evaluation.blind import sentence, tallies

    trials = [(pair[0], pair[1]) for pair in key["trials"]]
    if any(not 0 <= number < len(trials) for number in choices):
        raise UserError(f"the results name trials that the key {key['id']} does not have; find the right key")
    found = tallies(trials, choices)
    if json:
        print_json(
            {
                "id": key["id"], "names": key["names"], "choices": len(choices), "trials": len(trials),
                "tallies": [
                    {
                        "first": key["names"][t.first], "second": key["names"][t.second], "chosen": t.chosen,
                        "against": t.against, "undecided": t.undecided, "low": t.interval[0],
                        "high": t.interval[1], "beyond_noise": t.beyond_noise,
                        "verdict": sentence(t, key["names"]),
                    }
                    for t in found
                ],
            }
        )  # fmt: skip
        return
    for tally in found:
        screen.print(sentence(tally, key["names"]))
    screen.print(
        f"{len(choices)} of {len(trials)} choices by one person, seed {key['seed']}. Shares of the choices made, "
        "each with its own 95 % interval (Wilson); guessing gives 50 %.",
        style="dim",
    )


def choose_here(blind: Blind, place: Path, screen: Console) -> None:
    """Ask in the terminal. Whatever was chosen is kept and counts, when it is stopped too."""
    from genlab.runs.files import write_json

    width = 2 * blind.left.shape[3] + GAP
    if width > screen.width:
        raise UserError(
            f"two of these images need {width} columns and the terminal has {screen.width}; widen it, or leave "
            "out --terminal for a page"
        )
    choices: dict[int, Choice] = {}
    try:
        for number in range(len(blind.trials)):
            choice = one_choice(blind, number, screen)
            if choice is None:
                break
            choices[number] = choice
    except (KeyboardInterrupt, EOFError):
        pass
    answers = [{"trial": number, "choice": choice} for number, choice in choices.items()]
    results = place / f"blind-{blind.identity}.json"
    write_json(place / f"{blind.identity}.key.json", blind.key)
    write_json(results, {"format": "genlab-blind", "version": 1, "id": blind.identity, "answers": answers})
    screen.print()
    say(blind.key, choices, screen)
    screen.print(f"kept in {results}", style="dim", soft_wrap=True)


def one_choice(blind: Blind, number: int, screen: Console) -> Choice | None:
    """Left, right or neither; None to stop."""
    import numpy as np

    from genlab.cli.blocks import half_blocks

    screen.print(f"\n{number + 1} of {len(blind.trials)}: which looks more like a real image?", style="bold")
    screen.print(half_blocks(np.stack([blind.left[number], blind.right[number]]), 2, GAP), no_wrap=True)
    screen.print("1 left   2 right   0 can't tell   q stop", style="dim")
    while True:
        pressed = typer.getchar()
        if pressed in KEYS:
            return KEYS[pressed]
        if pressed in ("q", "\x03", "\x04"):
            return None
