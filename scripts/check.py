"""The gate, the same at home and in CI: `./lab test` (what matters, at most 4 minutes on 2 cores) and
`./lab test --all` (what is slow and what needs a browser, too). Every stage runs, whatever became of the one
before; the exit code is 0 when all have passed, 1 when one has not, 2 when the tools are missing.

    python scripts/check.py [--all]

The browser tests find their Chromium in GENLAB_CHROMIUM, which is set here to the one on this machine.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ("ruff", "mypy", "importlinter", "pytest", "xdist")
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
CHROMIUM_PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
)


def chromium() -> str:
    """The path of a Chromium on this machine; empty where there is none."""
    named = os.environ.get("GENLAB_CHROMIUM", "")
    if named:
        return named
    on_path = filter(None, map(shutil.which, CHROMIUM_NAMES))
    return next(on_path, next(filter(os.path.exists, CHROMIUM_PLACES), ""))


def stages(everything: bool, browser: bool) -> dict[str, list[str]]:
    """The tests share two cores between two processes; those with a browser, which time frames, run alone."""
    python = sys.executable
    lint_imports = Path(python).with_name("lint-imports.exe" if os.name == "nt" else "lint-imports")
    pytest = [python, "-m", "pytest", "--durations=10", "-m"]
    wanted = "not browser" if everything else "not browser and not slow"
    found = {
        "ruff check": [python, "-m", "ruff", "check", "."],
        "ruff format": [python, "-m", "ruff", "format", "--check", "."],
        "mypy": [python, "-m", "mypy"],
        "import-linter": [str(lint_imports)],
        "pytest": [*pytest, wanted, "--numprocesses=2", "--dist=worksteal"],
    }
    return {**found, "in a browser": [*pytest, "browser"]} if everything and browser else found


def run(name: str, command: list[str], environment: dict[str, str]) -> tuple[bool, float]:
    print(f"\n== {name}", flush=True)
    begun = time.monotonic()
    passed = subprocess.run(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL).returncode == 0
    return passed, time.monotonic() - begun


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="lab test", description="Runs the project's checks.")
    parser.add_argument("--all", action="store_true", help="the slow tests and those with a browser, too")
    everything = parser.parse_args(arguments).all
    missing = [tool for tool in TOOLS if importlib.util.find_spec(tool) is None]
    if missing:
        print(f"{', '.join(missing)} not installed here: run ./lab test, which sees to it.", file=sys.stderr)
        return 2
    browser = chromium()
    environment = {**os.environ, "GENLAB_CHROMIUM": browser}
    results = {
        name: run(name, command, environment) for name, command in stages(everything, bool(browser)).items()
    }
    print("\n== summary")
    for name, (passed, seconds) in results.items():
        print(f"{'passed' if passed else 'FAILED'}  {name:<14} {seconds:6.1f} s")
    if everything and not browser:
        print(
            "The browser tests were skipped, because no Chromium was found. To have them: sudo apt install "
            "chromium, or name a Chrome: GENLAB_CHROMIUM=/path/to/chrome ./lab test --all"
        )
    failed = [name for name, (passed, _) in results.items() if not passed]
    total = sum(seconds for _, seconds in results.values())
    print(f"{'FAILED: ' + ', '.join(failed) if failed else 'All passed'} ({total:.0f} s)", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
