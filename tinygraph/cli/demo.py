"""`tinygraph demo`: backpropagation on the lecture's graph, loops and vectors, and logistic regression on real data."""

from __future__ import annotations

import argparse
import contextlib
import random
from pathlib import Path

from tinygraph.checking.comparison import check_grad
from tinygraph.checking.numeric import NUDGE, numeric_grad
from tinygraph.cli.fit import SavedModel, save_model, train
from tinygraph.datasets import Scaler, load_breast_cancer
from tinygraph.drawing import draw
from tinygraph.drawing.layout_engines import EngineNotFoundError
from tinygraph.engine.contexts import name_from
from tinygraph.engine.graph import order
from tinygraph.engine.value import Value
from tinygraph.explaining import notation
from tinygraph.logistic.comparison import compare_implementations, report, vectorize_loops
from tinygraph.logistic.costs import no_loop, two_loops
from tinygraph.logistic.model import LogisticRegression
from tinygraph.stepping.stepper import Stepper
from tinygraph.support.files import check_writable
from tinygraph.support.terminal import echo, percentage
from tinygraph.tensor.tensor import Tensor


def add_demo(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments of `tinygraph demo`.

    Args:
        parser: Parser of the subcommand.
    """
    parser.description = (
        "Show backpropagation on the lecture's graph J = 3(a + bc), one line per step. Then compute the cost of "
        "logistic regression with two loops, one loop and no loops, and train a model on the Breast Cancer Wisconsin "
        "data set. Write the trained model, and diagrams of the graphs, to a folder. The demo takes 10 to 20 seconds."
    )
    out = "output folder (default: %(default)s)"
    parser.add_argument("--out", metavar="FOLDER", type=Path, default=Path("tinygraph-demo"), help=out)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> None:
    demo(options.out)


def demo(folder: Path, iterations: int = 60, m: int = 10_000) -> None:
    """Run all parts of the demo, and write the diagrams and the trained model.

    Args:
        folder: Output folder. If the folder does not exist, it is created.
        iterations: Number of iterations of gradient descent on the Breast Cancer Wisconsin data set. Defaults to 60.
        m: Number of random examples on which the implementations are timed. Defaults to 10,000.

    Raises:
        OSError: If the folder cannot be written to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "breast_cancer_model.json"
    check_writable(path)
    J = show_backpropagation()
    echo()
    draw_graphs(J, folder)
    echo()
    show_implementations(m)
    echo()
    save_model(path, train_on_real_data(iterations))
    echo()
    show_next(folder)


def show_next(folder: Path) -> None:
    """Print what to open next: the files in the output folder, and commands to try.

    Args:
        folder: Output folder.
    """
    files = {
        "J.html": "step through backpropagation in a browser",
        "J.svg": "the graph of J, with its derivatives",
        "J.dot": "the graph of J as DOT text",
    }
    echo("What to open next")
    for name, purpose in files.items():
        if (folder / name).exists():
            echo(f"  {(folder / name).resolve()}: {purpose}")
    for command, purpose in {
        'tinygraph step "u = b*c; v = a + u; J = 3*v" a=5 b=3 c=2': "the same steps in the terminal",
        'tinygraph draw "L = -ln(σ(w*x + b))" w=1 x=2 b=-3': "the graph of another formula",
    }.items():
        echo(f"  {command}: {purpose}")


def show_backpropagation() -> Value:
    """Print the forward and the backward pass of J = 3(a + bc), and the derivatives by forward differences.

    Returns:
        The root J of the graph, after the backward pass.
    """
    a, b, c = Value(5.0), Value(3.0), Value(2.0)
    u = b * c
    v = a + u
    J = 3.0 * v
    name_from(locals())

    echo("The computation graph of J = 3(a + bc), at a = 5, b = 3, c = 2")
    echo("\nForward, from the inputs to J:")
    for node in reversed(order(J)):
        if node.op is not None:
            numbers = node.op.text(*[f"{x:g}" for x in node.numbers])
            echo(f"  {notation.headline(node)} = {numbers} = {node.raw:g}")

    echo("\nBackward, from J to the inputs, one contribution per line:")
    for step in Stepper(J):
        echo(f"  {step.equation}")

    echo(f"\nTo get the same derivatives without calculus, nudge one input by {NUDGE}, and see how much J changes:")
    J.backward()
    partials = numeric_grad(lambda a, b, c: 3.0 * (a + b * c), [5.0, 3.0, 2.0], method="two-point")
    for leaf, local in zip((a, b, c), partials, strict=True):
        nudged = f"{leaf.name}: {leaf.data:g} → {leaf.data + NUDGE:g}, J: {J.data:g} → {J.data + local * NUDGE:.6g}"
        echo(f"  {nudged}, so dJ/d{leaf.name} = {local:.3f} (backward: {leaf.grad:g})")
    return J


def draw_graphs(J: Value, folder: Path) -> None:
    """Write a diagram and a player of J, and two diagrams of one example's cost: with scalars and with Tensors.

    Args:
        J: Root of the graph, after the backward pass.
        folder: Output folder.
    """
    echo("Diagrams of the graphs: blue arrows forward, red arrows backward")
    x, y, w, b = [1.0, 2.0], 1.0, [0.5, -0.25], 0.1
    weights, bias = [Value(w_j, f"w{j + 1}") for j, w_j in enumerate(w)], Value(b, "b")
    column, row = Tensor([[w_j] for w_j in w], "w"), Tensor(b, "b")
    X, Y = Tensor([[x_j] for x_j in x], "X", constant=True), Tensor([[y]], "Y", constant=True)
    graphs: dict[str, tuple[Value | Tensor, str, list[Value | Tensor]]] = {
        "J": (J, "J = 3(a + bc)", []),
        "one_example_scalar": (two_loops(weights, bias, [x], [y]), "one example, y = 1: two loops", [*weights, bias]),
        "one_example_tensor": (no_loop(column, row, X, Y), "one example, y = 1: no loop", [column, row]),
    }
    for name, (root, title, parameters) in graphs.items():
        root.backward()
        drawing = draw(root, title=title, parameters=parameters, theme="auto")
        try:
            path = drawing.save(folder / f"{name}.svg")
        except EngineNotFoundError:
            path = drawing.save(folder / f"{name}.dot")
            echo(f"  wrote {path.resolve()}: DOT text, because Graphviz is not installed (see `tinygraph doctor`)")
        else:
            echo(f"  wrote {path.resolve()}")
    with contextlib.suppress(EngineNotFoundError):
        page = Stepper(J, phase="both").save(folder / "J.html")
        echo(f"  wrote {page.resolve()}: step through it in a browser")


def show_implementations(m: int, n: int = 20) -> None:
    """Compute a cost and its gradient with two loops, one loop, no loops and vectorized loops, and print the times.

    Args:
        m: Number of examples.
        n: Number of features. Defaults to 20.
    """
    echo(f"From two loops to no loops: J = mean cross-entropy of σ(z), for m = {m:,} examples of n = {n} features")
    draw = random.Random(0)
    X = [[draw.gauss(0.0, 1.0) for _ in range(n)] for _ in range(m)]
    Y = [float(draw.random() < 0.5) for _ in range(m)]
    for line in report(compare_implementations(X, Y, [0.01 * j for j in range(n)], 0.1)):
        echo(f"  {line}")
    echo(f"  (With one loop, an array of {n} numbers is too short to make up for the overhead of a NumPy call.)")
    echo("\nAutomatic vectorization of the scalar graph of the two loops")
    with percentage("vectorizing") as on_progress:
        text, lines = vectorize_loops(
            X, Y, [0.01 * j for j in range(n)], 0.1, tell=lambda text: echo(f"  {text} ..."), on_progress=on_progress
        )
    echo("  The graph became this program:")
    for line in text.splitlines():
        echo(f"    {line}".rstrip())
    for line in lines:
        echo(f"  {line}")


def train_on_real_data(iterations: int) -> SavedModel:
    """Train logistic regression, without a loop over examples, on the Breast Cancer Wisconsin data set.

    Args:
        iterations: Number of iterations of gradient descent.

    Returns:
        The model as plain data.
    """
    table = load_breast_cancer()
    echo("Logistic regression on real data: Z = np.dot(w.T, X) + b, A = σ(Z), J = mean cross-entropy")
    echo(f"  {table.source} ({table.license})")

    X, Y = Scaler.fit(table.X).transform(table.X[:20]), table.y[:20]
    check = check_grad(lambda w, b: two_loops(w, b, X, Y), [0.01 * j for j in range(len(X[0]))], 0.1)
    verdict = "the two methods agree" if check else "THE TWO METHODS DO NOT AGREE"
    worst = max(entry.error for entry in check.inputs)
    echo(f"  compared backpropagation with the complex step, for {len(check.inputs)} derivatives on {len(X)} examples")
    echo(f"  {verdict}; the largest difference is {worst:.1e}")
    return train(table, LogisticRegression(loss="cross_entropy", learning_rate=1.0, iterations=iterations, tol=None))
