"""What differs from one kind of device to another, chosen in this one place. Nothing here imports torch."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """`draws`: training's noise is drawn on the device, and is then its own, instead of copied to it at every
    step. `deferred`: a loss is judged on the device, and the host asks only when it logs, since to ask is to
    wait. `graphs`: compiled code is recorded and replayed as a whole, which spares the launches. `reduced`:
    bf16 may be had."""

    draws: bool
    deferred: bool
    graphs: bool
    reduced: bool


KINDS = {
    "cpu": Kind(draws=False, deferred=False, graphs=False, reduced=True),  # bf16 where the processor has it
    "cuda": Kind(draws=True, deferred=True, graphs=True, reduced=True),
    # Apple's fused Adam reads `found_inf` on the host, so nothing is deferred there
    "mps": Kind(draws=False, deferred=False, graphs=False, reduced=False),
}


def kind(device: str) -> Kind:
    """Of "cpu", "cuda", "cuda:1" or "mps"."""
    return KINDS[device.partition(":")[0]]
