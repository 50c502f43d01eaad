"""Formulas of learning are pure, what is public is documented, and nothing is imported before it is needed."""

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import neurosim
from neurosim import learn
from neurosim.learn.optimizers import all_optimizers

FOLDER = Path(learn.__file__).parent
# hold buffers and the place in an epoch; compiled passes write what their callers own
OWNERS = {"recorder.py", "strategies.py", "passes.py", "curvature.py", "loop.py", "orders.py"}
OTHER_LIBRARIES = {"np", "numpy", "torch"}


def formulas():
    """Functions that take a namespace."""
    for path in sorted(FOLDER.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and any(a.arg == "xp" for a in node.args.args):
                yield pytest.param(path, node, id=f"{path.relative_to(FOLDER)}:{node.name}")


EVERY_FORMULA = list(formulas())


def test_there_are_formulas():
    names = {p.values[1].name for p in EVERY_FORMULA}
    assert names >= {"forward", "pullback", "derivative", "sample_losses", "step", "update", "search", "value_in"}


@pytest.mark.parametrize(("path", "function"), EVERY_FORMULA)
def test_formulas_write_into_nothing(path, function):
    for node in ast.walk(function):
        assert not isinstance(node, ast.AugAssign), ast.unparse(node)
        if isinstance(node, ast.Assign):
            for target in node.targets:
                assert not isinstance(target, ast.Attribute | ast.Subscript), ast.unparse(node)


@pytest.mark.parametrize(("path", "function"), EVERY_FORMULA)
def test_formulas_use_xp_alone(path, function):
    """No other library's functions, no powers, no method of an array."""
    for node in ast.walk(function):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            assert node.value.id not in OTHER_LIBRARIES, ast.unparse(node)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
            raise AssertionError(ast.unparse(node))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            assert node.func.attr not in {"sum", "mean", "max", "reshape", "copy", "fill"} or (
                ast.unparse(node.func.value) in {"xp", "xp.base", "space.base"}
            ), ast.unparse(node)


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.py")), ids=lambda p: p.name)
def test_only_owners_write_buffers(path):
    """Elsewhere an array is written only in the function that made it."""
    if path.name in OWNERS:
        return
    for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(function, ast.FunctionDef):
            continue
        arguments = {a.arg for a in function.args.args} - {"self", "status", "seen"}
        for node in ast.walk(function):
            targets = (
                node.targets
                if isinstance(node, ast.Assign)
                else [node.target]
                if isinstance(node, ast.AugAssign)
                else []
            )
            for target in targets:
                if isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name):
                    assert target.value.id not in arguments, f"{function.name}: {ast.unparse(node)}"


def test_importing_neurosim_imports_no_learning():
    code = (
        "import sys, neurosim; assert 'neurosim.learn' not in sys.modules; neurosim.learn.MLP; "
        "sys.exit(any(m in sys.modules for m in ('numba', 'torch', 'matplotlib', 'scipy', 'sklearn')))"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], cwd=Path(neurosim.__file__).parents[1], check=False).returncode
        == 0
    )


# -- documentation

PUBLIC = {name: getattr(learn, name) for name in learn.__all__ if callable(getattr(learn, name))}
PUBLIC |= {cls.__name__: cls for cls in all_optimizers().values()}


def test_names():
    assert list(learn.__all__) == sorted(learn.__all__, key=lambda n: (not n.isupper(), not n[0].isupper(), n))
    assert set(dir(learn)) >= {*learn.__all__, *(cls.__name__ for cls in all_optimizers().values())}
    for cls in all_optimizers().values():
        assert getattr(learn, cls.__name__) is cls


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_public_names_are_documented(name):
    item = PUBLIC[name]
    first = (item.__doc__ or "").strip().splitlines()[0]
    assert first.endswith((".", "::")) or ". " in item.__doc__, name
    for member, value in vars(item).items() if inspect.isclass(item) else ():
        if not member.startswith("_") and inspect.isfunction(value):
            documented = value.__doc__ or any(
                getattr(base, member, None).__doc__ for base in item.__mro__[1:] if hasattr(base, member)
            )
            assert documented, f"{name}.{member}"


def test_examples_in_docstrings():
    import doctest
    import importlib

    run = 0
    for path in sorted(FOLDER.rglob("*.py")):
        module = ".".join(["neurosim.learn", *path.relative_to(FOLDER).with_suffix("").parts]).removesuffix(".__init__")
        found = doctest.testmod(importlib.import_module(module), raise_on_error=False)
        assert found.failed == 0, module
        run += found.attempted
    assert run > 10
