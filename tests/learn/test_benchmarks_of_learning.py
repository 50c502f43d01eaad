"""The benchmarks of learning: all contenders learn the same, what is judged is what was measured, and they run."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from neurosim.backends import get
from neurosim.learn import MLP
from neurosim.learn.losses import get_loss
from neurosim.learn.network_objective import network_objective
from neurosim.learn.samples import checked_samples

FOLDER = Path(__file__).parents[2] / "benchmarks"
sys.path.insert(0, str(FOLDER))
from peers import _lessons  # noqa: E402
from peers._learning import Task  # noqa: E402

sys.path.remove(str(FOLDER))


@pytest.fixture(scope="module")
def task_file(tmp_path_factory):
    """Writes a task of a name."""

    def write(name, *arguments):
        path = tmp_path_factory.mktemp("task") / "task.npz"
        command = [sys.executable, str(FOLDER / "peers" / "_tasks.py"), name, str(path), *arguments]
        subprocess.run(command, check=True, capture_output=True)
        return path

    return write


def run(script, path, *arguments):
    """The last JSON line of a contender's script, and the weights that it ends with."""
    weights = path.with_name("weights.npy")
    command = [sys.executable, str(FOLDER / "peers" / script), "--task", str(path), "--weights", str(weights)]
    done = subprocess.run([*command, *arguments], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1]), np.load(weights)


@pytest.mark.parametrize("name", ["points", "points_squares", "spirals"])
def test_the_judge_has_neurosims_loss(name, task_file):
    task = Task.load(task_file(name, "--networks", "2"))
    sizes = task.facts["sizes"]
    network = MLP(sizes, (*["tanh"] * (len(sizes) - 2), task.facts["output"]))
    samples = checked_samples((task.x, task.target), sizes[0], sizes[-1])
    objective = network_objective(
        network, get_loss(task.facts["loss"]), samples, l2=0.0, backend=get("numpy"), precision="float64"
    )
    np.testing.assert_allclose([task.loss(w) for w in task.w0], objective.value(task.w0)[:, 0], rtol=1e-12)
    np.testing.assert_array_equal(task.flat(task.layers(task.w0)), task.w0)
    views = network.params.views(np, task.w0)
    for k, (weight, bias) in enumerate(task.layers(task.w0)):
        np.testing.assert_array_equal(weight, views[f"{k}.weight"])
        np.testing.assert_array_equal(bias, views[f"{k}.bias"])


def test_batches_are_neurosims(task_file):
    """From the order in the file follow neurosim's own weights, by gradient descent written out here."""
    path = task_file("digits", "--iterations", "40")
    task = Task.load(path)
    assert task.per_epoch == 28
    assert sorted(np.concatenate([task.batch(k) for k in range(28)])) == list(range(1792))
    w, speed = task.w0[0], 0.0
    sizes, method = task.facts["sizes"], task.facts["optimizer"]
    network = MLP(sizes, ("tanh", "softmax"))
    for k in range(40):
        chosen = task.batch(k)
        samples = checked_samples((task.x[chosen], task.target[chosen]), sizes[0], sizes[-1])
        objective = network_objective(
            network, get_loss("cross_entropy"), samples, l2=0.0, backend=get("numpy"), precision="float64"
        )
        speed = method["momentum"] * speed + method["learning_rate"] * objective.value_and_grad(w[None])[1][0]
        w = w - speed
    _, weights = run("learn_neurosim.py", path, "--fuse", "off")
    np.testing.assert_allclose(weights[0], w, atol=1e-10)


def ours(path, *arguments):
    return run("learn_neurosim.py", path, "--fuse", "off", *arguments)


def test_scikit_learn_takes_the_same_path(task_file):
    pytest.importorskip("sklearn")
    path = task_file("spirals", "--iterations", "20", "--networks", "2")
    told, weights = run("learn_sklearn.py", path)
    assert told["iterations"] == [20, 20]
    np.testing.assert_allclose(weights, ours(path)[1], atol=1e-8)


def test_scikit_learn_has_one_output_for_two(task_file):
    """Its weights are told as those of a network of two, which is the same function."""
    pytest.importorskip("sklearn")
    path = task_file("points", "--iterations", "30")
    told, weights = run("learn_sklearn.py", path)
    task = Task.load(path)
    assert told["other_path"] == "one logistic output"
    assert task.loss(weights[0]) < task.loss(task.w0[0])


