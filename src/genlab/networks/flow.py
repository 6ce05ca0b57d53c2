"""A prior with parameters: z is what an invertible network makes of N(0, I) noise."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from genlab.errors import UserError
from genlab.functional.gaussian import Posterior, standard_log_density
from genlab.randomness import derive_seed, generator, normal

FITTED = "RealNVP fitted to the codes"
LARGEST = 2.0  # of a logarithmic scale: one layer stretches by e² at most, so that none runs away


class Coupling(nn.Module):
    """One half of z passes as it is and says how the other is scaled and shifted: z₂ exp(s(z₁)) + t(z₁).

    Then z is rolled by `shift`, so that other layers split it elsewhere. Where it starts, s = t = 0.
    Dinh et al. (2017), equations 7 and 8.
    """

    def __init__(self, latent_dim: int, hidden: int, shift: int) -> None:
        super().__init__()
        self.sizes = (latent_dim // 2, latent_dim - latent_dim // 2)
        self.shift = shift
        last = nn.Linear(hidden, 2 * self.sizes[1])
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        self.net = nn.Sequential(
            nn.Linear(self.sizes[0], hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU(), last
        )

    def scale_and_shift(self, kept: Tensor) -> tuple[Tensor, Tensor]:
        raw, shift = self.net(kept).chunk(2, dim=-1)
        return LARGEST * torch.tanh(raw / LARGEST), shift

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """(…, Z) -> the noise that z came from (…, Z), and ln |det| of that map (…)."""
        kept, changed = z.split(self.sizes, dim=-1)
        scale, shift = self.scale_and_shift(kept)
        noise = torch.cat([kept, changed * scale.exp() + shift], dim=-1)
        return noise.roll(self.shift, dims=-1), scale.sum(dim=-1)

    def inverse(self, noise: Tensor) -> Tensor:
        """The z (…, Z) that `forward` takes to `noise` (…, Z)."""
        kept, changed = noise.roll(-self.shift, dims=-1).split(self.sizes, dim=-1)
        scale, shift = self.scale_and_shift(kept)
        return torch.cat([kept, (changed - shift) * (-scale).exp()], dim=-1)


class Flow(nn.Module):
    """RealNVP over z: `layers` couplings from z to N(0, I) noise, which is what it is before training.

    Trained with a VAE's other networks it is a prior that comes to meet the codes. Dinh et al. (2017).
    """

    def __init__(
        self, latent_dim: int, layers: int = 8, hidden: int = 128, name: str = "RealNVP trained with the VAE"
    ) -> None:
        super().__init__()
        self.name = name
        assert latent_dim >= 2, "a coupling needs two halves"
        self.latent_dim = latent_dim
        # by a half and by a quarter in turn: no two neighbouring layers split z at the same places
        shifts = [(latent_dim + 1) // (4 if index % 2 else 2) for index in range(layers)]
        self.layers = nn.ModuleList(Coupling(latent_dim, hidden, shift) for shift in shifts)

    @property
    def sizes(self) -> dict[str, int]:
        """What a flow of the same make is built with, latent_dim aside."""
        first = self.layers[0]
        assert isinstance(first, Coupling)
        return {"layers": len(self.layers), "hidden": int(first.net[0].out_features)}  # type: ignore[arg-type]

    def noise(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """(…, Z) -> the noise (…, Z) that z is made of, and ln |d noise / dz| (…)."""
        log_det = z.new_zeros(z.shape[:-1])
        for layer in self.layers:
            z, more = layer(z)
            log_det = log_det + more
        return z, log_det

    def latents(self, noise: Tensor) -> Tensor:
        """(…, Z) -> the z (…, Z) made of `noise`: the inverse of the above."""
        for layer in reversed(self.layers):
            noise = layer.inverse(noise)  # type: ignore[operator]
        return noise

    @torch.no_grad()
    def sample(self, n: int, rng: torch.Generator) -> Tensor:
        weight = next(self.parameters())
        return self.latents(normal((n, self.latent_dim), rng).to(weight))

    def log_density(self, z: Tensor) -> Tensor:
        noise, log_det = self.noise(z)
        return standard_log_density(noise) + log_det

    def kl(self, q: Posterior, z: Tensor) -> Tensor:
        return q.log_density(z) - self.log_density(z)


def fit_flow(codes: Tensor, seed: int, *, steps: int = 3000, batch_size: int = 256, hidden: int = 64) -> Flow:
    """A flow of eight layers fitted to `codes` (N, Z) by maximum likelihood: Adam, its rate lowered by a
    cosine. A function of the seed and the codes.

    Raises:
        UserError: z has one dimension, or there are fewer than two codes.
    """
    if codes.shape[1] < 2 or len(codes) < 2:
        raise UserError(
            f"a flow needs two codes of two dimensions or more, not {len(codes)} of {codes.shape[1]}; fit a "
            "mixture instead"
        )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive_seed(seed, "fit-flow/weights"))
        flow = Flow(codes.shape[1], hidden=hidden, name=FITTED)
    adam = torch.optim.Adam(flow.parameters(), lr=2e-3, fused=True)
    rate = torch.optim.lr_scheduler.CosineAnnealingLR(adam, steps)
    for step in range(steps):
        index = torch.randint(len(codes), (batch_size,), generator=generator(seed, "fit-flow/batch", step))
        loss = -flow.log_density(codes[index]).mean()
        adam.zero_grad()
        loss.backward()
        adam.step()
        rate.step()
    return flow.eval().requires_grad_(False)
