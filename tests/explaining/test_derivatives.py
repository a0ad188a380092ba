"""Every formula that is shown is right: the text is read back and evaluated, and compared with the computed number."""

import ast
import math
import random
import re
from pathlib import Path

import numpy as np
import pytest
from mpmath import mpf

import tinygraph
from tests.oracles.textbook import evaluated
from tinygraph import Stepper, Tensor, Value, explain
from tinygraph.drawing.arrows import Style
from tinygraph.drawing.diagram import diagram
from tinygraph.engine import ops
from tinygraph.engine.more_ops import activations, circles, powers, special
from tinygraph.engine.op import TABLE
from tinygraph.explaining import notation
from tinygraph.explaining.textbook.derivatives import formula
from tinygraph.explaining.walk import Walk
from tinygraph.tensor.indexing import scatter_add
from tinygraph.tensor.more_ops.masks import fill_nan
from tinygraph.tensor.more_ops.matrices import matrix_op
from tinygraph.tensor.more_ops.roots import root
from tinygraph.tensor.more_ops.softmax import cross_entropy_over

PARAMETRIZED = [
    *[ops.power(c) for c in (3.0, 2.0, 1.0, 0.0, -1.0, -2.0, 0.5, -2.5, 0.3, 120.0)],
    *[ops.power_partial(c, n) for c in (3.0, 2.0, 1.0, 0.0, -1.0, 0.5, -2.5) for n in (1, 2, 3)],
    *[ops.pow_partial(n, k) for n, k in ((1, 0), (0, 1), (1, 1), (2, 0), (0, 2), (2, 1))],
    *[make(n) for make in (ops.cosine_power, ops.div_partial, ops.binary_cross_entropy_partial) for n in (1, 2, 3, 4)],
    *[make(n) for make in (ops.odds_power, ops.binary_cross_entropy_partial_of_logit) for n in (1, 2, 3)],
    *[make(n) for make in (powers.cbrt_derivative, powers.exp2_derivative) for n in (1, 2, 3)],
    *[
        make(n)
        for make in (special.erf_partial, special.gelu_partial, special.sinc_partial, special.polygamma)
        for n in (1, 2, 4)
    ],
    *[circles.plane_power(*jkm) for jkm in ((1, 0, 1), (0, 1, 2), (0, 2, 3), (2, 1, 5), (1, 1, 4))],
    *[
        activations.leaky_relu_of(0.01),
        activations.elu_of(1.0),
        activations.elu_of(0.7),
        activations.huber_of(1.0),
        activations.huber_of(0.3),
    ],
]
OPS = {op.name + str(op.parameters): op for op in (*TABLE.values(), *PARAMETRIZED)}
ELEMENTWISE = {name: op for name, op in OPS.items() if not op.variadic}
LIMIT = mpf("1e-9")


def points(op, count=6):
    """Return random points in the domain of an op, near 0 and apart from kinks."""
    rng, found = random.Random(op.name), []
    while len(found) < count:
        box = rng.choice(op.domain.boxes)
        box = box * op.arity if len(box) < op.arity else box
        point = [
            float(rng.randint(-3, 3)) if len(ends) == 3 else rng.uniform(max(ends[0], -2.5), min(ends[1], 2.5))
            for ends in box[: op.arity]
        ]
        point = [round(x, 3) for x in point]
        if op.domain.contains(*point):
            found.append(point)
    return found


def assert_equal(text, names, expected, what):
    for value in evaluated(text, names):
        assert abs(value - expected) <= LIMIT * max(1, abs(value)), f"{what}: {text} = {value}, but it is {expected}"


def nodes_of(point, kind):
    """Return the operands of an op in the given form, and the values of the names in it."""
    leaves = [Value(x, name) for x, name in zip(point, "gh", strict=False)]
    names = {leaf.name: leaf.data for leaf in leaves}
    if kind == "named":
        return leaves, names
    if kind == "literal":
        return [leaves[0], *point[1:]], {"g": point[0]}
    if kind == "clash":  # the names of the operands are the letters of other operands
        for leaf, letter in zip(leaves, "yx", strict=False):
            leaf.name = letter
        return leaves, {leaf.name: leaf.data for leaf in leaves}
    first = Value(point[0] + 0.5, "p") + Value(-0.5, "q")
    second = [Value(-x, "r") * -1.0 for x in point[1:]]
    return [first, *second], {"p": point[0] + 0.5, "q": -0.5, "r": -point[-1]}


