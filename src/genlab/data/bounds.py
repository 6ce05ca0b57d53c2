"""What an image and a set of images may measure; beyond that, one sentence."""

from __future__ import annotations

from genlab.errors import UserError

MIN_SIDE = 8  # px: below it no network of the house has anything to halve
MAX_SIDE = 1024  # px, of what is asked for; a picture on disk may be larger


def check_side(side: int, what: str) -> None:
    """Refuse a side of an image, in pixels, that no network can take."""
    if not MIN_SIDE <= side <= MAX_SIDE:
        raise UserError(f"{what} is {side} px: choose from {MIN_SIDE} to {MAX_SIDE}.")


def check_memory(n_bytes: int, name: str) -> None:
    """Refuse to hold more than half of the memory that is free now."""
    import psutil

    free = psutil.virtual_memory().available
    if n_bytes > free // 2:
        raise UserError(
            f"{name} would take {n_bytes / 1e9:.1f} GB of the {free / 1e9:.1f} GB of memory that are free: "
            "ask for fewer images (limit) or smaller ones (size)."
        )
