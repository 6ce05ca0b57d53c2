"""`genlab train … --devices N`: this process starts N others, the ranks, and only watches over them.

It does by hand what torchrun does on one machine, without importing torch. The ranks are asked to stop by the end
of their standard input, which also comes when this process is killed; so they always leave a checkpoint.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import IO

from genlab.errors import UserError
from genlab.signals import HANGUP, heeded, hung_up

LOST = 3  # the exit code of a rank that ended because another did
GRACE = 20.0  # seconds in which the others of a lost rank may end by themselves
LOOPBACK = {"linux": "lo", "darwin": "lo0"}
SAID = 2000  # characters of a lost rank's last words


def arguments_without(option: str, given: list[str]) -> list[str]:
    """The command line `given` without `option` and its value."""
    kept, words = [], iter(given)
    for word in words:
        if word == option:
            next(words, None)
        elif not word.startswith(f"{option}="):
            kept.append(word)
    return kept


def launch(processes: int, arguments: list[str]) -> None:
    """Run `genlab` with `arguments` in so many processes on this machine; only the first has a voice.

    Raises UserError where one of them is lost, after the others have ended, and SystemExit with the code of a
    rank 0 that has said itself what is wrong.
    """
    environment = os.environ | {
        "WORLD_SIZE": str(processes), "LOCAL_WORLD_SIZE": str(processes),
        "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port()),
        "GENLAB_LAUNCHED": "1", "OMP_PROC_BIND": "false",  # else all of them are bound to the first core
    }  # fmt: skip
    if sys.platform in LOOPBACK:
        environment.setdefault("GLOO_SOCKET_IFNAME", LOOPBACK[sys.platform])
    elif sys.platform == "win32":
        environment.setdefault("USE_LIBUV", "0")  # which torch is built without there
    with ExitStack() as open_files:
        words = [open_files.enter_context(tempfile.TemporaryFile()) for _ in range(processes)]
        ranks = [start(rank, environment, arguments, words[rank]) for rank in range(processes)]
        try:
            with asking_to_stop(ranks):
                culprit = watched(ranks)
        finally:
            end(ranks)
        if culprit is not None:
            report(culprit, ranks, words[culprit])


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def start(
    rank: int, environment: dict[str, str], arguments: list[str], words: IO[bytes]
) -> subprocess.Popen[bytes]:
    """A rank in a session of its own, so that Ctrl-C reaches only the process that watches."""
    return subprocess.Popen(
        [sys.executable, "-m", "genlab.cli", *arguments],
        env=environment | {"RANK": str(rank), "LOCAL_RANK": str(rank)},
        stdin=subprocess.PIPE,
        stdout=None if rank == 0 else subprocess.DEVNULL,
        stderr=None if rank == 0 else words,
        start_new_session=True,
        creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
    )


@contextmanager
def asking_to_stop(ranks: list[subprocess.Popen[bytes]]) -> Iterator[None]:
    """Inside, the first signal, or a terminal that is closed, asks all ranks to stop after the step at hand; a
    second signal ends this process as ever; the ranks, whose input has ended, then end by themselves."""

    def stop(number: int) -> None:
        for rank in ranks:
            if rank.stdin is None or rank.stdin.closed:
                continue
            with suppress(OSError):  # it may be gone
                if hung_up(number):
                    rank.stdin.write(HANGUP)
                rank.stdin.close()

    with heeded(stop):
        yield


def watched(ranks: list[subprocess.Popen[bytes]]) -> int | None:
    """Wait for all ranks, not long for the rest once one is lost; the first that was lost by itself, if any."""
    culprit, lost_at = None, None
    while any(rank.poll() is None for rank in ranks):
        failed = [number for number, rank in enumerate(ranks) if rank.returncode]
        if failed and lost_at is None:
            lost_at = time.monotonic()
        if culprit is None:
            culprit = next((number for number in failed if ranks[number].returncode != LOST), None)
        if lost_at is not None and time.monotonic() - lost_at > GRACE:
            return culprit if culprit is not None else failed[0]
        time.sleep(0.05)
    failed = [number for number, rank in enumerate(ranks) if rank.returncode]
    by_itself = [number for number in failed if ranks[number].returncode != LOST]
    return culprit if culprit is not None else next(iter([*by_itself, *failed]), None)


def end(ranks: list[subprocess.Popen[bytes]]) -> None:
    """Leave none behind."""
    for rank in ranks:
        if rank.poll() is None:
            rank.kill()
        rank.wait()
        with suppress(OSError):
            assert rank.stdin is not None
            rank.stdin.close()


def report(culprit: int, ranks: list[subprocess.Popen[bytes]], words: IO[bytes]) -> None:
    """Say which rank was lost, and what it said last. Raises as `launch` does."""
    code = ranks[culprit].returncode
    if culprit == 0 and code == 2:  # rank 0 has said it
        raise SystemExit(code)
    words.seek(0)
    if said := words.read().decode(errors="replace").strip():
        print(said[-SAID:], file=sys.stderr)
    how = f"was ended by signal {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
    raise UserError(
        f"process {culprit} of {len(ranks)} {how}, and the training with it; go on from the last checkpoint with "
        f"genlab train --resume RUN --devices {len(ranks)}"
    )
