"""Count the planted bugs of `tests/testing/zoo*.py` that each gradient checker finds at one random point.

Run `python -m tools.gradient_checkers` to see the result, and `python -m tools.gradient_checkers --write` to write its
table into the page "Test your own gradients". It needs PyTorch, JAX and autograd.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import autograd.extend
import autograd.test_util
import jax.test_util
import numpy as np
import torch

from tests.testing.zoo import ZOO, Case
from tinygraph.testing import assert_gradient, assert_value_and_grad

Function = Callable[..., Any]
PAGE = Path(__file__).parents[1] / "docs" / "test-your-gradients.md"
BEGIN, END = "<!-- begin: table of checkers -->\n", "<!-- end: table of checkers -->"
KINDS = ("NumPy", "PyTorch", "JAX", "tinygraph")


def zoo_of(kind: str) -> Mapping[str, Case]:
    """Return the planted bugs in the functions of one framework."""
    if kind == "NumPy":
        return ZOO
    jax.config.update("jax_enable_x64", True)
    name = {"PyTorch": "torch"}.get(kind, kind.lower())
    return getattr(import_module(f"tests.testing.zoo_{name}"), f"ZOO_{name.upper()}")  # type: ignore[no-any-return]


def _parts(f: Function, xs: Sequence[Any]) -> tuple[Any, tuple[Any, ...]]:
    """Return the value and the gradients of a function, called with copies."""
    value, gradients = f(*[np.array(x) for x in xs])
    return value, gradients if isinstance(gradients, tuple) else (gradients,)


def by_torch(f: Function, at: Sequence[Any], kind: str) -> None:
    """Check a function with `torch.autograd.gradcheck`."""
    leaves = [torch.tensor(x, requires_grad=True) for x in at]
    if kind == "PyTorch":
        torch.autograd.gradcheck(f.__wrapped__, leaves)  # type: ignore[attr-defined]
        return

    def forward(context: Any, *xs: Any) -> Any:
        value, context.gradients = _parts(f, [x.detach().numpy() for x in xs])
        return torch.tensor(np.asarray(value))

    def backward(context: Any, upstream: Any) -> Any:
        return tuple([upstream * torch.as_tensor(np.ascontiguousarray(g)) for g in context.gradients])

    body = {"forward": staticmethod(forward), "backward": staticmethod(backward)}
    own = type("Own", (torch.autograd.Function,), body)
    torch.autograd.gradcheck(own.apply, leaves)


def by_jax(f: Function, at: Sequence[Any], kind: str) -> None:
    """Check a function with `check_grads` of JAX."""
    np.random.seed(0)
    if kind == "JAX":
        own = f.__wrapped__  # type: ignore[attr-defined]
    else:

        def forward(*xs: Any) -> tuple[Any, tuple[Any, ...]]:
            value, gradients = _parts(f, xs)
            return np.asarray(value), tuple(map(np.array, gradients))

        own = jax.custom_vjp(lambda *xs: forward(*xs)[0])
        own.defvjp(forward, lambda gradients, upstream: tuple([upstream * g for g in gradients]))
    jax.test_util.check_grads(own, tuple([jax.numpy.asarray(x) for x in at]), order=1, modes=["rev"])


def by_autograd(f: Function, at: Sequence[Any], _: str) -> None:
    """Check a function with `check_grads` of HIPS autograd."""
    np.random.seed(0)  # check_grads draws its directions from the global generator
    own = autograd.extend.primitive(lambda *xs: _parts(f, xs)[0])

    def vjp(i: int, _out: Any, *xs: Any) -> Function:
        gradients = _parts(f, xs)[1]
        return lambda upstream: upstream * gradients[i]

    autograd.extend.defvjp(own, *[partial(vjp, i) for i in range(len(at))])
    autograd.test_util.check_grads(lambda xs: own(*xs), modes=["rev"], order=1)(tuple(at))


def by_tinygraph(f: Function, at: Sequence[Any], kind: str) -> None:
    """Check a function with the assertions of `tinygraph.testing`."""
    (assert_gradient if kind == "tinygraph" else assert_value_and_grad)(f, *at)


CHECKERS: tuple[tuple[str, Function, tuple[str, ...]], ...] = (
    ("`tinygraph.testing`", by_tinygraph, KINDS),
    ("`torch.autograd.gradcheck`", by_torch, ("NumPy", "PyTorch")),
    ("`check_grads` of JAX", by_jax, ("NumPy", "JAX")),
    ("`check_grads` of HIPS autograd", by_autograd, ("NumPy",)),
)


def fails(check: Function, f: Function, shapes: Sequence[tuple[int, ...]], kind: str) -> bool:
    """Return whether a checker reports an error."""
    random = np.random.default_rng(0)
    try:
        check(f, [random.normal(size=shape) if shape else float(random.normal()) for shape in shapes], kind)
    except Exception:  # a checker, or the framework under it, refuses the function
        return True
    return False


def main() -> None:
    """Print how many bugs each checker finds, and the names of those that it misses."""
    zoos = {kind: zoo_of(kind) for kind in KINDS}
    total = sum(map(len, zoos.values()))
    lines = [
        f"| checker | {' | '.join(f'{kind}: {len(zoo)}' for kind, zoo in zoos.items())} | false alarms | missed |",
        "|---|" + "---|" * (len(zoos) + 2),
    ]
    for title, check, kinds in CHECKERS:
        missed: dict[str, list[str]] = {}
        alarms = 0
        for kind in kinds:
            missed[kind] = [
                name for name, case in zoos[kind].items() if not fails(check, case.make(), case.shapes, kind)
            ]
            alarms += sum(fails(check, case.right, case.shapes, kind) for case in zoos[kind].values())
        counts = [f"{len(zoos[kind]) - len(missed[kind])}" if kind in kinds else "—" for kind in KINDS]
        names = [
            f"{name.rpartition(': ')[2]}{f' ({kind})' * (kind != 'NumPy')}" for kind in kinds for name in missed[kind]
        ]
        lines.append(f"| {title} | {' | '.join(counts)} | {alarms} | {', '.join(names) or 'none'} |")
    text = "\n".join(lines) + "\n"
    print(f"{total} bugs\n{text}")
    if "--write" in sys.argv[1:]:
        page = PAGE.read_text("utf-8")
        page = re.sub(f"{BEGIN}.*{END}", lambda _: f"{BEGIN}\n{text}\n{END}", page, flags=re.DOTALL)
        PAGE.write_text(page, "utf-8")


if __name__ == "__main__":
    main()
