"""Formulas are pure, imports go down, and what is public is documented: read off the source."""

import ast
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import neurosim
from neurosim.backends import Backend, Kernel
from neurosim.backends.tracing import FUNCTIONS, Graph

ROOT = Path(neurosim.__file__).parents[1]
PACKAGE = ROOT / "neurosim"
BACKENDS = ROOT / "backends"

# -- formulas

FORMULA_FILES = sorted(
    [*PACKAGE.glob("models/*.py"), *PACKAGE.glob("integrators/*.py")]
    + [PACKAGE / f"{name}.py" for name in ("rates", "stimuli", "step")]
)
FORMULAS = {"derivatives", "threshold", "reset", "hazard", "current", "advance", "rates", "linoid", "init"}
BRANCHES = ast.If | ast.For | ast.While | ast.Try | ast.With | ast.IfExp | ast.ListComp | ast.GeneratorExp
OTHER_LIBRARIES = {"np", "numpy", "math"}
NUMBERS = {"pi", "e", "inf", "nan"}
KNOWN_TO_XP = {*FUNCTIONS, *(name for name in vars(Graph) if not name.startswith("_"))}


def takes_xp(function):
    return any(argument.arg == "xp" for argument in function.args.args)


def formulas(path):
    """Functions of a file that take a namespace."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and takes_xp(node)]


def identifier(path, function):
    return f"{path.relative_to(ROOT)}:{function.name}"


EVERY_FORMULA = [
    pytest.param(path, function, id=identifier(path, function)) for path in FORMULA_FILES for function in formulas(path)
]
# What models and stimuli compute; integrators and the step loop over state variables, not over neurons.
ELEMENTWISE = [
    pytest.param(path, function, id=identifier(path, function))
    for path in FORMULA_FILES
    for function in formulas(path)
    if path.parent.name == "models" or path.stem in ("rates", "stimuli")
]


def repeats(node, function):
    """A fixed number of iterations: towards the state at rest in an init, or over the terms of a spike input."""
    allowed = {"init": r"range\(\d+\)", "arrivals": r"range\(1, now\.terms\)"}.get(function.name, "never")
    return isinstance(node, ast.For) and re.fullmatch(allowed, ast.unparse(node.iter)) is not None


def own_fields_only(node):
    """Whether an expression reads nothing but ``self.x``, constants and comparisons of them."""
    names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    return names <= {"self"} and not any(isinstance(n, ast.Call) for n in ast.walk(node))


def test_there_are_formulas():
    names = {parameter.values[1].name for parameter in EVERY_FORMULA}
    assert names >= FORMULAS - {"hazard"}
    assert len(ELEMENTWISE) > 30


@pytest.mark.parametrize(("path", "function"), EVERY_FORMULA)
def test_formulas_write_into_nothing(path, function):
    for node in ast.walk(function):
        if isinstance(node, ast.AugAssign):
            # `new |= …` joins dictionaries of the function's own.
            assert isinstance(node.target, ast.Name), ast.unparse(node)
            assert isinstance(node.op, ast.BitOr), ast.unparse(node)
        if isinstance(node, ast.Assign):
            for target in node.targets:
                assert not isinstance(target, ast.Attribute), ast.unparse(node)
                if isinstance(target, ast.Subscript):
                    local = {a.arg for a in function.args.args}
                    assert isinstance(target.value, ast.Name), ast.unparse(node)
                    assert target.value.id not in local, f"{ast.unparse(node)} writes into an argument"


@pytest.mark.parametrize(("path", "function"), EVERY_FORMULA)
def test_powers_are_products_and_no_other_library_is_called(path, function):
    for node in ast.walk(function):
        if isinstance(node, ast.BinOp):
            assert not isinstance(node.op, ast.Pow), ast.unparse(node)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if node.value.id in OTHER_LIBRARIES:
                assert node.attr in NUMBERS, f"{ast.unparse(node)}: write xp.{node.attr}"
            if node.value.id == "xp":
                assert node.attr in KNOWN_TO_XP, f"{ast.unparse(node)} is not in the table of functions"


@pytest.mark.parametrize(("path", "function"), ELEMENTWISE)
def test_formulas_are_assignments_and_a_return(path, function):
    """No loop, no branch and no truth value, except of the record's own options."""
    for node in ast.walk(function):
        if isinstance(node, ast.If | ast.IfExp):
            assert own_fields_only(node.test), f"`{ast.unparse(node.test)}`: write xp.where"
        else:
            assert not isinstance(node, BRANCHES) or repeats(node, function), ast.unparse(node)
        if isinstance(node, ast.BoolOp):
            assert own_fields_only(node), f"`{ast.unparse(node)}`: write & or |"
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            assert own_fields_only(node), f"`{ast.unparse(node)}`: write ~"
        if isinstance(node, ast.Compare):
            assert len(node.ops) == 1, f"`{ast.unparse(node)}`: write (a < b) & (b < c)"


