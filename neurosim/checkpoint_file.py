"""The files of checkpoints: written whole or not at all.

A file is HDF5::

    /                         attributes: format = "neurosim checkpoint", version, step, dt, precision, method, seed
    /network-json             what the network is, by which it is known again (:mod:`neurosim.identity`)
    /provenance-json          what ran
    /populations/POP/VARIABLE (n,): all that its kernel carries
    /in-flight/step, neuron   spikes that have not arrived everywhere; neurons are numbered through all populations
    /plastic/K/name           of each plastic projection
    /plastic/K/weight         (synapses,), ordered as by ``Simulation.weights``; where weights change
    /plastic/K/pre            (sources, 3): step of a spike that has arrived everywhere, and the traces after it
    /plastic/K/post           (targets, 3): step of the last spike, and the traces after it

It is written beside its place and then moved there, so that whatever happens, that place has a whole checkpoint: the
new one or the one before.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neurosim.errors import UsageError
from neurosim.identity import Identity

if TYPE_CHECKING:
    import h5py  # imported where a file is opened: start-up is counted in milliseconds

    from neurosim.backends.plasticity_carried import Carried

FORMAT, VERSION = "neurosim checkpoint", 1
OPTIONS: dict[str, Any] = {"dt": float, "precision": str, "method": str, "seed": int}  # which decide bits
# Names that are no identifiers, so that nothing of a population is called so.
_NETWORK, _PROVENANCE = "network-json", "provenance-json"


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """What a simulation has become, on the host.

    Attributes
    ----------
    step : int
        Steps that were simulated.
    options : dict
        Of the simulation, as far as bits depend on them.
    network : dict
        See :func:`neurosim.identity.identity`.
    states : dict
        Population → carried variable → ndarray of shape (n,).
    in_flight : dict
        Step → numbers of the neurons that spiked in it and whose spikes have not arrived everywhere, ascending.
    plastic : dict
        Plastic projection → its weights, shape (synapses,), None where they do not change, and what else it carries.
    """

    step: int
    options: dict[str, Any]
    network: Identity
    states: dict[str, dict[str, np.ndarray]]
    in_flight: dict[int, np.ndarray]
    plastic: dict[str, tuple[np.ndarray | None, Carried]]


# -- write


def write(path: Path, checkpoint: Checkpoint, facts: dict[str, Any]) -> None:
    """Replace the checkpoint at a path, or make it.

    Parameters
    ----------
    path : Path
        Of :func:`checked_place`.
    checkpoint : Checkpoint
        What to write.
    facts : dict
        Provenance, for people.

    Raises
    ------
    UsageError
        When it cannot be written. What was there before is as it was.
    """
    import h5py

    part = path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")
    try:
        with part.open("xb+", buffering=0) as file:
            safe = _Place(file)
            with h5py.File(safe, "w") as target:
                _lay_out(target, checkpoint, facts)
            if safe.error is not None:
                raise safe.error
            os.fsync(file.fileno())
        os.replace(part, path)
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        kept = "; the checkpoint before is kept" if path.exists() else ""
        raise UsageError(f"cannot write {path}: {reason}{kept}: make room, or write another path") from None
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


class _Place(io.RawIOBase):
    """A file that takes everything after an error, which it keeps: HDF5 crashes when closing fails, too."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self.error: OSError | None = None

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        done = 0
        while self.error is None and done < len(view):
            try:
                done += self._file.write(view[done:])
            except OSError as error:
                self.error = error
        return len(view)

    def truncate(self, size: int | None = None) -> int:
        try:
            return int(self._file.truncate(size))
        except OSError as error:
            self.error = self.error or error
            return size or 0

    def readinto(self, buffer: Any) -> int:
        return int(self._file.readinto(buffer))

    def seek(self, offset: int, whence: int = 0) -> int:
        return int(self._file.seek(offset, whence))

    def tell(self) -> int:
        return int(self._file.tell())

    def readable(self) -> bool:
        return True

    writable = seekable = readable


