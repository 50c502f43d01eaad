"""Reads lists of synapses from files."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from neurosim.errors import UsageError

COLUMNS = ("source", "target", "weight", "delay")


def read_columns(path: Path) -> dict[str, np.ndarray]:
    """Columns of a file by name; see :class:`~neurosim.connect.explicit.FromFile`."""
    readers = {
        ".npz": _npz,
        ".npy": _npy,
        ".csv": _text,
        ".txt": _text,
        ".h5": _hdf5,
        ".hdf5": _hdf5,
    }
    if path.suffix.lower() not in readers:
        raise UsageError(f"from_file: {path} has the ending {path.suffix!r}: use one of {', '.join(readers)}")
    if not path.is_file():
        raise UsageError(f"from_file: {path} is no file: check the path")
    try:
        return readers[path.suffix.lower()](path)
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UsageError(f"from_file: {path} cannot be read: {reason}") from error


def _npz(path: Path) -> dict[str, np.ndarray]:
    with np.load(path) as file:
        return {name: file[name] for name in COLUMNS if name in file}


def _npy(path: Path) -> dict[str, np.ndarray]:
    return _split(np.load(path), COLUMNS)


def _hdf5(path: Path) -> dict[str, np.ndarray]:
    import h5py  # slow to import, rarely wanted

    with h5py.File(path, "r") as file:
        return {name: file[name][()] for name in COLUMNS if name in file}


def _text(path: Path) -> dict[str, np.ndarray]:
    with path.open(encoding="utf-8") as file:
        first = file.readline()
        delimiter = "," if "," in first else None
        names = [word.strip() for word in first.lstrip("#").split(delimiter)]
        named = any(name in COLUMNS for name in names)
        if not named:
            file.seek(0)
        lines = [line for line in file if line.strip() and not line.startswith("#")]
    if not lines:
        return {name: np.empty(0) for name in (names if named else COLUMNS[:2])}
    return _split(np.loadtxt(lines, delimiter=delimiter, ndmin=2), tuple(names) if named else COLUMNS)


def _split(table: np.ndarray, names: tuple[str, ...]) -> dict[str, np.ndarray]:
    if table.ndim != 2 or not 2 <= table.shape[1] <= len(names):
        raise ValueError(f"shape {table.shape}, where one row per synapse with source, target, weight, delay is wanted")
    return dict(zip(names, table.T, strict=False))
