"""Of any family: its recipe, fitted to the images, the device and the time there is.

    genlab train gan --recipe auto --data my-photos/ --seconds 600

What --set and other options say stands above what is chosen. Each choice is one line with its reason.
"""

from __future__ import annotations

from typing import NamedTuple

SECONDS = 60.0  # of training, where nobody says
LONG = 300.0  # seconds from which on a run has time for a wider network and a longer average
LARGE = 48  # px a side from which on images are large


class Chosen(NamedTuple):
    """A field of the config, its value as `--set` takes it, and why."""

    key: str
    value: str
    why: str

    @property
    def assignment(self) -> str:
        return f"{self.key}={self.value}"


def chosen(
    family: str,
    shape: tuple[int, int, int],
    device: str,
    seconds: float,
    *,
    bf16: bool = False,
    compiler: bool = False,
    inherits: bool = False,
) -> list[Chosen]:
    """What to set in the recipe of `family` for images of `shape` (C, H, W) on `device`, with `seconds` to
    train. `bf16`, `compiler`: whether the device has them. `inherits`: the decoder comes from another run,
    and is as it is."""
    gpu, large, colour = device.startswith("cuda"), max(shape[1:]) >= LARGE, shape[0] > 1
    width = width_for(gpu, large, seconds)
    where = f"{'a GPU' if gpu else 'a CPU'} can train in {seconds:g} s"
    found = [Chosen("training.device", device, "the fastest that this machine has")]
    if not inherits:
        latent = 128 if large else 64 if colour else 32
        kind = "large images" if large else "small images in colour" if colour else "small grey images"
        found.append(Chosen("network.decoder.width", str(width), f"channels that {where}"))
        found.append(Chosen("network.latent_dim", str(latent), f"enough for {kind}"))
    if family != "vae":
        found.append(
            Chosen("network.discriminator.width", str(width + width // 2), "a little more than that")
        )
    if gpu:
        found.append(Chosen("training.batch_size", "256", "a GPU waits for work at small batches"))
    if seconds >= LONG:
        found.append(Chosen("training.ema", "0.999", "there are steps enough for a longer average"))
    if gpu and bf16:
        found.append(Chosen("training.precision", "bf16", "this GPU computes it faster"))
    if gpu and compiler:
        found.append(Chosen("training.compile", "true", "small networks wait for launches otherwise"))
    return found


def width_for(gpu: bool, large: bool, seconds: float) -> int:
    """Channels at half the full resolution."""
    if gpu:
        return 64
    return 32 if seconds >= LONG and not large else 16
