"""Numba's ``njit``, with a cache on disk that processes may fill at the same time.

Numba (0.68) numbers the data of a function's signatures in an index that is read, added to and written without a lock,
and before the data. Of two cold processes that compile other signatures both take number 1: one is lost, or the index
gives the machine code of one to the other, which is then run. Four processes that began at once did so in 11 of 150
trials. Here every signature has a file of its own, written whole, that says what it is of.

Nor does Numba look into what a function calls or inlines from other modules: a kernel whose callee has changed would be
taken from the cache as it was. Here the name of a file depends on the text of all modules that its function leads to.

Generated kernels need none of this: each has one signature, and a file named by all that it depends on
(:mod:`neurosim.backends.kernel_cache`).
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pickle
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numba
from numba.core.caching import IndexDataCacheFile


def njit(function: Callable[..., Any] | None = None, **options: Any) -> Any:
    """As :func:`numba.njit`, and to be written like it."""
    if function is None:
        return lambda decorated: njit(decorated, **options)
    dispatcher = numba.njit(**options)(function)
    found = getattr(dispatcher, "_cache", None)  # none where Numba is told not to compile
    if options.get("cache") and found is not None:
        numbas = found._cache_file
        found._cache_file = OneFileEach(
            numbas._cache_path, found._impl.filename_base, numbas._source_stamp, function.__module__
        )
    return dispatcher


class OneFileEach(IndexDataCacheFile):
    """The compiled signatures of a function, each in a file.

    Parameters
    ----------
    folder, base : str
        Where they are, and how their names begin.
    stamp : object
        Of the function's own file, as Numba makes it.
    module : str
        That has the function.
    """

    def __init__(self, folder: str, base: str, stamp: Any, module: str) -> None:
        super().__init__(folder, base, stamp)
        self._folder, self._base, self._module = Path(folder), base, module

    def save(self, key: Any, data: Any) -> None:
        path = self._path(key)
        for old in self._folder.glob(f"{self._base}.*.nbc"):
            if old.name.split(".")[-3] != path.name.split(".")[-3]:
                with contextlib.suppress(OSError):  # another process has it open, or deletes it, too
                    old.unlink()
        with self._open_for_write(os.fspath(path)) as file:
            file.write(self._dump((repr(key), data)))

    def load(self, key: Any) -> Any:
        try:
            saved, data = pickle.loads(self._path(key).read_bytes())
        except (OSError, EOFError, ValueError, TypeError, pickle.UnpicklingError):
            return None
        return data if saved == repr(key) else None

    def flush(self) -> None:
        for path in self._folder.glob(f"{self._base}.*.nbc"):
            with contextlib.suppress(OSError):
                path.unlink()

    def _path(self, key: Any) -> Path:
        version = _digest(self._version, repr(self._source_stamp), *map(_text, _modules(self._module)))
        return self._folder / f"{self._base}.{version}.{_digest(repr(key))}.nbc"


def _digest(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]


@cache
def _modules(name: str) -> tuple[str, ...]:
    """Names of the modules of a module's package that it leads to, itself among them."""
    root, found, left = name.partition(".")[0], set(), [name]
    while left:
        module = left.pop()
        if module in found or module not in sys.modules:
            continue
        found.add(module)
        for value in list(vars(sys.modules[module]).values()):
            of = getattr(value, "py_func", value)  # of what is compiled, the function
            leads_to = of.__name__ if isinstance(of, ModuleType) else getattr(of, "__module__", None)
            if isinstance(leads_to, str) and leads_to.partition(".")[0] == root:
                left.append(leads_to)
    return tuple(sorted(found))


@cache
def _text(module: str) -> str:
    file = getattr(sys.modules[module], "__file__", None)
    return Path(file).read_text(encoding="utf-8") if file else ""
