"""What an engineer takes away: the weights, the config, and ONNX files checked against PyTorch."""

from __future__ import annotations

import importlib.util
import logging
import warnings
from pathlib import Path

import torch
from torch import Tensor, nn

from genlab.errors import UserError
from genlab.experiment.trained import Trained
from genlab.networks.model import GAN
from genlab.randomness import generator
from genlab.runs.files import replacing, write_json
from genlab.training.checkpoint import write_tensors
from genlab.training.ema import tensors

TOLERANCE = 1e-4
FILES = ("model.safetensors", "config.json", "decoder.onnx", "encoder.onnx")


class Images(nn.Module):
    """latents (B, Z) -> images (B, C, H, W) in [−1, 1]: decoder and observation in one graph."""

    def __init__(self, trained: Trained) -> None:
        super().__init__()
        self.model = trained.model

    def forward(self, latents: Tensor) -> Tensor:
        return self.model.decode(latents)


class Codes(nn.Module):
    """images (B, C, H, W) -> mean and log_var of q(z|x), each (B, Z)."""

    def __init__(self, trained: Trained) -> None:
        super().__init__()
        assert not isinstance(trained.model, GAN)
        self.model = trained.model

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        q = self.model.encode(images)
        return q.mean, q.log_var


def export(trained: Trained, folder: Path, *, onnx: bool = True) -> dict[str, float | None]:
    """Write `FILES` into `folder`; returns for each the largest difference from PyTorch on a batch (None
    for files that are not computed from).

    Raises UserError where ONNX is asked for and not installed, or differs by more than `TOLERANCE`.
    """
    if onnx and importlib.util.find_spec("onnxscript") is None:
        raise UserError(
            "ONNX export needs the extra genlab[onnx]; install it, or leave ONNX out with --no-onnx"
        )
    folder.mkdir(parents=True, exist_ok=True)
    model, experiment = trained.model, trained.experiment
    metadata = {
        "format": "genlab-model",
        "version": "1",
        "family": experiment.family,
        "step": str(trained.step),
    }
    write_tensors(folder / "model.safetensors", tensors(model), metadata)
    write_json(folder / "config.json", experiment.model_dump(mode="json"))
    written: dict[str, float | None] = {"model.safetensors": None, "config.json": None}
    if onnx:
        latents = model.latents(4, generator(0, "export"))
        written["decoder.onnx"] = export_graph(
            Images(trained), latents, folder / "decoder.onnx", ("latents",), ("images",)
        )
        if not isinstance(model, GAN):
            names = ("mean", "log_var")
            images = model.decode(latents)
            written["encoder.onnx"] = export_graph(
                Codes(trained), images, folder / "encoder.onnx", ("images",), names
            )
    return written


def export_graph(
    module: nn.Module, example: Tensor, path: Path, inputs: tuple[str, ...], outputs: tuple[str, ...]
) -> float:
    """One ONNX file with a free batch size, checked in ONNX Runtime at another batch size than it was traced
    with. Returns the largest difference."""
    import onnxruntime

    module.eval()
    with warnings.catch_warnings(), replacing(path) as temporary:
        warnings.simplefilter("ignore")
        logging.disable(logging.WARNING)
        try:
            torch.onnx.export(
                module, (example,), temporary, dynamo=True, external_data=False, verbose=False,
                input_names=list(inputs), output_names=list(outputs),
                dynamic_shapes=({0: torch.export.Dim("batch")},),
            )  # fmt: skip
        finally:
            logging.disable(logging.NOTSET)
        session = onnxruntime.InferenceSession(temporary.read_bytes(), providers=["CPUExecutionProvider"])
        batch = torch.cat([example, example.flip(0), example[:1]])
        with torch.inference_mode():
            expected = module(batch)
        expected = expected if isinstance(expected, tuple) else (expected,)
        given = session.run(None, {inputs[0]: batch.numpy()})
        worst = max(float(abs(e.numpy() - g).max()) for e, g in zip(expected, given, strict=True))
        if not worst <= TOLERANCE:
            raise UserError(
                f"the ONNX file differs from PyTorch by {worst:.2g}, more than {TOLERANCE}; not written"
            )
    return worst
