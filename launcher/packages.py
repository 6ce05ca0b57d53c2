"""Installing with pip: always under the constraints, PyTorch's CPU build where there is no NVIDIA GPU, and a
sentence for every way in which it can fail."""

from __future__ import annotations

import concurrent.futures
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import urllib.request
from collections import deque
from pathlib import Path
from typing import Any, NamedTuple

from machine import SetupError, nvidia_gpu

CPU_INDEX = "https://download.pytorch.org/whl/cpu"
OLDEST_PIP = (23, 2)  # from here on a dry run reads a wheel's metadata without fetching the wheel

# What pip's complaints mean, most certain first: a full disk may also look like a broken connection.
MEANINGS = (
    (
        ("DO NOT MATCH THE HASHES",),
        "A package that was downloaded is not the file that genlab was tested with (it says above which), "
        "and was not installed. Start again; if it happens again, something changes files on their way from "
        "the package index: use another network or index.",
    ),
    (
        ("No space left on device", "WinError 112", "not enough space"),
        "The disk is full. Free about 3 GB (pip's temporary folder counts too), then start again.",
    ),
    (
        ("Long Path support", "File name too long", "WinError 206"),
        r"The path of this folder is too long. Move the project to a shorter place, such as C:\genlab.",
    ),
    (
        ("CERTIFICATE_VERIFY_FAILED",),
        "The package index's certificate was not accepted: set the computer's clock, or, behind a proxy, "
        "pip's option `cert` (pip config set global.cert FILE), then start again.",
    ),
    (
        (
            *("NewConnectionError", "NameResolutionError", "name resolution", "getaddrinfo failed"),
            *("Max retries", "timed out", "Timeout", "Network is unreachable", "ProxyError"),
            *("Connection refused", "Connection aborted", "Connection broken", "IncompleteRead"),
        ),
        "The package index could not be reached. Check the network (behind a proxy: HTTPS_PROXY), then start "
        "again: what was downloaded is kept.",
    ),
    (
        ("WinError 5", "WinError 32", "Permission denied", "Access is denied"),
        "A file in .venv could not be written. Close what still uses it (a running app, an editor, a "
        "terminal), then start again.",
    ),
    (
        ("Read-only file system",),
        "This folder cannot be written to. Copy the project to a folder of your own, then start again.",
    ),
    (
        ("No matching distribution", "Could not find a version"),
        "One of the packages has no build for this system and this Python. Try another Python from 3.11 to "
        "3.13: GENLAB_PYTHON=python3.12 ./lab build (Windows: set GENLAB_PYTHON=C:\\path\\to\\python.exe).",
    ),
)


def say(sentence: str) -> None:
    print("genlab: " + sentence, flush=True)


def meaning(complaint: str) -> str:
    """The sentence for what pip has written to stderr."""
    for signs, sentence in MEANINGS:
        if any(sign in complaint for sign in signs):
            return sentence
    return (
        "pip failed; its last lines above say why. Start again, or delete the folder .venv and start again."
    )


def clean_environment() -> dict[str, str]:
    """This environment without what would lead pip out of `.venv`."""
    astray = ("PYTHONHOME", "PYTHONPATH", "PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_REQUIRE_VIRTUALENV")
    return {key: value for key, value in os.environ.items() if key not in astray}


class Pip(NamedTuple):
    """The pip of one environment. `held` are file descriptors that its processes keep open: a pip that
    outlives the launcher goes on holding the lock."""

    python: Path
    constraints: Path
    held: tuple[int, ...] = ()

    def _command(self, *arguments: str) -> list[str]:
        quiet = ["--no-input", "--disable-pip-version-check", "--retries", "2"]
        return [str(self.python), "-m", "pip", "install", *quiet, *arguments]

    def install(self, *arguments: str) -> None:
        """Under the constraints."""
        self._run(self._command("-c", str(self.constraints), *arguments))

    def install_locked(self, lock: Path) -> None:
        """What a lock file names, and no file but those whose hashes it names."""
        self._run(self._command("--require-hashes", "--no-deps", "-r", str(lock)))

    def _run(self, command: list[str]) -> None:
        """pip's progress goes straight to the terminal; its complaints do too, and are read on the way."""
        complaints: deque[str] = deque(maxlen=200)
        with subprocess.Popen(
            command,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            cwd=self.constraints.parent,
            env=clean_environment(),
            pass_fds=() if sys.platform == "win32" else self.held,
        ) as process:
            assert process.stderr is not None
            for line in process.stderr:
                sys.stderr.write(line)
                sys.stderr.flush()
                complaints.append(line)
        if process.returncode != 0:
            raise SetupError(meaning("".join(complaints)))

    def plan(self, requirement: str) -> list[dict[str, Any]]:
        """What pip would install for a requirement, without installing it."""
        command = self._command(
            "-c", str(self.constraints), "--dry-run", "--quiet", "--report", "-", requirement
        )
        answer = subprocess.run(
            command, capture_output=True, text=True, errors="replace", env=clean_environment()
        )
        if answer.returncode != 0:
            raise SetupError(meaning(answer.stderr))
        report: dict[str, list[dict[str, Any]]] = json.loads(answer.stdout)
        return report["install"]

    def version(self, package: str) -> str:
        """The installed version without its local part (`2.13.0` for `2.13.0+cpu`); empty without."""
        ask = (
            "import sys, importlib.metadata as m\n"
            "try: print(m.version(sys.argv[1]).split('+')[0])\n"
            "except m.PackageNotFoundError: pass"
        )
        answer = subprocess.run(
            [str(self.python), "-c", ask, package], capture_output=True, text=True, env=clean_environment()
        )
        return answer.stdout.strip()

    def renew(self) -> None:
        """An old pip would fetch gigabytes only to read what they are."""
        if tuple(int(part) for part in re.findall(r"\d+", self.version("pip"))[:2]) < OLDEST_PIP:
            self.install("--upgrade", "--quiet", "pip")


