"""Read the files that :mod:`neurosim.sinks.hdf5` writes, also while they are written and after a kill."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from neurosim.errors import UsageError
from neurosim.record import SPIKES, Channel
from neurosim.result import Result
from neurosim.sinks.base import Header, Records
from neurosim.sinks.layout import COMMITTED, FORMAT, PROVENANCE, VERSION

NOT_CLOSED = "the file was not closed: the simulation still runs, or was killed"


class HDF5Records(Records):
    """Records in a file, up to lengths that were committed; the file is open only while something is read.

    Parameters
    ----------
    path : Path
        The file.
    identity : str
        Of the run, so that another run's file of the same name is not taken for it.
    lengths : dict
        Rows of each dataset.
    """

    def __init__(self, path: Path, identity: str, lengths: dict[str, int]) -> None:
        self._path, self._identity, self._lengths = path, identity, lengths

    def collect(self, channel: Channel) -> Any:
        with _opened(self._path) as file:
            if file.attrs["id"] != self._identity:
                raise UsageError(f"{self._path} has another run's records now: write each run to a path of its own")
            if channel.variable == SPIKES:
                return self._read(file, f"{channel.name}/step"), self._read(file, f"{channel.name}/neuron")
            return self._read(file, channel.name)

    def _read(self, file: h5py.File, name: str) -> np.ndarray:
        return file[name][: self._lengths[name]]


def load_result(path: str | Path) -> Result:
    """The result that a file holds, up to its last flush.

    Records stay in the file until they are asked for.

    Parameters
    ----------
    path : str or Path
        A file that was written by ``run(…, sink=path)``. The simulation may still run, or have been killed:
        the result is then marked as partial.

    Raises
    ------
    UsageError
        When there is no such file or it is none of neurosim's.
    """
    path = Path(path).absolute()
    with _opened(path) as file:
        table, columns = file[COMMITTED][:], list(file[COMMITTED].attrs["columns"])
        if not len(table):
            raise UsageError(f"{path} holds nothing: its simulation was cut off before it began")
        row = table[table[:, -1].argmax()]  # rows that were not wholly written have -1 or 0 there
        lengths = {name: int(length) for name, length in zip(columns[:-1], row[:-1], strict=True)}
        first_step, n_steps = int(file.attrs["first_step"]), int(row[-1]) - int(file.attrs["first_step"])
        provenance, closed = _provenance(file)
        header = Header(
            dt=float(file.attrs["dt"]),
            first_step=first_step,
            n_steps=n_steps,
            precision=file.attrs["precision"],
            sizes={name: int(group.attrs["n"]) for name, group in file.items() if isinstance(group, h5py.Group)},
            units={name: file[name].attrs["unit"] for name in lengths if "unit" in file[name].attrs},
            channels=_channels(file, lengths),
            provenance=provenance,
        )
        records = HDF5Records(path, file.attrs["id"], lengths)
    if not closed:
        provenance |= {"steps": n_steps, "partial": NOT_CLOSED}
    return Result(header, records, n_steps, provenance)


@contextmanager
def _opened(path: Path) -> Iterator[h5py.File]:
    try:
        if path.is_dir() or not path.exists():
            raise UsageError(f"{path} is a folder" if path.is_dir() else f"there is no file {path}")
        with _open(path) as file:
            if file.attrs.get("format") != FORMAT:
                raise UsageError(f"{path} has no records of neurosim: it was written by something else")
            found = file.attrs["version"]
            if found != VERSION:
                raise UsageError(f"{path} has version {found} of the format, not {VERSION}: update neurosim")
            yield file
    except PermissionError:
        raise UsageError(f"{path} may not be read: ask its owner for permission") from None
    except (OSError, RuntimeError, KeyError) as error:
        short = str(error).splitlines()[0]
        raise UsageError(f"{path} cannot be read as HDF5, it is of another format or damaged: {short}") from None


def _open(path: Path) -> h5py.File:
    try:
        return h5py.File(path, "r", locking="best-effort")
    except PermissionError:
        raise
    except OSError as error:
        # Where this process has the file open in SWMR mode already, all must.
        if "SWMR read access flag" not in str(error) and not _not_closed(path):
            raise
    return h5py.File(path, "r", swmr=True, locking="best-effort")


def _not_closed(path: Path) -> bool:
    """Whether a file is as its writer left it before closing it, and all there.

    HDF5 takes what is missing from such a file for something that is just being written and waits for it,
    forever.
    """
    with path.open("rb") as file:
        superblock = file.read(48)
    in_swmr_mode = superblock[:8] == b"\x89HDF\r\n\x1a\n" and superblock[8:12] == b"\x03\x08\x08\x05"
    return in_swmr_mode and int.from_bytes(superblock[28:36], "little") <= path.stat().st_size


def _provenance(file: h5py.File) -> tuple[dict[str, Any], bool]:
    """What ran, and whether the run came to an end in good order."""
    at_begin, at_end = file[PROVENANCE][:]
    try:
        return json.loads(at_end), True
    except ValueError:
        return json.loads(at_begin), False


def _channels(file: h5py.File, lengths: dict[str, int]) -> list[Channel]:
    found: dict[str, Channel] = {}
    for path in lengths:
        population, variable = path.split("/")[:2]
        name = f"{population}/{variable}"
        lanes = file[f"{name}.neurons"][:]
        every = int(file[name].attrs.get("every", 1))
        found[name] = Channel(population, variable, every, lanes, len(lanes) == int(file[population].attrs["n"]))
    return list(found.values())
