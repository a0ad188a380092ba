"""Draw ten slides of a lecture about backpropagation that you can read from the back row: 1920 × 1080, light and dark.

    python examples/lecture_slides.py [FOLDER]

The script writes each slide as two .svg files and two .png files, or as .dot files if no layout engine is installed.
For each slide, it prints the size of the smallest text.
"""

import random
import re
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from pathlib import Path

import numpy as np

import tinygraph
from tinygraph import Stepper, Tensor, Value, draw, name_from, scope
from tinygraph.drawing import EngineNotFoundError
from tinygraph.logistic import no_loop, two_loops

SLIDE = {"width": 1920, "height": 1080}
BRAND = {
    "light": {
        "forward": "#00457c",
        "backward": "#a4343a",
        "input": ("#e5eef7", "#00457c"),
        "output": ("#fff1c9", "#a86b00"),
    },
    "dark": {
        "forward": "#8ec7ff",
        "backward": "#ffb3a7",
        "input": ("#0b2a45", "#8ec7ff"),
        "output": ("#3a2f10", "#f0c75e"),
    },
}


def computation_graph():
    """Return J = 3(a + bc), computed in three steps, after its backward pass."""
    a, b, c = Value(5), Value(3), Value(2)
    u = b * c
    v = a + u
    J = 3 * v
    name_from(locals())
    J.backward()
    return J


def one_neuron():
    """Return the loss of logistic regression with two features and one example, and its parameters."""
    x1, x2 = Value(1), Value(2)
    w1, w2, b = Value(0.5), Value(-0.25), Value(0.1)
    z = tinygraph.dot([w1, w2], [x1, x2]) + b
    a = tinygraph.sigmoid(z)
    L = tinygraph.binary_cross_entropy(a, 1.0)
    name_from(locals())
    L.backward()
    return L, [w1, w2, b]


def network():
    """Return the loss of a network with two inputs, three hidden units and one output, and its parameters."""
    number = random.Random(1).gauss
    x = [Value(1.0, "x1"), Value(-0.5, "x2")]
    hidden, parameters = [], []
    for j in range(1, 4):
        w = [Value(round(number(0, 1), 1), f"w{j}{i}") for i in (1, 2)]
        b = Value(0.1, f"b{j}")
        a = tinygraph.tanh(tinygraph.dot(w, x) + b)
        a.name = f"a{j}"
        hidden.append(a)
        parameters += [*w, b]
    v = [Value(round(number(0, 1), 1), f"v{j}") for j in range(1, 4)]
    yhat = tinygraph.sigmoid(tinygraph.dot(v, hidden))
    yhat.name = "ŷ"
    L = tinygraph.binary_cross_entropy(yhat, 1.0)
    L.name = "L"
    L.backward()
    return L, [*parameters, *v]


def fan_out():
    """Return a node that uses x three times."""
    x = Value(2)
    p, q = x * x, 3 * x
    s = p + q
    name_from(locals())
    s.backward()
    return s


def examples(m=1000, n=20):
    """Return random examples, one per row, and labels."""
    number = random.Random(0).gauss
    return [[number(0, 1) for _ in range(n)] for _ in range(m)], [float(i % 2) for i in range(m)]


def loops():
    """Return the cost over 1000 examples with 20 features, computed with two loops, and its parameters."""
    X, Y = examples()
    w, b = [Value(0.1 * j, f"w{j + 1}") for j in range(len(X[0]))], Value(0.1, "b")
    J = two_loops(w, b, X, Y)
    J.backward()
    return J, [*w, b]


def vectorized():
    """Return the same cost, computed without loops, and its parameters."""
    rows, labels = examples()
    w, b = Tensor([[0.1 * j] for j in range(len(rows[0]))], "w"), Tensor(0.1, "b")
    X, Y = Tensor(np.array(rows).T, "X", constant=True), Tensor([labels], "Y", constant=True)
    J = no_loop(w, b, X, Y)
    J.backward()
    return J, [w, b]


def in_scopes():
    """Return a neuron whose parts are in scopes, and its parameters."""
    x, w, b = Value(2.0, "x"), Value(-0.4, "w"), Value(0.1, "b")
    with scope("linear"):
        z = w * x + b
    with scope("activation"):
        a = tinygraph.tanh(z)
    name_from(locals())
    a.backward()
    return a, [w, b]


def slides(theme):
    """Yield the name and the drawing of each slide that shows one diagram."""
    small = {"compact": True, "theme": theme, **SLIDE}  # fewer words in each box leave room for larger text
    large = {"theme": theme, **SLIDE}
    J, s = computation_graph(), fan_out()
    yield "01-forward", draw(J, title="J = 3(a + bc): the forward pass", backward=False, **large)
    yield "02-both", draw(J, title="J = 3(a + bc): both passes", **large)
    L, weights = one_neuron()
    yield "04-neuron", draw(L, parameters=weights, title="One neuron, one example (y = 1)", detail="full", **small)
    L, weights = network()
    yield "05-network", draw(L, parameters=weights, title="A network 2-3-1", font_size=18, **small)
    yield "06-fan-out", draw(s, title="x is used three times, so its gradient is a sum", **large)
    cost, weights = loops()
    yield "07-loops", draw(cost, parameters=weights, title="Two loops over 1000 examples", direction="TB", **small)
    cost, weights = vectorized()
    yield "08-vectorized", draw(cost, parameters=weights, title="The same, vectorized", direction="TB", **small)
    a, weights = in_scopes()
    yield "09-top-to-bottom", draw(a, parameters=weights, title="From top to bottom", direction="TB", **large)
    colors = BRAND[theme] | {"base": theme}
    yield "10-brand", draw(J, title="J = 3(a + bc) in the colors of the university", **large | {"theme": colors})


def smallest_text(svg):
    """Return the size of the smallest text of an SVG element, in pixels."""
    tag = re.search(r"<svg[^>]*>", svg)[0]
    width, box = re.search(r'\bwidth="([\d.]+)', tag)[1], re.search(r'viewBox="\S+ \S+ (\S+) ', tag)[1]
    return min(map(float, re.findall(r'font-size="([\d.]+)', svg))) * float(width) / float(box)


def save(drawing, path):
    """Write a drawing as .svg and .png, or as .dot if no layout engine is installed, and print the names."""
    try:
        names = [drawing.save(path.with_suffix(suffix)).name for suffix in (".svg", ".png")]
    except EngineNotFoundError:
        print(drawing.save(path.with_suffix(".dot")).name)
    else:
        print(f"{', '.join(names)}: smallest text {smallest_text(drawing.svg()):.0f} px")


def save_frames(folder, theme):
    """Write one .svg file per step of J, all from one layout, and print the names."""
    stepper = Stepper(computation_graph(), phase="both")
    try:
        stepper.save(folder / f"03-frame-{{}}-{theme}.svg", theme=theme, **SLIDE)
    except EngineNotFoundError:
        return
    for path in sorted(folder.glob(f"03-frame-*-{theme}.svg")):
        print(f"{path.name}: smallest text {smallest_text(path.read_text(encoding='utf-8')):.0f} px")


def main(folder: Path) -> None:
    """Draw all slides."""
    folder.mkdir(parents=True, exist_ok=True)
    for theme in ("light", "dark"):
        for name, drawing in slides(theme):
            save(drawing, folder / f"{name}-{theme}")
        save_frames(folder, theme)


if __name__ == "__main__":
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=".", help="where to write the files (default: here)")
    main(parser.parse_args().folder)
