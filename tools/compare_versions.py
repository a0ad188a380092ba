"""Record the behavior of tinygraph, bit for bit, and compare two records, from before and after a refactoring.

    python -m tools.compare_versions record before.json
    python -m tools.compare_versions compare before.json after.json [--renamed FILE]

`record` imports the tinygraph of the working directory (or of PYTHONPATH). It uses only the public API. It records
diagrams, pages of steppers, trees, breakdowns, diagnoses, steps, saved graphs, generated programs, messages, and the
bits of random programs. Each text is stored completely and compressed, not as a hash. So `compare` can show
differences, and replace names that were changed on purpose.

`compare` prints missing and different entries, and exits with 1 if it finds any. `--renamed` specifies a file with
lines `old new`: a regular expression and its replacement, which are applied to the texts of the first record. To record
a version without this script, run `PYTHONPATH=. python path/to/compare_versions.py record ...`.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import difflib
import importlib
import inspect
import json
import math
import platform
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice, pairwise, product
from pathlib import Path
from typing import Any

import numpy as np

import tinygraph as tg
from tinygraph import Stepper, Tensor, Value

FORMAT = 1
SHOWN = 40  # lines of a difference
LISTED = 150  # largest number of steps, and of nodes, that are recorded one by one
EXPLAINED = 30  # largest number of nodes of a graph that are explained
BITS = "\n# --- what comes of it\n"  # between a random program and its numbers

Graph = tuple[Any, list[Any]]  # the root, and the parameters
Named = Iterator[tuple[str, str]]  # the name of an entry, and its text


# --- numbers and errors as text ---------------------------------------------------------------------


def bits(x: Any) -> str:
    """Return numbers with their types and all their bits; for a node, its data."""
    if x is None:
        return "None"
    if isinstance(x, dict):
        return "{" + ", ".join(f"{key}: {bits(entry)}" for key, entry in x.items()) + "}"
    if isinstance(x, (list, tuple)):
        left, right = "[]" if isinstance(x, list) else "()"
        return left + ", ".join(map(bits, x)) + right
    if isinstance(x, (Value, Tensor)):
        kind = "Value" if isinstance(x, Value) else "Tensor"  # the class of a constant is private
        return f"{'constant ' * x.constant}{kind} of {bits(x.data)}"
    array = np.asarray(x, dtype=np.float64)
    kind, numbers = type(x).__name__, " ".join(map(float.hex, array.ravel().tolist()))
    return f"{kind} {numbers}" if not isinstance(x, np.ndarray) else f"{kind} {x.dtype} {array.shape} {numbers}"


def attempt(function: Callable[..., Any], *args: Any, **options: Any) -> str:
    """Return the result of a function as text, or its error."""
    try:
        text = str(function(*args, **options))
    except Exception as error:
        text = f"raised {type(error).__name__}: {error}"
    return re.sub(r" at 0x[0-9a-f]+", " at 0x…", text)  # the address of an object


def run(text: str) -> dict[str, Any]:
    """Run a program as the file "<program>", and return its names."""
    names: dict[str, Any] = {}
    exec(compile(text, "<program>", "exec"), names)
    return names


def nodes_of(root: Any) -> list[Any]:
    """Return all nodes of a graph, the root first, in an order that depends only on the graph."""
    found, stack = {root: None}, [root]
    while stack:
        for operand in stack.pop().args:
            if isinstance(operand, (Value, Tensor)) and operand not in found:
                found[operand] = None
                stack.append(operand)
    return list(found)


# --- graphs -----------------------------------------------------------------------------------------

UNARY = ("abs", "acos", "asin", "atan", "cos", "cosh", "exp", "expm1", "heaviside", "log", "log1p", "log_sigmoid",
         "neg", "relu", "sigmoid", "sign", "sin", "sinh", "softplus", "sqrt", "tan", "tanh")  # fmt: skip
BINARY = ("add", "sub", "mul", "div", "pow", "maximum", "minimum", "logaddexp", "squared_error",
          "binary_cross_entropy", "binary_cross_entropy_with_logits")  # fmt: skip
HOSTILE = ("</title><script>x</script>", 'a\\nb\\l "quoted" | {record} <f0>', "𝒘 ∇\u202e", "&amp;%s{}\n\t\x1b[31m",
           "‘x + 1’", "name " * 40)  # fmt: skip


def lecture() -> Graph:
    """Record J = 3(a + bc)."""
    a, b, c = Value(5, "a"), Value(3, "b"), Value(2, "c")
    u = b * c
    v = a + u
    J = 3 * v
    tg.name_from({"u": u, "v": v, "J": J})
    return J, [a, b]


def fan_out() -> Graph:
    """Record one leaf in many places, also twice in one node."""
    x = Value(2.0, "x")
    s, t = x * x, 3.0 * x
    y = (s + t) * s - t / x + 2.0 / s
    tg.name_from({"s": s, "t": t, "y": y})
    return y, [x]


def neuron() -> Graph:
    """Record one neuron, with its loss in a separate scope and a constant label."""
    w, b = [Value(0.5, "w1"), Value(-0.25, "w2")], Value(0.1, "b")
    x, y = [Value(1.0, "x1"), Value(2.0, "x2")], Value(1.0, "y", constant=True)
    with tg.scope("neuron"):
        with tg.scope("linear"):
            z = w[0] * x[0] + w[1] * x[1] + b
        a = tg.sigmoid(z)
    with tg.scope("loss"):
        L = tg.binary_cross_entropy(a, y)
    tg.name_from({"z": z, "a": a, "L": L})
    return L, [*w, b]


def loops(m: int = 4, n: int = 2) -> Graph:
    """Record logistic regression with the lecture's two loops."""
    draw = random.Random(1).gauss
    w, b = [Value(0.1 * j - 0.1, f"w{j + 1}") for j in range(n)], Value(0.1, "b")
    J: Any = 0.0
    for i in range(m):
        z: Any = b
        for w_j in w:
            z = z + w_j * draw(0.0, 1.0)
        a = tg.sigmoid(z)
        z.name, a.name = "z", "a"
        J = J + tg.binary_cross_entropy(a, float(i % 2))
    J = J / m
    J.name = "J"
    return J, [*w, b]


def layers(sizes: tuple[int, ...] = (2, 3, 2, 1)) -> Graph:
    """Record a network of scalars, with a scope for each layer and each neuron."""
    draw = random.Random(2).uniform
    x: list[Any] = [Value(0.5, "x1"), Value(-1.5, "x2")]
    parameters: list[Any] = []
    for depth, (n, k) in enumerate(pairwise(sizes), 1):
        outs = []
        for j in range(k):
            with tg.scope(f"layer {depth}"), tg.scope(f"neuron {j + 1}"):
                w = [Value(draw(-1.0, 1.0), f"w{depth}{j}{i}") for i in range(n)]
                b = Value(0.0)
                z = sum((w_i * x_i for w_i, x_i in zip(w, x, strict=True)), b)
                outs.append(z.relu() if depth < len(sizes) - 1 else tg.tanh(z))
            parameters += [*w, b]
        x = outs
    return tg.squared_error(x[0], 1.0) + 1e-3 * tg.total([p * p for p in parameters]), parameters


def vectorized(m: int = 3) -> Graph:
    """Record logistic regression with Tensors, in scopes."""
    draw = np.random.default_rng(3)
    w, b = Tensor([[0.1], [-0.2]], "w"), Tensor(0.5, "b")
    X = Tensor(draw.normal(size=(2, m)), "X", constant=True)
    Y = Tensor(np.arange(m).reshape(1, m) % 2, "Y", constant=True)
    with tg.scope("forward"):
        with tg.scope("linear"):
            Z = np.dot(w.T, X) + b
        A = tg.sigmoid(Z)
    with tg.scope("cost"):
        J = np.mean(tg.binary_cross_entropy(A, Y))
    tg.name_from({"Z": Z, "A": A, "J": J})
    return J, [w, b]


def wiring() -> Graph:
    """Record every op that changes shapes, or selects, joins or reduces elements."""
    A, c = Tensor(np.arange(6.0).reshape(2, 3) / 4.0, "A"), Tensor([0.5, -1.0, 2.0], "c")
    B = A @ A.T + 1.0
    parts = [
        (A * c).sum(axis=0),
        A.mean(axis=0) - c,
        A.max(axis=0, keepdims=True).reshape(-1) + A.min(axis=0),
        tg.concatenate([A[1, ::2], c[[0]]]) ** 2,
        tg.stack([c, A[0]], axis=1).transpose(1, 0)[0],
        np.broadcast_to(B[0, 1], (3,)) / (c * c + 1.0),
        c @ A.T @ A,
    ]
    for i, part in enumerate(parts):
        part.name = f"part{i}"
    J = (sum(parts) + c[::-1]).sum() + B.sum()
    J.name = "J"
    return J, [c]


