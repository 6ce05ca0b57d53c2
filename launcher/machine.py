"""What this machine offers: a Python, a place to build in, room on the disk, a GPU.

Whatever is missing is a `SetupError`: one sentence that says what to do next. Like all of the launcher, this
runs on any Python from 3.8 on with nothing installed, so that a Python that is too old gets a sentence too.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

OLDEST = (3, 11)
LONGEST_PATH_INSIDE = len(r"\.venv\Lib\site-packages") + 168  # the longest file of PyTorch's Windows wheel
WINDOWS_PATH_LIMIT = 259

PROBE = """
import importlib.util, json, os, platform, struct, sys
own = getattr(sys, "_base_executable", None) or sys.executable
named = os.path.join(os.path.dirname(own), "python%d.%d" % sys.version_info[:2])
print(json.dumps({
    "path": named if os.path.exists(named) else own,
    "version": list(sys.version_info[:3]),
    "bits": 8 * struct.calcsize("P"),
    "kind": platform.python_implementation(),
    "lacks": [m for m in ("venv", "ensurepip") if importlib.util.find_spec(m) is None],
}))
"""


class SetupError(Exception):
    """Something that this machine lacks, in one sentence with what to do next."""


class Interpreter(NamedTuple):
    """A Python that was run and has answered. `path` carries the version in its name where that exists
    (`python3.11`): a system upgrade then removes it, instead of changing the version under `.venv`."""

    path: str
    version: tuple[int, int, int]
    bits: int
    kind: str
    lacks: tuple[str, ...]

    @property
    def number(self) -> str:
        return ".".join(map(str, self.version))

    @property
    def fault(self) -> str:
        """Why genlab cannot be built with it, and what to do; empty when it can."""
        if self.version[:2] < OLDEST:
            too_old = f"Python {self.number} ({self.path}) is too old: genlab needs Python 3.11 or newer."
            return f"{too_old} {how_to_install()}"
        if self.kind != "CPython":
            return f"{self.path} is {self.kind}, for which PyTorch has no build. {how_to_install()}"
        if self.bits != 64:
            return f"{self.path} is a 32-bit Python, for which PyTorch has no build: install the 64-bit one."
        if self.lacks:
            package = "python{}.{}-venv".format(*self.version)
            lacks = " and ".join(self.lacks)
            return f"{self.path} lacks {lacks}: install it (Debian and Ubuntu: sudo apt install {package})."
        return ""


def how_to_install() -> str:
    if sys.platform == "win32":
        return 'Install Python 3.12 from https://www.python.org/downloads/ (tick "Add python.exe to PATH").'
    if sys.platform == "darwin":
        return "Install Python 3.12 from https://www.python.org/downloads/."
    return "Install a newer one (Debian 12, Ubuntu 24.04 and later: sudo apt install python3 python3-venv)."


def probe(command: Sequence[str]) -> Interpreter | None:
    """Runs a Python and asks what it is; None when there is none, or only a stand-in (a pyenv shim of a
    version that is not active, the Microsoft Store's placeholder)."""
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONHOME", "PYTHONPATH")}
    try:
        answer = subprocess.run(
            [*command, "-c", PROBE], env=environment, capture_output=True, text=True, timeout=30
        )
        facts = json.loads(answer.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
    major, minor, micro = facts["version"]
    return Interpreter(
        facts["path"], (major, minor, micro), facts["bits"], facts["kind"], tuple(facts["lacks"])
    )


def candidates() -> Iterator[list[str]]:
    """The one that runs this comes first; plain `python3` before the versions, newest first."""
    yield [sys.executable]
    versions = ("3.13", "3.12", "3.11", "3.14")
    if sys.platform == "win32":
        yield from (["py", "-" + version] for version in versions)
    else:
        yield ["python3"]
        yield from (["python" + version] for version in versions)


def choose_python() -> Interpreter:
    """`GENLAB_PYTHON` and nothing else where that is set; otherwise the first that can be built with."""
    named = os.environ.get("GENLAB_PYTHON")
    if named:
        found = probe([named])
        if found is None:
            raise SetupError(f"GENLAB_PYTHON names {named}, which does not run: name a Python, or unset it.")
        if found.fault:
            raise SetupError(f"GENLAB_PYTHON: {found.fault}")
        return found
    unfit = []
    for command in candidates():
        found = probe(command)
        if found and not found.fault:
            return found
        if found:
            unfit.append(found)
    if not unfit:
        raise SetupError("No Python that runs was found. " + how_to_install())
    raise SetupError(max(unfit, key=lambda python: python.version).fault)


def long_paths_allowed() -> bool:
    """Whether this Windows lifts its limit of 259 characters (it does not unless someone has set it so)."""
    if sys.platform != "win32":
        return True
    import winreg

    try:
        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, r"SYSTEM\CurrentControlSet\Control\FileSystem") as key:
            return bool(winreg.QueryValueEx(key, "LongPathsEnabled")[0])
    except OSError:
        return False


def check_place(root: Path, windows: bool = sys.platform == "win32") -> None:
    """That the project lies complete in a folder that `.venv` can be built in."""
    inside_zip = windows and any(part.lower().endswith(".zip") for part in root.parts)
    if inside_zip or not all((root / name).is_file() for name in ("pyproject.toml", "constraints.txt")):
        raise SetupError(
            f"{root} is not a complete copy of the project, perhaps because it is still inside the zip: "
            'extract all of it first (Windows: right-click, "Extract All"), then start again from there.'
        )
    room = WINDOWS_PATH_LIMIT - LONGEST_PATH_INSIDE
    if windows and len(str(root)) > room and not long_paths_allowed():
        raise SetupError(
            f"The path {root} is too long for Windows, which allows 259 characters with all that comes "
            rf"inside: the project's own may have {room}. Move it to a shorter place, such as C:\genlab."
        )


def check_processor() -> None:
    if sys.platform == "darwin" and platform.machine() == "x86_64":
        raise SetupError(
            "PyTorch has no builds for Intel Macs any more; on an Apple Silicon Mac this is an Intel Python: "
            "install the universal one from https://www.python.org/downloads/."
        )


def check_disk(folder: Path, needed_mb: int) -> None:
    free_mb = shutil.disk_usage(folder).free // 10**6
    if free_mb < needed_mb:
        raise SetupError(
            f"The disk of {folder} has {free_mb / 1000:.1f} GB free and this needs {needed_mb / 1000:.1f} "
            "GB: free some space, or move the project's folder to another disk, then start again."
        )


def nvidia_gpu() -> bool:
    """Whether a working NVIDIA GPU is here: the driver's own file, or a tool that answers."""
    if Path("/proc/driver/nvidia/version").exists():
        return True
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return False
    try:
        return subprocess.run([tool, "-L"], capture_output=True, timeout=20).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
