"""Frozen records of parameters: what models and stimuli are made of.

A class that derives from :class:`Parameters` is a frozen dataclass without saying so. Its parameters are declared
by :func:`param` and hold a float or one value per neuron; other fields (options that change the formula) are
plain dataclass fields.
"""

from __future__ import annotations

import dataclasses
import inspect
import math
import numbers
from abc import ABC
from collections.abc import Mapping
from dataclasses import MISSING, dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from neurosim.errors import UsageError, nearest

Floats = Any  # a float, or one float per neuron: an (n,) array or a sequence


@dataclass(frozen=True)
class ParameterInfo:
    """What is known about a parameter besides its value."""

    unit: str
    doc: str
    above: float | None
    at_least: float | None
    wide: bool


def param(
    default: Any = MISSING,
    unit: str = "1",
    doc: str = "",
    *,
    above: float | None = None,
    at_least: float | None = None,
    wide: bool = False,
) -> Any:
    """Declare a parameter.

    Parameters
    ----------
    default : float, optional
        Value where none is given; without it the parameter must be given.
    unit : str
        Of the consistent set ms, mV, nA, nF, µS, MΩ (per area: µF/cm², mS/cm², µA/cm²).
    doc : str
        What it means, for help and docs.
    above, at_least : float, optional
        Exclusive and inclusive lower bound.
    wide : bool
        Computed with in float64 in a run of any precision, as everything that is compared with the time must be.
    """
    info = ParameterInfo(unit, doc, above, at_least, wide)
    return dataclasses.field(default=default, metadata={"param": info})


class Parameters(ABC):  # noqa: B024 - what is abstract is declared by those that derive from it
    """Base of every record of parameters.

    Abstract or final: a class whose formulas are complete is never subclassed; vary its parameters with
    :meth:`replace`, or write a new class.
    """

    one_per: ClassVar[str] = "neuron"  # what an array of parameters has one value for, in messages

    if TYPE_CHECKING:  # made by dataclass, which type checkers cannot see through `param`
        __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]

        def __init__(self, *values: Floats, **named: Floats) -> None: ...

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for base in cls.__bases__:
            if issubclass(base, Parameters) and base is not Parameters and not _is_abstract(base):
                raise TypeError(
                    f"{cls.__name__} derives from the complete class {base.__name__}: use "
                    f"{base.__name__}(…) with other parameters, or write a class of its own"
                )
        # eq=False: records hold arrays, whose comparison is no truth value.
        dataclass(frozen=True, eq=False, repr=False)(cls)

    def __post_init__(self) -> None:
        for name, info in parameters(type(self)).items():
            where = f"{type(self).__name__}.{name}"
            object.__setattr__(self, name, _checked(where, getattr(self, name), info, self.one_per))

    def __repr__(self) -> str:
        shown = []
        for f in dataclasses.fields(self):
            value = getattr(self, f.name)
            if not (np.ndim(value) == 0 and value == f.default):
                shown.append(f"{f.name}=<{value.size} values>" if np.ndim(value) else f"{f.name}={value!r}")
        return f"{type(self).__name__}({', '.join(shown)})"

    def replace(self, **changes: Any) -> Self:
        """The same record with other values."""
        names = [f.name for f in dataclasses.fields(self)]
        for name in changes:
            if name not in names:
                raise UsageError(f"{type(self).__name__} has no parameter {name!r}: {nearest(name, names)}")
        return dataclasses.replace(self, **changes)

    def values(self) -> dict[str, float | np.ndarray]:
        """Parameters by name."""
        return {name: getattr(self, name) for name in parameters(type(self))}


def _is_abstract(cls: type) -> bool:
    return inspect.isabstract(cls) or cls.__dict__.get("abstract", False)


def parameters(cls: type) -> dict[str, ParameterInfo]:
    """The declared parameters of a class, in order."""
    return {f.name: f.metadata["param"] for f in dataclasses.fields(cls) if "param" in f.metadata}


def _checked(where: str, value: Any, info: ParameterInfo, one_per: str) -> float | np.ndarray:
    """A float or a read-only (n,) float64 array."""
    try:
        if value is None or isinstance(value, str):
            raise TypeError
        array = np.array(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise UsageError(f"{where} = {value!r} is no number: give a float or one float per {one_per}") from None
    if array.ndim > 1:
        raise UsageError(f"{where} has shape {array.shape}: give a float or one value per {one_per}, shape (n,)")
    bad = ~np.isfinite(array)
    if info.above is not None:
        bad |= ~(array > info.above)
    if info.at_least is not None:
        bad |= ~(array >= info.at_least)
    if bad.any():
        place = f"[{int(np.flatnonzero(bad)[0])}]" if array.ndim else ""
        bounds = [f"above {info.above:g}"] if info.above is not None else []
        bounds += [f"at least {info.at_least:g}"] if info.at_least is not None else []
        need = " and ".join(["finite", *bounds])
        raise UsageError(
            f"{where}{place} = {array[bad][0] if array.ndim else float(array):g} {info.unit}: must be {need}"
        )
    if array.ndim == 0:
        return float(array)
    array.setflags(write=False)
    return array


def is_number(value: Any) -> bool:
    """Whether a value is a finite real number, and no truth value."""
    return isinstance(value, numbers.Real) and not isinstance(value, bool) and math.isfinite(value)


def check_length(where: str, record: Parameters, n: int) -> None:
    """Refuse a per-neuron parameter that has not one value for each of ``n`` neurons."""
    for name, value in record.values().items():
        if np.ndim(value) and len(value) != n:  # type: ignore[arg-type]
            raise UsageError(
                f"{where}: {type(record).__name__}.{name} has {len(value)} values for {n} neurons: "  # type: ignore[arg-type]
                f"give a float or an array of shape ({n},)"
            )


def own_fields(record: Any) -> dict[str, Any]:
    """All that a record was made of: its parameters and what changes its formula."""
    return {f.name: getattr(record, f.name) for f in dataclasses.fields(record)}


def bind(record: Any, values: Mapping[str, Any]) -> Any:
    """The same record with arrays, or traced values, in place of its parameters.

    Its class, methods, properties and other fields stay, so a formula that reads ``self.tau_m`` runs on them.
    """
    fields = own_fields(record)
    return unchecked(type(record), fields | {name: values[name] for name in fields if name in values})


def unchecked(cls: type, values: Mapping[str, Any]) -> Any:
    """A record of a class with these fields, whatever they are."""
    record: Any = object.__new__(cls)
    for name, value in values.items():
        object.__setattr__(record, name, value)
    return record
