"""Files as an enemy might have made them: sound ones, changed at random, given to whatever reads such files.

A reader may take a file or refuse it in one sentence (`UserError`). Anything else is a find: another
exception, more than `PATIENCE` seconds, a process or a pickle that was started by it.
"""

from __future__ import annotations

import io
import random
import re
import resource
import signal
import struct
import sys
import time
import warnings
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from faults.targets import Target
from genlab.errors import UserError

PATIENCE = 5.0  # seconds for one file
FORBIDDEN = ("pickle.find_class", "subprocess.Popen", "os.system", "os.exec", "os.spawn", "socket.connect")
EXTREMES = (0, 1, 2**7, 2**8 - 1, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1, 2**62, 2**63 - 1, 2**64 - 1)
WORDS = (
    b"1e999", b"-1", b"NaN", b"Infinity", b"9" * 40, b"[]", b"{}", b"null", b"true", b'""', b'"\\ud800"',
    b"[" * 3000, b'{"a":' * 3000, b'"' + b"x" * 5000 + b'"', b"0.0000000001", b'"../../../etc/passwd"',
    b"1e-320", b'"\\u0000"', b"-0",
)  # fmt: skip
TOKEN = re.compile(rb'-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|"(?:[^"\\]|\\.)*"|true|false|null')


class Outcome(NamedTuple):
    """How many files were `refused` in a sentence and how many `taken`; `finds` say what else happened;
    `slowest` in seconds, and by how many MiB the process grew at its largest."""

    tried: int
    refused: int
    taken: int
    finds: list[str]
    slowest: float
    grown: float


# How a file is changed.


def changed(data: bytes, rng: random.Random) -> bytes:
    """One to three changes, one after another."""
    for _ in range(rng.randint(1, 3)):
        data = rng.choice(CHANGES)(data, rng)
    return data


def place(data: bytes, rng: random.Random) -> int:
    """Half of all near the beginning, where headers are."""
    return rng.randrange(len(data) + 1) if rng.random() < 0.5 else rng.randrange(min(len(data), 200) + 1)


def flip(data: bytes, rng: random.Random) -> bytes:
    found = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 8))):
        if found:
            found[min(place(data, rng), len(found) - 1)] ^= 1 << rng.randrange(8)
    return bytes(found)


def cut(data: bytes, rng: random.Random) -> bytes:
    return data[: place(data, rng)]


def leave_out(data: bytes, rng: random.Random) -> bytes:
    at = place(data, rng)
    return data[:at] + data[at + rng.randint(1, 64) :]


def repeat(data: bytes, rng: random.Random) -> bytes:
    at, length = place(data, rng), rng.randint(1, 64)
    return data[:at] + data[at : at + length] * rng.choice((2, 3, 100)) + data[at + length :]


def insert(data: bytes, rng: random.Random) -> bytes:
    at = place(data, rng)
    return data[:at] + rng.randbytes(rng.randint(1, 32)) + data[at:]


def extreme(data: bytes, rng: random.Random) -> bytes:
    """A whole number of 2, 4 or 8 bytes that no honest file would have there."""
    at, (size, code) = place(data, rng), rng.choice(((2, "H"), (4, "I"), (8, "Q")))
    value = rng.choice(EXTREMES) % 2 ** (8 * size)
    return data[:at] + struct.pack(rng.choice("<>") + code, value) + data[at + size :]


def reword(data: bytes, rng: random.Random) -> bytes:
    """Another value in the place of a number or a string of JSON."""
    found = list(TOKEN.finditer(data[:20_000]))
    if not found:
        return flip(data, rng)
    token = rng.choice(found)
    return data[: token.start()] + rng.choice(WORDS) + data[token.end() :]


CHANGES = (flip, cut, leave_out, repeat, insert, extreme, reword)


# The campaign.


class Overtime(BaseException):
    """A reader took longer than it may."""


def overtime(*_: Any) -> None:
    raise Overtime


_heard: list[str] = []
_listening = False


def listen() -> None:
    """Hear of everything forbidden from now on; Python never forgets an audit hook, so there is one."""
    global _listening
    if not _listening:
        sys.addaudithook(lambda event, _: _heard.append(event) if event in FORBIDDEN else None)
        _listening = True


def campaign(target: Target, folder: Path, tries: int, seed: int) -> Outcome:
    """Give `tries` changed files to the reader. Finds are kept in `folder`."""
    listen()
    rng, names = random.Random(seed), list(target.files)
    refused = taken = 0
    finds: list[str] = []
    slowest, before = 0.0, largest()
    handler = signal.signal(signal.SIGALRM, overtime)
    try:
        for number in range(tries):
            name = rng.choice(names)
            data = changed(target.files[name], rng)
            path = folder / "tried" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            del _heard[:]
            began = time.monotonic()
            signal.setitimer(signal.ITIMER_REAL, PATIENCE)
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    target.read(path)
                taken += 1
                found = ""
            except UserError as error:
                refused += 1
                found = "its sentence has several lines" if "\n" in str(error).strip() else ""
            except Overtime:
                found = f"took more than {PATIENCE:g} s"
            except Exception as error:
                found = f"{type(error).__name__}: {str(error)[:200]}"
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
            slowest = max(slowest, time.monotonic() - began)
            if found or _heard:
                kept = folder / f"find-{seed}-{number}-{name}"
                kept.write_bytes(data)
                finds.append(f"{kept.name}: {found or ', '.join(_heard)}")
            with suppress(FileNotFoundError):
                path.unlink()
    finally:
        signal.signal(signal.SIGALRM, handler)
    return Outcome(tries, refused, taken, finds, slowest, largest() - before)


def largest() -> float:
    """The most memory that the process ever held, MiB."""
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return size / (2**20 if sys.platform == "darwin" else 2**10)


def bomb() -> bytes:
    """A zip of one array that says it is 8 GB, and would be."""
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("images.npy", "w") as inside,
    ):
        header = io.BytesIO()
        np.lib.format.write_array_header_1_0(
            header, {"descr": "|u1", "fortran_order": False, "shape": (8_000_000, 32, 32)}
        )
        inside.write(header.getvalue())
        for _ in range(200):
            inside.write(bytes(1 << 20))
    return buffer.getvalue()
