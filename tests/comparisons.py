"""Made-up records of evaluations, as `report.json` keeps them."""

from __future__ import annotations

from typing import Any

from genlab.evaluation.instruments import INSTRUMENTS

Record = dict[str, Any]

BERNOULLI = "cross-entropy of grey levels in [0, 1] (Bernoulli; not a density)"
NO_LIKELIHOOD = {"unavailable": "a GAN defines no likelihood: it draws images, no more"}
FLOORS: dict[str, Any] = {
    "fid": 2.9,
    "precision": 0.75,
    "recall": 0.74,
    "sharpness": 1.0,
    "c_t": -20.0,
    "classes": 10.0,
}
CEILINGS: dict[str, Any] = {
    "fid": 900.0,
    "precision": 0.0,
    "recall": 0.0,
    "sharpness": 6.0,
    "c_t": 90.0,
    "classes": 1.0,
}


def number(value: float, error: float = 0.1) -> dict[str, float]:
    return {"value": value, "error": error, "low": value - 2.093 * error, "high": value + 2.093 * error}


def record(run: str = "001-vae-mnist", seed: int = 0, config: str = "c0", **values: Any) -> Record:
    """`values` are numbers, (number, error) pairs or {"unavailable": reason}."""
    return {
        "version": 2, "run": run, "family": "vae", "prior": "N(0, I)", "step": 1000, "training_seed": seed,
        "config": config, "protocol": protocol(), "details": {},
        "values": {key.replace("__", "/"): given(value) for key, value in values.items()},
        "cost": {
            "parameters": {"encoder": 400_000, "decoder": 500_000}, "training_seconds": 44.0,
            "images_seen": 121_792, "images_per_second": 9000.0, "latency_ms": 1.2, "memory_mb": 700.0,
        },
    }  # fmt: skip


def protocol(**changes: Any) -> dict[str, Any]:
    return {
        "data": "mnist-0123456789abcdef", "count": 10_000, "references": 10_000, "seed": 0, "full": False,
        "networks": {"own": "genlab-mnist-42c84762", "texture": "random-conv-1a2b3c4d"},
        "likelihood": BERNOULLI, **changes,
    }  # fmt: skip


def given(value: Any) -> Any:
    if isinstance(value, dict):
        return value
    return number(*value) if isinstance(value, tuple) else number(value)


def bounds() -> tuple[Record, Record]:
    """The floor and the ceiling that the records above stand between."""
    ends = []
    for name, values in (("floor: training images", FLOORS), ("ceiling: noise", CEILINGS)):
        end = {**record(name, **values), "family": "reference", "config": None, "cost": None}
        end["protocol"] = protocol(likelihood=None)
        ends.append(end)
    return ends[0], ends[1]


def everything(run: str, shift: float = 0.0, config: str = "c0", seed: int = 0, gan: bool = False) -> Record:
    """A record with a value for every instrument; a GAN's likelihood is unavailable."""
    values: dict[str, Any] = {}
    for index, (key, instrument) in enumerate(INSTRUMENTS.items()):
        values[key.replace("/", "__")] = (0.5 + 0.1 * index + 0.02 * shift, 0.01)
        if gan and instrument.group in ("likelihood", "latent space", "reconstruction"):
            values[key] = NO_LIKELIHOOD
    found = record(run, seed, config, **values)
    if gan:
        found |= {"family": "gan", "protocol": protocol(likelihood=None)}
        found["cost"]["parameters"] = {"decoder": 500_000, "discriminator": 300_000}
    return found
