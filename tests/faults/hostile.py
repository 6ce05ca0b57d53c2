"""Files as an enemy might have made them: sound ones, changed at random, given to whatever reads such files.

A reader may take a file or refuse it in one sentence (`UserError`). Anything else is a find: another
exception, more than `PATIENCE` seconds, a process or a pickle that was started by it.
"""

from __future__ import annotations

import io
import json
import random
import re
import resource
import signal
import struct
import sys
import time
import warnings
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import small
from PIL import Image

from genlab.data import idx, npz
from genlab.data.pictures import read_picture
from genlab.data.shards import read_manifest
from genlab.errors import UserError
from genlab.experiment.build import build_model, build_state
from genlab.experiment.schema import parse
from genlab.lessons.reports import read_report
from genlab.runs.changes import read_changes
from genlab.runs.events import KINDS
from genlab.runs.files import read_json
from genlab.runs.newest import newest
from genlab.runs.notes import read_note
from genlab.runs.requests import Requests
from genlab.runs.store import Run
from genlab.training import checkpoint

PATIENCE = 5.0  # seconds for one file
FORBIDDEN = ("pickle.find_class", "subprocess.Popen", "os.system", "os.exec", "os.spawn", "socket.connect")
EXTREMES = (0, 1, 2**7, 2**8 - 1, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1, 2**62, 2**63 - 1, 2**64 - 1)
WORDS = (
    b"1e999", b"-1", b"NaN", b"Infinity", b"9" * 40, b"[]", b"{}", b"null", b"true", b'""', b'"\\ud800"',
    b"[" * 3000, b'{"a":' * 3000, b'"' + b"x" * 5000 + b'"', b"0.0000000001", b'"../../../etc/passwd"',
    b"1e-320", b'"\\u0000"', b"-0",
)  # fmt: skip
TOKEN = re.compile(rb'-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|"(?:[^"\\]|\\.)*"|true|false|null')


class Target(NamedTuple):
    """Sound files by the names that they must have, and what reads one of them."""

    files: dict[str, bytes]
    read: Callable[[Path], object]


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


# What is read.


def targets(folder: Path) -> dict[str, Target]:
    """By their names. `folder` holds the sound run that some of them are about."""
    images = small.blots(folder / "blots.npz")
    experiment = small.tiny("vae", f"data.name={images}")
    model = build_model(experiment, (1, 8, 8))
    saved = checkpoint.save(build_state(experiment, model), folder / "checkpoints")
    note = saved.with_suffix(".json").read_bytes()

    def weights(path: Path) -> int:
        told = {"sha256": checkpoint.digest(path), "step": 0, "seconds": 0.0}  # an enemy knows it, too
        path.with_suffix(".json").write_text(json.dumps(told))
        return checkpoint.load_model(model, path)

    def noted(path: Path) -> object:
        path.with_suffix(".safetensors").write_bytes(saved.read_bytes())
        return checkpoint.load_model(model, path.with_suffix(".safetensors"))

    return {
        "checkpoint": Target({"step-0000000.safetensors": saved.read_bytes()}, weights),
        "checkpoint note": Target({"step-0000000.json": note}, noted),
        "config": Target({"config.json": experiment.model_dump_json(indent=2).encode()}, config),
        "event log": Target({"events.jsonl": log()}, events),
        "change log": Target({"changes.jsonl": CHANGED * 3}, read_changes),
        "note": Target({"note.json": NOTE}, lambda path: read_note(Run(path.parent))),
        "request": Target({"change-1-ab.json": CHANGED}, requests),
        "picture": Target(pictures(), lambda path: read_picture(path, (3, 16, 16))),
        "npz": Target({"images.npz": images.read_bytes(), "z.npz": latents()}, arrays),
        "idx": Target(idx_files(), lambda path: idx.read(path, 3)),
        "report": Target(reports(), read_report),
        "shards": Target({"shards.json": MANIFEST}, lambda path: read_manifest(path.parent)),
    }


CHANGED = b'{"step": 3, "what": "learning_rate", "value": 0.01, "time": 1700000000.5}\n'
NOTE = b'{"title": "a run", "text": "of mine, <b>bold</b>", "tags": ["one", "two"]}'
MANIFEST = json.dumps(
    {
        "format": "genlab-shards-1", "name": "faces", "shape": [3, 16, 16], "class_names": ["a", "b"],
        "splits": {split: [{"file": f"{split}/00000.arrow", "count": 4, "bytes": 999, "sha256": "0" * 64}]
                   for split in ("train", "test")}, "digest": "1" * 64,
    }
).encode()  # fmt: skip


def config(path: Path) -> object:
    return parse(read_json(path), str(path))


def log() -> bytes:
    from test_events import EXAMPLES

    from genlab.runs.events import to_line

    return "".join(to_line(event) for event in EXAMPLES * 3).encode()


def events(path: Path) -> object:
    run = Run(path.parent)
    newest(path, KINDS)
    run.status()
    run.rewind(10)
    return list(run.events())


def requests(path: Path) -> object:
    return list(Requests(path.parent).changes("vae"))


def pictures() -> dict[str, bytes]:
    rng = np.random.default_rng(0)
    colours = Image.fromarray(rng.integers(0, 256, (24, 20, 3), np.uint8), "RGB")
    found = {}
    for kind in ("png", "jpeg", "bmp", "gif", "webp", "tiff", "ppm"):
        buffer = io.BytesIO()
        colours.save(buffer, kind)
        found[f"picture.{kind}"] = buffer.getvalue()
    return found


def latents() -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, latents=np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32))
    return buffer.getvalue()


def arrays(path: Path) -> object:
    return npz.read_latents(path) if path.name == "z.npz" else npz.read_npz(path)


def idx_files() -> dict[str, bytes]:
    import gzip

    plain = bytes([0, 0, 8, 3]) + struct.pack(">III", 6, 9, 8) + bytes(range(216)) * 2
    return {"images-idx3-ubyte": plain, "images-idx3-ubyte.gz": gzip.compress(plain)}


def reports() -> dict[str, bytes]:
    record = {
        "lesson": "kl", "setting": {"scale": "quick", "data": "mnist", "seed": 1},
        "findings": {"seeds": [1, 2], "terms": {"0": [1.0, 2.0]}}, "machine": {"system": "Linux"},
        "created": "2026-01-01T00:00:00", "seconds": 12.5, "predictions": {}, "reflections": {}, "version": 1,
    }  # fmt: skip
    text = json.dumps(record)
    page = f'<html><body><h1>kl</h1><script id="lesson-record" type="application/json">{text}</script></body>'
    notebook = json.dumps({"cells": [], "metadata": {"genlab": record}})
    return {"lesson.json": text.encode(), "report.html": page.encode(), "report.ipynb": notebook.encode()}


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
