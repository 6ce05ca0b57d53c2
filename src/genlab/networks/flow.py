"""A prior with parameters: z is what an invertible network makes of N(0, I) noise."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from genlab.functional.gaussian import DiagonalGaussian, standard_log_density

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

    name = "RealNVP"

    def __init__(self, latent_dim: int, layers: int = 8, hidden: int = 128) -> None:
        super().__init__()
        assert latent_dim >= 2, "a coupling needs two halves"
        self.latent_dim = latent_dim
        # by a half and by a quarter in turn: no two neighbouring layers split z at the same places
        shifts = [(latent_dim + 1) // (4 if index % 2 else 2) for index in range(layers)]
        self.layers = nn.ModuleList(Coupling(latent_dim, hidden, shift) for shift in shifts)

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
        return self.latents(torch.randn(n, self.latent_dim, generator=rng).to(weight))

    def log_density(self, z: Tensor) -> Tensor:
        noise, log_det = self.noise(z)
        return standard_log_density(noise) + log_det

    def kl(self, q: DiagonalGaussian, z: Tensor) -> Tensor:
        return q.log_density(z) - self.log_density(z)
