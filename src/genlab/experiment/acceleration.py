"""What a run is computed with besides its device: bfloat16 and compiled code, where the machine has them."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import sysconfig
from pathlib import Path

import torch

from genlab.devices import kind
from genlab.errors import UserError
from genlab.experiment import schema
from genlab.networks.model import VAE
from genlab.nn.precision import reduce
from genlab.training.state import State


def check_means(training: schema.Training, processes: int = 1) -> None:
    """Raises UserError where this machine can't do what `training` asks for, or is slowed down by it."""
    if training.precision == "bf16" and (lack := no_bf16(training.device)):
        raise UserError(f"no bf16 here: {lack}; set training.precision=fp32")
    if training.compile and processes > 1:
        raise UserError("what several processes share is not compiled: leave out --compile, or --devices")
    if training.compile and (lack := no_compiler(training.device)):
        raise UserError(f"nothing can be compiled here: {lack}, or leave out --compile")


def no_bf16(device: str) -> str:
    """Why bfloat16 is of no use on `device`; empty where it is."""
    if not kind(device).reduced:
        return f"it was not tried on {device}"
    if device == "cpu":
        has = any(getattr(torch.cpu, f"_is_{name}_supported", bool)() for name in ("avx512_bf16", "amx_tile"))
        return (
            ""
            if has
            else "this processor has neither AVX512-BF16 nor AMX and is hundreds of times slower in it"
        )
    has = torch.cuda.is_bf16_supported(including_emulation=False)
    return "" if has else "this GPU has no bfloat16 of its own"


def no_compiler(device: str) -> str:
    """What torch.compile lacks on `device`, and what to do; empty where it lacks nothing."""
    if device == "mps":
        return "it was not tried on mps: use another device"
    if device == "cpu":
        name = os.environ.get("CXX", {"darwin": "clang++", "win32": "cl"}.get(sys.platform, "g++"))
        if shutil.which(name) is None:
            return (
                f"torch.compile needs a C++ compiler and {name} is not there: install it, name another in CXX"
            )
        if not (Path(sysconfig.get_path("include")) / "Python.h").exists():
            return "torch.compile needs Python's headers: install them (python3-dev, or python3-devel)"
        return ""
    return "" if importlib.util.find_spec("triton") else "torch.compile needs triton on a GPU: install it"


def accelerate(state: State, training: schema.Training) -> None:
    """Let the model of `state` compute as `training` says: in place, with the same parameters under the same
    names; the averaged copy stays as it is. Code is compiled when it is first called."""
    if training.precision == "bf16":
        reduce(state.model)
    if not training.compile:
        return
    state.recorded = kind(training.device).graphs
    for name, part in [("", state.model), *state.model.named_children()]:
        if name in ("encoder", "decoder", "generator", "discriminator") or isinstance(part, VAE):
            part.compile(mode="reduce-overhead" if state.recorded else "default", dynamic=False)


def means() -> list[tuple[str, str]]:
    """What this machine has of it, for `genlab doctor`: (what, in words)."""
    devices = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
    devices += ["mps"] if torch.backends.mps.is_available() else []
    found = [(f"bf16 on {device}", no_bf16(device) or "yes") for device in devices]
    return found + [(f"--compile on {device}", no_compiler(device) or "yes") for device in devices]
