"""Several processes that train one model, called ranks as in MPI, on PyTorch's own engine.

There is one batch and one noise for all ranks, functions of (seed, step); each rank takes its rows of both,
and what is said of the batch as a whole is the mean over ranks (`reduction`). So a step of N ranks is the
step of one process with the joint batch, up to the order in which floating-point numbers are added. A process
that is alone takes all rows, and nothing here changes a bit of what it computes.

torchrun says who is who, in the environment. torch is imported only where something is to be said to others.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from genlab.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor

T = TypeVar("T")

VARIABLES = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
STEP = timedelta(minutes=10)  # the longest that ranks may be apart within a step
BETWEEN = timedelta(hours=4)  # and between two, where rank 0 may measure and write while the others wait


class LostRankError(UserError):
    """Another process of this training ended before its time."""


@dataclass(frozen=True)
class Place:
    """Which of `world` processes this is, and which of the `local_world` on its machine; both from 0."""

    rank: int = 0
    world: int = 1
    local_rank: int = 0
    local_world: int = 1


@dataclass
class _Here:
    """Where this process stands: by itself, until it has joined others."""

    place: Place = Place()
    control: Any = None  # the group that speaks between steps; None while this process is by itself
    sharing: bool = False


_here = _Here()


def place() -> Place:
    return _here.place


def leads() -> bool:
    """Whether this is rank 0, the one that writes and shows."""
    return _here.place.rank == 0


def expected() -> Place:
    """The place that torchrun gave to this process; the only one, where it gave none. Raises UserError."""
    given = {name: os.environ[name] for name in VARIABLES if name in os.environ}
    if len(given) < len(VARIABLES):
        return Place()  # WORLD_SIZE alone may be anybody's
    try:
        found = Place(*(int(given[name]) for name in VARIABLES[:4]))
    except ValueError as error:
        raise UserError(
            f"the environment's {', '.join(VARIABLES[:4])} are not whole numbers ({error}); start the "
            "processes with torchrun, or with --devices"
        ) from error
    return found if found.world > 1 else Place()


@contextmanager
def joined() -> Iterator[None]:
    """Inside, this process is one of those that torchrun started, if it did. Raises UserError where they
    don't find each other, and LostRankError where one of them is lost."""
    found = expected()
    if found.world == 1:
        yield
        return
    import torch
    import torch.distributed as dist

    nccl = torch.cuda.is_available() and dist.is_nccl_available()
    try:
        dist.init_process_group("cpu:gloo,cuda:nccl" if nccl else "gloo", timeout=STEP)
        control = dist.new_group(backend="gloo", timeout=BETWEEN)
    except (RuntimeError, ValueError) as error:
        raise UserError(
            f"process {found.rank} of {found.world} did not find the others at {os.environ['MASTER_ADDR']}:"
            f"{os.environ['MASTER_PORT']} ({reason(error)}); see that all were started and that the "
            "address can be reached"
        ) from error
    _here.place, _here.control = found, control
    try:
        yield
        anyone(False)  # nobody leaves while another still has something to say
        dist.destroy_process_group()
    finally:
        _here.place, _here.control = Place(), None


@contextmanager
def shared() -> Iterator[None]:
    """Inside, the batch at hand is this rank's part of a joint one: a step of training, which all ranks take.
    Outside, a rank is by itself: it measures, and draws sheets, as a single process does."""
    former, _here.sharing = _here.sharing, _here.place.world > 1
    try:
        yield
    finally:
        _here.sharing = former


def parts() -> int:
    """In how many parts the batch at hand is."""
    return _here.place.world if _here.sharing else 1


def mine(rows: Tensor, dim: int = 0, blocks: int = 1) -> Tensor:
    """This rank's part of `rows`, a tensor of a joint batch along `dim`; of each of the equal `blocks`, where
    several batches lie one behind another."""
    if not _here.sharing:
        return rows
    size = rows.shape[dim] // (blocks * parts())
    assert size * blocks * parts() == rows.shape[dim], (tuple(rows.shape), dim, blocks, parts())
    cut: Tensor = rows.unflatten(dim, (blocks, parts(), size))
    return cut.select(dim + 1, _here.place.rank).flatten(dim, dim + 1)


def anyone(wish: bool) -> bool:
    """Whether any rank wishes it. All ranks ask at once, so they are in step afterwards, however long rank 0
    was busy."""
    if _here.control is None:
        return wish
    import torch

    wishes = torch.tensor(int(wish))
    add_up(wishes, _here.control)
    return bool(wishes)


def first(make: Callable[[], T]) -> T:
    """What rank 0 makes, handed to all; the others only wait."""
    if _here.control is None:
        return make()
    import torch.distributed as dist

    box = [make() if leads() else None]
    with heard():
        dist.broadcast_object_list(box, src=0, group=_here.control)
    return box[0]  # type: ignore[return-value]


def one_before_all(make: Callable[[], T]) -> T:
    """What this rank makes, after the first of its machine has: that one downloads what is needed."""
    if _here.control is None:
        return make()
    goes_first = _here.place.local_rank == 0
    made = make() if goes_first else None
    anyone(False)
    return made if goes_first else make()  # type: ignore[return-value]


def add_up(tensor: Tensor, group: Any = None) -> None:
    """Add up `tensor` over ranks, in place."""
    import torch.distributed as dist

    with heard():
        dist.all_reduce(tensor, group=group)


@contextmanager
def heard() -> Iterator[None]:
    """Around what is said to others: that one of them is gone is no fault of this process."""
    try:
        yield
    except RuntimeError as error:
        raise LostRankError(
            f"another process of this training ended, so this one did too ({reason(error)}); go on from the "
            "last checkpoint with --resume"
        ) from error


def reason(error: Exception) -> str:
    """What gloo or NCCL says in a sentence of many, without the place in their source."""
    return re.sub(r"^\[\S+\] ", "", str(error).splitlines()[0]).split(". ")[0][:120]