@pytest.mark.torch
@pytest.mark.slow
@pytest.mark.parametrize(
    "optimizer",
    [
        {"name": "gradient_descent", "learning_rate": 0.2, "momentum": 0.9},
        {"name": "nag", "learning_rate": 0.2, "momentum": 0.9},
        {"name": "adagrad", "learning_rate": 0.2},
        {"name": "adadelta", "epsilon": 1e-3},
        {"name": "rmsprop", "learning_rate": 0.005},
        {"name": "adam", "learning_rate": 0.02},
        {"name": "adamw", "learning_rate": 0.02},
        {"name": "rprop", "first_step": 0.05},
    ],
    ids=lambda given: given["name"],
)
def test_torch_takes_the_same_path(optimizer, task_file):
    pytest.importorskip("torch")
    path = task_file("points", "--iterations", "20", "--optimizer", json.dumps(optimizer))
    np.testing.assert_allclose(run("learn_torch.py", path)[1], ours(path)[1], atol=1e-8)


@pytest.mark.torch
def test_torch_vmap_takes_the_same_path(task_file):
    pytest.importorskip("torch")
    path = task_file("points", "--iterations", "20", "--networks", "3")
    np.testing.assert_allclose(run("learn_torch.py", path, "--way", "vmap")[1], ours(path)[1], atol=1e-8)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("task", "way"), [("points", "loop"), ("points", "step"), ("digits", "loop"), ("digits", "step")]
)
def test_jax_takes_the_same_path(task, way, task_file):
    pytest.importorskip("jax")
    path = task_file(task, "--iterations", "30", "--networks", "2")
    np.testing.assert_allclose(run("learn_jax.py", path, "--way", way)[1], ours(path)[1], atol=1e-8)


def test_a_loss_to_stop_at(task_file):
    """Both stop as soon as it is reached."""
    pytest.importorskip("scipy")
    path = task_file("points", "--iterations", "500", "--stop-error", "0.2", "--optimizer", '{"name": "bfgs"}')
    task = Task.load(path)
    for told, weights in (run("learn_scipy.py", path), ours(path, "--alone")):
        assert task.loss(weights[0]) < 0.2
        assert 0 < told["iterations"][0] < 100
        assert told["seconds"][0] > 0.0


# -- what is compared


CASE = _lessons.Case("points", 3, 100, "float64", 1)
TO_A_LOSS = _lessons.Case("points", 3, 100, "float64", 1, stop_error=0.05)


def test_the_same_losses_after_the_same_updates():
    losses = {"neurosim": [0.5, 0.25, 0.0], "near": [0.5004, 0.25, 1e-13], "far": [0.5, 0.26, 0.0], "part": [0.5]}
    told = _lessons.agreement(CASE, losses)
    assert {name: found["equal"] for name, found in told.items()} == {
        "neurosim": True,
        "near": True,
        "far": False,
        "part": True,
    }
    assert told["far"]["largest_difference"] == pytest.approx(0.04)


def test_only_networks_count_that_all_have_taught():
    losses = {"neurosim": [0.04, 0.07, 0.03], "peer": [0.04, 0.01, 0.02], "never": [1.0, 1.0, 1.0]}
    told = _lessons.agreement(TO_A_LOSS, losses)
    assert [told[name]["counted"] for name in losses] == [[0, 2], [0, 2], [0, 1, 2]]
    assert [told[name]["reached"] for name in losses] == [2, 3, 0]
    assert [told[name]["equal"] for name in losses] == [True, True, False]
    each = {"neurosim": [[1.0, 50.0, 2.0]], "peer": [[2.0, 3.0, 4.0]], "never": [[9.0, 9.0, 9.0]]}
    seconds = _lessons.to_the_loss({name: [sum(each[name][0])] for name in each}, each, told)
    assert seconds == {"neurosim": [3.0], "peer": [6.0], "never": [27.0]}


def found(ratio, equal=True):
    return {"ratio_to_base": ratio, "equal": equal}


