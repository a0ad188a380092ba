"""The examples in the menu of the playground: graphs of the lecture, each as an expression or as a program."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Example:
    """An entry of the menu."""

    title: str
    mode: str  # "expression" or "python"
    text: str
    numbers: dict[str, float] = field(default_factory=dict)
    page: str = ""  # page of the documentation that explains it, without ".html"


EXAMPLES: tuple[Example, ...] = (
    Example(
        "The graph of the lecture: J = 3(a + bc)",
        "expression",
        "u = b*c\nv = a + u\nJ = 3*v",
        {"a": 5.0, "b": 3.0, "c": 2.0},
        "lecture/derivatives-on-the-graph",
    ),
    Example("A variable that is used twice: J = bc + 4b", "expression", "J = b*c + 4*b", {"b": 3.0, "c": 2.0}),
    Example("A power: J = a³", "expression", "J = a**3", {"a": 2.0}, "lecture/more-derivatives"),
    Example("A logarithm: J = log a", "expression", "J = log(a)", {"a": 2.0}, "lecture/more-derivatives"),
    Example(
        "A square of a sum: J = (pq + r)²",
        "expression",
        "s = p*q\nt = s + r\nJ = t**2",
        {"p": 2.0, "q": -1.0, "r": 4.0},
        "teachers",
    ),
    Example(
        "One neuron and its loss",
        "expression",
        "z = w_1*x_1 + w_2*x_2 + b\na = σ(z)\nL = -(y*log(a) + (1 - y)*log(1 - a))",
        {"w_1": 0.5, "x_1": 1.0, "w_2": -0.5, "x_2": 2.0, "b": 0.1, "y": 1.0},
        "lecture/logistic-regression-gradient-descent",
    ),
    Example(
        "The same loss as one op",
        "python",
        "w, b = Value(0.5), Value(-1)\n"
        "x, y = 2.0, 1.0\n"
        "z = w * x + b\n"
        "a = sigmoid(z)\n"
        "L = binary_cross_entropy(a, y)\n",
        page="lecture/loss-and-cost",
    ),
    Example(
        "The cost of two examples, with a loop",
        "python",
        "X, Y = [1.0, -2.0], [1.0, 0.0]\n"
        "w, b = Value(0.5), Value(0.1)\n"
        "losses = []\n"
        "for x, y in zip(X, Y):\n"
        "    a = sigmoid(w * x + b)\n"
        "    losses.append(binary_cross_entropy(a, y))\n"
        "J = total(losses) / len(X)\n",
        page="lecture/m-examples",
    ),
    Example(
        "Gradient descent on one example",
        "python",
        "w, b = Value(0.5), Value(-1)\n"
        "\n"
        "def loss():\n"
        "    return binary_cross_entropy(sigmoid(w * 2.0 + b), 1.0)\n"
        "\n"
        "for iteration in range(5):\n"
        "    L = loss()\n"
        "    L.backward()\n"
        '    print(f"iteration {iteration}: loss {L.data:.4f}")\n'
        "    for p in (w, b):\n"
        "        p.data -= 0.5 * p.grad\n"
        "L = loss()\n",
        page="lecture/gradient-descent",
    ),
    Example(
        "Two layers",
        "python",
        "x = Value(0.5)\n"
        "w1, b1 = Value(1.5), Value(-0.3)\n"
        "w2, b2 = Value(-2), Value(0.4)\n"
        "h = tanh(w1 * x + b1)\n"
        "a = sigmoid(w2 * h + b2)\n"
        "L = squared_error(a, 1.0)\n",
        page="tutorial",
    ),
    Example("The trap: x·x is not x·y", "expression", "J = x*x", {"x": 3.0}, "lab"),
    Example("A gradient that vanishes", "expression", "z = w*x\na = σ(z)\nL = (a - 1)**2", {"w": -6.0, "x": 2.0}),
)
