"""Functions of PyTorch with one planted bug each, and their correct twins. The module needs PyTorch."""

import torch

from tests.testing.zoo import Case
from tinygraph.testing import from_torch

functional = torch.nn.functional


def own(forward, backward):
    """Return the `apply` of a torch.autograd.Function.

    `backward` gets the upstream gradient, the result and the inputs.
    """

    class Own(torch.autograd.Function):
        @staticmethod
        def forward(context, *xs):
            y = forward(*xs)
            context.save_for_backward(y, *xs)
            return y

        @staticmethod
        def backward(context, upstream):
            return backward(upstream, *context.saved_tensors)

    return Own.apply


def case(right, wrong, shapes, message):
    return Case(from_torch(right), lambda: from_torch(wrong()), shapes, message)


def of(f):
    return lambda: f


def in_place():
    return lambda x: x.mul_(2.0).sum()


def stale():
    kept = {}

    def backward(upstream, _, x):
        return 2.0 * kept.setdefault("x", x.clone()) * upstream

    return own(lambda x: x**2, backward)


def untracked(w, x):
    with torch.no_grad():
        scale = (w**2).sum()
    return (w @ x).sum() / scale


def mse(factor):
    return own(
        lambda x, y: ((x - y) ** 2).mean(), lambda g, _, x, y: (g * factor(x) * (x - y), -g * factor(x) * (x - y))
    )


ZOO_TORCH = {
    "torch: missing 2": case(
        lambda x: x**2, of(own(lambda x: x**2, lambda g, _, x: g * x)), ((3,),), "a factor 2 missing"
    ),
    "torch: sign": case(
        lambda x, y: x - y, of(own(lambda x, y: x - y, lambda g, _, x, y: (g, g))), ((3,), (3,)),
        "gradient of argument 2(.*\n)+.*wrong sign",
    ),
    "torch: sum for mean": case(
        mse(lambda x: 2.0 / x.numel()), of(mse(lambda x: 2.0)), ((4,), (4,)), "a sum where a mean is right"
    ),
    "torch: transposed weights": case(
        lambda w, x: x @ w, of(own(lambda w, x: x @ w, lambda g, _, w, x: (g.T @ x, g @ w.T))), ((3, 3), (5, 3)),
        "elements are transposed",
    ),
    "torch: detach": case(
        lambda x: (x - x.logsumexp(0)).exp(), of(lambda x: (x - x.logsumexp(0).detach()).exp()), ((4,),),
        "gradient of x is wrong in 4 of 4",
    ),
    "torch: item": case(
        lambda x: x / x.norm(), of(lambda x: x / x.norm().item()), ((4,),), "gradient of x is wrong in 4 of 4"
    ),
    "torch: no_grad around a part": case(
        lambda w, x: (w @ x).sum() / (w**2).sum(), of(untracked), ((2, 3), (3,)), "gradient of w is wrong in 6 of 6"
    ),
    "torch: through NumPy": case(
        lambda x: x.tanh().sum(), of(lambda x: torch.tensor(x.detach().numpy()).tanh().sum()), ((4,),),
        "every element is 0",
    ),
    "torch: float32 inside": case(
        lambda x: (x * x.sin()).sum(), of(lambda x: (x * x.float().sin().double()).sum()), ((4,),), "float32 inside"
    ),
    "torch: where with NaN": case(
        lambda x: torch.where(x > 0, x.clamp(min=1e-9).sqrt(), 0.0 * x),
        of(lambda x: torch.where(x > 0, x.sqrt(), 0.0 * x)), ((9,),), "gradient of x is wrong in(.*\n)+.*NaN",
    ),
    "torch: changed input": case(lambda x: 2.0 * x, in_place, ((3,),), r"f changes its input: x\[0\]"),
    "torch: stale cache": case(lambda x: x**2, stale, ((3,),), "keep numbers from an earlier call|another gradient"),
    "torch: input for output": case(
        torch.sigmoid, of(own(torch.sigmoid, lambda g, y, x: g * x * (1.0 - x))), ((4,),), "is wrong in"
    ),
    "torch: straight-through clamp": case(
        lambda x: x.clamp(-0.5, 0.5), of(own(lambda x: x.clamp(-0.5, 0.5), lambda g, _, x: g)), ((9,),), "is wrong in"
    ),
    "torch: the upstream gradient is not used": case(
        torch.exp, of(own(torch.exp, lambda g, y, x: y)), ((4,),), "is wrong in 4 of 4"
    ),
    "torch: broadcasting with a mean": case(
        lambda b, x: b + x, of(own(lambda b, x: b + x, lambda g, _, b, x: (g.mean(0), g))), ((4,), (5, 4)),
        "a mean where a sum is right",
    ),
}  # fmt: skip
