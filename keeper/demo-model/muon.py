"""Muon: momentum whose step for each weight matrix is made orthogonal. It needs about half the steps of AdamW here."""
import torch


def orthogonal(g, steps=5):
    """The nearest matrix with singular values near 1, by a quintic Newton-Schulz iteration."""
    x = g.bfloat16() if g.shape[0] <= g.shape[1] else g.bfloat16().t()
    x = x / (x.float().norm() + 1e-7)
    for _ in range(steps):
        square = x @ x.t()
        x = 3.4445 * x + (-4.7750 * square + 2.0315 * (square @ square)) @ x
    return (x if g.shape[0] <= g.shape[1] else x.t()).float()


class Muon(torch.optim.Optimizer):
    def __init__(self, params, lr, momentum=0.95, weight_decay=0.05):
        super().__init__(params, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                state = self.state[p]
                if "average" not in state:
                    state["average"] = torch.zeros_like(p)
                average = state["average"].lerp_(p.grad, 1 - group["momentum"])
                update = orthogonal(p.grad.lerp(average, group["momentum"]))
                p.mul_(1 - group["lr"] * group["weight_decay"])
                p.add_(update, alpha=-0.2 * group["lr"] * max(p.shape) ** 0.5)      # as large as a step of Adam
