"""Make torch_second_order.json: paths of torch's L-BFGS and of torch-levenberg-marquardt.

Needs torch, torch-levenberg-marquardt 1.2.3 and the lightning that it imports:
``python tests/learn/oracles/make_torch_second_order.py``.
"""

from __future__ import annotations

from pathlib import Path

import torch
from oracle_files import write

FILE = Path(__file__).parent / "torch_second_order.json"
SCALES = (1.0, 3.0, 7.0, 2.0, 5.0)  # of Σ scaleᵢ (½ wᵢ² + ¼ wᵢ⁴) + ½ (Σ wᵢ)²
START = (1.0, -2.0, 0.5, 1.5, -1.0)
MEMORY, STEPS = 3, 15
SIZES = (1, 4, 1)


def bowl(w):
    scales = torch.tensor(SCALES, dtype=w.dtype)
    return (scales * (0.5 * w**2 + 0.25 * w**4)).sum() + 0.5 * w.sum() ** 2


def lbfgs():
    """Full steps; the first is torch's, min(1, 1 / Σ |g|)."""
    w = torch.tensor(START, dtype=torch.float64, requires_grad=True)
    method = torch.optim.LBFGS([w], lr=1.0, max_iter=1, history_size=MEMORY, tolerance_grad=0.0, tolerance_change=0.0)

    def closure():
        method.zero_grad()
        loss = bowl(w)
        loss.backward()
        return loss

    path = [w.tolist()]
    for _ in range(STEPS):
        method.step(closure)
        path.append(w.tolist())
    return path


def levenberg_marquardt(mode, first, steps):
    """A network 1-4-1 that learns a sine; parameters in the order of neurosim: weight (in, out), bias, ...."""
    from torch_levenberg_marquardt.damping import StandardDampingStrategy
    from torch_levenberg_marquardt.training import LevenbergMarquardtModule

    torch.manual_seed(3)
    layers = [torch.nn.Linear(1, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1)]
    model = torch.nn.Sequential(*layers).to(torch.float64)
    x = torch.linspace(-1.0, 1.0, 20, dtype=torch.float64)[:, None]
    y = torch.sin(3.0 * x) + 0.3 * x
    damping = StandardDampingStrategy(starting_value=first, min_value=1e-15, damping_mode=mode)
    # their factors are of single precision: 0.1 is 0.10000000149
    damping.starting_value, damping.dec_factor, damping.inc_factor, damping.min_value, damping.max_value = (
        torch.tensor(v, dtype=torch.float64) for v in (first, 0.1, 10.0, 1e-15, 1e10)
    )
    damping.damping_factor = damping.starting_value
    module = LevenbergMarquardtModule(model, damping_strategy=damping, solve_method="solve")

    def flat():
        parts = (p.detach().T.flatten() if p.ndim == 2 else p.detach() for p in model.parameters())
        return torch.cat(list(parts)).tolist()

    path = [flat()]
    for _ in range(steps):
        module.training_step(x, y)
        path.append(flat())
    return {"path": path, "x": x.flatten().tolist(), "y": y.flatten().tolist()}


def main():
    facts = {
        "library": f"torch {torch.__version__}, torch-levenberg-marquardt 1.2.3",
        "lbfgs": lbfgs(),
        "lma": levenberg_marquardt("standard", 1e-2, 8),
        # then a unit saturates, and what theirs solves is singular
        "lma_marquardt": levenberg_marquardt("fletcher", 10.0, 6),
    }
    write(FILE, facts)


if __name__ == "__main__":
    main()
