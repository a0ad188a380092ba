"""Compare the accelerator with pure Python on random programs: `python -m tools.same_results --count 5000`.

The command runs two processes, one of them with `TINYGRAPH_PURE=1`. Each draws the same programs of Values and Tensors,
and hashes the results of each one: values, local derivatives, gradients, second derivatives, steps, the diagram, the
saved file, the pickle, copies, and the errors after an edit. Each also applies the operators to operands of every kind.
The exit code is 1 if a hash differs. `--only NAME` shows how the texts of one entry differ, for example `--only 17`.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import difflib
import hashlib
import json
import math
import operator
import os
import pickle
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, given, seed, settings

import tinygraph
from tinygraph import Stepper, Tensor, Value, draw, grad, save, tree
from tinygraph.testing import graphs, tensor_programs
from tools.compare_versions import attempt, bits, nodes_of

Texts = dict[str, str]  # what an entry shows, by subject
EVERY = 5  # each fifth program is one of Tensors


class Sub(Value):
    """A Value with an attribute and a custom operator."""

    def __add__(self, other: Any) -> Any:
        return super().__add__(other) * 2.0


# --- entries ----------------------------------------------------------------------------------------


def entries(count: int) -> Iterator[tuple[str, str, Callable[[], Texts]]]:
    """Yield the name of each entry, its code, and a function that returns its texts."""
    for name in ("add", "sub", "mul", "truediv", "pow", "floordiv", "mod", "lt", "eq"):
        yield f"operands of {name}", "", lambda name=name: operands(getattr(operator, name))  # type: ignore[misc]
    for i, program in enumerate(programs(count)):
        yield str(i), repr(program), lambda i=i, program=program: look_at(program, i)  # type: ignore[misc]


def programs(count: int) -> list[Any]:
    """Return random programs, always the same ones."""
    arrays = count // EVERY
    found = [drawn(graphs(max_steps=14), count - arrays), drawn(tensor_programs(), arrays)]
    return [program for part in found for program in part]


def drawn(strategy: Any, count: int) -> list[Any]:
    """Return random examples of a strategy, always the same ones."""
    found: list[Any] = []
    if not count:
        return found

    @seed(0)
    @settings(
        max_examples=count, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(strategy)
    def draw_one(example: Any) -> None:
        found.append(example)

    draw_one()
    return found


def look_at(program: Any, i: int) -> Texts:
    """Record a program in one of four contexts, and return everything that its graph shows."""
    contexts = (contextlib.nullcontext(), tinygraph.scope("part"), tinygraph.trace_lines(), tinygraph.strict())
    with contexts[i % len(contexts)]:
        try:
            root, leaves = program.record()
        except (FloatingPointError, ValueError) as error:  # strict() refuses the program
            return {"error": f"{type(error).__name__}: {error}"}
    texts = {
        "values": seen(root),
        "grad": attempt(lambda: bits(grad(root, leaves))),
        "second derivatives": attempt(lambda: second(root, leaves)),
    }
    root.backward()
    texts |= {
        "gradients": gradients(root),
        "steps": "\n".join(map(str, Stepper(root).steps)),
        "diagram": draw(root).source,
        "tree": f"{root!r}\n{tree(root)}",
        "saved": saved(root),
        "pickled": repr(pickle.dumps(root)),
        "copied": gradients(copy.deepcopy(root)),
    }
    root.backward(seed=np.full(root.data.shape, 0.1) if isinstance(root, Tensor) else 0.1, accumulate=True)
    texts["accumulated"] = gradients(root)
    leaves[0].data = leaves[0].data + 0.125
    texts["after an edit"] = attempt(root.backward)
    texts["computed again"] = attempt(root.forward) + seen(root) + attempt(root.backward) + gradients(root)
    return texts


def second(root: Any, leaves: list[Any]) -> str:
    """Return the graph of the first derivatives, and the second derivatives."""
    firsts = [first for first in grad(root, leaves, create_graph=True) if isinstance(first, (Value, Tensor))]
    total = sum([first.sum() if isinstance(first, Tensor) else first for first in firsts])
    return seen(total) + bits(grad(total, leaves)) if isinstance(total, (Value, Tensor)) else "none"


def seen(root: Any) -> str:
    """Return the nodes of a graph, one per line, with their operands as positions."""
    nodes = nodes_of(root)
    place = {node: f"#{i}" for i, node in enumerate(nodes)}
    return "\n".join(
        f"#{i} {type(node).__name__} {node.op and node.op.name} {node.name!r} {node.constant} {bits(node.data)} of "
        f"{[place.get(x) if isinstance(x, (Value, Tensor)) else bits(x) for x in node.args]} "
        f"by {[attempt(numbers, x) for x in node.partials]}"
        for i, node in enumerate(nodes)
    )


def numbers(partial: Any) -> str:
    """Return a local derivative: numbers with all bits, or a linear map as text."""
    return bits(partial) if isinstance(partial, (float, int, np.ndarray, type(None))) else str(partial)


def gradients(root: Any) -> str:
    """Return the gradients of all nodes."""
    return "\n".join(bits(node.grad) for node in nodes_of(root))


def saved(root: Any) -> str:
    """Return the saved graph."""
    with tempfile.TemporaryDirectory() as folder:
        return save(root, Path(folder, "graph.json")).read_text("utf-8")


def operands(function: Callable[[Any, Any], Any]) -> Texts:
    """Apply a binary operator to each pair of operands, and return the results with their gradients, or the errors."""
    makers: dict[str, Callable[[], Any]] = {
        **{f"Value({x!r})": lambda x=x: Value(x) for x in (3.0, 0.0, -0.0, 5e-324, 1e308, math.inf, math.nan)},  # type: ignore[misc]
        **{repr(x): lambda x=x: x for x in (2.5, 0.0, -0.0, 1e-310, math.inf, math.nan, 3, 0, -1, 2**60, True)},  # type: ignore[misc]
        "10**400": lambda: 10**400,
        "constant": lambda: Value(2.0, constant=True),
        "computed": lambda: Value(2.0) * 1.5,
        "subclass": lambda: Sub(2.0),
        "float64": lambda: np.float64(0.1),
        "float32": lambda: np.float32(0.1),
        "int64": lambda: np.int64(7),
        "0-d array": lambda: np.array(0.3),
        "array": lambda: np.array([1.0, 2.0]),
        "Tensor": lambda: Tensor([1.0, 2.0]),
        "Fraction": lambda: Fraction(1, 3),
        "Decimal": lambda: Decimal("0.1"),
        "complex": lambda: 1j,
        "str": lambda: "2",
        "None": lambda: None,
        "list": lambda: [1.0],
    }
    texts = {}
    for (left, make), (right, make_other) in product(makers.items(), makers.items()):
        if "Value" in left or "Value" in right or {left, right} & {"constant", "computed", "subclass"}:
            x, y = make(), make_other()
            texts[f"{left}, {right}"] = attempt(lambda x=x, y=y: result_of(function, x, y))  # type: ignore[misc]
    x = Value(2.0)
    texts["one operand twice"] = attempt(lambda: result_of(function, x, x))
    return texts


def result_of(function: Callable[[Any, Any], Any], x: Any, y: Any) -> str:
    """Return the result of an operator, with the gradients of its operands if it is a node."""
    out = function(x, y)
    if not isinstance(out, (Value, Tensor)):
        return f"{type(out).__name__} {out!r}"
    return seen(out) + attempt(out.sum().backward if isinstance(out, Tensor) else out.backward) + gradients(out)


# --- two processes ----------------------------------------------------------------------------------


def record(count: int, only: str | None) -> None:
    """Print each entry as a line of JSON: its name, its code, and its hashes, or its texts if it is the only one."""
    warnings.simplefilter("ignore")
    print(json.dumps("tinygraph.engine._speed" in sys.modules))
    for name, code, texts in entries(count):
        found = texts()  # also if it is not printed, because later entries may depend on it
        if only in (None, name):
            print(json.dumps([name, code, found if only else {subject: digest(x) for subject, x in found.items()}]))
        if only == name:
            return


def digest(text: str) -> str:
    """Return the hash of a text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def recorded(pure: bool, count: int, only: str | None = None) -> list[Any]:
    """Return what `record` prints in a process with pure Python, or with the accelerator."""
    command = [sys.executable, "-m", "tools.same_results", "--count", str(count), "--record"]
    variables = {**os.environ, "TINYGRAPH_PURE": str(int(pure)), "PYTHONHASHSEED": "0"}
    run = subprocess.run(
        [*command, *(["--only", only] if only else [])], env=variables, capture_output=True, text=True, check=False
    )
    if run.returncode:
        raise RuntimeError(f"the process with TINYGRAPH_PURE={int(pure)} failed: {run.stderr}")
    accelerated, *found = map(json.loads, run.stdout.splitlines())
    if accelerated == pure:
        wanted = "in pure Python" if pure else "with the accelerator: run `tinygraph doctor` to see why"
        raise RuntimeError(f"a process with TINYGRAPH_PURE={int(pure)} does not run {wanted}")
    return found