@pytest.mark.parametrize("kind", ["named", "literal", "expressions", "clash"])
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_a_formula_is_equal_to_the_computed_local_derivative(name, kind):
    op = ELEMENTWISE[name]
    for point in points(op):
        operands, names = nodes_of(point, kind)
        node = op(*operands)
        for named in (False, True):
            if named:
                node.name = "out"
                names |= {"out": node.data}
            for slot, local in enumerate(node.partials):
                text = formula(node, slot) if local is not None and math.isfinite(local) else ""
                if text and "…" not in text and text != notation.quantity(local):  # a number is shown with four digits
                    assert_equal(text, names, local, f"{op.name} at {point}, slot {slot}")


@pytest.mark.parametrize("kind", ["named", "literal", "expressions"])
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_an_expression_is_equal_to_the_computed_value(name, kind):
    op = ELEMENTWISE[name]
    for point in points(op):
        operands, names = nodes_of(point, kind)
        node = op(*operands)
        text = notation.expression(node)
        if f"{op.name}(" not in text:  # the textbook has no other form than the name of the function
            assert_equal(text, names, node.data, f"{op.name} at {point}")
        outer = -((2.0 - node) * node - 5.0 / (7.5 - node * 3.0) ** 2)  # parentheses around a part of a formula
        text = notation.expression(outer, width=500)
        if f"{op.name}(" not in text and "…" not in text:
            assert_equal(text, names, outer.data, f"{op.name} within an expression at {point}")


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_the_formula_of_an_array_is_right_for_each_element(name):
    op = ELEMENTWISE[name]
    columns = np.array(points(op)).T
    leaves = [Tensor(column, letter) for column, letter in zip(columns, "gh", strict=False)]
    node = op(*leaves)
    for slot, local in enumerate(node.partials):
        text = formula(node, slot)
        for i, column in enumerate(columns.T):
            expected = np.broadcast_to(local, column.shape if np.ndim(local) == 0 else np.shape(local))
            number = expected[i] if np.ndim(local) else float(local)
            if math.isfinite(number):
                assert_equal(text, dict(zip("gh", column, strict=False)), number, f"{name}, element {i}")
        assert " · " not in text, "products of arrays are elementwise"


def test_a_dot_product_and_a_sum_have_formulas():
    w, x = [Value(2.0, "w1"), Value(3.0, "w2")], [Value(5.0, "x1"), Value(7.0, "x2")]
    node = tinygraph.dot(w, x)
    assert [formula(node, slot) for slot in range(4)] == ["x1", "x2", "w1", "w2"]
    assert formula(tinygraph.sum([*w, *x]), 3) == "1"


# --- no private name is shown ------------------------------------------------------------------------

PRIVATE = re.compile(
    r"_(partial|dx|dy|da|ratio|square|bump|derivative|power|minus|difference|below)\b|\b(flat|larger)\("
)


def shown(root, leaves):
    """Yield every text that a learner sees of a graph."""
    for step in Stepper(root, phase="both"):
        yield str(step)
    for leaf in leaves:
        explanation = explain(root, leaf)
        yield str(explanation)
        yield explanation.latex()
    yield str(tinygraph.tree(root))
    for details in ("full", "folded"):
        yield tinygraph.draw(root, detail=details).source
    for arrow in diagram(Walk(root, root.grad), Style()).arrows:
        yield arrow.back.symbol if arrow.back else ""


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_no_private_name_is_shown(name):
    op = ELEMENTWISE[name]
    (point,) = points(op, 1)
    leaves = [Value(x, letter) for x, letter in zip(point, "gh", strict=False)]
    root = op(*leaves)
    root.name = "J"
    slopes = tinygraph.grad(root, leaves, create_graph=True)
    graphs = [root, *[slope for slope in slopes if slope.op is not None]]
    for graph in graphs:
        graph.backward()
        for text in shown(graph, [leaf for leaf in leaves if leaf.grad is not None and leaf in Walk(graph)]):
            assert not PRIVATE.search(text), text


