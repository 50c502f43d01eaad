"""The layout of the files of :mod:`neurosim.sinks.hdf5`, which describes it."""

from __future__ import annotations

import json
from typing import Any

import h5py
import numpy as np

from neurosim.record import SPIKES, Channel
from neurosim.sinks.base import Header

FORMAT, VERSION = "neurosim records", 1
# Names that are no identifiers, so that no population or variable is called so.
COMMITTED, PROVENANCE = "committed-lengths", "provenance-json"
# Those of HDF5 1.10 are the first that have SWMR; newer ones would lock older tools out.
HDF5_FORMATS = ("v110", "latest")

_SMALL_CHUNK, _LARGE_CHUNK, _ROW_OF_CHUNKS = 1 << 16, 1 << 20, 1 << 24  # bytes
_PROVENANCE_ROOM = 4096  # bytes for the facts that are known only at the end


def neurons_of(channel: Channel) -> str:
    """Where the indices of the neurons of a channel are."""
    return f"{channel.name}.neurons"


def skeleton(header: Header, identity: str) -> bytes:
    """A file without records.

    Made in memory: HDF5 crashes when it cannot write this part of a file.
    """
    with h5py.File("skeleton", "x", driver="core", backing_store=False, libver=HDF5_FORMATS) as file:
        _lay_out(file, header, identity)
        file.flush()
        return file.id.get_file_image()


def _lay_out(file: h5py.File, header: Header, identity: str) -> None:
    file.attrs.update(
        format=FORMAT,
        version=VERSION,
        id=identity,
        dt=header.dt,
        time_unit="ms",
        precision=header.precision,
        first_step=header.first_step,
        steps=0,
        complete=np.uint8(0),
    )
    for name, n in header.sizes.items():
        file.create_group(name).attrs["n"] = n
    columns = []
    for channel in header.channels:
        width = len(channel.lanes)
        file[neurons_of(channel)] = channel.lanes
        if channel.variable == SPIKES:
            entries = (min(max(width, _SMALL_CHUNK // 8), _LARGE_CHUNK // 8),)
            for name, dtype in (("step", np.int64), ("neuron", np.int32)):
                columns.append(f"{channel.name}/{name}")
                _growing(file, columns[-1], (), dtype, entries)
            file[channel.name].attrs.update(dt=header.dt, unit="ms", time="(step + 1) * dt")
            continue
        columns.append(channel.name)
        chunk = chunk_of_samples(width, np.dtype(header.precision).itemsize)
        _growing(file, channel.name, (width,), header.precision, chunk).attrs.update(
            unit=header.units[channel.name],
            dt=header.dt,
            every=channel.every,
            first_step=-(-header.first_step // channel.every) * channel.every,
            time="(first_step + row * every) * dt",
        )
    columns.append("step")
    # Rows are added, never replaced, and the step comes last: half a row is never taken for a whole one.
    chunk = (64, len(columns))
    _growing(file, COMMITTED, (len(columns),), np.int64, chunk, fillvalue=-1).attrs["columns"] = columns
    facts = json.dumps(header.provenance).encode()
    file[PROVENANCE] = np.array([facts, b""], dtype=f"S{len(facts) + _PROVENANCE_ROOM}")


def _growing(
    file: h5py.File, path: str, row: tuple[int, ...], dtype: Any, chunks: tuple[int, ...], **options: Any
) -> h5py.Dataset:
    """A dataset without rows as yet."""
    limit = tuple(size or None for size in row)  # HDF5 refuses chunks wider than a limit of 0
    return file.create_dataset(path, (0, *row), dtype, chunks=chunks, maxshape=(None, *limit), **options)


def chunk_of_samples(width: int, itemsize: int) -> tuple[int, int]:
    """Rows and columns of a chunk: tall, to read one neuron's trace without all others'."""
    row = max(width, 1) * itemsize
    size = min(max(32 * row, _SMALL_CHUNK), _LARGE_CHUNK)
    rows = max(min(max(size // row, 16), _ROW_OF_CHUNKS // row), 1)
    blocks = max(-(-width * rows * itemsize // size), 1)
    return rows, max(-(-width // blocks), 1)
