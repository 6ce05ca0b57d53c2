"""What is read by genlab: sound files of every kind, and whatever reads such files."""

from __future__ import annotations

import gzip
import io
import json
import shutil
import struct
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

import numpy as np
import small
from PIL import Image

from genlab.app.sets.unpacking import unpack
from genlab.data import downloaded, idx, npz
from genlab.data.downloaded import read_emnist
from genlab.data.packing import pack
from genlab.data.pictures import read_picture
from genlab.data.shards import Shard, open_shard, read_manifest
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


class Target(NamedTuple):
    """Sound files by the names that they must have, and what reads one of them."""

    files: dict[str, bytes]
    read: Callable[[Path], object]


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
        "shards' manifest": Target({"shards.json": MANIFEST}, lambda path: read_manifest(path.parent)),
        "shard": shard(folder),
        "zip of pictures": Target({"pets.zip": pets()}, unpacked),
        "downloaded zip": Target({"gzip.zip": zipped(letters())}, read_emnist),
        "in a downloaded zip": Target(letters(), among_the_letters),
        "downloaded tar": Target(records(), few_records),
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


# Archives and shards


def shard(folder: Path) -> Target:
    """One of the Arrow files of a set in shards."""
    images = small.dataset()
    assert images.train.labels is not None
    np.savez(folder / "labelled.npz", images=images.train.pixels[:, 0], labels=images.train.labels)
    told = pack(str(folder / "labelled.npz"), folder / "shards").splits["train"][0]

    def mapped(path: Path) -> object:
        """Every byte of it: a column that led outside of the file would end the process."""
        mine = Shard(path.name, told.count, path.stat().st_size, "0" * 64)  # an enemy writes that, too
        pixels, labels = open_shard(path, mine, images.shape, labelled=True)
        assert labels is not None
        return int(pixels.sum(dtype=np.int64)), int(labels.max())

    return Target({"00000.arrow": (folder / "shards" / told.file).read_bytes()}, mapped)


def pets() -> bytes:
    """Two folders in a folder, and a file that is no picture."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number, (name, data) in enumerate(pictures().items()):
            kind = zipfile.ZIP_DEFLATED if number % 2 else zipfile.ZIP_STORED
            archive.writestr(f"pets/{'cats' if number % 2 else 'dogs'}/{name}", data, kind)
        archive.writestr("pets/readme.txt", b"of our pets")
    return buffer.getvalue()


def unpacked(path: Path) -> object:
    """Into a folder in folders, so that what leads out of it is seen."""
    top = path.parent / "unpacked"
    folder = top / "in" / "a" / "folder"
    folder.mkdir(parents=True)
    try:
        with path.open("rb") as packed:
            return unpack(packed, path.name, folder)
    finally:
        shutil.rmtree(folder)
        escaped = [each for each in top.rglob("*") if each not in folder.parents]
        others = {each for each in path.parent.iterdir() if each not in (top, path)}
        shutil.rmtree(top)
        assert not escaped, f"it led to {escaped}"
        assert not others, f"it led to {others}"


def letters() -> dict[str, bytes]:
    """The idx files that are in EMNIST's zip, with 40 letters each."""
    rng = np.random.default_rng(0)
    found: dict[str, bytes] = {}
    for split in ("train", "test"):
        images = bytes([0, 0, 8, 3]) + struct.pack(">III", 40, 28, 28) + rng.bytes(40 * 28 * 28)
        labels = bytes([0, 0, 8, 1]) + struct.pack(">I", 40) + bytes(1 + n % 26 for n in range(40))
        found |= {
            f"emnist-letters-{split}-images-idx3-ubyte": images,
            f"emnist-letters-{split}-labels-idx1-ubyte": labels,
        }
    return found


def zipped(files: dict[str, bytes]) -> bytes:
    """As EMNIST is packed."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(f"gzip/{name}.gz", gzip.compress(data))
    return buffer.getvalue()


def among_the_letters(path: Path) -> object:
    """One file as it is, in a zip of honest ones, all checksums right."""
    packed = path.with_name("gzip.zip")
    packed.write_bytes(zipped({**letters(), path.name: path.read_bytes()}))
    return read_emnist(packed)


FEW = 10


def records() -> dict[str, bytes]:
    """As CIFAR-10 is packed, with few images; and the tar alone, so that its headers are reached."""
    buffer, rng = io.BytesIO(), np.random.default_rng(0)
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name in (*(f"data_batch_{n}.bin" for n in range(1, 6)), "test_batch.bin"):
            info = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            info.size = 3073 * FEW
            labelled = b"".join(bytes([n]) + rng.bytes(3072) for n in range(FEW))
            archive.addfile(info, io.BytesIO(labelled))
    return {
        "cifar-10-binary.tar.gz": gzip.compress(buffer.getvalue()),
        "cifar-10-binary.tar": buffer.getvalue(),
    }


def few_records(path: Path) -> object:
    packed = path
    if path.suffix == ".tar":
        packed = path.with_name("packed.tar.gz")
        packed.write_bytes(gzip.compress(path.read_bytes(), 1))
    with patch.object(downloaded, "_RECORDS", FEW):
        return downloaded.read_cifar10(packed)