def differences(pure: list[Any], fast: list[Any]) -> list[str]:
    """Return the entries that differ, each with its code."""
    if [entry[:2] for entry in pure] != [entry[:2] for entry in fast]:
        return ["the two processes drew different programs"]
    return [
        f"{name}: {', '.join(sorted(wrong))}\n{code}"
        for (name, code, texts), (_, _, others) in zip(pure, fast, strict=True)
        if (wrong := [subject for subject in texts if texts[subject] != others.get(subject)])
    ]


def shown(pure: list[Any], fast: list[Any]) -> Iterator[str]:
    """Yield the lines in which two texts of an entry differ."""
    for (_, _, texts), (_, _, others) in zip(pure, fast, strict=True):
        for subject, text in texts.items():
            lines, other = text.splitlines(), others[subject].splitlines()
            yield from difflib.unified_diff(
                lines, other, f"{subject}, pure Python", f"{subject}, accelerator", "", "", 0
            )


def both(count: int, only: str | None = None) -> tuple[list[Any], list[Any]]:
    """Return what both processes record: in pure Python, and with the accelerator."""
    with ThreadPoolExecutor() as pool:
        pure, fast = pool.map(lambda pure: recorded(pure, count, only), (True, False))
    return pure, fast


def main() -> None:
    """Compare, and print what differs."""
    parser = argparse.ArgumentParser(prog="python -m tools.same_results", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=5000, help="random programs (default: %(default)s)")
    parser.add_argument("--only", help="show the texts of this entry")
    parser.add_argument("--record", action="store_true", help="print the hashes of this process")
    options = parser.parse_args()
    if options.record:
        record(options.count, options.only)
        return
    pure, fast = both(options.count, options.only)
    wrong = differences(pure, fast)
    print("\n".join(shown(pure, fast) if options.only else wrong[:20]))
    print(f"{len(pure)} entries, of which {len(wrong)} differ")
    raise SystemExit(1 if wrong else 0)


if __name__ == "__main__":
    main()
