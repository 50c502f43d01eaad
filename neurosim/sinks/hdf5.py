"""Write records to an HDF5 file while the simulation runs.

The file
--------
Each population is a group. The datasets of records grow along their first axis::

    /                        attributes: format = "neurosim records", version, id, dt, time_unit, precision,
                             first_step (that the run begins with), steps (computed), complete (0 or 1)
    /POP                     attribute: n, its neurons
    /POP/spikes/step         int64; a spike in step k has the time (k + 1)·dt; by step, then by neuron
    /POP/spikes/neuron       int32
    /POP/spikes.neurons      int64; the neurons whose spikes were kept
    /POP/VARIABLE            (samples, neurons), in the precision of the simulation; attributes: unit, dt,
                             every, first_step: row r has the time (first_step + r·every)·dt
    /POP/VARIABLE.neurons    int64; the neurons of the columns
    /committed-lengths       int64; a row for each time that the file was flushed; attribute: columns
    /provenance-json         two strings: what ran, as known at the beginning, and at the end (empty before)

``steps`` and ``complete`` are set at the end. A run that was cut short by Ctrl-C is closed in good order,
but has complete = 0 and says why in its provenance. Any HDF5 tool opens a file that was closed::

    with h5py.File("run.h5") as file:
        v = file["exc/v"]
        t = (v.attrs["first_step"] + np.arange(len(v)) * v.attrs["every"]) * v.attrs["dt"]

When it was not closed
----------------------
The file is in HDF5's SWMR mode, "single writer, multiple readers": it is readable while the simulation runs
and after its process was killed at any moment, with ``h5py.File(path, swmr=True)`` or
:meth:`neurosim.Result.load`. After a kill some datasets may be longer than others. Consistent is what lies
within the lengths in the last row of ``committed-lengths``; its columns are datasets, but the last is the
step up to which the run had come. A flush hands everything to the operating system: a kill loses nothing of
it, a power failure may.

How often
---------
Records wait in memory for the end of the first window after half a second, or until they are 16 MB. A flush
of 16 populations takes 6 ms, so this costs about one per cent. There is no compression: on membrane
potentials shuffle + lzf saves 7 to 17 % and is ten times slower, and in SWMR mode a chunk that is
compressed again leaves its old place empty. ``h5repack -f GZIP=4`` compresses a file that is done.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import time
import uuid
from pathlib import Path
from typing import Any, NoReturn

import h5py
import numpy as np

from neurosim.errors import RecordingError, UsageError
from neurosim.memory import human, trace_bytes
from neurosim.record import Channel
from neurosim.sinks.base import Header, Records, Sink
from neurosim.sinks.layout import COMMITTED, HDF5_FORMATS, PROVENANCE, skeleton
from neurosim.sinks.reader import HDF5Records

_SECONDS = 0.5  # between flushes
_WAITING_BYTES = 16_000_000


class HDF5Sink(Sink):
    """A new file that takes the records of one run.

    Parameters
    ----------
    path : str or Path
        Must not exist; its folder must.

    Attributes
    ----------
    safe_step : int
        Steps since the beginning of the simulation whose records survive a kill.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path).absolute()
        self.safe_step = 0
        self._file: Any = None

    # -- begin

    def begin(self, header: Header) -> None:
        self._header, self.safe_step = header, header.first_step
        self._id = uuid.uuid4().hex
        try:
            self._check_place(header)
            file = self.path.open("xb")
        except FileExistsError:
            raise UsageError(self._exists()) from None
        except OSError as error:
            raise UsageError(f"cannot write {self.path}: {_reason(error)}") from None
        try:
            with file:
                file.write(skeleton(header, self._id))
            self._open()
        except BaseException as error:
            self._cut_off()
            self.path.unlink(missing_ok=True)
            if isinstance(error, OSError | RuntimeError):
                raise UsageError(f"cannot write {self.path}: {_reason(error)}") from None
            raise

    def _open(self) -> None:
        # Without a chunk cache, what is written is with the operating system at once.
        self._file = h5py.File(self.path, "r+", libver=HDF5_FORMATS, rdcc_nbytes=0, locking="best-effort")
        self._committed = self._file[COMMITTED]
        names = list(self._committed.attrs["columns"])[:-1]
        self._datasets, self._lengths = {name: self._file[name] for name in names}, dict.fromkeys(names, 0)
        self._waiting: list[tuple[str, np.ndarray]] = []
        self._window: list[tuple[str, np.ndarray]] = []
        self._step, self._commits, self._waiting_bytes = self.safe_step, 0, 0
        self._file.swmr_mode = True
        self._commit()

    def _exists(self) -> str:
        other = self.path.with_stem(f"{self.path.stem}-2").name
        return f"{self.path} exists and is not overwritten: write another path, as sink={other!r}, or delete it"

    def _check_place(self, header: Header) -> None:
        folder = self.path.parent
        if self.path.is_dir():
            raise UsageError(f"{self.path} is a folder: write the path of a file, as {str(self.path / 'run.h5')!r}")
        if os.path.lexists(self.path):
            raise UsageError(self._exists())
        if not folder.is_dir():
            trouble = "is no folder" if folder.exists() else "does not exist: make it first"
            raise UsageError(f"cannot write {self.path}: {folder} {trouble}")
        needed = trace_bytes(list(header.channels), header.n_steps, header.precision)
        free = shutil.disk_usage(folder).free
        if needed > free:
            raise UsageError(
                f"the traces of this run take {human(needed)}, {folder} has {human(free)} free: record fewer "
                "neurons, take a larger every=, or write to another disk"
            )

    # -- while the simulation runs

    def spikes(self, channel: Channel, steps: np.ndarray, neurons: np.ndarray) -> None:
        self._window += [(f"{channel.name}/step", steps), (f"{channel.name}/neuron", neurons)]

    def samples(self, channel: Channel, values: np.ndarray) -> None:
        self._window.append((channel.name, values))

    def flush(self, step: int) -> None:
        self._waiting_bytes += sum(rows.nbytes for _, rows in self._window)
        self._step, self._waiting, self._window = step, self._waiting + self._window, []
        if self._waiting_bytes >= _WAITING_BYTES or time.monotonic() >= self._due:
            try:
                self._commit()
            except (OSError, RuntimeError) as error:
                self._fail(error)

    def _commit(self) -> None:
        """Write what waits, then that it is written; may be interrupted anywhere and done again."""
        pieces: dict[str, list[np.ndarray]] = {}
        for path, rows in self._waiting:
            pieces.setdefault(path, []).append(rows)
        lengths = dict(self._lengths)
        for path, rows_of in pieces.items():
            dataset, rows = self._datasets[path], np.concatenate(rows_of)
            lengths[path] += len(rows)
            dataset.resize(lengths[path], axis=0)
            if rows.size:
                dataset[self._lengths[path] :] = rows
            dataset.flush()
        self._committed.resize(self._commits + 1, axis=0)
        self._committed[self._commits] = (*lengths.values(), self._step)
        self._file.flush()  # with the length of the file, by which a truncated copy is told
        self._lengths, self._commits, self.safe_step = lengths, self._commits + 1, self._step
        self._waiting, self._waiting_bytes = [], 0
        self._due = time.monotonic() + _SECONDS

    # -- end

    def end(self, provenance: dict[str, Any]) -> None:
        if self._file is None:
            return
        try:
            self._commit()
            self._file[PROVENANCE][1] = json.dumps(provenance).encode()
            self._file.flush()
            self._file.attrs.modify("steps", self._step - self._header.first_step)
            self._file.attrs.modify("complete", np.uint8(not provenance.get("partial")))
            self._file.flush()
            self._file.close()
        except (OSError, RuntimeError) as error:
            self._fail(error)
        self._forget()

    def _fail(self, error: Exception) -> NoReturn:
        self._cut_off()
        t = self.safe_step * self._header.dt
        raise RecordingError(
            f"records could not be written to {self.path}: {_reason(error)}; the file has "
            f"{human(self._size())} and is good up to t = {t:g} ms: make room, or write to another disk",
            self.safe_step,
        ) from None

    def _size(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0

    def _cut_off(self) -> None:
        """Close the file as it is on the disk.

        HDF5 writes what it could not write once more when it closes a file, and crashes when that fails
        again. So its descriptor first becomes that of the null device, where every write succeeds.
        """
        with contextlib.suppress(OSError, RuntimeError):
            if self._file is not None:
                null = os.open(os.devnull, os.O_RDWR)
                os.dup2(null, self._file.id.get_vfd_handle(), inheritable=False)
                os.close(null)
                self._file.close()
        self._forget()

    def _forget(self) -> None:
        """Keep nothing of HDF5's, so that a result can be pickled."""
        self._file = self._committed = None
        self._datasets, self._waiting, self._window = {}, [], []

    def records(self) -> Records:
        return HDF5Records(self.path, self._id, self._lengths)


def _reason(error: Exception) -> str:
    """What the operating system said, out of HDF5's long messages."""
    found = re.search(r"error message = '([^']+)'", str(error))
    return found[1] if found else getattr(error, "strerror", None) or str(error).splitlines()[0]
