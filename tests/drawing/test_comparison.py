"""`compare` finds the first node or step at which two graphs differ, and draws matching nodes beside each other."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygraph
from tests.drawing.test_draw import engines
from tinygraph import Tensor, Value, compare, name_from
from tinygraph.engine.graph import order
from tinygraph.engine.more_ops.table import TABLE
from tinygraph.explaining.comparing.differences import distinct
from tinygraph.explaining.comparing.entries import Tolerance
from tinygraph.logistic import no_loop, two_loops
from tinygraph.testing import graphs, tensor_programs


def lecture(square=False, minus=False, c=2.0):
    a, b, c = Value(5.0), Value(3.0), Value(c)
    u = b * (b if square else c)
    v = a - u if minus else a + u
    J = 3 * v
    name_from(locals())
    return J


@given(program=graphs() | tensor_programs())
def test_a_graph_agrees_with_its_copy(program):
    (first, _), (second, _) = program.record(), program.record()
    found = compare(first, second)
    assert found, str(found)
    assert found.difference is None
    assert {node for entry in found.entries for node in entry.first} == set(order(first))
    assert {node for entry in found.entries for node in entry.second} == set(order(second))
    assert "agree in every value and every gradient" in str(found)


@given(program=graphs(), data=st.data())
def test_the_first_node_with_another_value_is_found(program, data):
    (first, _), (second, _) = program.record(), program.record()
    leaf = data.draw(st.sampled_from([node for node in order(second) if node.op is None and not node.constant]))
    leaf.data = leaf.data + 0.5
    second.forward()
    found = compare(first, second)
    assert not found
    assert (found.difference.kind, found.difference.second) == ("value", (leaf,))
    above = {leaf}
    for node in reversed(order(second)):
        if any(operand in above for operand in node.operands):
            above.add(node)
    for entry in found.entries:
        assert "value" not in entry.differences or entry.second[0] in above


@given(program=graphs(), names=st.permutations(["sin", "tanh", "exp", "relu", "neg"]))
def test_another_op_at_the_root_is_found(program, names):
    first, second = (TABLE[name](program.record()[0]) for name in names[:2])
    found = compare(first, second)
    assert not found
    if first.data != pytest.approx(second.data):
        assert found.difference.kind == "structure"
        assert (found.difference.first, found.difference.second) == ((first,), (second,))


def test_a_structure_that_differs():
    found = compare(lecture(), lecture(square=True))
    message = "the structure of u: operand 2 is c in the first graph, but b in the second"
    assert (found.difference.kind, str(found.difference)) == ("structure", message)
    assert str(found).splitlines()[0] == f"the graphs differ first in {message}"
    assert "    only in the first graph: c (1 node)" in str(found).splitlines()
    found = compare(lecture(), lecture(minus=True))
    assert found.difference.message == "the structure of v: a + u in the first graph, but a - u in the second"
    assert not compare(lecture(), lecture(c=2.5))
    assert compare(lecture(), lecture(c=2.0 + 1e-13))
    assert not compare(lecture(), lecture(c=2.0 + 1e-13), rtol=0.0, atol=0.0)


def test_equal_results_of_different_graphs():
    a, b, c = Value(5.0, "a"), Value(3.0, "b"), Value(2.0, "c")
    found = compare(a * (b + c), a * b + a * c)
    assert found.difference.message.startswith("the structure of the result: a × (b + c) in the first graph, but a × b")
    assert str(found).endswith("the results agree, and the gradients of the common inputs agree")
    assert compare(a * b + c, c + b * a), "the operands of sums and products can change places"
    assert compare(a - b, b - a).difference.kind == "structure"
    assert compare(a * 3.0, a * 3.0)
    assert "operand 2 is 3 in the first graph, but 4 in the second" in str(compare(a * 3.0, a * 4.0))
    assert "0.1 in the first graph, but 0.10000000000000002" in str(compare(a * 0.1, a * 0.10000000000000002))
    assert compare(a + b, c + a).difference.message == (
        "the structure of the result: operand 2 is b in the first graph, but c in the second"
    )
    assert compare(a + b, a + Value(3.0, "bias")), "a renamed input with the same value"


def test_a_shared_node_differs_from_two_nodes():
    x = Value(2.0)
    found = compare(x * x, Value(2.0) * Value(2.0))
    assert found.difference.kind == "structure"
    assert compare(Value(1.0), Value(1.0))
    assert not compare(Value(1.0), Value(1.0, constant=True))


def test_a_wrong_derivative_is_found_at_its_step():
    wrong = tinygraph.op("wrong_cube", lambda x: x**3, partials=(lambda out, x: 2.0 * x * x,))

    def cubed(cube):
        x = Value(2.0, "x")
        h = x * 1.5
        y = cube(h)
        h.name, y.name = "h", "y"
        return y * 5.0

    found = compare(cubed(lambda x: x**3), cubed(wrong))
    assert (found.difference.kind, found.difference.first[0].name) == ("gradient", "h")
    steps = found.difference.steps
    assert [(step.node.name, step.local, step.contribution) for step in steps] == [
        ("h", 27.0, 135.0),
        ("h", 18.0, 90.0),
    ]


@pytest.mark.parametrize("loss", ["cross_entropy", "squared_error"])
def test_loops_agree_with_their_vectorized_version(loss):
    rng = np.random.default_rng(0)
    X, Y, w = rng.normal(size=(7, 3)), [0.0, 1.0, 1.0, 0.0, 1.0, 0.0, 1.0], [0.5, -0.25, 0.1]

    def loops(w=w):
        return two_loops([Value(x, f"w{j + 1}") for j, x in enumerate(w)], Value(0.1, "b"), X.tolist(), Y, loss)

    def arrays(Y=Y):
        return no_loop(Tensor(np.array(w).reshape(3, 1), "w"), Tensor(0.1, "b"), X.T, np.array([Y]), loss)

    found = compare(loops(), arrays())
    assert found, str(found)
    assert [entry.name.partition(" = ")[0] for entry in found.entries] == ["w", "b", "z", "a", "loss", "J"]
    (grad, _), J = found.entries[0].gradients, loops()
    J.backward()
    by_name = {node.name: node.grad for node in order(J)}
    assert grad.ravel().tolist() == [by_name["w1"], by_name["w2"], by_name["w3"]]
    assert compare(arrays(), loops()), "in the other order too"
    wrong = compare(loops(), arrays([1.0, *Y[1:]]))
    assert (wrong.difference.kind, wrong.difference.message[:17]) == ("value", "the value of loss")
    assert wrong.difference.message.endswith(" at [0, 0]")
    other = compare(arrays([1.0, *Y[1:]]), loops())
    assert [x.name for x in other.difference.first] == ["loss"]
    assert len(other.difference.second) == 7
    few = compare(loops(), no_loop(Tensor([[0.5], [-0.25]], "w"), Tensor(0.1, "b"), X.T[:2], np.array([Y]), loss))
    assert few.difference.message == "the structure of w: 3 scalars in the first graph, but 2 elements in the second"
    assert "2 elements in the first graph, but 3 scalars" in str(compare(arrays(), loops())) or compare(
        arrays(), loops()
    )


@pytest.mark.parametrize("transposed", [False, True])
def test_nested_lists_agree_with_a_matrix(transposed):
    numbers = np.arange(6.0).reshape(2, 3)
    W = [[Value(float(x)) for x in row] for row in numbers]
    name_from({"W": W})
    J = tinygraph.total([(i + 1) * (j + 2) * W[i][j] ** 2 for i in range(2) for j in range(3)])
    factors = np.array([[(i + 1) * (j + 2) for j in range(3)] for i in range(2)])
    T = Tensor(numbers.T if transposed else numbers, "W")
    found = compare(J, (Tensor(factors.T if transposed else factors, constant=True) * T**2).sum())
    assert found, str(found)
    assert found.entries[0].second == (T,)


def test_a_long_comparison_shows_what_differs():
    def chain(number):
        y = Value(1.0, "x")
        for i in range(60):
            y = y + (number if i == 50 else 1.0)
            y.name = f"y{i}"
        return y

    lines = str(compare(chain(1.0), chain(2.0))).splitlines()
    assert "the structure of y50: operand 2 is 1 in the first graph, but 2 in the second" in lines[0]
    assert sum("≠" in line for line in lines) == 10
    assert lines[11] == "    ··· 51 more nodes, of which 0 differ"
    assert len(str(compare(chain(1.0), chain(1.0))).splitlines()) == 26


def test_texts_that_differ_have_as_many_digits_as_needed():
    for x, y in ((1.0, 1.0 + 2.0**-52), (0.1, 0.1 + 1e-9), (np.nan, 1.0), (np.inf, -np.inf), (None, 0.0)):
        first, second, place = distinct(x, y, Tolerance(0.0, 0.0))
        assert first != second
        assert place == ""
    x = np.zeros((3, 4))
    y = x.copy()
    y[2, 1] = 1e-14
    assert distinct(x, y, Tolerance(0.0, 0.0)) == ("0", "1e-14", " at [2, 1]")


@pytest.mark.parametrize(("rtol", "index"), [(0.1, [1, 1]), (0.0, [0, 2])])
def test_the_element_that_is_shown_is_one_that_differs(rtol, index):
    x = np.arange(1.0, 7.0).reshape(2, 3)
    y = x.copy()
    y[0, 2] *= 1 + 2.0**-50  # differs only without a tolerance, and by less than any format but the longest shows
    y[1, 1] = 9.0
    for first, second in ((x, y), (y, x)):
        found = compare(Tensor(first, "x").sum(), Tensor(second, "x").sum(), rtol=rtol, atol=0.0)
        assert str(found.difference).endswith(f" at {index}")


def test_arrays_that_differ_by_the_last_bit_are_compared_without_a_tolerance():
    x = np.full(5, 1.0)
    y = np.nextafter(x, 2.0)
    found = compare(Tensor(x, "x").sum(), Tensor(y, "x").sum(), rtol=0.0, atol=0.0)
    assert str(found.difference) == (
        "the value of x: 1 in the first graph, but 1.0000000000000002 in the second at [0]"
    )


# --- the diagram


@engines
@pytest.mark.parametrize("direction", ["LR", "TB"])
def test_matching_nodes_are_beside_each_other(engine, direction):
    found = compare(lecture(), lecture(square=True))
    drawing = found.draw(direction=direction, engine=engine)
    boxes = {box.id: box for box in drawing._diagram.boxes}
    centers = {}
    for key, box in boxes.items():
        part = drawing.svg().partition(f'-{key}" class="node')[2].partition("</g>\n</g>")[0]
        x, y = (np.mean([float(pair[k]) for pair in re.findall(r"([-\d.]+),([-\d.]+)", part)]) for k in (0, 1))
        centers[box.scope[0], box.name] = (x, y)
    along, across = (0, 1) if direction == "LR" else (1, 0)
    for name in "abuvJ":
        first, second = centers["J (1)", name], centers["J (2)", name]
        assert first[along] == pytest.approx(second[along], abs=6.0), name
        assert first[across] < second[across], "the first graph is above or left of the second"


def test_differences_have_a_double_border_and_the_first_one_a_thick_border():
    source = compare(lecture(), lecture(square=True)).draw().source
    marked = re.findall(r"^\t((?:g1)?n\d+) \[color=\S+ penwidth=(\d) peripheries=2\]$", source, re.MULTILINE)
    assert sorted(width for _, width in marked) == ["2"] * 6 + ["4"] * 2
    assert compare(lecture(), lecture()).draw().source.count("peripheries") == 0
    assert "first difference is in the structure of u" in source
    assert "the graphs agree" in compare(lecture(), lecture()).draw().source
    assert ">mine<" in compare(lecture(), lecture()).draw(title="mine").source


def test_a_node_of_both_graphs_is_marked_in_both():
    x = Value(2.0, "x")
    source = compare(x * x, x + x + x).draw().source
    marked = re.findall(r"^\t((?:g1)?n\d+) \[color=\S+ penwidth=(\d) peripheries=2\]$", source, re.MULTILINE)
    assert sorted(marked) == [("g1n0", "2"), ("g1n2", "4"), ("n0", "2"), ("n1", "4")]


def test_large_graphs_show_the_neighborhood_of_the_difference():
    def chain(number):
        y = Value(0.5, "x")
        for i in range(400):
            y = (y * (number if i == 200 else 1.5)).tanh()
        return y

    drawing = compare(chain(1.5), chain(1.75)).draw()
    assert len(drawing._diagram.boxes) < 30
    assert "1.75" in drawing.source


def test_an_unknown_option_is_refused():
    with pytest.raises(TypeError, match="color"):
        compare(lecture(), lecture()).draw(color="red")
    with pytest.raises(ValueError, match="detail='folded' cannot show which node differs"):
        compare(lecture(), lecture()).draw(detail="folded")
    with pytest.raises(ValueError, match="theme must be"):
        compare(lecture(), lecture()).draw(theme="pink")
