"""Connectors whose synapses are listed: in arrays, in a matrix, in a file."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.connect.base import Connector, Ends, Pattern, listed_pattern, register
from neurosim.connect.files import read_columns
from neurosim.errors import UsageError


def _numbers(where: str, values: Any) -> np.ndarray:
    """Numbers of neurons, read-only."""
    array = np.asarray(values)
    if array.ndim != 1:
        raise UsageError(f"{where} has shape {array.shape}: give one number per synapse, shape (S,)")
    if array.size and array.dtype.kind not in "iu":
        with np.errstate(invalid="ignore"):
            rounded = array.astype(np.int64) if array.dtype.kind == "f" else None
        if rounded is None or not np.array_equal(rounded, array):
            raise UsageError(f"{where} holds {array.dtype} values: give whole numbers of neurons")
    array = array.astype(np.int64)
    if array.size and array.min() < 0:
        raise UsageError(f"{where}[{int(array.argmin())}] = {array.min()}: neurons are counted from 0")
    array.setflags(write=False)
    return array


def _values(where: str, values: Any, n: int) -> np.ndarray:
    """One finite number per synapse, read-only."""
    array = np.array(values, dtype=np.float64)
    if array.shape != (n,):
        raise UsageError(f"{where} has shape {array.shape} for {n} synapses: give one value each, shape ({n},)")
    if not np.isfinite(array).all():
        place = int(np.flatnonzero(~np.isfinite(array))[0])
        raise UsageError(f"{where}[{place}] = {array[place]}: must be finite")
    array.setflags(write=False)
    return array


class _Listed(Connector):
    """A connector that knows its synapses."""

    abstract = True

    @property
    @abstractmethod
    def pairs(self) -> tuple[np.ndarray, np.ndarray]:
        """Source and target of each synapse, int64, shape (S,)."""

    def identity(self) -> dict[str, Any]:
        source, target = self.pairs  # whatever they were read from
        return {"source": source, "target": target, "weight": self.weights, "delay": self.delays}

    def check(self, where: str, ends: Ends) -> None:
        for what, numbers, n in zip(("source", "target"), self.pairs, ends, strict=False):
            if numbers.size and numbers.max() >= n:
                place = int(numbers.argmax())
                raise UsageError(
                    f"{where}: {self.name}, {what}[{place}] = {numbers[place]}: the population has {n} neurons, "
                    f"write 0 to {n - 1}"
                )

    def size(self, ends: Ends) -> int:
        return len(self.pairs[0])

    def expected(self, ends: Ends) -> float:
        return float(len(self.pairs[0]))

    def listed(self, ends: Ends) -> tuple[np.ndarray, np.ndarray]:
        return self.pairs

    def pattern(self, ends: Ends, key: np.ndarray, threads: int | None) -> Pattern:
        return listed_pattern(self.pairs, ends)


@register
class FromArrays(_Listed):
    """Synapses given by two arrays. Weights and delays may be arrays in the same order.

    Parameters
    ----------
    source, target : array_like of int, shape (S,)
        Number of the neuron in its population, from 0.
    """

    name = "from_arrays"

    source: Any
    target: Any

    def __post_init__(self) -> None:
        for end in ("source", "target"):
            object.__setattr__(self, end, _numbers(f"from_arrays: {end}", getattr(self, end)))
        if len(self.source) != len(self.target):
            raise UsageError(
                f"from_arrays: {len(self.source)} values of source, {len(self.target)} of target: give one per synapse"
            )

    @property
    def pairs(self) -> tuple[np.ndarray, np.ndarray]:
        return self.source, self.target


@register
class FromMatrix(_Listed):
    """Synapses where a matrix of weights is not zero.

    Its values are the weights where the projection gives none. Synapses are ordered by row and then by column.

    Parameters
    ----------
    matrix : array_like or scipy.sparse array, shape (sources, targets)
        Entry [i, j] is the weight from source i to target j. Of a sparse one every stored entry is a synapse, several
        of one place included.
    """

    name = "from_matrix"

    matrix: Any

    if TYPE_CHECKING:
        _pairs: tuple[np.ndarray, np.ndarray]
        _weights: np.ndarray
        _shape: tuple[int, int]

    def __post_init__(self) -> None:
        where = "from_matrix: matrix"
        if hasattr(self.matrix, "tocoo"):
            coo = self.matrix.tocoo()
            source, target, weights = (np.array(x) for x in (coo.row, coo.col, coo.data))
            order = np.lexsort((target, source))
            source, target, weights = source[order], target[order], weights[order]
            shape = coo.shape
        else:
            dense = np.array(self.matrix, dtype=np.float64)
            if dense.ndim != 2:
                raise UsageError(f"{where} has shape {dense.shape}: give one row per source, one column per target")
            source, target = np.nonzero(dense)
            weights, shape = dense[source, target], dense.shape
        bad = np.flatnonzero(~np.isfinite(weights))
        if bad.size:
            at = bad[0]
            raise UsageError(f"{where}[{source[at]}, {target[at]}] = {weights[at]}: must be finite")
        pairs = (_numbers(where, source), _numbers(where, target))
        for name, value in {"_pairs": pairs, "_weights": _values(where, weights, len(source)), "_shape": shape}.items():
            object.__setattr__(self, name, value)

    def __repr__(self) -> str:
        return f"FromMatrix(<{self._shape[0]} × {self._shape[1]}, {len(self._weights)} synapses>)"

    @property
    def pairs(self) -> tuple[np.ndarray, np.ndarray]:
        return self._pairs

    @property
    def weights(self) -> np.ndarray:
        return self._weights

    def check(self, where: str, ends: Ends) -> None:
        if self._shape != (ends.n_source, ends.n_target):
            raise UsageError(
                f"{where}: from_matrix, matrix has shape {self._shape} for {ends.n_source} sources and "
                f"{ends.n_target} targets: one row per source, one column per target"
            )


@register
class FromFile(_Listed):
    """Synapses listed in a file, with weights and delays (ms) where it has them.

    ========================= ====================================================================================
    file                      content
    ========================= ====================================================================================
    ``.npz``, ``.h5, .hdf5``  arrays or data sets ``source``, ``target`` and, where wanted, ``weight``, ``delay``
    ``.npy``                  shape (S, 2), (S, 3) or (S, 4): columns source, target, weight, delay
    ``.csv``, ``.txt``        the same columns, separated by commas or blanks; a first line of names may reorder them
    ========================= ====================================================================================

    Parameters
    ----------
    path : str or Path
        The file.
    """

    name = "from_file"

    path: Any

    if TYPE_CHECKING:
        _pairs: tuple[np.ndarray, np.ndarray]
        _weights: np.ndarray | None
        _delays: np.ndarray | None

    def __post_init__(self) -> None:
        columns = read_columns(Path(self.path))
        where = f"from_file: {self.path}"
        for name in ("source", "target"):
            if name not in columns:
                raise UsageError(f"{where} has no {name}: it holds {', '.join(columns) or 'nothing'}")
        source, target = (_numbers(f"{where}: {name}", columns[name]) for name in ("source", "target"))
        if len(source) != len(target):
            raise UsageError(f"{where}: {len(source)} values of source, {len(target)} of target: must be as many")
        object.__setattr__(self, "_pairs", (source, target))
        for name in ("weight", "delay"):
            values = _values(f"{where}: {name}", columns[name], len(source)) if name in columns else None
            object.__setattr__(self, f"_{name}s", values)

    @property
    def pairs(self) -> tuple[np.ndarray, np.ndarray]:
        return self._pairs

    @property
    def weights(self) -> np.ndarray | None:
        return self._weights

    @property
    def delays(self) -> np.ndarray | None:
        return self._delays
