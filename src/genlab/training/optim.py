"""One Adam for each part of a model, and the learning rate as a function of the step."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from genlab.nn.norms import stateful_layers
from genlab.reduction import averaged

COOLDOWN = 0.3  # of the steps, at their end


@dataclass(frozen=True)
class AdamSettings:
    """Kingma & Ba (2015). `rate` at the start, and how it falls, to the fraction `final` at the last step
    (1 keeps it constant): `schedule="cosine"` by a cosine over all steps; `"cooldown"` along a line over the
    last `COOLDOWN` of them (Hägele et al., 2024); `"burda"` holds rate·10^(−i/7) for 3^i of 3280 parts of the
    steps, one after another from i = 0 to 7 (Burda et al., 2016, section 5, whose parts are epochs)."""

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
        if self.schedule == "cooldown":
            return self.rate * (self.final + (1 - self.final) * min(1.0, (1 - progress) / COOLDOWN))
        cosine = 0.5 * (1 + math.cos(math.pi * progress))
        return self.rate * (self.final + (1 - self.final) * cosine)


def _burda_part(step: int, steps: int) -> int:
    """The i whose 3^i of 3280 parts hold `step`: they end after (3^(i+1) − 1)/2 parts."""
    return next((i for i in range(7) if step * 3280 < (3 ** (i + 1) - 1) // 2 * steps), 7)


class Adam:
    """The optimizer of one part: a list of modules, of which some may have no parameters."""

    def __init__(self, modules: list[nn.Module], settings: AdamSettings) -> None:
        self.modules, self.settings = modules, settings
        self.stateful = [layer for module in modules for layer in stateful_layers(module)]
        self.parameters: list[Tensor] = [
            p for module in modules for p in module.parameters() if p.requires_grad
        ]
        self.steps = [torch.zeros((), device=p.device) for p in self.parameters]
        self.means = [torch.zeros_like(p) for p in self.parameters]
        self.squares = [torch.zeros_like(p) for p in self.parameters]

    def descend(self, loss: Tensor, step: int, steps: int, broken: Tensor | None = None) -> None:
        """One step down `loss` for this part alone: its parameters, then what its stateful layers noted.
        Where `broken` is 1, a scalar on the device, nothing moves."""
        found = averaged(torch.autograd.grad(loss, self.parameters))
        with torch.no_grad():
            self.move(laid_out(found, self.parameters), self.settings.rate_at(step, steps), broken)
        for layer in self.stateful:
            layer.commit(broken)

    def move(self, gradients: list[Tensor], rate: float, broken: Tensor | None) -> None:
        """Kingma & Ba (2015), algorithm 1, in one pass over memory."""
        torch._foreach_add_(self.steps, 1 if broken is None else 1 - broken)
        beta1, beta2 = self.settings.betas
        torch._fused_adam_(
            self.parameters, gradients, self.means, self.squares, [], self.steps,
            lr=rate, beta1=beta1, beta2=beta2, weight_decay=0.0, eps=self.settings.eps,
            amsgrad=False, maximize=False, found_inf=broken,
        )  # fmt: skip

    def moments(self) -> dict[str, Tensor]:
        """Adam's state, flat and live: `{index}/{moment}` -> tensor."""
        kinds = {"step": self.steps, "exp_avg": self.means, "exp_avg_sq": self.squares}
        return {
            f"{i}/{kind}": tensors[i] for i in range(len(self.parameters)) for kind, tensors in kinds.items()
        }


def laid_out(gradients: Sequence[Tensor], parameters: Sequence[Tensor]) -> list[Tensor]:
    """Each gradient with its parameter's strides: the fused kernel takes both for plain rows of numbers, and
    would give each weight another one's gradient."""
    return [
        gradient if gradient.stride() == parameter.stride() else torch.empty_like(parameter).copy_(gradient)
        for gradient, parameter in zip(gradients, parameters, strict=True)
    ]
