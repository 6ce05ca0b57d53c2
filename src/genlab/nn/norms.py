"""Layers that carry state beside their parameters: batch statistics and spectral norms.

Such state must move once per update of the part it belongs to, and never in another part's update. So a
layer here only *notes* what it saw; `commit` writes it down, after the part's optimizer has stepped, and
`frozen` makes a part neither learn nor note.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrize

from genlab import reduction
from genlab.ranks import parts

NORMS = ("batch", "group", "none")


class BatchNorm(nn.Module):
    """Batch normalisation (Ioffe & Szegedy, 2015) of (B, C) or (B, C, H, W), running statistics by `commit`.

    Training normalises by the batch at hand, which is the joint one where several processes share it;
    evaluation by the running statistics.
    """

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, channels: int, momentum: float = 0.1, eps: float = 1e-5) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))
        self.momentum, self.eps = momentum, eps
        self.noting = True
        self._noted: list[tuple[Tensor, Tensor]] = []

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return F.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps)
        if parts() > 1:
            return self._by_joint_batch(x)
        mean, var = torch.zeros_like(self.running_mean), torch.ones_like(self.running_var)
        # momentum=1 makes batch_norm write this batch's own statistics into the two fresh tensors
        y = F.batch_norm(x, mean, var, self.weight, self.bias, training=True, momentum=1.0, eps=self.eps)
        if self.noting:
            self._noted.append((mean, var))
        return y

    def _by_joint_batch(self, x: Tensor) -> Tensor:
        """The same with the mean and the variance over all ranks: the parts are of one size, so that both are
        means of theirs, the variance about the joint mean (Chan et al., 1979)."""
        others = [0, *range(2, x.dim())]
        part, shape = x.mean(dim=others), (1, -1, *[1] * (x.dim() - 2))
        spread = (x - part.view(shape)).square().mean(dim=others)
        about = self.running_mean  # near the mean, so that little is lost in the difference of two squares
        shift, second = reduction.mean(torch.stack([part - about, spread + (part - about).square()]))
        mean, var = shift + about, second - shift.square()
        if self.noting:
            count = x.numel() // x.shape[1] * parts()
            self._noted.append((mean.detach(), var.detach() * count / (count - 1)))
        scale = self.weight * torch.rsqrt(var + self.eps)
        y: Tensor = (x - mean.view(shape)) * scale.view(shape) + self.bias.view(shape)
        return y

    @torch.no_grad()
    def commit(self, broken: Tensor | None = None) -> None:
        if not self._noted:
            return
        for running, noted in zip(
            (self.running_mean, self.running_var), zip(*self._noted, strict=True), strict=True
        ):
            seen = noted[0] if len(noted) == 1 else torch.stack(noted).mean(dim=0)
            running.copy_(unless(broken, running, torch.lerp(running, seen, self.momentum)))
        self._noted.clear()


class SpectralNorm(nn.Module):
    """Divides a weight (out, …) by its largest singular value, tracked by one power iteration per update.

    Miyato et al. (2018), algorithm 1. A parametrization: use `spectral_norm(layer)`.
    """

    u: Tensor
    v: Tensor

    def __init__(self, weight: Tensor, warmup: int = 15, eps: float = 1e-12) -> None:
        super().__init__()
        matrix = weight.detach().flatten(start_dim=1)
        self.eps = eps
        self.register_buffer("u", F.normalize(torch.randn(matrix.shape[0]), dim=0))
        self.register_buffer("v", F.normalize(torch.randn(matrix.shape[1]), dim=0))
        self.noting = True
        self._noted: Tensor | None = None
        for _ in range(warmup):
            self._iterate(matrix)

    def forward(self, weight: Tensor) -> Tensor:
        if self.training and self.noting:
            self._noted = weight
        if torch.is_autocast_enabled(weight.device.type):
            with torch.autocast(weight.device.type, enabled=False):  # a norm is no product to round
                return self._divided(weight)
        return self._divided(weight)

    def _divided(self, weight: Tensor) -> Tensor:
        return weight / torch.dot(self.u, weight.flatten(start_dim=1) @ self.v)

    @torch.no_grad()
    def _iterate(self, matrix: Tensor, broken: Tensor | None = None) -> None:
        self.u.copy_(unless(broken, self.u, F.normalize(matrix @ self.v, dim=0, eps=self.eps)))
        self.v.copy_(unless(broken, self.v, F.normalize(matrix.T @ self.u, dim=0, eps=self.eps)))

    def commit(self, broken: Tensor | None = None) -> None:
        if self._noted is not None:
            self._iterate(self._noted.detach().flatten(start_dim=1), broken)
            self._noted = None


def unless(broken: Tensor | None, before: Tensor, after: Tensor) -> Tensor:
    """`after`, or `before` where `broken` is 1: chosen on the device, without asking for the answer."""
    return after if broken is None else torch.where(broken > 0, before, after)


def spectral_norm(layer: nn.Module) -> nn.Module:
    """`layer` with its weight spectrally normalised."""
    weight = layer.weight
    assert isinstance(weight, Tensor)
    # "unsafe" spares the trial run of the weight, which would be noted as if an update had looked at it
    parametrize.register_parametrization(layer, "weight", SpectralNorm(weight), unsafe=True)
    return layer


def norm(kind: str, channels: int) -> nn.Module:
    """The normalisation called `kind`, one of `NORMS`, for `channels` channels."""
    match kind:
        case "batch":
            return BatchNorm(channels)
        case "group":
            return nn.GroupNorm(next(g for g in (8, 4, 2, 1) if channels % g == 0), channels)
        case "none":
            return nn.Identity()
    raise AssertionError(f"unknown norm {kind!r}")


def has_batch_statistics(module: nn.Module) -> bool:
    return any(isinstance(layer, BatchNorm) for layer in module.modules())


def stateful_layers(module: nn.Module) -> list[BatchNorm | SpectralNorm]:
    return [layer for layer in module.modules() if isinstance(layer, BatchNorm | SpectralNorm)]


def commit(module: nn.Module) -> None:
    """Write down what the stateful layers of `module` noted since the last commit."""
    for layer in stateful_layers(module):
        layer.commit()


@contextmanager
def frozen(module: nn.Module) -> Iterator[None]:
    """Inside, gradients flow through `module` but not into it, and its stateful layers note nothing."""
    learning = [p for p in module.parameters() if p.requires_grad]
    noting = [layer for layer in stateful_layers(module) if layer.noting]
    for parameter in learning:
        parameter.requires_grad_(False)
    for layer in noting:
        layer.noting = False
    try:
        yield
    finally:
        for parameter in learning:
            parameter.requires_grad_(True)
        for layer in noting:
            layer.noting = True
