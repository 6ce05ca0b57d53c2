"""How long a command takes to begin: help, lists, one step of training, and the first image of a trained run.

    genlab bench startup
    genlab bench startup --rounds 15 --json runs/startup.json

Every number is the wall time of a whole process, a median over rounds in which the commands take turns; the
disk is warm, since a round before the first is thrown away. Step and image are counted beyond what importing
torch takes in the same round. Beside each command stands which large libraries it has imported. Run it on a
quiet machine.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from side_by_side.ratios import Spread, spread
from side_by_side.settings import environment

from genlab.runs.files import write_json

LARGE = ("torch", "numpy", "scipy", "sklearn", "pandas", "streamlit", "altair", "PIL", "pydantic", "rich")
PROBE = f"""import contextlib, io, sys
from genlab.cli import main
sys.argv = ["genlab", *sys.argv[1:]]
with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
    main()
print(*(name for name in {LARGE!r} if name in sys.modules))
"""
TORCH = "import torch"


class Command(NamedTuple):
    """`goal` in seconds, if there is one; beyond importing torch where `over_torch`."""

    name: str
    arguments: tuple[str, ...]
    goal: float | None
    over_torch: bool = False


COMMANDS = (
    Command("genlab --help", ("--help",), 0.3),
    Command("genlab runs", ("runs",), 0.3),
    Command("genlab data", ("data",), 0.3),
    Command("genlab train vae --steps 1", ("train", "vae", "--steps", "1"), None, over_torch=True),
    Command("genlab generate", ("generate", "latest", "-n", "1"), 1.0, over_torch=True),
)


class Bench:
    """Commands in a folder with one small run, under the settings that every command makes."""

    def __init__(self, folder: Path) -> None:
        self.environment = environment() | {"GENLAB_RUNS": str(folder / "runs")}
        self.genlab("train", "vae", "--steps", "3", "--set", "data.limit=500")

    def genlab(self, *arguments: str) -> str:
        return self.python("-m", "genlab.cli", *arguments)

    def python(self, *arguments: str) -> str:
        found = subprocess.run(
            [sys.executable, *arguments], env=self.environment, capture_output=True, encoding="utf-8"
        )
        if found.returncode != 0:
            raise SystemExit(f"{' '.join(arguments[-4:])} failed: {found.stderr.strip() or found.stdout}")
        return found.stdout

    def imports(self, command: Command) -> list[str]:
        return self.python("-c", PROBE, *command.arguments).split()

    def round(self) -> dict[str, float]:
        """Seconds of each command, of which that of torch alone is one."""
        spent = {TORCH: clock(lambda: self.python("-c", TORCH))}
        for command in COMMANDS:
            took = clock(partial(self.genlab, *command.arguments))
            spent[command.name] = took - spent[TORCH] if command.over_torch else took
        return spent


def clock(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def line(name: str, found: Spread, goal: float | None, imports: list[str]) -> str:
    ends = f"{found.least:.2f} … {found.most:.2f}"
    wanted = "" if goal is None else f"≤ {goal:g} s: {'met' if found.median <= goal else 'missed'}"
    return f"{name:<40}{found.median:>7.2f} s   {ends:<15}{wanted:<17}{' '.join(imports)}"


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="genlab bench startup", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--json", type=Path, help="every single time, in seconds")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        imports = {command.name: bench.imports(command) for command in COMMANDS}
        bench.round()
        rounds = [bench.round() for _ in range(max(1, chosen.rounds))]
    print(f"{'':<40}{'median':>7}     {'least … most':<15}{'goal':<17}imports")
    print(line(f"python -c '{TORCH}'", spread(each[TORCH] for each in rounds), None, ["torch"]))
    for command in COMMANDS:
        name = f"{command.name}, over torch" if command.over_torch else command.name
        print(line(name, spread(each[command.name] for each in rounds), command.goal, imports[command.name]))
    early = [each.name for each in COMMANDS if not each.over_torch and "torch" in imports[each.name]]
    print(f"{', '.join(early)} imported torch" if early else "no list and no help imported torch")
    if chosen.json:
        write_json(chosen.json, {"imports": imports, "seconds": rounds})


if __name__ == "__main__":
    main()
