"""Generated source on disk, so that the next process finds it compiled.

A kernel's file is named by what it depends on: its text, the mathematics that it calls, the version of Numba.
It is written beside and then linked to its name, so that two processes may write at once and a reader never sees
half a file. Numba keeps the machine code in ``__pycache__`` beside it.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import sys
import tempfile
import warnings
from functools import cache, lru_cache
from pathlib import Path
from types import ModuleType

import platformdirs

from neurosim.backends.errors import SlowPathWarning, UsageError

DIRECTORY_VARIABLE = "NEUROSIM_CACHE_DIR"
LIMIT_VARIABLE = "NEUROSIM_CACHE_MB"
_DEFAULT_LIMIT_MB = 256


def directory() -> Path:
    """The folder of generated kernels: ``$NEUROSIM_CACHE_DIR``, or the platform's cache folder."""
    chosen = os.environ.get(DIRECTORY_VARIABLE)
    return Path(chosen) if chosen else Path(platformdirs.user_cache_dir("neurosim", appauthor=False))


def limit_bytes() -> int:
    """Size above which the kernels used longest ago are deleted: ``$NEUROSIM_CACHE_MB``, or 256 MB."""
    text = os.environ.get(LIMIT_VARIABLE, str(_DEFAULT_LIMIT_MB))
    try:
        megabytes = float(text)
    except ValueError:
        megabytes = -1.0
    if not megabytes >= 0:
        raise UsageError(f"{LIMIT_VARIABLE}={text!r} is no size: write megabytes, for example {LIMIT_VARIABLE}=256")
    return int(megabytes * 1e6)


def size() -> tuple[int, int]:
    """Number of kernels and bytes in the cache."""
    folder = directory()
    files = [f for f in (*folder.glob("*.py"), *folder.glob("__pycache__/*")) if f.is_file()]
    return sum(f.suffix == ".py" for f in files), sum(f.stat().st_size for f in files)


def load(source: str, name: str, depends: str) -> ModuleType:
    """The module of a generated source; ``depends`` stands for all else that its machine code depends on."""
    digest = hashlib.sha256("\0".join((source, depends, sys.version)).encode()).hexdigest()[:20]
    return _load(source, f"{name}_{digest}")


@cache
def _load(source: str, stem: str) -> ModuleType:
    path = _write(source, stem)
    spec = importlib.util.spec_from_file_location(f"neurosim_kernels.{stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # Numba looks its functions up by module when it unpickles them
    spec.loader.exec_module(module)
    for index in path.parent.glob(f"__pycache__/{stem}*.nbi"):
        with contextlib.suppress(OSError):
            os.utime(index)  # marks the last use; the source's own time stays, Numba compares it
    _evict(keep=stem)
    return module


def _write(source: str, stem: str) -> Path:
    folder = directory()
    try:
        return _write_once(folder, source, stem)
    except OSError as error:
        message = (
            f"kernel cache {folder} cannot be written ({error.strerror}): kernels are compiled anew in every "
            f"process; set {DIRECTORY_VARIABLE} to a folder that can be written"
        )
        warnings.warn(SlowPathWarning(message), stacklevel=2)
        return _write_once(_temporary(), source, stem)


@lru_cache(maxsize=1)
def _temporary() -> Path:
    return Path(tempfile.mkdtemp(prefix="neurosim-kernels-"))


def _write_once(folder: Path, source: str, stem: str) -> Path:
    path = folder / f"{stem}.py"
    if path.exists():
        return path
    folder.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=f".{stem}-", suffix=".tmp")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(source)
    try:
        # A link fails where the file exists: its time stamp, which Numba compares, is never changed.
        os.link(temporary, path)
    except FileExistsError:
        pass
    except OSError:  # a file system without links
        os.replace(temporary, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
    return path


def _evict(keep: str) -> None:
    """Delete the kernels used longest ago until the cache is within its limit."""
    folder = directory()
    families: dict[str, list[Path]] = {}
    for file in (*folder.glob("*.py"), *folder.glob("__pycache__/*")):
        families.setdefault(file.name.split(".")[0].split("-")[0], []).append(file)

    def of(files: list[Path], what: str) -> list[float]:
        found = []
        for file in files:
            with contextlib.suppress(FileNotFoundError):  # another process evicts, too
                found.append(getattr(file.stat(), what))
        return found

    total = sum(sum(of(files, "st_size")) for files in families.values())
    for stem in sorted(families, key=lambda stem: max(of(families[stem], "st_mtime"), default=0.0)):
        if total <= limit_bytes():
            return
        if stem == keep:
            continue
        total -= int(sum(of(families[stem], "st_size")))
        for file in families[stem]:
            with contextlib.suppress(OSError):
                file.unlink()
