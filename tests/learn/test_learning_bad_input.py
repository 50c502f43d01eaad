"""What a user of learning can get wrong: one clear line each, that says what to write."""

import numpy as np
import pytest
from learning import CE, example, quadratic

import neurosim
from neurosim.learn import (
    MLP,
    Dense,
    FunctionObjective,
    McCullochPitts,
    MiniBatch,
    PerceptronRule,
    Samples,
    Sequential,
    Stochastic,
    StochasticBinary,
    Tanh,
    Uniform,
    fit,
    minimize,
    optimizers,
)
from neurosim.learn.optimizers import ConjugateGradients, GradientDescent

NETWORK, SAMPLES = example(CE)
X, TARGET = SAMPLES.x, SAMPLES.target

# name → what is done, parts of the message
MISTAKES = {
    "network": (lambda: fit("mlp", SAMPLES), "network = 'mlp': give a Sequential"),
    "optimizer": (lambda: fit(NETWORK, SAMPLES, "adm"), "unknown optimizer 'adm': ", "gradient_descent"),
    "optimizer class": (
        lambda: fit(NETWORK, SAMPLES, GradientDescent),
        "optimizer = GradientDescent: that is a class; write GradientDescent(…)",
    ),
    "optimizer number": (lambda: fit(NETWORK, SAMPLES, 3), "optimizer = 3: write one of ", "cg, "),
    "loss": (lambda: fit(NETWORK, SAMPLES, loss="cross_entrpy"), "did you mean 'cross_entropy'?"),
    "strategy": (lambda: fit(NETWORK, SAMPLES, strategy="minibatch"), "did you mean 'mini_batch'?"),
    "activation": (lambda: MLP((2, 3), "tanhh"), "unknown activation 'tanhh': did you mean 'tanh'?"),
    "initialiser": (lambda: MLP((2, 3), weight_init="xavier"), "unknown initialiser 'xavier'", "glorot_uniform"),
    "line search": (lambda: ConjugateGradients(line_search="armijo"), "unknown line search 'armijo'"),
    "beta": (lambda: ConjugateGradients(beta="fr"), "ConjugateGradients.beta = 'fr'", "fletcher_reeves"),
    "restart": (lambda: ConjugateGradients(restart=0), "ConjugateGradients.restart = 0: give a whole number above 0"),
    "full batch": (
        lambda: fit(NETWORK, SAMPLES, "cg", CE, MiniBatch(2)),
        "ConjugateGradients must see all samples in each step: write strategy='full_batch'",
    ),
    "rate": (lambda: GradientDescent(0.0), "GradientDescent.learning_rate = 0 1: must be finite and above 0"),
    "rate of networks": (lambda: GradientDescent([[0.1]]), "give a float or one value per network, shape (n,)"),
    "rate text": (lambda: GradientDescent("fast"), "give a float or one float per network"),
    "adaptive": (lambda: GradientDescent(adaptive=0.1), "GradientDescent.adaptive = 0.1: write True or False"),
    "parameter": (lambda: GradientDescent().replace(momentun=1.0), "did you mean 'momentum'?"),
    "lengths": (
        lambda: fit(NETWORK, SAMPLES, GradientDescent([0.1, 0.2]), CE, l2=[0.0, 0.1, 0.2]),
        "different numbers of networks: GradientDescent.learning_rate: 2, l2: 3",
    ),
    "networks": (lambda: fit(NETWORK, SAMPLES, loss=CE, networks=0), "networks = 0: give at least 1"),
    "networks text": (lambda: fit(NETWORK, SAMPLES, loss=CE, networks=2.5), "networks = 2.5: give how many, or a list"),
    "networks numbers": (lambda: fit(NETWORK, SAMPLES, loss=CE, networks=[-1]), "give numbers from 0 to 2**32 - 1"),
    "networks and rates": (
        lambda: fit(NETWORK, SAMPLES, GradientDescent([0.1, 0.2]), CE, networks=3),
        "different numbers of networks: GradientDescent.learning_rate: 2, networks: 3",
    ),
    "data": (lambda: fit(NETWORK, X), "data = ndarray: give (x, target) or Samples(x, target, weight)"),
    "columns": (lambda: fit(NETWORK, (X[:, :2], TARGET)), "x has 2 columns for a network of 3 inputs"),
    "target columns": (lambda: fit(NETWORK, (X, TARGET[:, :1])), "target has 1 columns for a network of 2 outputs"),
    "labels": (lambda: fit(NETWORK, (X, [0, 1, 0, 1, 1])), "target has shape (5,) for 2 outputs", "one_hot(labels, 2)"),
    "samples": (lambda: fit(NETWORK, (X[:3], TARGET)), "x has 3 samples, target 5: give as many"),
    "no samples": (lambda: fit(NETWORK, (X[:0], TARGET[:0])), "x has 0 samples", "at least one"),
    "nan": (lambda: fit(NETWORK, (np.where(X > 1.0, np.nan, X), TARGET)), "= nan: all numbers must be finite"),
    "text": (lambda: fit(NETWORK, ("abc", TARGET)), "x is str, no array of numbers"),
    "axes": (lambda: fit(NETWORK, (X[0], TARGET)), "x has shape (3,): give 2 or 3 axes"),
    "weights of samples": (lambda: fit(NETWORK, Samples(X, TARGET, [1.0])), "weight has 1 values for 5 samples"),
    "negative weights": (lambda: fit(NETWORK, Samples(X, TARGET, -np.ones(5))), "weight: give numbers of at least 0"),
    "no distribution": (
        lambda: fit(NETWORK, (X, 2.0 * TARGET), loss=CE),
        "CrossEntropy: the target of sample [0] is [",
        "give probabilities with sum 1",
    ),
    "iterations": (lambda: fit(NETWORK, SAMPLES, loss=CE, iterations=-1), "iterations = -1: give a whole number"),
    "every": (lambda: fit(NETWORK, SAMPLES, loss=CE, every=0), "every = 0: give a whole number, at least 1"),
    "stop_error": (lambda: fit(NETWORK, SAMPLES, loss=CE, stop_error="low"), "stop_error = 'low': give a number"),
    "min_grad": (lambda: fit(NETWORK, SAMPLES, loss=CE, min_grad=-1.0), "min_grad = -1.0: give a number of at least 0"),
    "min_grad of batches": (
        lambda: fit(NETWORK, SAMPLES, "gradient_descent", CE, Stochastic(), min_grad=1e-3),
        "min_grad = 0.001 with batches: the gradient of a batch says little; write stop_error=…",
    ),
    "l2": (lambda: fit(NETWORK, SAMPLES, loss=CE, l2=-0.1), "l2 = -0.1: give a number of at least 0"),
    "w0": (lambda: fit(NETWORK, SAMPLES, loss=CE, w0=[1.0, 2.0]), "w0 has 2 parameters for each network: give 26"),
    "w0 nan": (lambda: fit(NETWORK, SAMPLES, loss=CE, w0=np.full(26, np.nan)), "w0[0, 0] is not finite"),
    "seed": (lambda: fit(NETWORK, SAMPLES, loss=CE, seed=-1), "seed = -1: must be a whole number"),
    "precision": (lambda: fit(NETWORK, SAMPLES, loss=CE, precision="double"), "unknown precision 'double'"),
    "backend": (lambda: fit(NETWORK, SAMPLES, loss=CE, backend="nmpy"), "unknown backend 'nmpy'"),
    "progress": (lambda: fit(NETWORK, SAMPLES, loss=CE, progress=3), "progress = 3: write None, True, False"),
    "shuffle": (lambda: Stochastic(shuffle=1), "Stochastic.shuffle = 1: write True or False"),
    "size": (lambda: MiniBatch(0), "MiniBatch.size = 0: give a whole number above 0"),
    "sizes": (lambda: MLP((2,)), "MLP: sizes = (2,): give at least inputs and outputs"),
    "a size": (lambda: MLP((2, 0, 1)), "MLP: sizes[1] = 0: give a whole number above 0"),
    "activations": (lambda: MLP((2, 3, 1), ["tanh"]), "MLP: 1 activations for 2 layers after the inputs"),
    "layers": (lambda: Sequential(()), "Sequential has no layers"),
    "a layer": (lambda: Sequential((Dense(2, 3), "tanh")), "Sequential: layer 1 is 'tanh': give a Layer"),
    "a layer that does not fit": (
        lambda: Sequential((Dense(2, 3), Dense(4, 1))),
        "Sequential: layer 1 takes 4 inputs, layer 0 has 3 outputs: write n_in=3",
    ),
    "bias": (lambda: Dense(2, 3, bias=0.1), "Dense: bias = 0.1: write True or False; values go into bias_init"),
    "predict": (lambda: NETWORK.predict(np.zeros(5), X), "predict: w has shape (5,): give (…, 26)"),
    "predict x": (lambda: NETWORK.predict(np.zeros(26), X[:, :2]), "predict: x has shape (5, 2): give (samples, 3)"),
    "uniform": (lambda: Uniform(1.0, 0.0), "Uniform: low = 1 must be below high = 0"),
    "uniform of networks": (lambda: Uniform([0.0, 1.0]), "Uniform.low has shape (2,): give one float for all"),
    "stochastic seed": (lambda: StochasticBinary(seed=-1), "StochasticBinary.seed = -1: give a whole number from 0"),
    "minimize": (lambda: minimize(FunctionObjective(quadratic((1.0,))), "cg", np.zeros((2, 0))), "w0 has shape (2, 0)"),
    "pitts": (lambda: McCullochPitts((), 1.0), "McCullochPitts: weights = (), threshold = 1.0: give finite numbers"),
    "pitts inputs": (lambda: McCullochPitts((1, 1), 1, inhibitory=(2,)), "inhibitory input 2: give 0 to 1"),
    "pitts x": (lambda: McCullochPitts((1, 1), 1).fire(np, np.zeros((3, 3))), "x has shape (3, 3): give (…, 2)"),
    "perceptron": (lambda: PerceptronRule().learn(([[0.0], [1.0]], [0, 1])), "targets −1 and 1"),
    "perceptron w0": (lambda: PerceptronRule().learn(([[0.0]], [1]), w0=[1.0]), "w0 has shape (1, 1): give (…, 2)"),
    "subclass": (lambda: Tanh().replace(slope=2.0), "Tanh has no parameter 'slope'"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes(refuses, name):
    attempt, *parts = MISTAKES[name]
    with refuses(*parts):
        attempt()


def test_unknown_names():
    with pytest.raises(AttributeError, match="no optimizer 'GradientDecent': did you mean 'GradientDescent'"):
        _ = optimizers.GradientDecent
    with pytest.raises(AttributeError, match="no optimizer"):
        _ = neurosim.learn.Nothing
    with pytest.raises(AttributeError, match="module 'neurosim' has no attribute 'learm'"):
        _ = neurosim.learm


def test_a_complete_optimizer_is_not_subclassed():
    with pytest.raises(TypeError, match="derives from the complete class GradientDescent"):
        type("Mine", (GradientDescent,), {})
