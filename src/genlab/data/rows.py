"""Many rows that lie in several arrays, read as one: what is asked for is copied, nothing else is touched."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from genlab.data.bounds import check_memory

Kind = TypeVar("Kind", bound=np.generic)


class Rows(Generic[Kind]):
    """`parts`, arrays (n, …) that are alike but for n, one behind another: (N, …).

    It can be measured, sliced and indexed like the one array that they would be; each gives an array of its
    own, in memory. numpy.asarray of the whole is refused, in one sentence, where that would not fit.
    """

    def __init__(self, parts: Sequence[npt.NDArray[Kind]], name: str) -> None:
        assert parts, "there are no parts"
        assert len({(part.shape[1:], part.dtype) for part in parts}) == 1, "parts of two kinds"
        self.parts, self.name = tuple(parts), name
        self._ends = np.cumsum([len(part) for part in parts])
        self.shape: tuple[int, ...] = (int(self._ends[-1]), *parts[0].shape[1:])
        self.dtype, self.ndim = parts[0].dtype, parts[0].ndim

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: slice | npt.NDArray[np.int64]) -> npt.NDArray[Kind]:
        places = np.arange(*index.indices(len(self))) if isinstance(index, slice) else np.asarray(index)
        assert places.size == 0 or 0 <= places.min() <= places.max() < len(self), "outside"
        found = np.empty((len(places), *self.shape[1:]), self.dtype)
        which = np.searchsorted(self._ends, places, side="right")
        for part in np.unique(which).tolist():
            here = which == part
            start = self._ends[part] - len(self.parts[part])
            found[here] = self.parts[part][places[here] - start]
        return found

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        check_memory(int(np.prod(self.shape)) * self.dtype.itemsize, self.name)
        whole = np.concatenate(self.parts)
        return whole if dtype is None else whole.astype(dtype)

    def min(self) -> Any:
        return min(part.min() for part in self.parts)

    def max(self) -> Any:
        return max(part.max() for part in self.parts)


def parts_of(array: npt.NDArray[Kind] | Rows[Kind]) -> tuple[npt.NDArray[Kind], ...]:
    """The arrays that `array` lies in, one after another; itself where it is one."""
    return array.parts if isinstance(array, Rows) else (array,)