def checked_place(path: str | Path) -> Path:
    """Where to write: of a link the file that it leads to, which is replaced in place of the link."""
    if not isinstance(path, str | Path):
        raise UsageError(f"path = {path!r}: give the path of a file, as 'checkpoint.h5'")
    path = Path(path).resolve()
    if path.is_dir():
        raise UsageError(f"{path} is a folder: write the path of a file, as {str(path / 'checkpoint.h5')!r}")
    if not path.parent.is_dir():
        trouble = "is no folder" if path.parent.exists() else "does not exist: make it first"
        raise UsageError(f"cannot write {path}: {path.parent} {trouble}")
    if not path.exists():
        return path
    try:
        with _opened(path):
            return path
    except UsageError:
        other = path.with_stem(f"{path.stem}-checkpoint").name
        raise UsageError(
            f"{path} is no checkpoint of this version and is not overwritten: write another path, as {other!r}, or "
            "delete it"
        ) from None


def _lay_out(file: h5py.File, checkpoint: Checkpoint, facts: dict[str, Any]) -> None:
    options = checkpoint.options | {"seed": np.uint64(checkpoint.options["seed"])}
    file.attrs.update(format=FORMAT, version=VERSION, step=checkpoint.step, **options)
    # As bytes: attributes are limited to 64 kB.
    file[_NETWORK] = np.frombuffer(json.dumps(checkpoint.network).encode(), np.uint8)
    file[_PROVENANCE] = np.frombuffer(json.dumps(facts).encode(), np.uint8)
    for population, state in checkpoint.states.items():
        group = file.create_group(f"populations/{population}")
        for name, values in state.items():
            group[name] = values
    steps = [np.full(len(ids), step, np.int64) for step, ids in sorted(checkpoint.in_flight.items())]
    neurons = [np.asarray(ids, np.int64) for _, ids in sorted(checkpoint.in_flight.items())]
    file["in-flight/step"] = np.concatenate([np.empty(0, np.int64), *steps])
    file["in-flight/neuron"] = np.concatenate([np.empty(0, np.int64), *neurons])
    for k, (name, (weights, carried)) in enumerate(checkpoint.plastic.items()):
        group = file.create_group(f"plastic/{k}")
        group["name"] = np.frombuffer(name.encode(), np.uint8)
        group["pre"], group["post"] = carried.pre, carried.post
        if weights is not None:
            group["weight"] = weights


# -- read


@contextmanager
def _opened(path: Path) -> Iterator[h5py.File]:
    import h5py

    try:
        if path.is_dir() or not path.exists():
            raise UsageError(f"{path} is a folder" if path.is_dir() else f"there is no file {path}")
        with h5py.File(path, "r", locking="best-effort") as file:
            found = file.attrs.get("format")
            if found != FORMAT:
                remedy = "Result.load reads it" if found == "neurosim records" else "it was written by something else"
                raise UsageError(f"{path} is no checkpoint of neurosim: {remedy}")
            if file.attrs["version"] != VERSION:
                raise UsageError(
                    f"{path} has version {file.attrs['version']} of the format, not {VERSION}: use the "
                    "neurosim that wrote it"
                )
            yield file
    except PermissionError:
        raise UsageError(f"{path} may not be read: ask its owner for permission") from None
    except UsageError:
        raise
    except (OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError) as error:
        short = str(error).splitlines()[0]
        raise UsageError(
            f"{path} cannot be read as a checkpoint, it is of another format or damaged: {short}"
        ) from None


def read(path: str | Path) -> Checkpoint:
    """The checkpoint of a file.

    Raises
    ------
    UsageError
        When there is no such file, or it is no checkpoint of this version.
    """
    from neurosim.backends.plasticity_carried import Carried

    if not isinstance(path, str | Path):
        raise UsageError(f"path = {path!r}: give the path of a file, as 'checkpoint.h5'")
    with _opened(Path(path).absolute()) as file:
        attributes = file.attrs
        in_flight = file["in-flight/step"][:], file["in-flight/neuron"][:]
        steps, begins = np.unique(in_flight[0], return_index=True)
        plastic = {}
        for k in range(len(file.get("plastic", ()))):
            group = file[f"plastic/{k}"]
            weights = group["weight"][:] if "weight" in group else None
            plastic[group["name"][:].tobytes().decode()] = weights, Carried(group["pre"][:], group["post"][:])
        return Checkpoint(
            step=int(attributes["step"]),
            options={name: kind(attributes[name]) for name, kind in OPTIONS.items()},
            network=json.loads(file[_NETWORK][:].tobytes()),
            states={
                name: {variable: values[:] for variable, values in group.items()}
                for name, group in file["populations"].items()
            },
            in_flight=dict(zip(steps.tolist(), np.split(in_flight[1], begins)[1:], strict=True)),
            plastic=plastic,
        )
