"""Make torch_first_order.json: paths of torch's optimizers.

Needs torch: ``python tests/learn/oracles/make_torch_first_order.py``. Tests read the result, and where there is torch
also make it anew. Gradients are written out here, in double precision on the CPU.
"""

from __future__ import annotations

from pathlib import Path

from oracle_files import write

FILE = Path(__file__).parent / "torch_first_order.json"
SCALES = (1.0, 10.0, 100.0)  # of the quadratic ½ Σ scaleᵢ wᵢ²
STARTS = {"rosenbrock": (-1.2, 1.0), "quadratic": (1.0, -2.0, 3.0)}
STEPS = 60

# name → class in torch.optim, options, function
CASES = {
    "gradient_descent": ("SGD", {"lr": 1e-3, "momentum": 0.9}, "rosenbrock"),
    "nag": ("SGD", {"lr": 1e-3, "momentum": 0.9, "nesterov": True}, "rosenbrock"),
    "nag on a quadratic": ("SGD", {"lr": 9e-3, "momentum": 0.9, "nesterov": True}, "quadratic"),
    "adagrad": ("Adagrad", {"lr": 0.2}, "rosenbrock"),
    "adagrad with a first sum": ("Adagrad", {"lr": 0.5, "initial_accumulator_value": 0.1, "eps": 1e-3}, "quadratic"),
    "adadelta": ("Adadelta", {"lr": 1.0, "rho": 0.95, "eps": 1e-3}, "rosenbrock"),
    "adadelta with a rate": ("Adadelta", {"lr": 0.5, "rho": 0.8, "eps": 1e-2}, "quadratic"),
    "rprop": ("Rprop", {"lr": 0.1, "etas": (0.5, 1.2), "step_sizes": (1e-6, 50.0)}, "rosenbrock"),
    "rprop within bounds": ("Rprop", {"lr": 0.1, "etas": (0.3, 1.5), "step_sizes": (1e-2, 0.2)}, "quadratic"),
    "rmsprop": ("RMSprop", {"lr": 0.01, "alpha": 0.9}, "rosenbrock"),
    "rmsprop, momentum": ("RMSprop", {"lr": 0.01, "alpha": 0.99, "momentum": 0.8, "eps": 1e-4}, "quadratic"),
    "rmsprop, centered": ("RMSprop", {"lr": 0.01, "alpha": 0.9, "momentum": 0.5, "centered": True}, "rosenbrock"),
    "adam": ("Adam", {"lr": 0.05}, "rosenbrock"),
    "adam with other betas": ("Adam", {"lr": 0.1, "betas": (0.5, 0.9), "eps": 1e-2}, "quadratic"),
    "adamw": ("AdamW", {"lr": 0.05, "weight_decay": 0.1}, "rosenbrock"),
}


def gradient(function, w):
    """Of one point."""
    if function == "quadratic":
        return [scale * x for scale, x in zip(SCALES, w, strict=True)]
    x, y = w
    return [-2.0 * (1.0 - x) - 400.0 * x * (y - x * x), 200.0 * (y - x * x)]


def path_of(optimizer, options, function):
    """Weights before and after each step."""
    import torch

    w = torch.tensor(STARTS[function], dtype=torch.float64, requires_grad=True)
    method = getattr(torch.optim, optimizer)([w], **options)
    path = [w.tolist()]
    for _ in range(STEPS):
        w.grad = torch.tensor(gradient(function, path[-1]), dtype=torch.float64)
        method.step()
        path.append(w.tolist())
    return path


def main():
    import torch

    found = {name: {"function": case[2], "path": path_of(*case)} for name, case in CASES.items()}
    text = {"library": f"torch {torch.__version__}", "cases": found}
    write(FILE, text)


if __name__ == "__main__":
    main()