# -- imports


def module_name(path):
    """As imported: the folder at the top appears under its name in the package."""
    relative = path.relative_to(ROOT)
    parts = relative.with_suffix("").parts
    if parts[0] in ("backends", "scenarios"):
        parts = ("neurosim", *parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def sources():
    paths = [p for p in PACKAGE.rglob("*.py") if not {"backends", "scenarios"} & set(p.relative_to(PACKAGE).parts[:1])]
    return {module_name(path): path for path in [*paths, *BACKENDS.rglob("*.py"), *(ROOT / "scenarios").rglob("*.py")]}


SOURCES = sources()


def imports(path, module, *, everywhere):
    """Names of modules that a file imports, at import time or anywhere; those for type checkers are left out."""
    found = set()
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]

    def visit(node):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            return
        if isinstance(node, ast.FunctionDef) and not everywhere:
            return
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = package.split(".")
                base = ".".join([*parts[: len(parts) - node.level + 1], *([base] if base else [])])
            found.add(base)
            found.update(f"{base}.{alias.name}" for alias in node.names)
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(ast.parse(path.read_text(encoding="utf-8")))
    return found


@pytest.mark.parametrize("module", sorted(m for m in SOURCES if m.startswith("neurosim.backends")))
def test_backends_know_nothing_of_neurons(module):
    for name in imports(SOURCES[module], module, everywhere=True):
        assert not name.startswith("neurosim") or name.startswith("neurosim.backends"), name


@pytest.mark.parametrize("module", sorted(m for m in SOURCES if not m.startswith("neurosim.scenarios")))
def test_nothing_below_imports_scenarios(module):
    """Scenarios stand on top: they are found by walking their folder, when one is asked for."""
    at_import = imports(SOURCES[module], module, everywhere=False)
    assert not any(name.startswith("neurosim.scenarios") for name in at_import)


@pytest.mark.parametrize("module", sorted(SOURCES))
def test_everything_is_imported_under_one_name(module):
    """``import backends`` would be a second copy of ``neurosim.backends``."""
    for name in imports(SOURCES[module], module, everywhere=True):
        assert name.split(".")[0] not in ("backends", "scenarios"), name


@pytest.mark.parametrize("library", ["cupy", "numba", "matplotlib", "h5py", "rich", "brian2", "torch", "mpi4py"])
def test_heavy_libraries_are_imported_late(library):
    """Numba only by what makes kernels, CuPy by what needs a GPU, and none of them by ``import neurosim``."""
    code = f"import neurosim, neurosim.models, sys; sys.exit({library!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def graph():
    """Module → modules that it imports at import time, by the longest name that is a module."""
    edges = {}
    for module, path in SOURCES.items():
        found = imports(path, module, everywhere=False)
        edges[module] = {name for name in found if name in SOURCES and name != module}
    # A package imports itself before its modules: that they name it is no cycle.
    return {m: {t for t in targets if not m.startswith(t + ".")} for m, targets in edges.items()}


