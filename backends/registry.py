"""Backends by name: the modules ``*_backend`` of this folder, entry points of others, any array-API library.

A backend module has ``create() -> Backend`` and raises :class:`Unavailable` with the reason and the command that
mends it.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from functools import cache, lru_cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import neurosim.backends as package
from neurosim.backends.base import Backend
from neurosim.backends.errors import UsageError, nearest
from neurosim.backends.unavailable import Unavailable

ENTRY_POINTS = "neurosim.backends"
_SUFFIX = "_backend"
_ANY_LIBRARY = "namespace"  # makes a backend of a library's name, is none itself
_INSTALL = {
    "torch": "torch",
    "array_api_strict": "array-api-strict",
}  # libraries known to work, and what to install


@lru_cache(maxsize=1)
def factories() -> dict[str, Callable[[], Backend]]:
    """Name → function that makes the backend, built in and from entry points; nothing is imported yet."""
    found: dict[str, Callable[[], Backend]] = {}
    for module in pkgutil.iter_modules(package.__path__):
        if module.name.endswith(_SUFFIX):
            name = module.name.removesuffix(_SUFFIX)
            if name != _ANY_LIBRARY:
                found[name] = _lazy(f"{package.__name__}.{module.name}")
    for entry in entry_points(group=ENTRY_POINTS):
        found[entry.name] = _entered(entry)
    return found


def _entered(entry: EntryPoint) -> Callable[[], Backend]:
    return lambda: entry.load()()


def _lazy(module: str) -> Callable[[], Backend]:
    return lambda: importlib.import_module(module).create()


@cache
def _create(name: str) -> Backend:
    if name in factories():
        return factories()[name]()
    from neurosim.backends.namespace_backend import of_library

    if not all(part.isidentifier() for part in name.split(".")):
        raise ModuleNotFoundError(name=name.split(".")[0])
    try:
        return of_library(name)
    except ModuleNotFoundError as error:
        if error.name == name and name in _INSTALL:
            raise Unavailable(f"{name} is not installed: pip install {_INSTALL[name]}") from None
        raise


def get(backend: str | Backend = "auto") -> Backend:
    """The backend of a name.

    Parameters
    ----------
    backend : str or Backend
        ``"auto"`` (a GPU where CuPy has one, else NumPy), ``"numpy"``, ``"cupy"``, the name of any library that
        implements the Array API (``"torch"``, ``"array_api_strict"``), or a backend, which is returned as it is.

    Raises
    ------
    UsageError
        When there is none of that name, or it is not available here; the message says why.
    """
    if isinstance(backend, Backend):
        return backend
    if not isinstance(backend, str):
        raise UsageError(f"backend={backend!r} is no name: write backend='numpy', or one of {sorted(factories())}")
    if backend == "auto":
        try:
            return _create("cupy")
        except Unavailable:
            return _create("numpy")
    try:
        return _create(backend)
    except Unavailable as error:
        raise UsageError(f"backend {backend!r} is not available: {error}") from None
    except ModuleNotFoundError as error:
        if error.name != backend.split(".")[0]:
            raise
        known = ["auto", *factories(), *_INSTALL]
        raise UsageError(f"unknown backend {backend!r}: {nearest(backend, known)}") from None


def available() -> dict[str, str | None]:
    """For each backend by name: None where it can be used here, else the reason why not."""
    reasons: dict[str, str | None] = {}
    for name in factories():
        try:
            _create(name)
            reasons[name] = None
        except Unavailable as error:
            reasons[name] = str(error)
    return reasons


def describe(name: str) -> dict[str, Any]:
    """Facts about an available backend, for people."""
    backend = _create(name)
    free, total = backend.memory()
    return {"device": str(backend.device), "free": free, "total": total, "fused": backend.fusible()}