def perceptron() -> Graph:
    """Record two layers of Tensors: a broadcast bias, relu, softmax, and a selected column."""
    draw = np.random.default_rng(4)
    X = Tensor(draw.normal(size=(4, 5)), "X", constant=True)
    W1, b1 = Tensor(draw.normal(size=(3, 4)), "W1"), Tensor(np.zeros((3, 1)), "b1")
    W2, b2 = Tensor(draw.normal(size=(2, 3)), "W2"), Tensor([[0.1], [-0.1]], "b2")
    with tg.scope("hidden"):
        H = tg.relu(W1 @ X + b1)
    with tg.scope("output"):
        S = W2 @ H + b2
        E = tg.exp(S - S.max(axis=0, keepdims=True))
        P = E / E.sum(axis=0)
    J = -tg.log(P[[0, 1, 0, 1, 0], [0, 1, 2, 3, 4]]).mean()
    tg.name_from({"H": H, "S": S, "P": P, "J": J})
    return J, [W1, b1, W2, b2]


def every_unary() -> Graph:
    """Record each op with one operand."""
    x = Value(0.3, "x")
    return tg.total([getattr(tg, name)(x) for name in UNARY]), [x]


def every_unary_of_arrays() -> Graph:
    """Record each op with one operand, on a Tensor."""
    x = Tensor([0.3, 0.75], "x")
    return sum(getattr(tg, name)(x) for name in UNARY).sum(), [x]


def every_binary() -> Graph:
    """Record each op with two operands: nodes, or a plain number on either side."""
    x, y = Value(0.3, "x"), Value(0.7, "y")
    terms = [getattr(tg, name)(*pair) for name in BINARY for pair in ((x, y), (x, 0.6), (0.4, y))]
    terms += [x + 2, 2 + x, x - 2, 2 - x, x * 2, 2 * x, x / 2, 2 / x, x**2, 2**x, -x, +x, abs(-y)]
    return tg.total(terms), [x, y]


def variadic() -> Graph:
    """Record variadic ops, also with plain numbers."""
    w = [Value(0.5 * i - 1.0, f"w{i}") for i in range(5)]
    s, d, e = tg.total([*w, 2.0, w[0]]), tg.dot(w, w[::-1]), tg.dot(w[:3], [1.0, 2.0, -0.5])
    y = s * d + e + tg.total([w[1]]) - tg.dot([3.0], [w[2]])
    tg.name_from({"s": s, "d": d, "e": e, "y": y})
    return y, w


def powers() -> Graph:
    """Record powers of nodes and of plain numbers, and ops with a plain exponent."""
    x, y = Value(1.5, "x"), Value(2.0, "y")
    terms = [x**3, x**0.5, x**-2, x**0, x**1, x**y, 2.0**x, tg.power(3)(x), tg.power(-0.5)(y), tg.pow(x, 2.5)]
    return tg.total(terms) + (-x) ** 3, [x]


def constants() -> Graph:
    """Record constants (also computed ones), detached nodes and plain numbers."""
    k, x = Value(4.0, "k", constant=True), Value(0.5, "x")
    c = k * 2.0 + k
    y = c * x + x.detach() * x + tg.sin(k) / x + 7
    tg.name_from({"c": c, "y": y})
    return y, [x]


def not_finite() -> Graph:
    """Record values that are not finite: log of 0, inf - inf, 0 / 0, overflow."""
    p, q = Value(0.0, "p"), Value(1000.0, "q")
    y = tg.log(p) * 0.0 + tg.exp(q) - tg.exp(q) + p / p + 1.0 / p + tg.sqrt(p - 1.0) + tg.sqrt(p)
    y.name = "y"
    return y, [p]


def not_finite_arrays() -> Graph:
    """Record values of a Tensor that are not finite."""
    p = Tensor([0.0, 1.0, -1.0, math.inf], "p")
    return (tg.log(p) + 1.0 / p - p * p).sum(), [p]


def hostile() -> Graph:
    """Record names and scopes that could break the formats that contain them."""
    leaves = [Value(float(i + 1), name) for i, name in enumerate(HOSTILE)]
    y = leaves[0] * 1.0
    for leaf in leaves:
        with tg.scope(leaf.name):
            y = tg.tanh(y * leaf)
            y.name = leaf.name
    return y, leaves[:2]


def branches() -> Graph:
    """Record comparisons that the graph depends on."""
    x, y = Value(2.0, "x"), Value(-1.0, "y")
    z = x * x if x > 1.0 else -x
    z = z + (y if y >= x else -y) * (3.0 if z <= 100 else x)
    while z < 50.0:
        z = z * x
    return z + tg.maximum(x, y), [x, y]


def derivative() -> Graph:
    """Record the graph of second derivatives, which contains the private ops."""
    x, y = Value(0.4, "x"), Value(1.3, "y")
    f = tg.total([getattr(tg, name)(x) for name in UNARY]) * y + sum(getattr(tg, name)(x, y) for name in BINARY[3:8])
    dx, dy = tg.grad(f, [x, y], create_graph=True)
    J = tg.grad(dx + dy * dx, x, create_graph=True) + dy
    J.name = "J"
    return J, [x, y]


def chain() -> Graph:
    """Record a graph deeper than the indentation of a tree."""
    x = y = Value(0.9, "x")
    for i in range(24):
        y = tg.sin(y) * 1.5
        y.name = f"y{i}" if i % 4 == 0 else ""
    return y, [x]


def leaf() -> Graph:
    """Record a graph of one node."""
    x = Value(2.0, "x")
    return x, [x]


def own_op() -> Graph:
    """Record an op that the program registered."""
    x = Value(1.5, "x")
    y = CUBED(x) + CUBED(x * 2.0)
    y.name = "y"
    return y, [x]


def traced() -> Graph:
    """Record nodes with source lines, in each part of the package."""
    names = run(TRACED)
    return names["y"], [names["x"]]


def register(name: str, floats: Any, partial: Any) -> Any:
    """Register an op with one operand, with the argument name of this version."""
    signature = inspect.signature(tg.op).parameters
    return tg.op(name, floats, **({"partials": (partial,)} if "partials" in signature else {"dx": partial}))


def steps_of(stepper: Any) -> Any:
    """Return the steps of a Stepper, with the name of this version."""
    return stepper.steps if hasattr(stepper, "steps") else stepper.events


def move(stepper: Any, new: str, old: str) -> Any:
    """Call the method of a Stepper that has one of two names."""
    return getattr(stepper, new, None)() if hasattr(stepper, new) else getattr(stepper, old)()


CUBED = register("compared_cube", lambda x: x * x * x, lambda _, x: 3.0 * x * x)
TRACED = """\
import numpy as np
import tinygraph as tg
with tg.trace_lines(), tg.scope("traced"):
    x = tg.Value(0.5, "x")
    y = np.exp(x) + x.sin() + sum([x, x])
    y = y * tg.grad(tg.sigmoid(x) * x, x, create_graph=True)
    y = tg.total([y, abs(x), x ** 2, 2 ** x, 1 / x, -x,
                  tg.dot([x, y], [y, 2.0])])
y.name = "y"
"""

GRAPHS: dict[str, Callable[[], Graph]] = {
    "J = 3(a + bc)": lecture,
    "fan-out": fan_out,
    "neuron": neuron,
    "two loops": loops,
    "layers": layers,
    "vectorized": vectorized,
    "wiring": wiring,
    "perceptron": perceptron,
    "every unary op": every_unary,
    "every unary op of arrays": every_unary_of_arrays,
    "every binary op": every_binary,
    "variadic": variadic,
    "powers": powers,
    "constants": constants,
    "not finite": not_finite,
    "not finite arrays": not_finite_arrays,
    "hostile names": hostile,
    "branches": branches,
    "derivative": derivative,
    "chain": chain,
    "leaf": leaf,
    "own op": own_op,
    "traced": traced,
    "1,000 nodes": lambda: loops(140, 2),
}


def recorded(name: str, stage: str) -> Graph:
    """Return one of the graphs, newly recorded, in the state of a stage."""
    root, parameters = GRAPHS[name]()
    if stage != "before":
        root.backward()
    if stage == "accumulated":
        root.backward(accumulate=True)
    if stage == "seeded":
        root.backward(seed=-2.0)
    if stage == "of another root":
        for parameter in parameters:
            (parameter * 3.0).sum().backward() if isinstance(parameter, Tensor) else (parameter * 3.0).backward()
    return root, parameters


# --- diagrams ---------------------------------------------------------------------------------------

STYLES: dict[str, tuple[str, dict[str, Any]]] = {
    "before": ("before", {}),
    "after": ("after", {}),
    "accumulated": ("accumulated", {}),
    "seeded": ("seeded", {}),
    "of another root": ("of another root", {}),
    "dark": ("after", {"theme": "dark"}),
    "auto": ("after", {"theme": "auto", "legend": False}),
    "full": ("after", {"detail": "full"}),
    "contributions": ("after", {"detail": "contributions"}),
    "plain": ("after", {"detail": "plain"}),
    "folded": ("after", {"detail": "folded"}),
    "folded before": ("before", {"detail": "folded"}),
    "scopes": ("after", {"detail": "scopes"}),
    "dv": ("after", {"notation": "dv"}),
    "downwards": ("after", {"direction": "TB"}),
    "title": ("after", {"title": 'a <b>title</b> & "more"'}),
    "parameters": ("after", {"parameters": ..., "title": "parameters"}),
    "around": ("after", {"around": ..., "depth": 1}),
    "number": ("seeded", {"number": ".17g", "notation": "dv", "legend": False}),
}


