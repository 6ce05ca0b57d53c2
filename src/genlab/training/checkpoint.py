"""Checkpoints: one safetensors file with weights, averaged weights and moments, and a JSON beside it.

Nothing in them is code. The safetensors file holds nothing that depends on the clock, so that equal
trainings give equal bytes; the JSON, written last, holds its SHA-256, the seconds spent and a digest of the
config.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from genlab.errors import UserError
from genlab.runs.files import read_json, replacing, write_json
from genlab.training.ema import tensors
from genlab.training.state import State

VERSION = 1  # of each of genlab's own formats, until one has to change
CHECKPOINT = "genlab-checkpoint"
KEEP = 2  # the newest checkpoints of a run that stay on disk


def save(state: State, folder: Path) -> Path:
    """Write the checkpoint of `state` into `folder`, durably, then drop all but the newest `KEEP`."""
    flat = {f"model/{k}": v for k, v in tensors(state.model).items()}
    flat |= {f"averaged/{k}": v for k, v in tensors(state.averaged.model).items()}
    for part, optimizer in state.optimizers.items():
        flat |= {f"optimizer/{part}/{k}": v for k, v in optimizer.moments().items()}
    path = folder / f"step-{state.step:07d}.safetensors"
    write_tensors(path, flat, {**said_of(CHECKPOINT), "step": str(state.step)})
    note = {"sha256": digest(path), "step": state.step, "seconds": state.seconds}
    write_json(path.with_suffix(".json"), note | ({"config": state.config} if state.config else {}))
    prune(folder)
    return path


def prune(folder: Path) -> None:
    """Drop what is older than the newest `KEEP` whole checkpoints, those too that are not whole: of one that
    a crash came upon while it was dropped, the note is gone already."""
    kept = list_checkpoints(folder)[-KEEP:]
    for old in sorted(folder.glob("step-*.safetensors")) if len(kept) == KEEP else ():
        if old.name < kept[0].name:
            old.with_suffix(".json").unlink(missing_ok=True)
            old.unlink(missing_ok=True)


def load(state: State, path: Path) -> None:
    """Fill `state` from the checkpoint at `path`, strictly: every tensor, every shape.

    Raises UserError where the file is damaged, or belongs to another model or config.
    """
    note = verify(path)
    if state.config and note.get("config", state.config) != state.config:
        raise UserError(
            f"{path.parent.parent / 'config.json'} is not the config that {path.name} was trained by: "
            "restore it, or train a new run by the new one"
        )
    flat = read_tensors(path, kind=CHECKPOINT)
    pairs = matched(tensors(state.model), flat, "model/", path)
    pairs += matched(tensors(state.averaged.model), flat, "averaged/", path)
    for part, optimizer in state.optimizers.items():
        pairs += matched(optimizer.moments(), flat, f"optimizer/{part}/", path)
    copy(pairs)
    state.step, state.seconds = int(note["step"]), float(note["seconds"])


def load_model(model: nn.Module, path: Path, weights: str = "averaged") -> int:
    """Fill `model` with the checkpoint's `weights`, "averaged" or "model" (raw), and say its step. Raises
    UserError."""
    note = verify(path)
    fill(model, read_tensors(path, f"{weights}/", CHECKPOINT), f"{weights}/", path)
    return int(note["step"])


def list_checkpoints(folder: Path) -> list[Path]:
    """Whole checkpoints in `folder`, oldest first; one without its JSON was never finished."""
    return sorted(p for p in folder.glob("step-*.safetensors") if p.with_suffix(".json").exists())


def verify(path: Path) -> dict[str, Any]:
    """The JSON beside `path`; while one file takes another's place, the part of it that says "before". Raises
    UserError where the file is not the one it describes."""
    note = read_json(path.with_suffix(".json"))
    sha256 = digest(path) if path.exists() else ""
    known = [note, note.get("before")] if isinstance(note, dict) else []
    for each in known:
        if isinstance(each, dict) and each.get("sha256") == sha256 and counted(each):
            return each
    raise UserError(
        f"the checkpoint {path} is damaged (it is not the file that the note beside it describes); "
        "remove it and its .json to fall back on the one before"
    )


def counted(note: dict[str, Any]) -> bool:
    """Whether a note says, in numbers, at which step the checkpoint was made and after how many seconds."""
    step, seconds = note.get("step"), note.get("seconds")
    return isinstance(step, int) and step >= 0 and isinstance(seconds, int | float) and seconds >= 0


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_tensors(path: Path, flat: dict[str, Tensor], metadata: dict[str, str]) -> None:
    # one entry, for safetensors writes several in an order that differs from call to call
    entry = {"genlab": json.dumps(metadata, sort_keys=True)}
    ready = {key: tensor.detach().cpu().contiguous() for key, tensor in sorted(flat.items())}
    with replacing(path) as temporary:
        try:
            save_file(ready, temporary, entry)
        except SafetensorError as error:  # as it calls a full disk, too
            raise UserError(
                f"{path} could not be written ({error}): see to free space and permissions, then go on from "
                "the checkpoint before it"
            ) from error


def read_tensors(path: Path, prefix: str = "", kind: str = "") -> dict[str, Tensor]:
    """The tensors of a safetensors file whose names begin with `prefix`; of one of genlab's formats only,
    where a `kind` is named. Raises UserError."""
    try:
        with safe_open(path, framework="pt") as file:
            if kind:
                check_format(file.metadata(), kind, path)
            return {key: file.get_tensor(key) for key in file.keys() if key.startswith(prefix)}  # noqa: SIM118
    except FileNotFoundError as error:
        raise UserError(f"there is no file {path}; is this a checkpoint of a run?") from error
    except (SafetensorError, OSError) as error:
        raise UserError(
            f"{path} is no readable safetensors file ({error}); restore it or train again"
        ) from error


def said_of(kind: str) -> dict[str, str]:
    """What a file says of its own format."""
    return {"format": kind, "version": str(VERSION)}


def check_format(metadata: dict[str, str] | None, kind: str, path: Path) -> None:
    """Raises UserError where the file at `path` does not say that it is of the format `kind`, or says that a
    later genlab wrote it."""
    try:
        told = json.loads((metadata or {}).get("genlab", ""))
        named, version = str(told["format"]), int(told["version"])
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
        raise UserError(
            f"{path} does not say that it is a {kind}: restore it, or take one that genlab wrote"
        ) from error
    if named != kind:
        raise UserError(f"{path} is a {named[:80]!r}, not a {kind}: restore the one that was there")
    if version > VERSION:
        raise UserError(
            f"{path} was written by a later genlab (version {version} of its format, and this one reads up "
            f"to {VERSION}): update genlab"
        )


def fill(module: nn.Module, flat: dict[str, Tensor], prefix: str, source: object) -> None:
    """Copy the tensors named `prefix`… into `module`: all of them, and none besides.

    Raises UserError naming the first tensor that is missing, unknown or of another shape; nothing is
    copied then.
    """
    copy(matched(tensors(module), flat, prefix, source))


@torch.no_grad()
def copy(pairs: list[tuple[Tensor, Tensor]]) -> None:
    for target, given in pairs:
        target.copy_(given)


def matched(
    targets: dict[str, Tensor], flat: dict[str, Tensor], prefix: str, source: object
) -> list[tuple[Tensor, Tensor]]:
    """Each of `targets` beside the tensor that `flat` has for it under `prefix`. Raises as `fill` does."""
    given = {key.removeprefix(prefix): tensor for key, tensor in flat.items() if key.startswith(prefix)}
    for name in sorted(targets.keys() ^ given.keys()):
        what = "lacks" if name in targets else "has an unknown"
        raise UserError(f"{source} {what} tensor {name!r}: it was made by another model or config")
    for name, target in targets.items():
        if target.shape != given[name].shape:
            raise UserError(
                f"{source}: tensor {name!r} has shape {tuple(given[name].shape)} where the model has "
                f"{tuple(target.shape)}; use the config that it was trained with"
            )
    return [(target, given[name]) for name, target in targets.items()]
