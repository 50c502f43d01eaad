"""The gradients of an independent judge: torch's autograd, for every activation and loss that it has too."""

import numpy as np
import pytest
from learning import example, objective, weights

from neurosim.learn import LOSSES, MeanSquaredError

pytestmark = pytest.mark.torch

ACTIVATIONS = {
    "tanh": lambda torch, s: torch.tanh(s),
    "sigmoid": lambda torch, s: torch.sigmoid(s),
    "relu": lambda torch, s: torch.relu(s),
    "linear": lambda torch, s: s,
    "softmax": lambda torch, s: torch.softmax(s, dim=-1),
}


def binary(torch, s, t):
    return torch.nn.functional.binary_cross_entropy_with_logits(s, t) * s.shape[-1]


def relative(torch, s, t):
    return torch.nn.functional.kl_div(torch.log_softmax(s, dim=-1), t, reduction="batchmean")


# of the sums before the last activation
JUDGES = {
    "mean_squared_error": lambda torch, s, t: torch.nn.functional.mse_loss(torch.tanh(s), t),
    "cross_entropy": lambda torch, s, t: torch.nn.functional.cross_entropy(s, t),
    "softmax_cross_entropy": lambda torch, s, t: torch.nn.functional.cross_entropy(s, t),
    "kullback_leibler": relative,
    "binary_cross_entropy": binary,
    "sigmoid_cross_entropy": binary,
    "perceptron_criterion": lambda torch, s, t: torch.relu(-s * t).sum(dim=-1).mean(),
}


def judged(network, samples, loss, w, hidden):
    """Error, gradient and Hessian of torch."""
    torch = pytest.importorskip("torch", reason="torch is not installed")
    x, target = (torch.tensor(np.asarray(a)) for a in samples[:2])
    shapes = [(layer.n_in, layer.n_out) for layer in network.layers]

    def error(w):
        y, begin = x, 0
        for k, (a, b) in enumerate(shapes):
            s = y @ w[begin : begin + a * b].reshape(a, b) + w[begin + a * b : begin + a * b + b]
            begin += a * b + b
            y = ACTIVATIONS[hidden](torch, s) if k < len(shapes) - 1 else s
        return JUDGES[loss](torch, y, target)

    at = torch.tensor(w, requires_grad=True)
    value = error(at)
    (grad,) = torch.autograd.grad(value, at)
    return value.item(), grad.numpy(), torch.autograd.functional.hessian(error, at.detach()).numpy()


def test_every_loss_is_judged():
    assert set(JUDGES) == set(LOSSES)


@pytest.mark.parametrize("hidden", sorted(ACTIVATIONS))
@pytest.mark.parametrize("loss", sorted(LOSSES))
def test_as_autograd(hidden, loss):
    network, samples = example(loss, hidden, (3, 5, 4, 2), n=7)
    problem, w = objective(network, samples, loss), weights(network)
    value, grad, hessian = judged(network, samples, loss, w[0], hidden)
    found_value, found_grad = problem.value_and_grad(w)
    np.testing.assert_allclose(found_value[0, 0], value, rtol=1e-13)
    np.testing.assert_allclose(found_grad[0], grad, rtol=1e-11, atol=1e-14)
    np.testing.assert_allclose(problem.hessian(w)[0], hessian, rtol=1e-10, atol=1e-13)


def test_the_lecture_sums_over_outputs():
    """(1/P) Σ over samples and outputs of e²: twice torch's mean where there are two outputs."""
    network, samples = example()
    w = weights(network)
    value, _, _ = judged(network, samples, "mean_squared_error", w[0], "tanh")
    found = objective(network, samples, MeanSquaredError("sum")).value(w)
    np.testing.assert_allclose(found[0, 0], 2 * value, rtol=1e-13)