PHASES: tuple[Any, ...] = ("backward", "forward", "both")
GRANULARITIES: tuple[Any, ...] = ("edge", "node")
PAGES: tuple[tuple[str, Any, Any, int], ...] = (  # graph, phase, theme, and position of the stepper
    ("J = 3(a + bc)", "both", "auto", 0),
    ("neuron", "backward", "light", 3),
    ("wiring", "both", "dark", 5),
    ("hostile names", "backward", "auto", 2),
)
PICTURES: tuple[tuple[str, Any], ...] = (("neuron", "auto"), ("vectorized", "light"))


def drawings() -> Named:
    """Yield the DOT text of every graph in every style."""
    for name, (style, (stage, options)) in product(GRAPHS, STYLES.items()):
        root, parameters = recorded(name, stage)
        nodes = nodes_of(root)
        known = {"parameters": parameters, "around": nodes[len(nodes) // 2]}
        options = {key: known[key] if value is ... else value for key, value in options.items()}
        yield f"{name}, {style}", attempt(_drawn, root, options)


def _drawn(root: Any, options: dict[str, Any]) -> str:
    return _described(tg.draw(root, **options))


def _described(drawing: Any) -> str:
    return f"{drawing!r}\n{drawing.source}"


def pages() -> Named:
    """Yield HTML players and SVG elements, as Graphviz laid them out."""
    for name, phase, theme, k in PAGES:
        yield f"page of {name}", attempt(_page, name, phase, theme, k)
    for name, theme in PICTURES:
        yield f"SVG of {name}", attempt(_picture, name, theme)


def _page(name: str, phase: Any, theme: Any, k: int) -> str:
    stepper = Stepper(recorded(name, "before")[0], phase=phase)
    stepper.goto(k)
    with tempfile.TemporaryDirectory() as folder:
        return _same_ids(stepper.save(Path(folder, "page.html"), theme=theme).read_text("utf-8"))


def _picture(name: str, theme: Any) -> str:
    root, parameters = recorded(name, "after")
    return _same_ids(tg.draw(root, theme=theme, parameters=parameters).svg())


def _same_ids(text: str) -> str:
    """Return the text as if each diagram had been drawn once; a second drawing has other ids."""
    return re.sub(r"\b(g[0-9a-f]{8})n\d+\b", r"\1", text)


# --- text -------------------------------------------------------------------------------------------


def trees() -> Named:
    """Yield graphs as text, and the reprs of their nodes."""
    for name, stage in product(GRAPHS, ("before", "after", "seeded")):
        root, _ = recorded(name, stage)
        yield f"{name}, {stage}", attempt(tg.tree, root, ascii=False)
        if stage == "after":
            yield f"{name}, cut short, in ASCII", attempt(tg.tree, root, ascii=True, lines=7)
            yield f"{name}, its nodes", "\n".join(attempt(_looked_at, node) for node in nodes_of(root))


def _looked_at(node: Any) -> str:
    return f"{node!r} scope {node.scope} line {node.line!r} constant {node.constant} {bits(node)} {bits(node.grad)}"


def explanations() -> Named:
    """Yield the breakdown of every gradient: in words, as LaTeX, and as a table."""
    for name in GRAPHS:
        root, _ = recorded(name, "before")
        for k, node in enumerate(nodes_of(root)[:EXPLAINED]):
            yield f"{name}, node {k}", attempt(_explained, root, node)


def _explained(root: Any, node: Any) -> str:
    told = tg.explain(root, node)
    return "\n".join([str(told), "", told.latex(), "", *map(str, told.table())])


ACCIDENTS = (
    "tg.log(x * 0.0)", "tg.log(-x)", "tg.log1p(-x)", "(x - x) / (x - x)", "1.0 / (x - x)", "x / 0.0", "(-x) ** 0.5",
    "tg.sqrt(-x)", "tg.exp(x * 1000)", "tg.exp(x * 1000) - tg.exp(x * 1000)", "(x - x) * tg.exp(x * 1000)",
    "tg.asin(x)", "tg.acos(-x)", "tg.sqrt((x - x) * y)", "tg.relu(-x) * y", "tg.sign(x) * 2.0",
    "x.detach() * 3.0 + y * 0.0", "x * math.inf", "x ** 5000", "Value(math.nan, 'n') * x",
    "tg.binary_cross_entropy(tg.sigmoid(-400.0 * x), 1.0)",
    "functools.reduce(lambda t, _: tg.sigmoid(t * 0.5), range(12), x)",
    "functools.reduce(lambda t, _: t * 7.0, range(12), x)",
    "tg.total([x * 1e308, x * 1e308])", "tg.dot([x, y], [1e308, -1e308]) * 10.0", "tg.pow(x - x, -y)", "tg.tan(x)",
    "tg.log(T).sum()", "(1.0 / T).mean()", "(T * math.inf).sum()", "(T * 1e308 * 3.0).sum()", "tg.sqrt(abs(T)).sum()",
    "tg.relu(T)[2] * 2.0", "(T @ T) * 0.0", "(T * T).sum()", "tg.log(T.sum() * 0.0)",
)  # fmt: skip


def diagnoses() -> Named:
    """Yield the diagnoses of graphs, also of damaged ones."""
    for name, stage in product(GRAPHS, ("before", "after")):
        root, parameters = recorded(name, stage)
        stranger = Value(1.0, "stranger") if isinstance(root, Value) else Tensor([1.0], "stranger")
        yield f"{name}, {stage}", attempt(_diagnosed, root, [])
        yield f"{name}, {stage}, with parameters", attempt(_diagnosed, root, [*parameters, stranger])
    for accident in ACCIDENTS:
        yield accident, attempt(_accident, accident)


def _accident(text: str) -> str:
    names = _names()
    return _diagnosed(eval(text, names), [names["T"]] if "T" in text else [names["x"], names["y"]])


def _diagnosed(root: Any, parameters: list[Any]) -> str:
    found = tg.diagnose(root, parameters)
    slices = [str(tg.tree(x.slice)) for x in found.findings if x.slice is not None]
    return "\n\n".join([str(found), repr([(x.kind, x.line) for x in found.findings]), *slices])


# --- steps ------------------------------------------------------------------------------------------


def steps() -> Named:
    """Yield every step in words and numbers, in both phases and granularities, forward, back, and with jumps."""
    for name, phase, granularity in product(GRAPHS, PHASES, GRANULARITIES):
        yield f"{name}, {phase}, {granularity}", attempt(_steps, name, phase, granularity)
    for name in GRAPHS:
        yield f"{name}, a walk", attempt(_walk, name)
    stepper = Stepper(recorded("neuron", "after")[0], seed=-2.5, phase="both")
    yield "neuron, seeded", attempt(lambda: "\n".join(map(_told, steps_of(stepper))))


def _steps(name: str, phase: Any, granularity: Any) -> str:
    stepper = Stepper(recorded(name, "before")[0], phase=phase, granularity=granularity)
    told = [repr(stepper), str(stepper)]
    while len(told) < LISTED and (step := stepper.step()) is not None:
        told.append(_told(step))
    while len(told) < 2 * LISTED and stepper.index:
        told.append(f"back to {stepper.back()!r}")
    return "\n".join(told)


def _told(step: Any) -> str:
    return f"{step.kind} {step}\n    {step!r} {step.line!r} {bits(step.before)} → {bits(step.after)}"


def _walk(name: str) -> str:
    """Return a session with breakpoints as text: its steps to the middle and the end, and its effect on the graph."""
    root, parameters = recorded(name, "before")
    stepper = Stepper(root, phase="both")
    nodes = nodes_of(root)[:LISTED]
    told = [f"{stepper.break_on(tg.mul)} {stepper.watch(parameters[0])}"]
    for k in range(6):
        told.append(f"{move(stepper, 'continue_', 'cont')!r}\n{stepper}")
        told.append(
            repr(move(stepper, "reverse_continue", "cont_back") if k == 3 else stepper.last_write(parameters[0]))
        )
    stepper.goto(len(stepper) // 2)
    told += [bits([stepper.grad(node) for node in nodes]), *[str(stepper.explain(node)) for node in nodes[:20]]]
    told.append(repr(stepper.run_until(lambda event: event.kind == "backward")))
    told.append(repr(stepper.run_back_until(parameters[-1])))
    stepper.end()
    stepper.apply()
    return "\n".join([*told, bits([node.grad for node in nodes]), repr(steps_of(stepper)), str(stepper)])


# --- saved graphs -----------------------------------------------------------------------------------


KEYS = ("1", "-1", "1:", "::2", "...", "(0, 2)", "[0, 2]", "[[0, 1], [1, 2]]", "(slice(None), None)",
        "np.array([True, False, True])")  # fmt: skip


def saved() -> Named:
    """Yield saved graphs, and whether they can be loaded, verified and saved as the same text again."""
    for name, stage in product(GRAPHS, ("before", "after", "accumulated")):
        root, _ = recorded(name, stage)
        yield f"{name}, {stage}", attempt(_file, root)
    root, parameters = recorded("fan-out", "after")
    yield "several roots", attempt(_file, [root, tg.exp(root), parameters[0] * 2.0])
    for key in KEYS:
        yield f"x[{key}]", attempt(_indexed, key)


def _indexed(key: str) -> str:
    x = Tensor(np.arange(12.0).reshape(3, 4), "x")
    return _file(eval(f"x[{key}].sum()", {"x": x, "np": np}))


def _file(root: Any) -> str:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "graph.json")
        text = tg.save(root, path).read_text("utf-8")
        again = tg.save(tg.load(path), path).read_text("utf-8") == text
        verified = attempt(tg.load, path, verify=True)
    return f"{text}\nwritten again the same: {again}\nverified: {verified}"


# --- loops that are vectorized ----------------------------------------------------------------------


def _values(name: str, n: int, seed: int) -> list[Any]:
    draw = random.Random(seed).gauss
    return [Value(draw(0.0, 1.0), f"{name}{i + 1}") for i in range(n)]


def _rows(m: int, n: int, seed: int) -> list[list[float]]:
    draw = random.Random(seed).gauss
    return [[draw(0.0, 1.0) for _ in range(n)] for _ in range(m)]


def penalized() -> Graph:
    """Record the two loops with a penalty on the weights."""
    J, (*w, b) = loops(7, 3)
    return J + 0.1 * sum(w_j * w_j for w_j in w), [w, b]


def with_dots() -> Graph:
    """Record logistic regression with `dot` and `total`."""
    w, b = _values("w", 3, 10), Value(0.1, "b")
    z = [tg.dot(w, x) + b for x in _rows(7, 3, 11)]
    return tg.total([tg.binary_cross_entropy_with_logits(z_i, i % 2) for i, z_i in enumerate(z)]) / 7, [w, b]


def hinge(m: int = 8, sizes: tuple[int, ...] = (2, 4, 3, 1)) -> Graph:
    """Record micrograd's network: relu, hinge loss, L2 regularization; the points are nodes too."""
    W = [[_values(f"W{n}", n, 20 + 7 * n + j) for j in range(k)] for n, k in pairwise(sizes)]
    losses = []
    for i, point in enumerate(_rows(m, sizes[0], 21)):
        x: list[Any] = [Value(coordinate) for coordinate in point]
        for depth, layer in enumerate(W):
            x = [sum(w_j * x_j for w_j, x_j in zip(w, x, strict=True)) for w in layer]
            x = x if depth == len(W) - 1 else [out.relu() for out in x]
        losses.append((1.0 + (1.0 if i % 2 else -1.0) * x[0]).relu())
    return sum(losses) * (1.0 / m) + 1e-4 * sum(w_j * w_j for layer in W for w in layer for w_j in w), W


def softmax(k: int = 3) -> Graph:
    """Record softmax regression, whose loss selects the logit of the correct class."""
    W, b = [_values(f"w{c}_", 2, 30 + c) for c in range(k)], _values("b", k, 35)
    J: Any = 0.0
    for i, x in enumerate(_rows(6, 2, 36)):
        z = [sum(w * x_j for w, x_j in zip(row, x, strict=True)) + bias for row, bias in zip(W, b, strict=True)]
        J = J + tg.log(sum(tg.exp(z_c) for z_c in z)) - z[(2 * i + 1) % k]
    return J / 6, [W, b]


def horner() -> Graph:
    """Record a polynomial by Horner's rule, fitted by least squares."""
    c, J = _values("c", 4, 40), 0.0
    for i, (y,) in enumerate(_rows(9, 1, 41)):
        p: Any = c[-1]
        for c_k in reversed(c[:-1]):
            p = p * (2.0 * i / 9 - 1.0) + c_k
        J = J + (p - y) ** 2
    return J, [c]


def power_series() -> Graph:
    """Record a polynomial as a sum of powers of nodes."""
    c, x = _values("c", 4, 42), _values("x", 5, 43)
    return sum(sum(c_k * x_i**k for k, c_k in enumerate(c)) ** 2 for x_i in x), [c, x]


def recurrence(sequences: int = 3) -> Graph:
    """Record a recurrent neuron: each step needs the previous one."""
    w, u, b = Value(0.7, "w"), Value(-0.4, "u"), Value(0.1, "b")
    J: Any = 0.0
    for sequence in _rows(sequences, 6, 50):
        h: Any = 0.0
        for x in sequence:
            h = tg.tanh(w * h + u * x + b)
        J = J + (h - sequence[0]) ** 2
    return J, [w, u, b]


def pairs() -> Graph:
    """Record a sum over pairs i < j."""
    x = [Value(1.5 * i + 0.1 * math.sin(i), f"x{i}") for i in range(5)]
    return sum(1.0 / abs(x[i] - x[j]) for i in range(5) for j in range(i)), [x]


def all_pairs() -> Graph:
    """Record a kernel: a sum over all i and j."""
    x, y = _values("x", 4, 60), _values("y", 5, 61)
    return sum(tg.exp(-((x_i - y_j) ** 2)) for x_i in x for y_j in y), [x, y]


def factorization() -> Graph:
    """Record the factorization of a matrix into two."""
    U, V = [_values(f"u{i}_", 2, 70 + i) for i in range(4)], [_values(f"v{j}_", 2, 75 + j) for j in range(5)]
    M, J = _rows(4, 5, 79), 0.0
    for i, j in product(range(4), range(5)):
        J = J + (sum(a * b for a, b in zip(U[i], V[j], strict=True)) - M[i][j]) ** 2
    return J, [U, V]


def neighbors() -> Graph:
    """Record a smooth curve: a sum over neighbors."""
    x = _values("x", 8, 80)
    return sum((b - a) ** 2 for a, b in pairwise(x)) + sum(
        (x_i - y) ** 2 for x_i, y in zip(x, *_rows(1, 8, 81), strict=True)
    ), [x]


def convolution() -> Graph:
    """Record a kernel that slides over a signal."""
    w, signal = _values("w", 3, 82), _values("s", 9, 83)
    return sum(tg.relu(sum(w_k * signal[i + k] for k, w_k in enumerate(w))) for i in range(7)), [w, signal]


def ragged() -> Graph:
    """Record sums with different numbers of terms."""
    x, (row,) = _values("x", 6, 84), _rows(1, 6, 85)
    return sum(tg.sigmoid(sum(tg.sin(x_j) * row[j] for j, x_j in enumerate(x[: i + 1]))) for i in range(1, 6)), [x]


def attention() -> Graph:
    """Record a weighted sum whose weights are a softmax of products."""
    q, K, V = _values("q", 2, 86), [_values(f"k{i}_", 2, 87 + i) for i in range(4)], _values("v", 4, 92)
    e = [tg.exp(tg.dot(q, k)) for k in K]
    return tg.squared_error(sum(e_i * v for e_i, v in zip(e, V, strict=True)) / sum(e), 0.5), [q, K, V]


def largest() -> Graph:
    """Record a fold by maximum and by logaddexp, and a product."""
    x = _values("x", 6, 93)
    m, s, p = x[0], x[0], x[0]
    for x_i in x[1:]:
        m, s, p = tg.maximum(m, x_i), tg.logaddexp(s, x_i), p * x_i
    return m + s * p, [x]


def compared() -> Graph:
    """Record branches in a loop, which a compiled function checks again."""
    w = _values("w", 5, 94)
    return sum(w_i * w_i if w_i > 0.1 else -2.0 * w_i for w_i in w), [w]


def no_structure(steps: int = 40) -> Graph:
    """Record a program without a pattern."""
    choose, x = random.Random(95), _values("x", 4, 96)
    values: list[Any] = list(x)
    for _ in range(steps):
        a, b = choose.choice(values[-8:]), choose.choice(values)
        values.append(choose.choice([a + b, a * b, a - b, a.tanh(), a.sin(), a.sigmoid()]))
    return sum(v.sin() for v in values[-6:]), [x]


PROGRAMS: dict[str, Callable[[], Graph]] = {
    f.__name__: f
    for f in (lecture, fan_out, neuron, loops, layers, penalized, with_dots, hinge, softmax, horner, power_series,
              recurrence, pairs, all_pairs, factorization, neighbors, convolution, ragged, attention, largest, compared,
              no_structure, every_unary, every_binary, variadic, powers, constants, not_finite, branches)
} | {"one sequence": lambda: recurrence(1), "140 examples": lambda: loops(140, 3)}  # fmt: skip


def sources() -> Named:
    """Yield the programs written for loops, their results, the graphs of arrays, and compiled functions."""
    for name, make in PROGRAMS.items():
        root, inputs = make()
        yield f"{name}, the text", attempt(_source, root)
        yield f"{name}, the forward pass", attempt(tg.source, root, backward=False)
        yield f"{name}, the arrays", attempt(_vectorized, root)
        yield f"{name}, the function", attempt(_compiled, root, inputs)


def _source(root: Any) -> str:
    text = tg.source(root)
    return f"{text}\n\n{bits(text.arrays)}\n{attempt(_known, text)}"


def _known(text: Any) -> str:
    numbers = {name: x for name, x in text.run().items() if isinstance(x, (int, float, np.ndarray, np.generic))}
    return "\n".join(f"{name} = {bits(x)}" for name, x in numbers.items())


def _vectorized(root: Any) -> str:
    found = tg.vectorize(root)
    leaves = [node for node in nodes_of(root) if node.op is None and not node.constant]
    places = [(leaf.name, found.where(leaf)[1]) for leaf in leaves]
    found.root.backward()
    found.scatter()
    told = [found.report(), tg.tree(found.root), bits(found.root), bits([leaf.grad for leaf in leaves]), repr(places)]
    return "\n\n".join(map(str, told))


def _compiled(root: Any, inputs: list[Any]) -> str:
    f = tg.compile(root, inputs)
    told = [f.text]
    for by in (0.0, 0.0625, -0.25):
        told.append(attempt(lambda *numbers: bits(f(*numbers)), *_shifted(inputs, by)))
    return "\n".join(told)


def _shifted(inputs: Any, by: float) -> Any:
    return [_shifted(x, by) for x in inputs] if isinstance(inputs, list) else inputs.data + by


# --- functions and messages -------------------------------------------------------------------------

# Each line has statements, separated by " | ", and an expression. `_names` lists the names that they can use. Most
# lines contain a mistake.
EXPRESSIONS = """
tg.value_and_grad(lambda w, x: w[0] * x + w[1])([2.0, 1.0], 5.0)
tg.value_and_grad(lambda a, b: tg.log(a) * b, argnums=(0, 1))(2.0, 3.0)
tg.value_and_grad(lambda p: tg.sin(p["a"]) * p["b"][0])({"a": 0.3, "b": (2.0, 1.0)})
tg.value_and_grad(lambda w: (w * w).sum())(np.array([1.0, 2.0]))
tg.value_and_grad(lambda w: 3.0)(1.0)
tg.value_and_grad(lambda w: w, argnums=2)(1.0)
tg.value_and_grad(lambda w: w)("text")
[tg.numeric_grad(lambda a, b: a * tg.exp(b), [2.0, 0.5], method=m) for m in ("two-point", "central")]
[tg.numeric_grad(lambda a, b: a * tg.exp(b), [2.0, 0.5], method=m) for m in ("six-point", "complex")]
tg.numeric_grad(tg.sigmoid, 0.25, method="mpmath")
tg.numeric_grad(tg.sigmoid, 0.25, method="best")
tg.numeric_grad(tg.relu, 0.25, method="complex")
tg.numeric_grad(lambda a: a * a, "text")
tg.check_grad(lambda a, b: a * tg.exp(b), 2.0, 0.5)
tg.check_grad(lambda a: a.detach() * a, 2.0)
tg.check_grad(lambda a, w: a * tg.relu(w[0]) + abs(w[1]), 2.0, [0.0, -1.0])
tg.hessian(x * x * y + tg.sin(x), [x, y])
tg.hessian(x * x * y, x)
tg.hessian((T * T * T).sum(), T)
tg.jvp(x * tg.exp(y), {x: 1.0, y: -2.0})
tg.jvp((T * T).sum(), {T: np.array([1.0, 0.0, -1.0])})
tg.jvp(x * y, {x: "text"})
tg.jvp(3.0, {})
tg.grad(x * y, [x, y, z])
tg.grad((T * T), T, seed=np.array([1.0, 2.0, 3.0]))
tg.grad(T * T, T)
tg.grad(x, 3)
tg.grad(3, x)
tg.grad(x * y, [x, "text"])
tg.hessian("text", x)
[f(0.25) for f in (tg.sin, tg.log, tg.relu, tg.sigmoid, tg.power(3), tg.softplus)]
[tg.sin(np.array([0.5, -0.25])), tg.total([1.0, 2.0]), tg.dot([1.0, 2.0], [3.0, 4.0])]
[tg.sin, tg.total, tg.power(0.5), tg.dot]
[np.sin(x), np.add(x, 2), np.float64(2) * x, np.arctan(T), np.dot(T, T), np.sum(T), np.maximum(T, 0.0)]
np.exp(np.array([x, y]))
np.array([1.0, 2.0]) * x
[copy.copy(J), copy.deepcopy(J), pickle.loads(pickle.dumps(J)), pickle.loads(pickle.dumps(wired)).data]
tg.tree(pickle.loads(pickle.dumps(J)))
[f"{x:.3f}", f"{x}", f"{T.sum():.2e}", f"{T}", repr(T), repr(wired), str(J)]
[x.item(), T.sum().item(), T.shape, T.ndim, T.size, T.dtype, len(T), [t.item() for t in T]]
[x.detach(), T.detach(), x.constant, x.detach().constant, (x.detach() * 2.0).constant]
[x < y, x <= 2, 2 > x, T < 0.5, T >= T, x == y, x != y, x == x, hash(x) == hash(x)]
x.data = 4.0 | J.backward()
x.data = 4.0 | [J.forward(), J.backward(), x.grad, y.grad, J.data]
x.data = 4.0 | tg.draw(J)
x.data = 4.0 | tg.Stepper(J)
x.data = 4.0 | tg.save(J, "never.json")
x.data = 4.0 | tg.diagnose(J)
x.data = 4.0 | tg.explain(J, x)
x.data = 4.0 | tg.vectorize(J)
x.data = 4.0 | tg.jvp(J, {x: 1.0})
b = x * 2.0 if x > 1.0 else x * 3.0 | b = b + 1.0 | x.data = 0.5 | b.forward()
s = tg.Stepper(J) | s.step(2) | x.data = 3.0 | s.step()
T.data = np.array([1.0, 2.0, 3.0]) | wired.backward()
T.data -= 0.5 | [wired.forward().data, wired.backward(), T.grad]
T.data = np.ones(4) | x
wired.data = 3.0 | x
J.data = 3.0 | x
(T * 2.0).data[0] = 3.0 | x
J.backward() | J.backward(accumulate=True) | [x.grad, y.grad, J.grad]
J.backward(seed=2) | [x.grad, y.grad, J.grad]
J.backward(seed="text")
(T * 2.0).backward()
(T * 2.0).backward(seed=np.ones(2))
(T * 2.0).backward(seed=np.ones(3)) | T.grad
with_strict(lambda: tg.log(x - x))
with_strict(lambda: tg.sqrt(x - x))
with_strict(lambda: (1.0 / (T - T)).sum())
with_strict(lambda: (T + np.ones((3, 1))).sum())
with_strict(lambda: T.T)
with_strict(lambda: (tg.sqrt(x * 1e-200) * 1e300 * 1e300))
with_strict(lambda: ((x * 1e200) * 1e-200 * 1e200).backward(seed=1e300))
with_lines(lambda: [n.line for n in (x * 2, tg.sin(x), T @ T, T.sum(), tg.concatenate([T, T]), np.exp(x))])
with_lines(lambda: [n.line for n in (tg.total([x, y]), Value(2.0), Tensor(1.0), tg.relu(T), T.T, T[0], x**2)])
with_lines(lambda: [tg.grad(J, x, create_graph=True).line, tg.vectorize(J).root.line])
with_lines(lambda: tg.value_and_grad(lambda w: (lines.append(w.line), w * 2.0)[1])(1.0)) | lines
tg.scope(3)
with_scope("a", lambda: with_scope("b", lambda: (x * 2.0).scope))
tg.name_from({"a": (n := x * 2.0), "_b": (m := x * 3.0), "c": [x * 4.0, z]}) | [n.name, m.name, z.name]
x.name = 3 | x
Value("text")
Value(None)
Value([1.0])
Value(1j)
Value(np.float32(0.1))
Value(fractions.Fraction(1, 3))
Value(True)
Value(10**400)
Value(x)
Value(np.array(2.0))
Value(np.array([2.0]))
Tensor("text")
Tensor([1.0, "a"])
Tensor([[1.0], [2.0, 3.0]])
Tensor(None)
Tensor(1j)
Tensor(T)
Tensor([x, y])
Tensor(np.arange(3))
x + "text"
"text" + x
x + None
x * [1.0]
x ** "text"
x + T
T + x
T + "text"
T + None
T * [1.0, 2.0, 3.0]
T + np.ones(4)
T @ np.ones(4)
T @ 2.0
T[5]
T["a"]
T[T]
T.reshape(2, 2)
T.transpose(1, 0)
T.sum(axis=3)
T.sum(dtype=int)
T.sum(out=np.ones(1))
Tensor(np.zeros((0, 2))).max()
tg.concatenate([T, np.ones((2, 2))])
tg.stack([T, np.ones(2)])
tg.concatenate([])
np.cumsum(T)
np.log10(x)
np.add.reduce(T)
np.linalg.norm(T)
float(x)
int(x)
bool(x)
float(T)
bool(T)
np.asarray(T)
math.exp(x)
x < "text"
x < None
x[0]
len(x)
iter(T.sum())
x.nothing
tg.nothing
x.nothing = 3 | x
tg.sin("text")
tg.sin()
tg.sin(x, y)
tg.add(x)
tg.total(x)
tg.total([])
tg.total([x, "text"])
tg.dot([x], [x, y])
tg.dot([], [])
tg.dot([x], 3)
tg.power("text")
tg.power(x)
tg.power(2)(T)
tg.total([T, T])
tg.binary_cross_entropy(x, "text")
[tg.binary_cross_entropy(0.0, 1.0), tg.binary_cross_entropy(Value(2.0), 1.0), tg.log(Value(-1.0)), Value(0.0) / 0.0]
register("sin", math.sin, lambda out, x: 1.0)
register("not a name", math.sin, lambda out, x: 1.0)
register("fine", 3, lambda out, x: 1.0)
register("fine", math.sin, 3)
tg.draw(3)
tg.draw(J, theme="pink")
tg.draw(J, detail="none")
tg.draw(J, direction="up")
tg.draw(J, notation="dx")
tg.draw(J, number="text")
tg.draw(J, depth=-1)
tg.draw(J, around=z)
tg.draw(J, around=3)
tg.draw(J, around=x, detail="folded")
tg.draw(J, parameters=3)
tg.draw(J, parameters=[3])
tg.draw(J, timeout=0)
tg.draw(J, engine="no-such-engine").svg()
tg.draw(J).save("picture.txt")
tg.draw(J).save("no-such-folder/picture.dot")
tg.tree(3)
tg.tree(J, lines=2)
tg.explain(J, z)
tg.explain(J, "x")
tg.explain(3, x)
tg.diagnose(3)
tg.diagnose(J, [3])
tg.Stepper(3)
tg.Stepper(J, phase="none")
tg.Stepper(J, granularity="none")
tg.Stepper(J, seed="text")
tg.Stepper(J).goto(99)
tg.Stepper(J).find("nothing")
tg.Stepper(J).run_until(3)
tg.Stepper(J).run_until(z)
tg.Stepper(J).delete(1)
steps_of(tg.Stepper(J))[99]
steps_of(tg.Stepper(J))[-1]
steps_of(tg.Stepper(J))[1:3]
tg.Stepper(J).save("page.txt")
tg.Stepper(T * 2.0)
[steps_of(tg.Stepper(x))[0], steps_of(tg.Stepper(x.detach() * 2.0))[:], tg.Stepper(J, phase="forward").final]
tg.Stepper(J).player()
tg.save(3, "never.json")
tg.save([], "never.json")
tg.save([x, 3], "never.json")
tg.save(J, "no-such-folder/graph.json")
tg.load("no-such-file.json")
tg.source(3)
tg.source(T)
tg.source(T.sum())
tg.source(x)
tg.vectorize(3)
tg.vectorize(T.sum())
tg.vectorize(J).where(z)
tg.compile(J, 3)
tg.compile(J, [x, x])
tg.compile(J, [J])
tg.compile(J, [[x], "text"])
tg.compile(J, [[]])
tg.compile(J, [z])(3.0)
tg.compile(J, [x, y])(1.0)
tg.compile(J, [x, y])(1.0, "text")
tg.compile(J, [[x, y]])([1.0, 2.0, 3.0])
tg.compile(J, x)(3)
""".strip().splitlines()

DAMAGES = (
    ("{", "["), ('"mul"', '"no op"'), ('"data":6.0', '"data":7.0'), ('"grad":3.0', '"grad":4.0'),
    ('"data":6.0', '"data":"six"'), ("[1,2]", "[1,9]"), ("[1,2]", "[1]"), ("[1,2]", "1"),
    ('"version": 1', '"version": 99'), ('"roots": 5', '"roots": 77'), ('"roots": 5', '"roots": []'),
    ("2.0,3.0", "2.0,4.0"), ("2.0,3.0", "2.0"), ('"name":"a"', '"name":7'), ("5.0", "NaN"),
    ('"tinygraph graph"', '"other"'), ('"constant":3.0', '"constant":"x"'), ('"mul"', '["power",2.0]'), ('"mul"', "[]"),
    ('"grad":3.0', '"gradient":3.0'), ("\n]}", ""), ('"data":5.0', '"data":{"shape":[2],"elements":[1.0]}'),
    ('"nodes": [', '"nodes": ['  + "[" * 2000), ('"data":2.0', '"data":1e999'), ('"op":"add"', '"op":"dot"'),
)  # fmt: skip


def _names() -> dict[str, Any]:
    """Return the names that expressions can use: new nodes each time."""
    x, y, z, T = Value(2.0, "x"), Value(3.0, "y"), Value(4.0), Tensor([0.0, 1.5, -2.0], "T")
    J, wired = x * tg.sin(y) + x / y, (T.reshape(3, 1) @ T.reshape(1, 3) * T).sum()
    J.name = "J"

    def inside(context: Any, f: Callable[[], Any]) -> Any:
        with context:
            return f()

    modules = {name: importlib.import_module(name) for name in ("copy", "fractions", "functools", "math", "pickle")}
    return modules | {
        "np": np, "tg": tg, "Value": Value, "Tensor": Tensor, "x": x, "y": y, "z": z, "T": T, "J": J, "wired": wired,
        "lines": [], "register": register, "steps_of": steps_of,
        "with_strict": lambda f: inside(tg.strict(), f), "with_scope": lambda s, f: inside(tg.scope(s), f),
        "with_lines": lambda f: inside(tg.trace_lines(), f),
    }  # fmt: skip


def messages() -> Named:
    """Yield the results of functions, and the messages for mistakes and damaged files."""
    root, _ = recorded("J = 3(a + bc)", "after")
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        for k, text in enumerate(EXPRESSIONS):
            yield f"{k}: {text}", f"{text}\n{attempt(_evaluated, text)}"
        path = Path("graph.json")
        good = tg.save(root, path).read_text("utf-8")
        for k, (old, new) in enumerate(DAMAGES):
            path.write_text(good.replace(old, new, 1), "utf-8")
            loaded = [attempt(tg.load, path, **options) for options in ({}, {"verify": True}, {"limit": 10})]
            yield f"damage {k}", "\n".join([f"{old} → {new[:80]}", *loaded])


def _evaluated(text: str) -> str:
    *statements, expression = text.split(" | ")
    names = _names()
    for statement in statements:
        exec(compile(statement, "<statement>", "exec"), names)
    return repr(eval(compile(expression, "<expression>", "eval"), names))


# --- random programs --------------------------------------------------------------------------------

COUNTS = {"Value": 1400, "Tensor": 600}
SHAPES: tuple[tuple[int, ...], ...] = ((), (3,), (2, 3))
SPECIAL = ("0.0", "-0.0", "1.0", "-1.0", "1e-8", "1e-320", "700.0", "1e308", "-1e154", "math.inf", "math.nan")
SAME = ("cos", "cosh", "exp", "expm1", "log", "log1p", "sign", "sin", "sinh", "sqrt", "tan", "tanh")  # NumPy's names
UFUNCS = {"abs": "absolute", "acos": "arccos", "asin": "arcsin", "atan": "arctan", "neg": "negative"}
BOUNDED = ("sin", "cos", "tanh", "sigmoid", "atan", "softplus", "log_sigmoid", "relu")
TAMED = {
    **dict.fromkeys(("log", "sqrt"), ("({0} * {0} + 0.5)", "tg.exp(tg.sin({0}))", "(tg.softplus({0}) + 0.125)")),
    **dict.fromkeys(("asin", "acos"), ("(0.9 * tg.sin({0}))", "(tg.tanh({0}) * 0.75)")),
    **dict.fromkeys(("exp", "expm1", "sinh", "cosh"), ("(2 * tg.sin({0}))", "tg.atan({0})", "(tg.tanh({0}) * 5.0)")),
    "log1p": ("abs({0})", "(tg.sigmoid({0}) - 0.5)"),
    "tan": ("tg.tanh({0})",),
}  # expressions that move an operand into the domain of an op, or keep its result small
MISTAKES = {
    "Value": (
        "{0} + '1'", "None * {0}", "tg.sin('0.5')", "float({0})", "{0} if {0} else 1.0", "tg.total({0})",
        "tg.dot([{0}], [{0}, {0}])", "{0} + Tensor([1.0])", "tg.power({0})", "tg.logaddexp({0})", "np.log10({0})",
        "{0}[0]", "{0} < 'a'", "{0} ** None", "tg.maximum({0}, 1j)", "math.exp({0})", "tg.grad({0}, 3)",
        "Value([1.0])",
    ),
    "Tensor": (
        "{0} @ np.ones(7)", "{0}.reshape(5, 7)", "{0}[99]", "{0} + np.ones(11)", "Value(1.0) * {0}", "{0} @ 2.0",
        "np.cumsum({0})", "{0}.sum(axis=7)", "{0}.transpose(0, 0, 1)", "tg.concatenate([{0}, np.ones((4, 4, 4, 4))])",
        "bool({0})", "{0}[{0}]", "{0}.sum(dtype=int)", "tg.power({0})", "tg.total([{0}, {0}])", "Tensor('a')",
        "{0} * [None]",
    ),
}  # fmt: skip
HEAD = "import math\nimport numpy as np\nimport tinygraph as tg\nfrom tinygraph import Tensor, Value\n"


class ProgramWriter:
    """Writes a random program without running it, so its text does not depend on what a version computes.

    `shapes` has the shape of each variable, the newest last. The root depends on every variable.
    """

    def __init__(self, kind: str, seed: int) -> None:
        self.kind, self.random = kind, random.Random(f"{kind} {seed}")
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.lines: list[str] = []

    def text(self) -> str:
        """Return the program; it ends with `leaves` and `root`."""
        rng = self.random
        leaves = [self._leaf(name) for name in "abcd"[: rng.randint(1, 4)]]
        moves = [self._unary, self._unary, self._infix, self._infix, self._with_number, self._function, self._power]
        moves += [self._branch, self._several if self.kind == "Value" else self._wiring]
        moves += [self._wiring, self._wiring] if self.kind == "Tensor" else []
        for _ in range(rng.choice([rng.randint(1, 8), rng.randint(5, 38)])):
            self._append(*rng.choice(moves)())
        if rng.random() < 0.03:
            self._append(rng.choice(MISTAKES[self.kind]).format(self._operand()), ())
        used = set(re.findall(r"\w+", " ".join(line.partition(" = ")[2] for line in self.lines)))
        ends = [name for name in self.shapes if name not in used and name not in leaves] or leaves
        how = ["{}.sum()", "{}.mean()", "tg.sin({}).sum()"] if self.kind == "Tensor" else ["{}", "{}", "tg.sin({})"]
        self.lines.append(f"root = {' + '.join(rng.choice(how).format(end) for end in ends)}")
        return HEAD + "\n".join([*self.lines, f"leaves = [{', '.join(leaves)}]"])

    def _append(self, text: str, shape: tuple[int, ...]) -> None:
        name = f"t{len(self.shapes)}"
        self.lines.append(f"{name} = {text}")
        self.shapes[name] = shape

    def _leaf(self, name: str) -> str:
        rng = self.random
        self.shapes[name] = rng.choice(SHAPES) if self.kind == "Tensor" else ()
        numbers = self._array(self.shapes[name])
        self.lines.append(f'{name} = {self.kind}({numbers}, "{name}"{", constant=True" * (rng.random() < 0.1)})')
        return name

    def _array(self, shape: tuple[int, ...]) -> str:
        """Return nested lists of numbers; a single number for ()."""
        if shape:
            return f"[{', '.join(self._array(shape[1:]) for _ in range(shape[0]))}]"
        return (
            self.random.choice(SPECIAL) if self.random.random() < 0.02 else repr(round(self.random.gauss(0.0, 1.5), 4))
        )

    def _operand(self, shape: tuple[int, ...] | None = None) -> str:
        """Return a variable, often a recent one, that matches a shape."""
        names = [name for name in self.shapes if shape is None or _broadcast(shape, self.shapes[name]) is not None]
        return self.random.choice(names[-6:] if self.random.random() < 0.7 else names)

    def _number(self, shape: tuple[int, ...] = ()) -> str:
        """Return a plain number of any type, or an array with a shape."""
        rng = self.random
        if shape and rng.random() < 0.4:
            return f"np.array({self._array(shape)})"
        return rng.choice(
            [str(rng.randint(-3, 4)), self._array(()), f"np.float64({self._array(())})", repr(rng.random())]
        )

    def _unary(self) -> tuple[str, tuple[int, ...]]:
        rng, x = self.random, self._operand()
        name = rng.choice(BOUNDED if rng.random() < 0.4 else UNARY)
        shape = self.shapes[x]
        if name in TAMED and rng.random() < 0.9:
            x = rng.choice(TAMED[name]).format(x)
        ways = [f"tg.{name}({x})", f"np.{UFUNCS.get(name, name if name in SAME else 'tanh')}({x})"]
        ways.append(f"-{x}" if name == "neg" else f"{x}.{name}()")
        return rng.choice(ways), shape

    def _infix(self) -> tuple[str, tuple[int, ...]]:
        x = self._operand()
        y = self._operand(self.shapes[x])
        shape = _broadcast(self.shapes[x], self.shapes[y])
        divisors = [
            f"({y} * {y} + 0.5)",
            f"(2.0 + tg.sin({y}))",
            y if self.random.random() < 0.1 else f"tg.exp({y} * 0.125)",
        ]
        text = self.random.choice(["{0} + {1}", "{0} - {1}", "{0} * {1}", "tg.sin({0}) * {1}", "{0} / {2}"])
        return text.format(x, y, self.random.choice(divisors)), shape or ()

    def _with_number(self) -> tuple[str, tuple[int, ...]]:
        x = self._operand()
        number = self._number(self.shapes[x])
        forms = ["{0} + {1}", "{1} + {0}", "{0} - {1}", "{1} - {0}", "{0} * {1}", "{1} * {0}", "{0} / {1}", "{1} / {0}"]
        form = self.random.choice([*forms, "tg.maximum({0}, {1})", "tg.squared_error({1}, {0})"])
        return form.format(x, f"({number})" if number.startswith("-") else number), self.shapes[x]

    def _function(self) -> tuple[str, tuple[int, ...]]:
        rng, x = self.random, self._operand()
        y, name = self._operand(self.shapes[x]), rng.choice(BINARY)
        shape = _broadcast(self.shapes[x], self.shapes[y]) or ()
        label = rng.choice(["0", "1.0", "0.25", f"tg.sigmoid({y})"])
        special = {
            "binary_cross_entropy": (f"tg.sigmoid({x})", label),
            "binary_cross_entropy_with_logits": (x, label),
            "div": (x, f"({y} * {y} + 0.25)"),
            "pow": (f"({x} * {x} + 0.5)", f"tg.tanh({y})"),
        }
        left, right = special.get(name, (x, y)) if rng.random() < 0.95 else (x, y)
        used = shape if any(y in part for part in (left, right)) else self.shapes[x]
        return f"tg.{name}({left}, {right})", used

    def _power(self) -> tuple[str, tuple[int, ...]]:
        rng, x = self.random, self._operand()
        c = rng.choice(["2", "3", "-1", "2.0", "0", "1", "0.5", "-1.5", "2.5", "7"])
        base = f"tg.sin({x})" if c == "7" else f"({x} * {x} + 0.5)" if c.startswith("-") or "5" in c else x
        text = rng.choice([f"{base} ** {c}", f"tg.pow({base}, {c})", f"tg.power({c})({base})", f"1.5 ** tg.tanh({x})"])
        return text, self.shapes[x]

    def _branch(self) -> tuple[str, tuple[int, ...]]:
        rng, x = self.random, self._operand()
        other = rng.choice([self._operand(self.shapes[x]), self._array(()), str(rng.randint(-1, 1))])
        sign = rng.choice(["<", "<=", ">", ">="])
        asked = (
            f"{x} {sign} {other}" if self.kind == "Value" else f"({x} {sign} {other}).{rng.choice(['all', 'any'])}()"
        )
        if rng.random() < 0.3:
            return f"{x}.detach() * {x} if {asked} else abs({x})", self.shapes[x]
        return f"{x} * {x} if {asked} else {rng.choice(['-', '2 - ', '+'])}{x}", self.shapes[x]

    def _several(self) -> tuple[str, tuple[int, ...]]:
        rng = self.random
        terms = [self._operand() if rng.random() < 0.8 else self._number() for _ in range(rng.randint(1, 5))]
        if rng.random() < 0.5:
            return rng.choice(["tg.total([{}])", "tg.total([{}, 1])", "sum([{}])"]).format(", ".join(terms)), ()
        weights = [self._operand() if rng.random() < 0.4 else self._number() for _ in terms]
        return f"tg.dot([{', '.join(terms)}], [{', '.join(weights)}])", ()

    def _wiring(self) -> tuple[str, tuple[int, ...]]:
        rng, x = self.random, self._operand()
        text = rng.choice(self._ways(self.shapes[x]))
        # NumPy can run the same text, which gives the shape.
        shape = np.shape(eval(text.format("x"), {"np": np, "x": np.zeros(self.shapes[x])}))
        if math.prod(shape) > 60:  # the sum keeps arrays from growing step by step
            return f"{x}.sum()", ()
        if text.startswith(("np.concatenate", "np.stack")) and rng.random() < 0.5:
            text = text.replace("np.", "tg.", 1)
        return text.format(x), shape

    def _ways(self, shape: tuple[int, ...]) -> list[str]:
        """Return the ops that an array with this shape allows."""
        rank = len(shape)
        ways = ["{0}.reshape(-1)", "{0}.reshape((1, -1))", "{0}.T", "{0}.sum()", "np.mean({0})", "{0}[None]",
                "{0}[...]",
                "np.concatenate([{0}.reshape(-1), np.array([0.5, -2.0])])", "np.stack([{0}, {0} * 2.0])",
                f"np.broadcast_to({{0}}, {(2, *shape)})"]  # fmt: skip
        if rank:
            axis = self.random.randrange(-rank, rank)
            ways += [f"{{0}}.{how}(axis={axis})" for how in ("sum", "mean", "max", "min")]
            ways += [f"{{0}}.{how}(axis={axis}, keepdims=True)" for how in ("sum", "mean", "max", "min")]
            ways += ["{0}[0]", "{0}[-1:]", "{0}[::-1]", "{0}[..., 0]", "{0}[[0, 0]]", "{0}.max()"]
            ways += [f"np.concatenate([{{0}}, {{0}} + 1.0], axis={axis})", f"np.stack([{{0}}, {{0}}], axis={axis})"]
            ways.append(f"{{0}} @ np.array({self._array((shape[-1], 2))})")
        if rank in (1, 2):
            ways += ["{0} @ {0}.T", "np.dot({0}.T, {0})"]
        if rank > 1:
            ways += ["{0}.transpose()", "{0}.sum(axis=(0, 1))", "{0}[0, ..., [0, -1]]", "{0}.mean(axis=(-1, 0))"]
        return ways


def _broadcast(x: tuple[int, ...], y: tuple[int, ...]) -> tuple[int, ...] | None:
    """Return the broadcast shape of both, or None if they do not match."""
    try:
        return np.broadcast_shapes(x, y)
    except ValueError:
        return None


def random_programs() -> Named:
    """Yield random programs with all their results."""
    for kind, count in COUNTS.items():
        for k in range(count):
            text = ProgramWriter(kind, k).text()
            yield f"of {kind}s {k}", f"{text}{BITS}{attempt(_outcome, text, k)}"


def _outcome(text: str, k: int) -> str:
    """Return the value of the root and its gradients, for some programs also second derivatives, edits and files."""
    names = run(text)
    root, leaves = names["root"], names["leaves"]
    told = [bits(root), attempt(_gradients, root, leaves), attempt(lambda: bits(tg.grad(root, leaves)))]
    if k % 3 == 0:
        told.append(attempt(_second, root, leaves))
    if k % 10 == 1:
        told.append(
            attempt(
                lambda: bits([tg.hessian(root, leaves), tg.jvp(root, {x: np.ones(np.shape(x.data)) for x in leaves})])
            )
        )
    if k % 4 == 1:
        told.append(attempt(_gradients, root, leaves, seed=0.75, accumulate=True))
    if k % 10 == 2 and isinstance(root, Value):
        told += [attempt(_source, root), attempt(_compiled, root, leaves)]
    if k % 20 == 3:
        told.append(attempt(_file, root))
    if k % 5 == 4:
        leaves[0].data = leaves[0].data + 0.125
        told += [attempt(root.backward), attempt(lambda: bits(root.forward())), attempt(_gradients, root, leaves)]
    return "\n".join(told)


def _gradients(root: Any, leaves: list[Any], **options: Any) -> str:
    root.backward(**options)
    return bits([leaf.grad for leaf in leaves])


def _second(root: Any, leaves: list[Any]) -> str:
    """Return the first derivatives as nodes, and the gradients of the sum of their squares."""
    first = tg.grad(root, leaves, create_graph=True)
    squares: list[Any] = [slope * slope if isinstance(slope, Value) else (slope * slope).sum() for slope in first]
    return f"{bits(first)} {bits(tg.grad(sum(squares[1:], squares[0]), leaves))}"


# --- records ----------------------------------------------------------------------------------------

KINDS: dict[str, Callable[[], Named]] = {
    "drawing": drawings,
    "page": pages,
    "tree": trees,
    "explanation": explanations,
    "diagnosis": diagnoses,
    "steps": steps,
    "saved graph": saved,
    "source": sources,
    "message": messages,
    "program": random_programs,
}


def record(path: Path) -> None:
    """Write the behavior of this version into a file, and print the number of entries."""
    start, texts, counts = time.perf_counter(), {}, Counter[str]()
    for kind, make in KINDS.items():
        for name, text in _with_warnings(make()):
            texts[f"{kind}: {name}"] = text
            counts[kind] += 1
    said = {"format": FORMAT, "made with": _made_with(), "texts": {name: _packed(text) for name, text in texts.items()}}
    path.write_text(json.dumps(said, indent=0), "utf-8")
    print(f"tinygraph in {Path(tg.__file__ or '').parent}")
    for kind, count in counts.items():
        raised = sum(name.startswith(f"{kind}: ") and text.startswith("raised ") for name, text in texts.items())
        print(f"{count:>6,}  {kind}" + (f", {raised} of them nothing but an error" if raised else ""))
    if sum(counts.values()) != len(texts):
        raise SystemExit("two entries have the same name, so one of them is lost")
    print(f"{len(texts):,} entries in {path}, {time.perf_counter() - start:.0f} s")


def _with_warnings(entries: Named) -> Named:
    """Yield the entries, each with the warnings that it caused: a new warning is a difference."""
    while True:
        with warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always")
            found = next(entries, None)
        if found is None:
            return
        yield found[0], "\n".join([found[1], *[f"warned {x.category.__name__}: {x.message}" for x in heard]])


def _made_with() -> dict[str, str]:
    """Return the versions that the texts depend on."""
    program = shutil.which("dot")
    dot = subprocess.run([program, "-V"], capture_output=True, text=True, check=False).stderr.strip() if program else ""
    return {
        "Python": platform.python_version(),
        "NumPy": np.__version__,
        "Graphviz": dot,
        "machine": platform.machine(),
    }


def _packed(text: str) -> str:
    return base64.b64encode(zlib.compress(text.encode("utf-8", "surrogatepass"))).decode("ascii")


def _unpacked(text: str) -> str:
    return zlib.decompress(base64.b64decode(text)).decode("utf-8", "surrogatepass")


def read(path: Path) -> tuple[dict[str, str], dict[str, str]]:
    """Return the texts of a record by name, and the versions that it was made with."""
    said = json.loads(path.read_text("utf-8"))
    if said.get("format") != FORMAT:
        raise SystemExit(f"{path} is no record of this script: record it again")
    return {name: _unpacked(text) for name, text in said["texts"].items()}, said["made with"]


def renames(path: Path | None) -> list[tuple[re.Pattern[str], str]]:
    """Return the intended renamings from a file with one regular expression and its replacement per line."""
    found = []
    for number, line in enumerate(path.read_text("utf-8").splitlines() if path else [], 1):
        if line.strip() and not line.startswith("#"):
            parts = line.split(maxsplit=1)
            if len(parts) != 2:
                raise SystemExit(f"{path}, line {number}: `old new` is expected, not {line!r}")
            found.append((re.compile(parts[0]), parts[1].rstrip()))
    return found


# --- comparing --------------------------------------------------------------------------------------


def compare(before: Path, after: Path, renamed: Path | None = None) -> bool:
    """Print the missing and the different entries of two records; return whether the records are the same."""
    (old, made_before), (new, made_after) = read(before), read(after)
    for pattern, replacement in renames(renamed):
        old = {name: pattern.sub(replacement, text) for name, text in old.items()}
    print(f"{len(old):,} entries before, {len(new):,} after")
    for what, version in made_before.items():
        if made_after[what] != version:
            print(f"note: {what} was {version!r} before, and is {made_after[what]!r} after")
    missing, added = [name for name in old if name not in new], [name for name in new if name not in old]
    different = [name for name in old if name in new and old[name] != new[name]]
    for title, names in (("missing after", missing), ("new after", added)):
        for name in names:
            print(f"{title}: {name}")
    for name in different:
        print(f"\ndifferent: {name}")
        for line in difference(old[name], new[name]):
            print(f"    {line}")
    kinds = Counter(name.partition(":")[0] for name in different)
    print(
        f"\n{len(missing)} missing, {len(added)} new, {len(different)} different",
        *[f"{n} {k}" for k, n in kinds.items()],
        sep=", ",
    )
    return not (missing or added or different)


def difference(old: str, new: str) -> list[str]:
    """Return a shortened unified diff; if a random program is the same, it comes first."""
    (program, _, numbers), (same, _, others) = old.partition(BITS), new.partition(BITS)
    shown = []
    if numbers and program == same:
        shown, old, new = [*program.splitlines(), BITS.strip()], numbers, others
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), "before", "after", lineterm="", n=2)
    found = list(islice(lines, SHOWN + 1)) or ["(only the ends of lines differ)"]
    return [*shown, *found[:SHOWN], *["..."] * (len(found) > SHOWN)]


def main(arguments: list[str] | None = None) -> int:
    """Run the command, and return its exit code."""
    parser = argparse.ArgumentParser(prog="compare_versions", description="Record what tinygraph does, and compare.")
    commands = parser.add_subparsers(dest="command", required=True)
    recording = commands.add_parser("record", help="write a record of the tinygraph that is imported")
    recording.add_argument("path", type=Path)
    comparing = commands.add_parser("compare", help="print what differs between two records")
    comparing.add_argument("before", type=Path)
    comparing.add_argument("after", type=Path)
    comparing.add_argument("--renamed", type=Path, help="a file of lines `old new`, applied to the texts of before")
    options = parser.parse_args(arguments)
    if options.command == "record":
        record(options.path)
        return 0
    return 0 if compare(options.before, options.after, options.renamed) else 1


if __name__ == "__main__":
    sys.exit(main())