def test_no_private_name_is_in_the_reference():
    for which in ("public", "private"):
        pytest.importorskip("matplotlib", reason="no Matplotlib: pip install '.[plot]'")
        from tools.site import optable

        table = optable.table(which, lambda plot, name, text: "")
        assert not PRIVATE.findall(table)
        assert len(re.findall("^### ", table, re.MULTILINE)) == sum(
            op.public == (which == "public") for op in TABLE.values()
        )


@pytest.mark.parametrize("name", ["binary_cross_entropy()", "tanh()", "silu()", "atan()", "gelu()"])
def test_no_private_name_is_on_the_page(name, tmp_path):
    op = OPS[name]
    (point,) = points(op, 1)
    leaves = [Value(x, letter) for x, letter in zip(point, "gh", strict=False)]
    text = Stepper(op(*leaves), phase="both").save(tmp_path / "walk.html").read_text("utf-8")
    data = text[text.index("<body") :].rpartition("<script>")[0]
    assert "∂" in data
    assert not PRIVATE.search(data)


def test_the_cross_entropy_shows_its_textbook_form():
    z = Value(0.1, "z")
    a = tinygraph.sigmoid(z)
    L = tinygraph.binary_cross_entropy(a, 1)
    a.name, L.name = "a", "L"
    texts = [str(step) for step in Stepper(L)]
    assert "(∂L/∂a = -y/a + (1 - y)/(1 - a) = -1.905, where y = 1)" in texts[1]
    assert "(∂a/∂z = a(1 - a) = σ(z)σ(-z) = 0.2494)" in texts[2]
    assert "\n  dz = dL/dz = a - y = -0.475" in str(explain(L, z))


def test_the_end_of_a_breakdown_counts_the_seed_and_the_cost():
    z, y = Tensor([0.1, -2.0], "Z"), Tensor([1.0, 0.0], "Y", constant=True)
    a = tinygraph.sigmoid(z)
    L = tinygraph.binary_cross_entropy(a, y)
    J = L.mean()
    a.name, L.name, J.name = "A", "L", "J"
    assert "dZ = dJ/dZ = dJ/dL ⊙ (A - Y) = " in str(explain(J, z))
    stepper = Stepper(J, seed=2.0)
    stepper.end()
    assert "dZ = 2 · dJ/dZ = 2 · dJ/dL ⊙ (A - Y) = " in str(stepper.explain(z))
    stepper.start()
    assert "dZ" not in str(stepper.explain(z)).splitlines()[-1], "nothing has arrived yet"


# --- array ops ----------------------------------------------------------------------------------------

RNG = np.random.default_rng(0)


def _phi(x):
    return np.tril(x) - 0.5 * np.diag(np.diag(x))


def _extremum(up, x, name):
    """Return the upstream gradient where x is its extremum, divided by the number of ties."""
    places = x == {"max": np.nanmax, "min": np.nanmin}[name.removeprefix("nan")](x)
    return np.where(places, up, 0.0) / np.sum(places)


def _parts(text):
    """Return the explanations after "where", such as "V = the eigenvectors of X". One can use those after it."""
    parts = re.split(r", (?=\w+ = )| and (?=\w+ = )", text)
    return [part.partition(" = ")[::2] for part in parts if part]


