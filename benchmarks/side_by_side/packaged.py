"""pythae through its own pipeline, code path untouched: a callback, which it offers, looks at the clock."""

from __future__ import annotations

import tempfile
from typing import Any

import numpy as np
import torch
from torch import Tensor

from genlab.data.mnist import mnist
from side_by_side import networks
from side_by_side.looks import Looks
from side_by_side.meter import Meter


def pythae(name: str, batch: int, meter: Meter | Looks, seed: int = 0) -> int:
    """Train until `meter` says enough (by `Done`, from within the trainer). Returns the number of parameters.

    Everything but the latent dimension and the images is pythae's default: Adam at 1e-4, the loss "mse", no
    loader beside the trainer, a progress bar, a copy of the best model at each epoch's end."""
    from pythae.models import VAE, VAEConfig
    from pythae.models.nn.benchmarks.mnist import Decoder_Conv_AE_MNIST, Encoder_Conv_VAE_MNIST
    from pythae.pipelines import TrainingPipeline
    from pythae.trainers import BaseTrainerConfig
    from pythae.trainers.training_callbacks import TrainingCallback

    images = mnist().train.pixels.astype(np.float32) / 255

    class Clock(TrainingCallback):  # type: ignore[misc]
        """The last batch of an epoch has what is left."""

        def on_train_step_begin(self, training_config: Any, **_: Any) -> None:
            self.left = len(images)

        def on_train_step_end(self, training_config: Any, **_: Any) -> None:
            seen = min(batch, self.left)
            self.left -= seen
            meter.step(seen)

    config = VAEConfig(input_dim=(1, 28, 28), latent_dim=networks.CODE)
    parts: dict[str, Any] = {}
    if name == "pythae-conv":
        parts = {"encoder": Encoder_Conv_VAE_MNIST(config), "decoder": Decoder_Conv_AE_MNIST(config)}
    model = VAE(config, **parts)
    meter.parameters = networks.count(model)
    if isinstance(meter, Looks):
        meter.draw = lambda count: drawn(model, count)
    with tempfile.TemporaryDirectory() as folder:
        training = BaseTrainerConfig(output_dir=folder, per_device_train_batch_size=batch, seed=seed)
        TrainingPipeline(model, training)(images, callbacks=[Clock()])
    return meter.parameters


def drawn(model: Any, count: int) -> Tensor:
    """Images (N, 1, H, W) in [-1, 1] of z ~ N(0, I), as its NormalSampler draws them."""
    learning = model.training
    model.eval()
    with torch.no_grad():
        codes = torch.randn(count, networks.CODE).split(500)
        images: Tensor = 2 * torch.cat([model.decoder(z).reconstruction for z in codes]) - 1
    model.train(learning)
    return images.reshape(count, 1, 28, 28)
