"""The environment in .venv: what it was built from, whether it can be used, and who is building it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from machine import Interpreter, SetupError, probe
from packages import say


class Part(NamedTuple):
    """A part of the environment, with a stamp of its own. Megabytes as measured on Linux with the CPU build;
    PyTorch's CUDA build adds its own."""

    name: str
    extras: str
    download_mb: int
    disk_mb: int
    minutes: str


LAB = Part("lab", "app,onnx", 445, 1800, "2 to 6 minutes")
TEST = Part("test", "app,onnx,test", 90, 300, "1 to 2 minutes")
CUDA_MB, CUDA_DISK_MB = 2600, 6000


class Environment(NamedTuple):
    root: Path

    @property
    def folder(self) -> Path:
        return self.root / ".venv"

    def program(self, name: str) -> Path:
        if os.name == "nt":
            return self.folder / "Scripts" / f"{name}.exe"
        return self.folder / "bin" / name

    def stamp(self, part: Part) -> Path:
        return self.folder / f"built-{part.name}"

    def source(self) -> bytes:
        """What .venv is built from, word for word: the folder, the pins and the project's own table
        (without the tools' settings). `lab` compares the same three in the shell, in a few milliseconds."""
        project = re.split(rb"(?m)^\[tool\.", (self.root / "pyproject.toml").read_bytes(), maxsplit=1)[0]
        return os.fsencode(str(self.root)) + b"\n" + (self.root / "constraints.txt").read_bytes() + project

    def settings(self) -> dict[str, str]:
        """pyvenv.cfg; empty where there is none."""
        try:
            text = (self.folder / "pyvenv.cfg").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return {}
        pairs = (line.split("=", 1) for line in text.splitlines() if "=" in line)
        return {key.strip(): value.strip() for key, value in pairs}

    def whole(self, part: Part) -> bool:
        """Whether a part was built to the end, here, from what the project asks for now."""
        try:
            built_from = self.stamp(part).read_bytes()
        except OSError:
            return False
        return built_from == self.source() and not self.fault()

    def fault(self) -> str:
        """Why .venv cannot be used, not even to go on building in; empty when it can."""
        settings = self.settings()
        if not settings:
            return "it was not finished"
        made_at = Path(settings.get("command", "").rpartition(" -m venv ")[2])
        if not (made_at.is_absolute() and made_at.exists() and made_at.samefile(self.folder)):
            return "the folder has moved, or something else has made it"
        base = Path(settings.get("home", ""), "python.exe") if os.name == "nt" else self.program("python")
        if not base.exists() or not self.program("python").exists():
            return "the Python it was built with is gone"
        named = os.environ.get("GENLAB_PYTHON")
        wanted = probe([named]) if named else None
        version = settings.get("version", "").split(".")[:2]
        if named and not (wanted and version == wanted.number.split(".")[:2]):
            return f"GENLAB_PYTHON asks for {named}"
        return ""


@contextmanager
def alone(folder: Path) -> Iterator[tuple[int, ...]]:
    """Holds the lock of a build, waiting for another one with a word about it. Yields the descriptors that a
    child must keep open to hold the lock on; the system frees it when the last of them is gone."""
    with open(folder / "lock", "a+b") as file:
        told = False
        while not _lock(file.fileno()):
            if not told:
                say(f"Another build of {folder} is running: waiting for it to end (Ctrl-C: do not wait).")
                told = True
            time.sleep(0.5)
        yield (file.fileno(),)


def _lock(descriptor: int) -> bool:
    """False where another process holds it. A file system without locks counts as one without others."""
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(descriptor, 0, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:
        return True
    return True


def clear(folder: Path) -> None:
    """Empties .venv, but for the lock that is being held."""
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        elif entry.name != "lock":
            entry.unlink()


def make(environment: Environment, python: Interpreter) -> None:
    made = subprocess.run(
        [python.path, "-m", "venv", str(environment.folder)], capture_output=True, text=True, errors="replace"
    )
    if made.returncode != 0:
        last = (made.stderr.strip() or made.stdout.strip()).splitlines()[-1:]
        raise SetupError(f"{python.path} could not make {environment.folder}: {' '.join(last)}")