def mend(environment: Path) -> None:
    """Takes out what an interrupted pip has left: a package's record without INSTALLER, which pip writes when
    all its files are there (left in, pip would take the package for installed), and half-removed folders."""
    for site_packages in [
        *environment.glob("lib/python*/site-packages"),
        environment / "Lib" / "site-packages",
    ]:
        for record in site_packages.glob("*.dist-info"):
            if not (record / "INSTALLER").exists():
                shutil.rmtree(record)
        for remains in site_packages.glob("~*"):
            shutil.rmtree(remains, ignore_errors=True)


def cuda_packages(plan: list[dict[str, Any]]) -> list[str]:
    names = [str(item["metadata"]["name"]).lower() for item in plan]
    return [name for name in names if name.startswith(("nvidia-", "cuda-")) or name == "triton"]


def download_mb(plan: list[dict[str, Any]]) -> int:
    """What the plan would download, in MB, as the index states it; 0 where it does not for every file."""

    def size(url: str) -> int:
        try:
            asked = urllib.request.Request(url, method="HEAD")  # noqa: S310 (http alone, below)
            with urllib.request.urlopen(asked, timeout=8) as reply:  # noqa: S310
                return int(reply.headers["Content-Length"])
        except (OSError, ValueError, TypeError):
            return 0

    urls = [item["download_info"]["url"] for item in plan]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        sizes = list(pool.map(size, [url for url in urls if url.startswith("http")]))
    return sum(sizes) // 10**6 if all(sizes) else 0


def reachable(index: str, seconds: float = 3.0) -> bool:
    """Whether an index answers for torch within the time, the look-up of its name included (which has no
    time-out of its own, hence the thread)."""
    answers = []

    def ask() -> None:
        try:
            place = index.rstrip("/") + "/torch/"
            with urllib.request.urlopen(place, timeout=seconds) as reply:  # noqa: S310 (pip asks there, too)
                answers.append(reply.status == 200)
        except (OSError, ValueError):
            pass

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(seconds)
    return bool(answers and answers[0])


def pinned(constraints: Path, package: str) -> str:
    match = re.search(rf"(?m)^{re.escape(package)}==(\S+)", constraints.read_text(encoding="utf-8"))
    assert match, f"{constraints} pins no {package}"
    return match.group(1)


def install_torch(pip: Pip) -> None:
    """On Linux without an NVIDIA GPU: the CPU build from PyTorch's own index, or whatever pip's sources offer
    as long as it is not CUDA. Everywhere else the plain pin is right, and comes later.

    Raises SetupError when only CUDA can be had and GENLAB_ALLOW_CUDA is not 1."""
    version = pinned(pip.constraints, "torch")
    if sys.platform != "linux" or nvidia_gpu() or pip.version("torch") == version:
        return
    index = os.environ.get("GENLAB_TORCH_INDEX", CPU_INDEX)
    if reachable(index):
        say(f"There is no NVIDIA GPU here: taking PyTorch's CPU build from {index}.")
        try:
            # Without its dependencies: of those, that index has old copies, which the constraints refuse.
            pip.install("--no-deps", "--index-url", index, f"torch=={version}")
            return
        except SetupError:
            say("That did not work; looking for a CPU build elsewhere.")
    plan = pip.plan(f"torch=={version}")
    cuda = cuda_packages(plan)
    if not cuda:
        return
    gigabytes = (download_mb(plan) or 2700) / 1000
    if os.environ.get("GENLAB_ALLOW_CUDA") == "1":
        say(f"GENLAB_ALLOW_CUDA=1: downloading PyTorch's CUDA build, {gigabytes:.1f} GB.")
        return
    raise SetupError(
        f"No CPU build of PyTorch {version} could be reached for this Python ({index} does not answer or has "
        f"none), and the ordinary one brings {len(cuda)} CUDA packages, {gigabytes:.1f} GB in all, of no use "
        "without an NVIDIA GPU. Use a network that reaches it, try another Python "
        "(GENLAB_PYTHON=python3.11 ./lab build), or, to download them all the same, set GENLAB_ALLOW_CUDA=1."
    )


def finish_torch(pip: Pip) -> None:
    """PyTorch where neither its CPU index nor the lock has brought it: the plain pin."""
    version = pinned(pip.constraints, "torch")
    if pip.version("torch") != version:
        pip.install(f"torch=={version}")