def read_array(text, names):
    """Return the value of the formula of a pullback."""
    if match := re.fullmatch(r"(\w+) where (\w+) is its (\w+), divided by the number of ties", text):
        return _extremum(names[match[1]], names[match[2]], match[3])
    if match := re.fullmatch(r"(\w+) where (\w+) is not NaN", text):
        return np.where(np.isnan(names[match[2]]), 0.0, names[match[1]])
    if match := re.fullmatch(r"(.*), or 0 where (\w+) = 0", text):
        with np.errstate(divide="ignore"):
            return np.where(names[match[2]] == 0, 0.0, read_array(match[1], names))
    text, _, notes = text.partition(", where ")
    names = dict(names)
    for letter, meaning in reversed(_parts(notes)):
        if letter == "Φ":
            assert meaning == "the lower triangle with half of the diagonal"
            names["Φ"] = _phi
        elif match := re.fullmatch(r"the eigenvectors of (\w+)", meaning):
            names[letter] = np.linalg.eigh(names[match[1]])[1]
        elif meaning == "U · S · Vᵀ":
            left, _, right = np.linalg.svd(names[letter], full_matrices=False)
            names |= {"U": left, "V": right.T}
        else:
            names[letter] = names[meaning] if meaning in names else read_array(meaning, names)
    text = re.sub(r"(\w+)⁻ᵀ", r"inverse(\1).T", text)
    text = re.sub(r"(\w+)⁻¹", r"inverse(\1)", text)
    text = re.sub(r"\b(\d[.\d]*)(?=[A-ZΦ])", r"\1 * ", text).replace("^", "**")
    text = re.sub(r"^(g) · ", r"\1 * ", text)  # the upstream gradient of a scalar
    text = text.replace("ᵀ", ".T").replace(" · ", " @ ").replace(" ⊙ ", " * ").replace("√", "np.sqrt")
    known = {
        "inverse": np.linalg.inv,
        "np": np,
        "cholesky": np.linalg.cholesky,
        "softmax": tinygraph.softmax,
        "log_softmax": tinygraph.log_softmax,
        "cofactor": lambda x: np.linalg.det(x) * np.linalg.inv(x).T,
        "diag": np.diag,
        "sum": np.sum,
        "transpose": lambda x, *axes: x.transpose(*axes),
        "tril": np.tril,
        "triu": np.triu,
        "roll": np.roll,
        **names,
    }
    return eval(text, known)


A = RNG.normal(size=(3, 3)) + 3.0 * np.eye(3)
S = A @ A.T
B = RNG.normal(size=(3, 2))
GAPS = np.array([1.0, np.nan, 3.0, 3.0, 1.0])
PULLBACKS = {
    "matmul": (lambda x, y: x @ y, A, B),
    "transpose": (lambda x: x.T, B),
    "transpose axes": (lambda x: x.transpose(1, 2, 0), RNG.normal(size=(2, 3, 4))),
    "copy": (np.copy, B),
    "tril": (np.tril, A),
    "triu": (lambda x: np.triu(x, 1), A),
    "roll": (lambda x: np.roll(x, 1, axis=0), A),
    "scatter_add": (scatter_add((slice(None), 1), (3, 2)), B[:, 0]),
    "set_at": (lambda x, y: tinygraph.set_at(x, 1, y), A, B[:, 0]),
    "inv": (np.linalg.inv, A),
    "solve": (np.linalg.solve, A, B),
    "det": (np.linalg.det, A),
    "slogdet": (lambda x: np.linalg.slogdet(x)[1], A),
    "cholesky": (np.linalg.cholesky, S),
    "eigvalsh": (np.linalg.eigvalsh, S),
    "eigvalsh of the upper triangle": (lambda x: np.linalg.eigvalsh(x, "U"), S),
    "singular values": (lambda x: np.linalg.svd(x, compute_uv=False), B),
    "softmax": (lambda x: tinygraph.softmax(x), B[0]),
    "log_softmax": (lambda x: tinygraph.log_softmax(x), B[:, 0]),
    "logsumexp": (lambda x: tinygraph.logsumexp(x), B[:, 0]),
    "cross_entropy": (lambda x, y: cross_entropy_over(0)(x, y), B[:, 0], abs(B[:, 1])),
    "root": (root(0.5), np.array([0.0, 2.0, 3.0])),
    "root of a third": (root(1.5), np.array([0.0, 2.0, 3.0])),
    "fill_nan": (fill_nan(0.0), GAPS),
    "max": (np.max, B),
    "max with ties": (np.max, np.array([1.0, 3.0, 3.0])),
    "min with ties": (np.min, np.array([[1.0, 1.0], [3.0, 1.0]])),
    "nanmax with ties": (np.nanmax, GAPS),
    "nanmin with ties": (np.nanmin, GAPS),
}