def test_targets():
    bounds = [{"contender": "JAX", "where": {"task": "points", "threads": 1}, "bound": 1.0}]
    common = {"task": "points", "threads": 1, "precision": "float64", "base": _lessons.OURS}
    cases = [
        {**common, "contenders": {_lessons.OURS: found(1.0), "JAX": found(1.2)}},
        {**common, "contenders": {_lessons.OURS: found(1.0), "JAX": found(0.8)}},
        {**common, "contenders": {_lessons.OURS: found(1.0), "JAX": found(1.2, equal=False)}},
        {**common, "contenders": {_lessons.OURS: found(1.0)}},
        {**common, "threads": 2, "contenders": {_lessons.OURS: found(1.0), "JAX": found(1.2)}},
        {**common, "base": "JAX", "contenders": {"JAX": found(1.0)}},
    ]
    assert [target["ok"] for target in _lessons.judge(cases, bounds)] == [True, False, None, None]


# -- they run


def benchmark(name, out, *arguments):
    command = [sys.executable, str(FOLDER / f"{name}.py"), "--rounds", "1", "--seconds", "0", "--out", str(out)]
    done = subprocess.run([*command, *arguments], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    content = json.loads((out / f"{name}.json").read_text(encoding="utf-8"))
    assert content["machine"]["packages"]["numpy"] == np.__version__
    assert list(out.glob(f"{name}*.png"))
    return content, done.stdout


def test_mlp_small_runs(tmp_path):
    pytest.importorskip("sklearn")
    arguments = ["--task", "spirals", "--iterations", "10", "--precision", "float64"]
    content, out = benchmark("mlp_small", tmp_path, *arguments, "--only", "neurosim op by op", "scikit-learn")
    (case,) = content["cases"]
    assert case["contenders"]["scikit-learn"]["equal"]
    assert case["contenders"]["scikit-learn"]["ratio_to_base"] > 0.0
    assert case["contenders"]["scikit-learn"]["losses"][0] < case["first_loss"]
    assert {target["ok"] for target in content["targets"]} <= {None}
    assert "scikit-learn" in out


@pytest.mark.slow
def test_mlp_digits_runs(tmp_path):
    pytest.importorskip("sklearn")
    content, out = benchmark("mlp_digits", tmp_path, "--epochs", "1", "--only", "neurosim", "neurosim op by op")
    assert [case["precision"] for case in content["cases"]] == ["float32", "float64"]
    assert all(f["equal"] for case in content["cases"] for f in case["contenders"].values())
    assert "not measured" in out


@pytest.mark.slow
def test_ensemble_runs(tmp_path):
    arguments = ["--networks", "1", "6", "--iterations", "5", "--precision", "float64"]
    only = ["neurosim", "neurosim op by op", "scikit-learn, one by one"]
    content, _ = benchmark("ensemble", tmp_path, *arguments, "--only", *only)
    assert [case["networks"] for case in content["cases"]] == [1, 6]
    for case in content["cases"]:
        assert case["contenders"]["neurosim op by op"]["equal"]
        assert case["contenders"]["neurosim"]["networks_trained"] == case["networks"]
        peer = case["contenders"]["scikit-learn, one by one"]
        assert peer["networks_trained"] == min(case["networks"], 4)
        rate = peer["iterations_per_second"]["median"] * peer["seconds"]["median"]
        assert rate == pytest.approx(5 * case["networks"], rel=1e-3)


@pytest.mark.slow
def test_optimizers_runs(tmp_path):
    arguments = ["--method", "rprop", "lbfgs", "lma", "--networks", "2", "--task", "points"]
    content, out = benchmark("optimizers", tmp_path, *arguments, "--only", "neurosim", "neurosim op by op", "SciPy")
    assert [case["method"] for case in content["cases"]] == ["rprop", "lbfgs", "lma"]
    for case in content["cases"]:
        assert set(case["contenders"]) == {"neurosim", "neurosim op by op"} | (
            {"SciPy"} if case["method"] != "rprop" else set()
        )
        assert all(f["equal"] and f["reached"] >= 1 for f in case["contenders"].values())
    assert "lbfgs, 2-10-5-2, 600 points: SciPy / neurosim" in out


def test_a_contender_that_is_not_there_is_told(tmp_path):
    pytest.importorskip("sklearn")
    if __import__("importlib").util.find_spec("cupy") is not None:
        pytest.skip("CuPy is installed")
    arguments = ["--task", "points", "--iterations", "3", "--precision", "float64"]
    content, out = benchmark("mlp_small", tmp_path, *arguments, "--only", "neurosim op by op", "neurosim CuPy")
    assert "cupy" not in content["cases"][0]["contenders"]
    assert "neurosim[cuda13]" in content["cases"][0]["absent"]["neurosim CuPy"]
    assert "absent: neurosim CuPy (not installed" in out
