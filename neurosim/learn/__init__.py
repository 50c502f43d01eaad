"""Networks that learn: neurons, layers, losses, optimizers, and ensembles of them.

>>> from neurosim.learn import MLP, GradientDescent, fit
>>> xor = ([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0])
>>> network = MLP((2, 4, 1), ("tanh", "sigmoid"))
>>> history = fit(network, xor, GradientDescent(2.0, momentum=0.9), networks=5, stop_error=0.01)
>>> history
<History of 5 networks, 29 iterations, least error 0.00598056: 5 error below the threshold>

Everything is a frozen record of pure functions over ``xp``, any array-API namespace. Weights of E independent networks
are one array (E, P); what each network has one of is a column (E, 1). A layer gives its outputs and the pullback of
their gradient; an :class:`Objective` makes of network, loss and samples the error and its derivatives; an
:class:`Optimizer` turns weights and state into the next; :func:`fit` is the loop. Registers hold what can be named:
``ACTIVATIONS``, ``INITIALISERS``, ``LOSSES``, ``STRATEGIES``, ``LINE_SEARCHES``, ``all_optimizers()``.
"""

from typing import Any

from neurosim.learn import optimizers
from neurosim.learn.activations import (
    ACTIVATIONS,
    Activation,
    Heaviside,
    Linear,
    ReLU,
    Sigmoid,
    Sign,
    Softmax,
    StochasticBinary,
    Tanh,
)
from neurosim.learn.dual import Dual, DualSpace
from neurosim.learn.fit import fit
from neurosim.learn.function_objectives import FunctionObjective, ResidualObjective
from neurosim.learn.history import History
from neurosim.learn.initialisers import (
    INITIALISERS,
    Constant,
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    Initialiser,
    Normal,
    Uniform,
    Zeros,
)
from neurosim.learn.layers import Dense, Layer
from neurosim.learn.line_search import LINE_SEARCHES, Exact, LineSearch, StrongWolfe
from neurosim.learn.losses import (
    LOSSES,
    BinaryCrossEntropy,
    CrossEntropy,
    KullbackLeibler,
    Loss,
    MeanSquaredError,
    PerceptronCriterion,
    SigmoidCrossEntropy,
    SoftmaxCrossEntropy,
)
from neurosim.learn.network_objective import NetworkObjective
from neurosim.learn.neurons import McCullochPitts, PerceptronRule, with_bias_input
from neurosim.learn.objective import Objective
from neurosim.learn.optimizer import Evaluated, FirstOrder, Info, Optimizer, register
from neurosim.learn.optimizers import all_optimizers, get_optimizer
from neurosim.learn.params import Block, ParamVector
from neurosim.learn.samples import Samples, one_hot
from neurosim.learn.sequential import MLP, Sequential
from neurosim.learn.status import Status
from neurosim.learn.strategies import STRATEGIES, FullBatch, MiniBatch, Stochastic, Strategy
from neurosim.learn.training import Snapshot, minimize

__all__ = [
    "ACTIVATIONS",
    "INITIALISERS",
    "LINE_SEARCHES",
    "LOSSES",
    "MLP",
    "STRATEGIES",
    "Activation",
    "BinaryCrossEntropy",
    "Block",
    "Constant",
    "CrossEntropy",
    "Dense",
    "Dual",
    "DualSpace",
    "Evaluated",
    "Exact",
    "FirstOrder",
    "FullBatch",
    "FunctionObjective",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Heaviside",
    "History",
    "Info",
    "Initialiser",
    "KullbackLeibler",
    "Layer",
    "LineSearch",
    "Linear",
    "Loss",
    "McCullochPitts",
    "MeanSquaredError",
    "MiniBatch",
    "NetworkObjective",
    "Normal",
    "Objective",
    "Optimizer",
    "ParamVector",
    "PerceptronCriterion",
    "PerceptronRule",
    "ReLU",
    "ResidualObjective",
    "Samples",
    "Sequential",
    "Sigmoid",
    "SigmoidCrossEntropy",
    "Sign",
    "Snapshot",
    "Softmax",
    "SoftmaxCrossEntropy",
    "Status",
    "Stochastic",
    "StochasticBinary",
    "Strategy",
    "StrongWolfe",
    "Tanh",
    "Uniform",
    "Zeros",
    "all_optimizers",
    "fit",
    "get_optimizer",
    "minimize",
    "one_hot",
    "optimizers",
    "register",
    "with_bias_input",
]


def __getattr__(name: str) -> Any:
    if not name.startswith("_"):
        return getattr(optimizers, name)
    raise AttributeError(name)


def __dir__() -> list[str]:
    return sorted({*__all__, *dir(optimizers)})
