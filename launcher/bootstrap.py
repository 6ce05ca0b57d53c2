"""From a fresh copy of the project to a working command; `lab`, `build`, `launch` are faces of this file.

    bootstrap.py              genlab without arguments
    bootstrap.py build        builds .venv and stops
    bootstrap.py test [--all] adds the tools of the tests, then runs scripts/check.py
    bootstrap.py ANYTHING     genlab ANYTHING

Building is idempotent. A stamp, written last, says what .venv was built from and where; without it the build
is finished, or begun anew where it cannot be. Needs only Python 3.8 to speak, 3.11 to build.

Settings: GENLAB_PYTHON (the Python to build with), GENLAB_TORCH_INDEX (where PyTorch's CPU build is),
GENLAB_ALLOW_CUDA=1 (take the CUDA build on a Linux machine without an NVIDIA GPU).
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from environment import CUDA_DISK_MB, CUDA_MB, LAB, TEST, Environment, Part, alone, clear, make
from machine import SetupError, check_disk, check_place, check_processor, choose_python, nvidia_gpu
from packages import Pip, finish_torch, install_torch, mend, say

ROOT = Path(__file__).resolve().parent.parent


def build(environment: Environment, part: Part) -> None:
    """Makes, finishes or updates .venv, and stamps it. Raises SetupError."""
    check_place(environment.root)
    check_processor()
    try:
        environment.folder.mkdir(exist_ok=True)
        (environment.folder / "lock").touch()
    except OSError as error:
        raise SetupError(
            f"The folder {environment.root} cannot be written to ({error.strerror}). Copy the project to a "
            "folder of your own, then start again."
        ) from error
    with alone(environment.folder) as held:
        if environment.whole(part):
            return
        begun = time.monotonic()
        prepare(environment, part)
        pip = Pip(environment.program("python"), environment.root / "constraints.txt", held)
        pip.renew()
        install_torch(pip)
        pip.install_locked(environment.root / "launcher" / f"{part.name}.lock")
        finish_torch(pip)
        pip.install("--quiet", "--no-build-isolation", "-e", f".[{part.extras}]")
        check_torch(environment)
        unfinished = environment.folder / "stamp"
        unfinished.write_bytes(environment.source())
        os.replace(unfinished, environment.stamp(part))
        say(f"Built in {time.monotonic() - begun:.0f} s.")


def prepare(environment: Environment, part: Part) -> None:
    """An environment that pip can work in, with a word about what comes next and how long it takes."""
    fault = environment.fault() or _without_pip(environment)
    if not fault:
        mend(environment.folder)
        check_disk(environment.root, TEST.disk_mb)
        if environment.stamp(part).exists():
            say("What the project needs has changed: bringing .venv up to date.")
        elif environment.stamp(LAB).exists():
            say(f"Adding what the tests need: about {part.download_mb} MB to download, {part.minutes}; once.")
        else:
            say(f"Finishing an interrupted build: at most {LAB.download_mb} MB to download, {LAB.minutes}.")
        environment.stamp(part).unlink(missing_ok=True)
        return
    python = choose_python()
    cuda = sys.platform == "linux" and nvidia_gpu()
    download = LAB.download_mb + (CUDA_MB if cuda else 0)
    disk = LAB.disk_mb + (CUDA_DISK_MB if cuda else 0)
    check_disk(environment.root, disk + download)
    if len(list(environment.folder.iterdir())) > 1:
        say(f"{environment.folder} is built anew: {fault}.")
    clear(environment.folder)
    say(f"Building {environment.folder} with Python {python.number} ({python.path}).")
    minutes = "10 to 20 minutes" if cuda else LAB.minutes
    say(
        f"This happens once: about {download} MB to download, {disk / 1000:.1f} GB on the disk, {minutes} on "
        "an ordinary line. Ctrl-C stops it; the same command goes on from there."
    )
    make(environment, python)


def _without_pip(environment: Environment) -> str:
    ask = subprocess.run([str(environment.program("python")), "-m", "pip", "--version"], capture_output=True)
    return "" if ask.returncode == 0 else "it was not finished"


def check_torch(environment: Environment) -> None:
    """That PyTorch loads: what it needs of the system itself, pip cannot know."""
    loaded = subprocess.run(
        [str(environment.program("python")), "-c", "import torch"],
        capture_output=True,
        text=True,
        errors="replace",
    )
    if loaded.returncode == 0:
        return
    last = " ".join(loaded.stderr.strip().splitlines()[-1:])
    hint = "Delete the folder .venv and start again."
    if os.name == "nt" and "DLL" in loaded.stderr.upper():
        hint = (
            "Install Microsoft's Visual C++ Redistributable "
            "(https://aka.ms/vs/17/release/vc_redist.x64.exe), then start again."
        )
    raise SetupError(f"PyTorch is installed but does not load: {last}. {hint}")


def run(command: list[str]) -> int:
    """Becomes the command where the system can do that; else waits for it, and leaves Ctrl-C to it."""
    sys.stdout.flush()
    if os.name != "nt":
        os.execv(command[0], command)
    process = subprocess.Popen(command)
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            pass


def main(arguments: list[str], root: Path = ROOT, run: Callable[[list[str]], int] = run) -> int:
    environment = Environment(root)
    word, rest = (arguments[0], arguments[1:]) if arguments else ("", [])
    try:
        for part in (LAB, TEST) if word == "test" else (LAB,):
            if not environment.whole(part):
                build(environment, part)
    except SetupError as error:
        print(f"genlab: {error}", file=sys.stderr, flush=True)
        return 1
    except OSError as error:
        what = f"{error.filename or environment.folder} could not be changed ({error.strerror})"
        close = "Close what still uses .venv (a running app, an editor, a terminal in which it is active)"
        print(f"genlab: {what}. {close}, then start again.", file=sys.stderr, flush=True)
        return 1
    except KeyboardInterrupt:
        print("\ngenlab: Stopped. The same command goes on from here.", file=sys.stderr, flush=True)
        return 130
    if word == "build":
        lab = "lab" if os.name == "nt" else "./lab"
        say(f"Ready. Next: {lab} demo, or {lab} app.")
        return 0
    if word == "test":
        return run([str(environment.program("python")), str(root / "scripts" / "check.py"), *rest])
    return run([str(environment.program("genlab")), *arguments])


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]  # for a console without its letters
    sys.exit(main(sys.argv[1:]))
