"""Count the planted bugs of `tests/testing/zoo.py` that each gradient checker finds at one random point.

Run `python -m tools.gradient_checkers`. It needs PyTorch and autograd. The page "Test your own gradients" shows the
result.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np

from tests.testing.zoo import ZOO
from tinygraph.testing import assert_value_and_grad

Function = Callable[..., Any]


def _parts(f: Function, xs: Sequence[Any]) -> tuple[Any, tuple[Any, ...]]:
    """Return the value and the gradients of a function, called with copies."""
    value, gradients = f(*[np.array(x) for x in xs])
    return value, gradients if isinstance(gradients, tuple) else (gradients,)


def by_torch(f: Function, at: Sequence[Any]) -> None:
    """Check a function with `torch.autograd.gradcheck`."""
    torch = import_module("torch")

    def forward(context: Any, *xs: Any) -> Any:
        value, context.gradients = _parts(f, [x.detach().numpy() for x in xs])
        return torch.tensor(np.asarray(value))

    def backward(context: Any, upstream: Any) -> Any:
        return tuple([upstream * torch.as_tensor(np.ascontiguousarray(g)) for g in context.gradients])

    body = {"forward": staticmethod(forward), "backward": staticmethod(backward)}
    own = type("Own", (torch.autograd.Function,), body)
    torch.autograd.gradcheck(own.apply, [torch.tensor(x, requires_grad=True) for x in at])


def by_autograd(f: Function, at: Sequence[Any]) -> None:
    """Check a function with `check_grads` of HIPS autograd."""
    np.random.seed(0)  # check_grads draws its directions from the global generator
    extend = import_module("autograd.extend")
    own = extend.primitive(lambda *xs: _parts(f, xs)[0])

    def vjp(i: int, _: Any, *xs: Any) -> Function:
        gradients = _parts(f, xs)[1]
        return lambda upstream: upstream * gradients[i]

    extend.defvjp(own, *[partial(vjp, i) for i in range(len(at))])
    import_module("autograd.test_util").check_grads(lambda xs: own(*xs), modes=["rev"], order=1)(tuple(at))


def by_tinygraph(f: Function, at: Sequence[Any]) -> None:
    """Check a function with `assert_value_and_grad`."""
    assert_value_and_grad(f, *at)


def fails(check: Function, f: Function, shapes: Sequence[tuple[int, ...]]) -> bool:
    """Return whether a checker reports an error."""
    random = np.random.default_rng(0)
    try:
        check(f, [random.normal(size=shape) for shape in shapes])
    except Exception:  # a checker, or the framework under it, refuses the function
        return True
    return False


def main() -> None:
    """Print how many bugs each checker finds, and the names of those that it misses."""
    for check in (by_tinygraph, by_torch, by_autograd):
        missed = [name for name, case in ZOO.items() if not fails(check, case.make(), case.shapes)]
        alarms = [name for name, case in ZOO.items() if fails(check, case.right, case.shapes)]
        print(f"{check.__name__}: {len(ZOO) - len(missed)} of {len(ZOO)}, false alarms: {alarms}, missed: {missed}")


if __name__ == "__main__":
    main()