def test_imports_have_no_cycles():
    edges = graph()
    state = {}

    def visit(module, path):
        if state.get(module) == "done":
            return
        assert state.get(module) != "open", f"cycle: {' → '.join([*path[path.index(module) :], module])}"
        state[module] = "open"
        for target in sorted(edges[module]):
            visit(target, [*path, module])
        state[module] = "done"

    for module in sorted(edges):
        visit(module, [])


def test_there_is_one_copy_of_the_folders():
    assert "backends" not in sys.modules
    assert "scenarios" not in sys.modules
    assert Backend.__module__ == "neurosim.backends.base"
    for name in ("backends", "scenarios"):
        assert (PACKAGE / name).resolve() == ROOT / name


def test_files_are_short():
    for path in SOURCES.values():
        assert len(path.read_text(encoding="utf-8").splitlines()) < 400, path


# -- documentation

PUBLIC = {name: getattr(neurosim, name) for name in neurosim.__all__ if name != "connect"}  # a module
METHODS = {
    f"{cls.__name__}.{name}": member
    for cls in (neurosim.Simulation, neurosim.Result, neurosim.NeuronModel, neurosim.Stimulus, Backend, Kernel)
    for name, member in vars(cls).items()
    if not name.startswith("_") and (inspect.isfunction(member) or isinstance(member, property))
}
UNITS = {"ms", "mV", "nA", "µA/cm²"}


def sections(item):
    """Title of each section of a docstring → its text."""
    text = inspect.cleandoc(item.__doc__)
    parts = re.split(r"^(\w+)\n-+$", text, flags=re.M)
    return {"Summary": parts[0], **dict(zip(parts[1::2], parts[2::2], strict=True))}


def described(text):
    """Names that a section describes."""
    names = [line.split(":")[0] for line in text.splitlines() if line and not line.startswith(" ")]
    return {part.strip().lstrip("*") for name in names for part in name.split(",")}


def test_all_names_are_sorted_and_there():
    assert list(neurosim.__all__) == sorted(neurosim.__all__)


@pytest.mark.parametrize("name", PUBLIC)
def test_public_names_are_documented(name):
    item = PUBLIC[name]
    text = sections(item)
    assert text["Summary"].strip().splitlines()[0].endswith("."), "one sentence first"
    if inspect.isclass(item) and not callable_parameters(item):
        return
    missing = callable_parameters(item) - described(text.get("Parameters", "") + text.get("Attributes", ""))
    assert not missing, f"{name}: {missing} not described"


def callable_parameters(item):
    """Parameters that a user may give; those of records of parameters describe themselves."""
    if inspect.isclass(item) and issubclass(item, neurosim.Stimulus | neurosim.NeuronModel | Warning):
        return set()
    if inspect.isclass(item) and issubclass(item, Exception):
        return set()
    if item is neurosim.Result:  # made by runs alone
        return set()
    return {p for p in inspect.signature(item).parameters if p != "self"}


@pytest.mark.parametrize("name", METHODS)
def test_public_methods_are_documented(name):
    member = METHODS[name]
    function = member.fget if isinstance(member, property) else member
    assert (function.__doc__ or "").strip(), name
    given = [p for p in inspect.signature(function).parameters if p != "self"]
    text = sections(function)
    if "Parameters" in text:
        assert set(given) <= described(text["Parameters"]), name


@pytest.mark.parametrize("cls", [neurosim.Population, neurosim.Simulation], ids=lambda cls: cls.__name__)
def test_times_have_units_and_refusals_are_announced(cls):
    text = sections(cls)
    assert "ms" in text["Parameters"]
    assert "UsageError" in text["Raises"]


ALL_STIMULI = [*neurosim.stimuli.all_stimuli(), *neurosim.stimuli.all_spike_inputs()]


@pytest.mark.parametrize("cls", ALL_STIMULI, ids=lambda cls: cls.__name__)
def test_stimuli_describe_their_parameters(cls):
    from neurosim.parameters import parameters

    for name, info in parameters(cls).items():
        assert info.doc, f"{cls.__name__}.{name}"
        assert info.unit, f"{cls.__name__}.{name}"
