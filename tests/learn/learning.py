"""What tests of learning share: libraries, examples of every record, derivatives by differences."""

from __future__ import annotations

import types
from pathlib import Path

import numpy as np

from neurosim.backends import get
from neurosim.backends.numpy_backend import NumPyBackend
from neurosim.learn import LOSSES, MLP, Samples, one_hot
from neurosim.learn.losses import get_loss
from neurosim.learn.network_objective import network_objective
from neurosim.learn.samples import checked_samples

ORACLES = Path(__file__).parent / "oracles"  # paths of other programs, beside the scripts that made them

SMOOTH = ("tanh", "sigmoid", "linear", "softmax")  # whose differences are derivatives everywhere
KINKED = ("relu",)
STEPS = ("heaviside", "sign", "stochastic_binary")  # constant wherever they have a derivative
OF_SUMS = {"softmax_cross_entropy": "linear", "sigmoid_cross_entropy": "linear", "perceptron_criterion": "linear"}
OF_PROBABILITIES = {"cross_entropy": "softmax", "kullback_leibler": "softmax", "binary_cross_entropy": "sigmoid"}
LAST = {"mean_squared_error": "tanh", **OF_SUMS, **OF_PROBABILITIES}  # a new loss needs one

CE = "cross_entropy"
SQUARES = "mean_squared_error"  # a loss that every optimizer takes
VARIANTS = ("rprop-", "rprop+", "irprop-", "irprop+")
BETAS = ("fletcher_reeves", "polak_ribiere", "hestenes_stiefel")

EXCLUSIVE_OR = ([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0])
STARTS = np.array([[-1.2, 1.0], [2.0, -1.0], [0.0, 3.0]])  # around Rosenbrock's valley


class _ReadOnly(types.ModuleType):
    """NumPy whose arrays cannot be written: whoever writes into an argument is found."""

    def __init__(self, xp):
        super().__init__("readonly_numpy")
        self._xp = xp

    def __getattr__(self, name):
        item = getattr(self._xp, name)
        if not callable(item) or isinstance(item, type):
            return item

        def function(*args, **options):
            return _lock(item(*args, **options))

        return function


def _lock(x):
    if isinstance(x, np.ndarray):
        x.flags.writeable = False
    return x


class ReadOnlyBackend(NumPyBackend):
    """NumPy, but what it makes is read-only."""

    name = "numpy-readonly"

    def __init__(self):
        self.xp = _ReadOnly(NumPyBackend.xp)

    def asarray(self, x, dtype):
        return _lock(np.array(x, dtype=dtype))


def random(*shape, seed=0, scale=1.0):
    return scale * np.random.default_rng((seed, *shape)).standard_normal(shape)


def targets(loss, n, outputs, seed=0):
    """Targets that a loss takes."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, outputs, n)
    if loss == "perceptron_criterion":
        return one_hot(labels, outputs, low=-1.0)
    if loss == "mean_squared_error":
        return rng.standard_normal((n, outputs))
    soft = 0.9 * one_hot(labels, outputs) + 0.1 / outputs
    return soft if LOSSES[loss].name != "binary_cross_entropy" else 0.5 * soft


def example(loss="mean_squared_error", hidden="tanh", sizes=(3, 4, 2), n=5):
    """A small network that suits a loss, and samples."""
    network = MLP(sizes, [*[hidden] * (len(sizes) - 2), LAST[loss]], weight_init="glorot_normal", bias_init="uniform")
    return network, Samples(random(n, sizes[0], seed=1), targets(loss, n, sizes[-1]))


def objective(network, samples, loss, *, l2=0.0, backend="numpy", precision="float64"):
    """The error of a network on samples."""
    samples = checked_samples(samples, network.n_in, network.n_out)
    return network_objective(network, get_loss(loss), samples, l2=l2, backend=get(backend), precision=precision)


def weights(network, networks=1):
    """First weights on the host, (networks, P)."""
    return network.params.initial(3, range(networks))


def differences(f, x, h=1e-6):
    """Jacobian of f at x by central differences: (*f.shape, *x.shape)."""
    x = np.asarray(x, dtype=np.float64)
    columns = []
    for k in range(x.size):
        step = np.zeros(x.size)
        step[k] = h
        step = step.reshape(x.shape)
        columns.append((np.asarray(f(x + step)) - np.asarray(f(x - step))) / (2 * h))
    return np.stack(columns, axis=-1).reshape(*np.shape(columns[0]), *x.shape)


def rosenbrock(xp, w):
    """Rosenbrock's valley in two dimensions, 0 at (1, 1): (E, 2) → (E, 1)."""
    x, y = w[..., :1], w[..., 1:]
    return (1.0 - x) * (1.0 - x) + 100.0 * (y - x * x) * (y - x * x)


def quadratic(scales):
    """½ Σ scaleᵢ wᵢ²: (E, P) → (E, 1)."""

    def function(xp, w):
        total = 0.0 * w[..., :1]
        for k, scale in enumerate(scales):
            total = total + 0.5 * scale * w[..., k : k + 1] * w[..., k : k + 1]
        return total

    return function
