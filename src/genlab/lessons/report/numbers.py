"""Numbers as a reader wants them, and what stands where there is none."""

from __future__ import annotations

import math
from typing import Any

from genlab.evaluation.instruments import Instrument

MINUS = "−"


def compact(count: int) -> str:
    """1 266 052 -> "1.27 M"."""
    for size, unit in ((1_000_000, "M"), (1_000, "k")):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return str(count)


def grouped(count: int) -> str:
    """1266052 -> "1 266 052", with thin spaces."""
    return f"{count:,}".replace(",", "\u202f")


def duration(seconds: float) -> str:
    """ "48 s", "3 min 20 s", "2 h 5 min"."""
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def difference(value: float) -> str:
    """A largest difference: exactly 0 says so."""
    return "0, exactly" if value == 0 else f"{value:.2g}"


def look_up(measurement: dict[str, Any], key: str) -> Any:
    """The estimate of an instrument, or {"unavailable": …}, in a record; None where it is missing."""
    return measurement.get("values", {}).get(key)


def reason(value: Any) -> str | None:
    """Why there is no number, or None where there is one."""
    if isinstance(value, dict) and "unavailable" in value:
        return str(value["unavailable"])
    return "not measured" if number(value) is None else None


def number(value: Any) -> float | None:
    """The number in a plain value or in an estimate {"value", "low", "high"}."""
    if isinstance(value, dict):
        value = value.get("value")
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def interval(value: Any) -> tuple[float, float] | None:
    if not isinstance(value, dict):
        return None
    low, high = number(value.get("low")), number(value.get("high"))
    return None if low is None or high is None else (low, high)


def shown(value: float, digits: int) -> str:
    text = f"{value:.{digits}f}" if abs(value) < 10_000 else grouped(round(value))
    return text.replace("-", MINUS)


def direction(metric: Instrument) -> str:
    match metric.better:
        case "lower":
            return "↓ lower is better"
        case "higher":
            return "↑ higher is better"
        case "neither":
            return "describes, does not judge"
    assert metric.target is not None
    return f"→ best near {metric.target:g}"
