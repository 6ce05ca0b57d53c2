"""One Adam for each part of a model, and the learning rate as a function of the step."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import nn

from genlab.reduction import averaged


@dataclass(frozen=True)
class AdamSettings:
    """Kingma & Ba (2015). `rate` at the start. `schedule="cosine"` lowers it to the fraction `final` at the
    last step (1 keeps it constant); `"burda"` holds rate·10^(−i/7) for 3^i of 3280 parts of the steps, one
    after another from i = 0 to 7 (Burda et al., 2016, section 5, whose parts are epochs)."""

    rate: float = 2e-3
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    final: float = 1.0
    schedule: str = "cosine"

    def rate_at(self, step: int, steps: int) -> float:
        """The learning rate of the step after `step` of `steps` steps."""
        if self.schedule == "burda":
            return self.rate * 10 ** (-_burda_part(step, steps) / 7)
        progress = min(1.0, step / max(1, steps))
        cosine = 0.5 * (1 + math.cos(math.pi * progress))
        return self.rate * (self.final + (1 - self.final) * cosine)


def _burda_part(step: int, steps: int) -> int:
    """The i whose 3^i of 3280 parts hold `step`: they end after (3^(i+1) − 1)/2 parts."""
    return next((i for i in range(7) if step * 3280 < (3 ** (i + 1) - 1) // 2 * steps), 7)


class Adam:
    """The optimizer of one part: a list of modules, of which some may have no parameters."""

    def __init__(self, modules: list[nn.Module], settings: AdamSettings) -> None:
        self.modules, self.settings = modules, settings
        self.parameters = [p for module in modules for p in module.parameters() if p.requires_grad]
        self.adam = torch.optim.Adam(
            self.parameters, lr=settings.rate, betas=settings.betas, eps=settings.eps, fused=True
        )
        for parameter in self.parameters:  # now, not at the first step, so that a checkpoint always has them
            self.adam.state[parameter] = {
                "step": torch.zeros((), device=parameter.device),
                "exp_avg": torch.zeros_like(parameter),
                "exp_avg_sq": torch.zeros_like(parameter),
            }

    def descend(self, loss: torch.Tensor, step: int, steps: int) -> None:
        """One step down `loss` for this part alone."""
        gradients = averaged(torch.autograd.grad(loss, self.parameters))
        for parameter, gradient in zip(self.parameters, gradients, strict=True):
            parameter.grad = gradient
        for group in self.adam.param_groups:
            group["lr"] = self.settings.rate_at(step, steps)
        self.adam.step()
        self.adam.zero_grad(set_to_none=True)

    def moments(self) -> dict[str, torch.Tensor]:
        """Adam's state, flat and live: `{index}/{moment}` -> tensor."""
        return {
            f"{index}/{key}": tensor
            for index, parameter in enumerate(self.parameters)
            for key, tensor in self.adam.state[parameter].items()
        }
