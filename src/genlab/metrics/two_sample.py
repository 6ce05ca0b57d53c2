"""Can a classifier learn to tell samples from real images? (C2ST: Lopez-Paz & Oquab 2017.)"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, leaky_relu

from genlab.metrics.features import checked_pair
from genlab.metrics.intervals import Estimate, proportion
from genlab.randomness import generator

FEWEST = 20
HIDDEN = 128  # wide, in two layers, over many epochs: what sees repeats and noise best at a second or two
BATCH = 200
EPOCHS = 20
RATE = 2e-3
DECAY = 1.0
FAR = 10.0  # standard deviations at which a feature is cut off

Layer = tuple[Tensor, Tensor]


def two_sample_accuracy(features: Tensor, reference: Tensor, seed: int = 0) -> Estimate:
    """How often a small network is right about held-out features (N, F) and (M, F), N and M ≥ 20: ½ if it
    learns nothing, 1 if it can always tell.

    It learns from one half of the samples and of the real images and is asked about the other, n images in
    all, as many of both kinds (of the larger set a random part is left out). For samples of the same source
    the accuracy is N(½, 1/4n). The interval is Wilson's over those n, given what the network has learned.
    The same for any order of the samples and for the same seed, up to rounding.
    """
    ours, theirs = checked_pair(features, reference, "A two-sample test", FEWEST)
    count = min(len(ours), len(theirs))
    ours, theirs = _shuffled(ours, seed, 0)[:count], _shuffled(theirs, seed, 1)[:count]
    half = count // 2
    learn, ask = torch.cat([ours[:half], theirs[:half]]), torch.cat([ours[half:], theirs[half:]])
    centre, scale = learn.mean(dim=0), learn.std(dim=0).clamp(min=1e-9)
    learned, asked = (_inputs((part - centre) / scale) for part in (learn, ask))
    with torch.inference_mode(False), torch.enable_grad():
        layers = _trained(learned.clone(), _labels(learned), seed)
    with torch.no_grad():
        right = (_logits(layers, asked) > 0) == _labels(asked).bool()
    return proportion(int(right.sum()), len(asked))


def _shuffled(features: Tensor, seed: int, side: int) -> Tensor:
    """In a random order that depends on the features and the seed, not on the order that they came in."""
    direction = torch.randn(features.shape[1], generator=generator(0, "metrics/two-sample/order"))
    canonical = features[(features * direction.double()).sum(dim=1).argsort(stable=True)]
    rng = generator(seed, "metrics/two-sample/split", side)
    return canonical[torch.randperm(len(features), generator=rng)]


def _inputs(standard: Tensor) -> Tensor:
    """Standardised features and their squares, in which a spread is as easy to see as a mean."""
    near = standard.clamp(-FAR, FAR).float()
    return torch.cat([near, near.square().clamp(max=FAR)], dim=1)


def _labels(rows: Tensor) -> Tensor:
    """1 for the first half, which are samples, and 0 for the second, which are real."""
    return (torch.arange(len(rows)) < len(rows) // 2).float()


def _trained(inputs: Tensor, labels: Tensor, seed: int) -> list[Layer]:
    """Two hidden layers (He et al. 2015) after AdamW with a rate that falls to 0; from the seed alone."""
    rng = generator(seed, "metrics/two-sample/weights")
    widths = (inputs.shape[1], HIDDEN, HIDDEN, 1)
    layers = [
        (math.sqrt(2 / a) * torch.randn(a, b, generator=rng), torch.zeros(b)) for a, b in pairwise(widths)
    ]
    parameters = [tensor.requires_grad_() for layer in layers for tensor in layer]
    optimizer = torch.optim.AdamW(parameters, lr=RATE, weight_decay=DECAY, fused=True)
    steps = EPOCHS * math.ceil(len(inputs) / BATCH)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 - step / steps)
    for epoch in range(EPOCHS):
        order = torch.randperm(len(inputs), generator=generator(seed, "metrics/two-sample/batches", epoch))
        for batch in order.split(BATCH):
            optimizer.zero_grad()
            binary_cross_entropy_with_logits(_logits(layers, inputs[batch]), labels[batch]).backward()
            optimizer.step()
            schedule.step()
    return layers


def _logits(layers: list[Layer], inputs: Tensor) -> Tensor:
    for weight, bias in layers[:-1]:
        inputs = leaky_relu(torch.addmm(bias, inputs, weight), 0.1)
    weight, bias = layers[-1]
    return torch.addmm(bias, inputs, weight).squeeze(1)
