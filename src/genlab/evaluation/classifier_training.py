"""How a classifier for features is trained: labels, and how blurred and how noisy an image is.

A classifier that only has to name digits forgets blur, since blur says nothing about the digit, and a
distance on its features then prefers a blurred sample to a crisp one. So the features serve a second head
during training, which must say how far an image was mixed with its 3 × 3 mean and how much noise was added.
No label is ever asked of such an image, and the second head is thrown away at the end.
"""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval

from genlab.data import to_float
from genlab.evaluation.classifier import class_head, feature_network
from genlab.randomness import derive_seed, generator

BATCH = 128
LEARNING_RATE = 3e-3
WEIGHT_DECAY = 0.02
AVERAGING = 0.998
FLAW_WEIGHT = 0.5
MOST_NOISE = 0.4  # standard deviation, for pixels in [-1, 1]
ROTATION, SCALE, SHIFT = 0.175, 0.1, 0.2  # radians, fraction, fraction of half the image: all ±


def train_classifier(
    pixels: Tensor,
    labels: Tensor,
    classes: int,
    *,
    epochs: int,
    seed: int,
    progress: Callable[[int, int, float], None] | None = None,
) -> tuple[nn.Sequential, nn.Sequential]:
    """uint8 pixels (N, C, H, W) and labels (N,) -> the averaged, folded feature network and its head.

    AdamW with a one-cycle schedule; every example is rotated, scaled and shifted a little, and half as many
    again are blurred or noisy for the second head. `progress(step, steps, loss)` is called after every step.
    Equal seeds give equal weights on one machine with one number of threads.
    """
    steps = epochs * (len(pixels) // BATCH)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive_seed(seed, "classifier/init"))  # also drives dropout
        channels, height, width = pixels.shape[1:]
        parts = nn.ModuleDict(
            {
                "network": feature_network((channels, height, width), normalised=True),
                "head": class_head(classes),
                "flaws": class_head(2),
            }
        )
        average = copy.deepcopy(parts)
        optimizer = torch.optim.AdamW(parts.parameters(), LEARNING_RATE, weight_decay=WEIGHT_DECAY)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, steps, pct_start=0.15)
        for step in range(steps):
            rng = generator(seed, "classifier/batch", step)
            at = batch_indices(len(pixels), seed, step)
            loss = loss_of(parts, to_float(pixels[at]), labels[at], rng)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            follow(average, parts, min(AVERAGING, (1 + step) / (10 + step)))
            if progress is not None:
                progress(step + 1, steps, loss.item())
    average.eval().requires_grad_(False)
    network, head = average["network"], average["head"]
    assert isinstance(network, nn.Sequential)
    assert isinstance(head, nn.Sequential)
    return folded(network), head


def loss_of(parts: nn.ModuleDict, images: Tensor, labels: Tensor, rng: torch.Generator) -> Tensor:
    """Cross-entropy of the moved images, plus the squared error of the flaws of half of the unmoved ones."""
    flawed, amounts = flawed_images(images[: len(images) // 2], rng)
    features = parts["network"](torch.cat([moved(images, rng), flawed]))
    naming = F.cross_entropy(parts["head"](features[: len(images)]), labels)
    return naming + FLAW_WEIGHT * F.mse_loss(parts["flaws"](features[len(images) :]), amounts)


def batch_indices(count: int, seed: int, step: int) -> Tensor:
    epoch, index = divmod(step, count // BATCH)
    order = torch.randperm(count, generator=generator(seed, "classifier/epoch", epoch))
    return order[index * BATCH : (index + 1) * BATCH]


def blur(images: Tensor) -> Tensor:
    """The mean of every pixel and its eight neighbours; the border repeats."""
    return F.avg_pool2d(F.pad(images, (1, 1, 1, 1), mode="replicate"), 3, stride=1)


def flawed_images(images: Tensor, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """Images mixed with their blur, then noisy, and the amounts (B, 2): 0 for two in five, else up to 1."""
    draws = torch.rand(2, 2, len(images), generator=rng)
    amounts = draws[0] * (draws[1] < 0.6)
    blurring, noise = amounts[:, :, None, None, None]
    blurred = torch.lerp(images, blur(images), blurring)
    noisy = blurred + MOST_NOISE * noise * torch.randn(images.shape, generator=rng)
    return noisy.clamp(-1, 1), amounts.T


def moved(images: Tensor, rng: torch.Generator) -> Tensor:
    """Images rotated, scaled and shifted a little at random; what comes in from outside is black."""
    draws = 2 * torch.rand(4, len(images), generator=rng) - 1
    angle, scale, shift = ROTATION * draws[0], 1 + SCALE * draws[1], SHIFT * draws[2:]
    cos, sin = scale * angle.cos(), scale * angle.sin()
    rows = [torch.stack([cos, -sin, shift[0]], dim=1), torch.stack([sin, cos, shift[1]], dim=1)]
    grid = F.affine_grid(torch.stack(rows, dim=1), list(images.shape), align_corners=False)
    return F.grid_sample(images + 1, grid, align_corners=False) - 1


@torch.no_grad()
def follow(average: nn.Module, module: nn.Module, decay: float) -> None:
    """average <- decay · average + (1 − decay) · module, buffers included; counts are copied."""
    for ours, theirs in zip(average.state_dict().values(), module.state_dict().values(), strict=True):
        if ours.is_floating_point():
            ours.lerp_(theirs, 1 - decay)
        else:
            ours.copy_(theirs)


def folded(network: nn.Sequential) -> nn.Sequential:
    """The same function without batch normalisation and dropout, which fold into the layers before them."""
    layers: list[nn.Module] = []
    for layer in network.eval():
        last = layers[-1] if layers else None
        if isinstance(layer, nn.BatchNorm2d) and isinstance(last, nn.Conv2d):
            layers[-1] = fuse_conv_bn_eval(last, layer)
        elif isinstance(layer, nn.BatchNorm1d) and isinstance(last, nn.Linear):
            layers[-1] = fuse_linear_bn_eval(last, layer)
        elif not isinstance(layer, nn.Dropout):
            layers.append(layer)
    return nn.Sequential(*layers).eval().requires_grad_(False)
