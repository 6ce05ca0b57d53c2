"""Can a classifier learn to tell samples from real images? (Lopez-Paz & Oquab 2017.)"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from genlab.metrics.features import checked_pair
from genlab.metrics.intervals import Estimate, mean_estimate
from genlab.randomness import derive_seed, generator

FEWEST = 40
HIDDEN = 64
STEPS, BATCH = 600, 256
RATE, DECAY = 3e-3, 1e-2


def two_sample_accuracy(features: Tensor, reference: Tensor, seed: int = 0) -> Estimate:
    """The accuracy, on held-out halves, of a small network that was trained on the other halves to tell
    features (N, F) from reference (M, F): 0.5 where it cannot, 1 where it always can.

    Equally many of both are used, a random choice. Under the null the accuracy of n held-out examples is
    N(½, 1/4n), whatever was learned. The interval is that of other held-out examples. A function of its
    arguments; draws nothing from the global stream. Raises UserError for fewer than 40 of either.
    """
    ours, theirs = checked_pair(features, reference, "A two-sample test", FEWEST)
    count = min(len(ours), len(theirs)) // 2
    picked = [
        points[torch.randperm(len(points), generator=generator(seed, f"two-sample/{name}"))[: 2 * count]]
        for name, points in (("samples", ours), ("reals", theirs))
    ]
    training = torch.cat([points[:count] for points in picked])
    held_out = torch.cat([points[count:] for points in picked])
    labels = torch.arange(2).repeat_interleave(count).float()
    shift, scale = training.mean(dim=0), training.std(dim=0).clamp_min(1e-12)
    network = learned(((training - shift) / scale).float(), labels, seed)
    with torch.inference_mode():
        named = network(((held_out - shift) / scale).float()).squeeze(1) > 0
    return mean_estimate((named == labels.bool()).double(), 0, 1)


def learned(points: Tensor, labels: Tensor, seed: int) -> nn.Module:
    """One hidden layer, AdamW with a falling rate: on standardised points (n, F) and labels (n,) 0 or 1."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive_seed(seed, "two-sample/weights"))
        network = nn.Sequential(nn.Linear(points.shape[1], HIDDEN), nn.GELU(), nn.Linear(HIDDEN, 1))
    adam = torch.optim.AdamW(network.parameters(), RATE, weight_decay=DECAY, fused=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(adam, STEPS)
    rng = generator(seed, "two-sample/batches")
    for _ in range(STEPS):
        at = torch.randint(len(points), (BATCH,), generator=rng)
        loss = F.binary_cross_entropy_with_logits(network(points[at]).squeeze(1), labels[at])
        adam.zero_grad()
        loss.backward()
        adam.step()
        schedule.step()
    return network.eval()