@pytest.mark.parametrize("name", PULLBACKS)
def test_the_formula_of_a_pullback_is_equal_to_the_gradient(name):
    function, *arrays = PULLBACKS[name]
    leaves = [Tensor(array, letter) for array, letter in zip(arrays, "XY", strict=False)]
    node = function(*leaves)
    up = RNG.normal(size=node.shape)
    assert not PRIVATE.search(notation.expression(node))
    for local in node.partials:
        text = local.text(*[leaf.name for leaf in leaves], up="g" if node.ndim == 0 else "G")
        names = {"G": up, "g": up, **{leaf.name: leaf.data for leaf in leaves}}
        if "0 at [" in text:  # words, which describe a formula
            continue
        found = np.broadcast_to(read_array(text, names), (up * local).shape)
        np.testing.assert_allclose(found, up * local, rtol=1e-9, atol=1e-12, err_msg=text)


IN_WORDS = {"cofactor", "einsum", "interp", "prod_over", "cumprod_over", "unpad_by"}


def makers_of_formulas():
    """Yield the name of each array op, or of its maker, whose pullback is described with the upstream gradient."""
    for path in Path(tinygraph.__file__).parent.glob("tensor/**/*.py"):
        for call in ast.walk(ast.parse(path.read_text("utf-8"))):
            columns = {column.arg: column.value for column in getattr(call, "keywords", [])}
            if "note" in columns and "{up}" in ast.unparse(columns["note"]):
                yield columns["maker"].id if "maker" in columns else call.args[0].value


def test_each_formula_of_a_pullback_is_tested():
    nodes = [function(*[Tensor(array) for array in arrays]) for function, *arrays in PULLBACKS.values()]
    tested = {node.op.parameters[0] if node.op.maker is matrix_op else node.op.maker.__name__ for node in nodes}
    found = set(makers_of_formulas())
    assert found - tested - IN_WORDS == set()
    assert found - tested >= IN_WORDS


def test_a_transposed_operand_is_transposed_back():
    w, X = Tensor([[1.0], [2.0]], "w"), Tensor(np.ones((2, 3)), "X")
    Z = w.T @ X
    Z.name = "Z"
    J = (Z * Z).sum()
    J.name = "J"
    assert [step.symbol for step in Stepper(J)][-2:] == ["dJ/dX += w · dJ/dZ", "dJ/dw += (dJ/d(wᵀ))ᵀ"]


def test_the_calculator_of_the_tests_reads_what_a_textbook_prints():
    names = {"a": 0.3, "x": 2.0, "y": 3.0}
    cases = {
        "2x/y³": 4 / 27,
        "a(1 - a)": 0.21,
        "1 - tanh²(x)": 1 - math.tanh(2) ** 2,
        "-x²": -4,
        "1/(2√x)": 0.5 / math.sqrt(2),
        "|a - 1|": 0.7,
        "1 if x > y, 0.5 if x = y, else 0": 0,
        "x^(y - 1)": 4,
        "-y/a + (1 - y)/(1 - a)": -10 - 2 / 0.7,
        "ψ′(x)": math.pi**2 / 6 - 1,
        "pow⁽¹,¹⁾(x, y)": 4 + 12 * math.log(2),
        "7 % y": 1,
    }
    for text, expected in cases.items():
        assert evaluated(text, names)[0] == pytest.approx(expected, rel=1e-12)


def test_a_transposed_derivative_is_in_parentheses():
    y = Tensor([[1.0, 2.0]], "y")
    A = y.T
    part = A[0]
    K = part.sum() + A.sum()
    A.name, part.name, K.name = "A", "p", "K"
    steps = Stepper(K).steps
    assert "dK/dy += (dK/dA)ᵀ" in [step.symbol for step in steps]
    labels = {arrow.back.symbol for arrow in diagram(Walk(K, 1.0), Style()).arrows if arrow.back}
    assert "(dK/dA)ᵀ" in labels
    short = {arrow.back.symbol for arrow in diagram(Walk(K, 1.0), Style(notation="dv")).arrows if arrow.back}
    assert "dAᵀ" in short, "one letter needs no parentheses"
    A.name = "yᵀ"  # d(yᵀ) transposed is not dy
    assert "dK/dy += (dK/dyᵀ)ᵀ" in [step.symbol for step in Stepper(K).steps]
