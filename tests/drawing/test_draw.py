"""Diagrams have one box per node, one arrow forward and one back per operand, and show every text verbatim."""

import colorsys
import contextlib
import math
import os
import re
import shutil
import stat
import sys
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygraph
from tinygraph import StaleGraphError, Tensor, Value, draw, scope, tree
from tinygraph.drawing import EngineNotFoundError, LayoutError, layout_engines
from tinygraph.drawing.arrows import Style
from tinygraph.drawing.diagram import diagram
from tinygraph.drawing.folding import sums
from tinygraph.drawing.themes import DARK, LIGHT
from tinygraph.engine.graph import order
from tinygraph.explaining import notation
from tinygraph.explaining.walk import Walk
from tinygraph.testing import graphs, tensor_programs

GOLDEN = Path(__file__).with_name("golden")
SVG, XLINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}"
BESIDE = shutil.which("graphviz-pure", path=str(Path(sys.executable).parent))
ENGINES = {"dot": shutil.which("dot"), "graphviz-pure": BESIDE}
exact = Style(spec=".17g")
engines = pytest.mark.parametrize(
    "engine",
    [
        pytest.param(path, id=name, marks=[] if path else pytest.mark.skip(f"no {name}"))
        for name, path in ENGINES.items()
    ],
)


def lecture():
    """Record J = 3(a + bc)."""
    a, b, c = Value(5.0, "a"), Value(3.0, "b"), Value(2.0, "c")
    u = b * c
    v = a + u
    J = 3.0 * v
    tinygraph.name_from({"u": u, "v": v, "J": J})
    return J


def example():
    """Record logistic regression on one example, in scopes."""
    x1, x2, y = Value(1.0, "x1"), Value(2.0, "x2"), Value(1.0, "y", constant=True)
    w1, w2, b = Value(0.5, "w1"), Value(-0.25, "w2"), Value(0.1, "b")
    with scope("linear"):
        p1, p2 = w1 * x1, w2 * x2
        z = p1 + p2 + b
    with scope("sigmoid"):
        a = tinygraph.sigmoid(z)
    with scope("loss"):
        L = tinygraph.binary_cross_entropy(a, y)
    tinygraph.name_from({"p1": p1, "p2": p2, "z": z, "a": a, "L": L})
    return L, [w1, w2, b]


# --- the figures of the lecture


def figures():
    J, (L, parameters) = lecture(), example()
    before = {"J before": draw(J, title="J = 3(a + bc)")}
    J.backward()
    L.backward()
    return before | {
        "J": draw(J, title="J = 3(a + bc)"),
        "J in the lecture's code": draw(J, notation="dv", direction="TB", legend=False),
        "logistic regression": draw(L, parameters=parameters, title="one example (y = 1)"),
        "logistic regression, dark": draw(L, parameters=parameters, theme="dark", title="one example (y = 1)"),
    }


@pytest.mark.parametrize(
    "name", ["J before", "J", "J in the lecture's code", "logistic regression", "logistic regression, dark"]
)
def test_the_figures_of_the_lecture_are_the_golden_ones(name):
    """Look at a new diagram before you store its text with TINYGRAPH_WRITE_GOLDEN=1."""
    path = GOLDEN / f"{name}.dot"
    source = figures()[name].source
    if os.environ.get("TINYGRAPH_WRITE_GOLDEN"):
        path.write_text(source, encoding="utf-8")
    assert source == path.read_text(encoding="utf-8")


def test_the_red_arrows_of_the_lecture_say_the_chain_rule():
    J = lecture()
    J.backward()
    shown = diagram(Walk(J, J.grad), Style())
    names = {box.id: box.name for box in shown.boxes}
    red = {names[arrow.tail]: arrow.back for arrow in shown.arrows if arrow.back}
    assert (red["b"].symbol, red["b"].product, red["b"].contribution) == ("dJ/du · ∂u/∂b", "3 × 2", "6")
    assert (red["v"].symbol, red["v"].product, red["v"].contribution) == ("dJ/dv", "", "3")
    in_code = {
        names[arrow.tail]: arrow.back for arrow in diagram(Walk(J, J.grad), Style(notation="dv")).arrows if arrow.back
    }
    assert in_code["b"].symbol == "du · ∂u/∂b"
    assert in_code["v"].symbol == "dv"


# --- invariants on random graphs


@given(program=graphs(), parameters=st.integers(0, 2))
def test_every_node_is_one_card_and_every_operand_one_arrow(program, parameters):
    root, leaves = program.record()
    nodes = order(root)
    before = diagram(Walk(root, root.grad), exact)
    assert not before.backward
    assert all(arrow.back is None for arrow in before.arrows)
    root.backward(seed=-1.5)
    shown = diagram(Walk(root, root.grad), Style(".17g", parameters=set(leaves[:parameters])))
    cards = {box.id: box for box in shown.boxes}
    assert len(cards) == len(shown.boxes) == len(nodes) + sum(len(node.args) - len(node.operands) for node in nodes)
    assert len(shown.arrows) == sum(len(node.args) for node in nodes)
    assert sum(arrow.back is not None for arrow in shown.arrows) == sum(
        local is not None for node in nodes for local in node.partials
    )
    roles = Counter(box.role for box in shown.boxes)
    assert roles["parameter"] == sum(leaf in nodes for leaf in leaves[:parameters])
    assert roles["output"] == (root.op is not None)
    for key, box in cards.items():  # a box shows the sum of the contributions that arrive at it
        arriving = [float(arrow.back.contribution) for arrow in shown.arrows if arrow.tail == key and arrow.back]
        if arriving:
            assert float(box.grad) == pytest.approx(sum(arriving), rel=1e-12, abs=1e-12 * sum(map(abs, arriving)))
            assert len(box.terms) == (len(arriving) if len(arriving) > 1 else 0)


@given(program=graphs(), detail=st.sampled_from(["full", "contributions", "plain"]))
def test_the_same_program_gives_the_same_text(program, detail):
    texts = set()
    for _ in range(2):
        root, _ = program.record()
        root.backward()
        texts.add(draw(root, detail=detail).source)
    assert len(texts) == 1


@given(program=tensor_programs())
def test_tensors_are_drawn_by_the_same_laws(program):
    root, _ = program.record()
    root.backward()
    nodes = order(root)
    shown = diagram(Walk(root, root.grad), Style())
    assert len(shown.arrows) == sum(len(node.args) for node in nodes)
    red = sum(
        local is not None
        for node in nodes
        if node in {n for n in nodes if n.grad is not None}
        for local in node.partials
    )
    assert sum(arrow.back is not None for arrow in shown.arrows) == red
    assert not any(box.stored for box in shown.boxes)
    assert draw(root).source
    assert tree(root)


@given(names=st.lists(st.text(max_size=30), min_size=4, max_size=4), program=graphs(max_steps=3))
@settings(max_examples=8)
@engines
def test_no_name_injects_a_node_or_an_arrow(engine, names, program):
    root, _ = program.record()
    for node, name in zip(order(root), names, strict=False):
        node.name = name
    root.backward()
    drawing = draw(root, title=names[0], engine=engine)
    found = ET.fromstring(drawing.svg())
    kinds = Counter(group.get("class").split()[0] for group in found.iter(f"{SVG}g") if group.get("class"))
    shown = drawing._diagram
    assert kinds["node"] == len(shown.boxes)
    assert kinds["edge"] == sum(1 + (arrow.back is not None) for arrow in shown.arrows)


NAMES = [
    'a"b\'c', "a\\b", "\\N", "\\\\G\\E\\T\\L", "\\l\\r\\n", "\\", "<b>", "<lambda>", "<<b>>", "<", ">",
    "&amp;", "&", "&#65;", "{x|y}", "a|b", "n0:port", "-->", "a -> b", "#", "//", "/*", "digraph", "%3", "1", "-1",
    "two\nlines", "한국어", "🙂", "a\x00\x1b[31mb", "tab\there", "\ud800x", "\x85x", "a\r\nb", "  two  spaces ",
    "n" * 300, "</script><b>", "", "\u202eabc", "]", "]]", "]]>", "[",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
@engines
def test_names_come_through_verbatim(engine, name):
    x = Value(2.0, name)
    with scope(name):
        y = x * 3.0
    y.backward()
    root = ET.fromstring(draw(y, title=name, engine=engine).svg())
    (box,) = [group for group in root.iter(f"{SVG}g") if group.get("id", "").endswith("-n0")]
    clean = notation.clean(name)
    shown = "".join(text.text or "" for text in box.iter(f"{SVG}text")).replace("\xa0", " ")
    assert notation.cut(clean).replace("\n", "") in shown
    (tip,) = {link.get(f"{XLINK}title") for link in box.iter(f"{SVG}a")}
    assert tip.replace("\xa0", " ").startswith(f"{clean} = 2" if name else "2")
    assert ("\ufffd" in clean) == (clean != name)


LONG = ["n", "é", "🙂", "<", "&", '"', "\\", "\n", "]", " ", "a b "]


@pytest.mark.parametrize("character", LONG, ids=range(len(LONG)))
@engines
def test_names_longer_than_dot_can_read_are_shortened(engine, character):
    """Names, scopes, titles, ops, and file names of a line: dot 2.43 reads at most 16,384 bytes at once."""
    name = character * 20_000
    odd = tinygraph.op("odd", lambda x: x, partials=(lambda out, x: 1.0,), symbol=f"{character * 20_000}({{}})")
    x = Value(2.0, name)
    with scope(name), scope("inner"):
        y = odd(x * 3.0)
    y.name = name
    y.annotate().line = f"{name}.py:3"
    y.backward()
    for options in ({}, {"notation": "dv"}, {"detail": "folded"}, {"detail": "scopes"}, {"theme": "auto"}):
        text = draw(y, title=name, engine=engine, **options).svg()
        found = ET.fromstring(text)
        assert len(text) < 100_000
        if not options:
            tips = [link.get(f"{XLINK}title") for link in found.iter(f"{SVG}a")]
            assert max(map(len, tips)) <= 1000
            assert sum("…" in tip and "= 2" in tip for tip in tips) == 1, "the value and the gradient stay in a tooltip"
    assert x.name == y.name == y.scope[0] == name


@engines
def test_many_names_of_medium_length_are_drawn(engine):
    terms = [Value(float(i), f"{i}{'<&' * 150}") for i in range(60)]
    y = tinygraph.total(terms) * tinygraph.dot(terms[:30], terms[30:])
    y.backward()
    for detail in ("full", "folded"):
        ET.fromstring(draw(y, detail=detail, title=" ".join(term.name for term in terms), engine=engine).svg())


# --- red arrows, and gradients that differ from them


def grads(root, **options):
    return {
        box.name: (box.grad, box.stored) for box in diagram(Walk(root, root.grad), Style(**options)).boxes if box.name
    }


def test_without_a_gradient_there_is_no_red():
    J = lecture()
    assert set(grads(J).values()) == {("·", "")}
    assert LIGHT.backward not in draw(J, legend=False).source
    J.backward()
    assert LIGHT.backward in draw(J, legend=False).source


def test_a_stored_gradient_that_is_not_the_sum_stands_beside_it():
    a = Value(2.0, "a")
    y = a * a
    y.name = "y"
    y.backward()
    assert grads(y)["a"] == ("4", "")
    y.backward(accumulate=True)
    assert grads(y)["a"] == ("4", "8")
    assert ".grad is" in draw(y).source
    other = a * 3.0
    other.backward()
    assert grads(y)["a"] == ("4", "3")  # 3 is the stored gradient, from another root
    inner = diagram(Walk(other, other.grad), Style()).boxes
    assert [box.grad for box in inner if box.name == "a"] == ["3"]


def test_the_red_numbers_are_of_a_pass_from_this_root_seeded_with_its_gradient():
    J = lecture()
    J.grad = 2.0
    assert grads(J)["b"] == ("12", "")
    (edge,) = [
        arrow.back
        for arrow in diagram(Walk(J, J.grad), Style()).arrows
        if arrow.back and arrow.back.symbol.endswith("∂J/∂v")
    ]
    assert (edge.symbol, edge.product, edge.contribution) == ("2 · ∂J/∂v", "2 × 3", "6")


def test_a_repeated_operand_has_no_derivative_on_a_single_arrow():
    x = Value(3.0, "x")
    y = x * x
    y.name = "y"
    y.backward()
    back = [arrow.back for arrow in diagram(Walk(y, y.grad), Style()).arrows]
    assert [(pull.symbol, pull.product, pull.contribution) for pull in back] == [("", "1 × 3", "3")] * 2
    (box,) = [box for box in diagram(Walk(y, y.grad), Style()).boxes if box.name == "x"]
    assert box.terms == ("3", "3")
    assert "= 3 + 3" in draw(y).source


def test_a_seed_stands_before_every_derivative():
    J = lecture()
    J.backward(seed=2.0)
    said = {arrow.back.symbol for arrow in diagram(Walk(J, J.grad), Style()).arrows if arrow.back}
    assert said == {"2 · ∂J/∂v", "2 · dJ/dv · ∂v/∂a", "2 · dJ/dv · ∂v/∂u", "2 · dJ/du · ∂u/∂b", "2 · dJ/du · ∂u/∂c"}
    v = next(node for node in order(J) if node.name == "v")
    assert "2 · dv" not in draw(v).source
    assert "6 · dv/du · ∂u/∂b" in draw(v).source


def test_a_local_derivative_is_partial_where_there_are_other_paths():
    w = Value(1.0, "w")
    u = w * 2.0
    t = u + w
    tinygraph.name_from({"u": u, "t": t})
    t.backward()
    said = {arrow.back.symbol for arrow in diagram(Walk(t, t.grad), Style()).arrows if arrow.back}
    assert said == {"dt/du", "1 · ∂t/∂w", "dt/du · ∂u/∂w"}


def test_names_that_look_like_expressions_are_quoted():
    y = Value(2.0, "x + 1") * 3.0
    assert notation.expression(y) == "‘x + 1’ × 3"


def test_a_picture_is_not_as_wide_as_an_index_is_long():
    x = Tensor(np.arange(100.0), "x")
    y = x[[*range(60)]].sum()
    assert max(len(box.expression) for box in diagram(Walk(y, y.grad), Style()).boxes) <= notation.LINE


def test_gradients_that_cannot_be_compared_are_shown():
    t = Tensor(np.ones((2, 3)), "t")
    y = (t * 2.0).sum()
    y.backward()
    t.raw_grad = np.ones(7)  # `t.grad = ...` refuses it
    assert {box.stored for box in diagram(Walk(y, y.grad), Style()).boxes} == {"", "(7,)"}
    t.grad = np.arange(6.0).reshape(2, 3)
    assert {box.stored for box in diagram(Walk(y, y.grad), Style()).boxes} == {"", "0 … 5, mean 2.5"}


def test_a_stale_graph_is_not_drawn():
    J = lecture()
    J.backward()
    a = next(node for node in order(J) if node.name == "a")
    a.data = 7.0
    with pytest.raises(StaleGraphError, match="forward"):
        draw(J)
    J.forward()
    assert "data" in draw(J).source
    J.grad = None
    a.data = 8.0
    with pytest.raises(StaleGraphError):
        draw(J)


def test_drawing_changes_nothing():
    J = lecture()
    J.backward(seed=2.0)

    def state():  # `awaited` counts only during a pass; after it, a negative mark is left, which has no meaning
        return [(node.grad, max(node.awaited, 0), node.version) for node in order(J)]

    before = state()
    draw(J)
    tree(J)
    assert state() == before


def test_wiring_says_its_adjoint():
    w, X = Tensor([[1.0], [2.0]], "w"), Tensor(np.arange(10.0).reshape(2, 5), "X", constant=True)
    Z = np.dot(w.T, X) + Tensor(0.5, "b")
    J = Z.sum()
    J.backward()
    said = {arrow.back.symbol or arrow.back.product for arrow in diagram(Walk(J, J.grad), Style()).arrows if arrow.back}
    assert "upstream · Xᵀ" in said
    assert any("summed to ()" in text for text in said)
    (box,) = [box for box in diagram(Walk(J, J.grad), Style()).boxes if box.name == "X"]
    assert (box.data, box.spread, box.grad) == ("(2, 5)", "0 … 9, mean 4.5", None)


def test_a_lazy_array_is_never_computed():
    array = pytest.importorskip("dask.array")

    def never(block):
        raise AssertionError("computed")

    x = Tensor(array.ones((4, 3), chunks=2).map_blocks(never, dtype=float, meta=np.ones((0, 0))), "x")
    y = (x * 2.0).sum()
    y.backward()
    assert "(4, 3)" in draw(y).source
    assert "(4, 3)" in tree(y)


# --- numbers and colors


@given(x=st.floats(-1e300, 1e300) | st.sampled_from([math.inf, -math.inf, math.nan]))
def test_a_number_is_shown_to_four_digits_and_never_as_minus_zero(x):
    text = notation.number(x)
    assert float(text) == pytest.approx(x, rel=1e-3, nan_ok=True)
    assert text not in ("-0", "-0.0")
    assert notation.number(-0.0) == "0"


def luminance(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_every_text_is_easy_to_read_on_its_ground(theme):
    grounds = [theme.background.replace("white", "#ffffff")]
    grounds += [getattr(theme, kind)[0] for kind in ("operation", "input", "parameter", "constant", "output", "scope")]
    for ground in grounds:
        for text in (theme.ink, theme.muted, theme.forward, theme.backward):
            light, dark = sorted([luminance(text), luminance(ground)])[::-1]
            assert (light + 0.05) / (dark + 0.05) >= 5.1, (text, ground)
    blue, red = (
        colorsys.rgb_to_hls(*[int(c[i : i + 2], 16) / 255 for i in (1, 3, 5)]) for c in (theme.forward, theme.backward)
    )
    assert abs(blue[0] - red[0]) > 0.3


@engines
def test_a_picture_for_both_themes_has_one_style_sheet_of_its_own(engine):
    J = lecture()
    text = draw(J, theme="auto", engine=engine).svg()
    assert "prefers-color-scheme: dark" in text
    (own,) = re.findall(r'^<svg id="(\w+)"', text)
    assert f"#{own} [fill=" in text
    assert "prefers-color-scheme" not in draw(J, engine=engine).svg()
    drawn = set(re.findall(r'(?:fill|stroke)="(#\w+|white)"', text))
    assert drawn <= set(LIGHT.colors)
    ids = re.findall(r'\bid="([^"]*)"', text)
    assert len(ids) == len(set(ids))
    assert all(key.startswith(own) for key in ids)
    again = draw(J, theme="auto", engine=engine).svg()  # a second drawing of the same graph for the same page
    assert not set(re.findall(r'\bid="([^"]*)"', again)) & set(ids)


# --- options


@pytest.mark.parametrize("wrong", [3, None, b"J"])
def test_a_title_is_a_string(wrong):
    with pytest.raises(TypeError, match="title must be a str"):
        draw(Value(1.0), title=wrong)


def test_options_that_do_not_exist_are_errors():
    J = lecture()
    for options, message in [
        ({"theme": "pink"}, "theme must be one of 'light', 'dark', 'auto', not 'pink'"),
        ({"detail": "all"}, "detail must be"),
        ({"direction": "RL"}, "direction must be"),
        ({"notation": "d"}, "notation must be"),
        ({"number": "q"}, "a format for floats"),
        ({"around": J, "depth": -1}, "at least 0"),
        ({"around": J, "detail": "folded"}, "cannot be combined with around="),
        ({"around": Value(1.0)}, "not a node of the graph"),
        ({"timeout": -1.0}, "timeout must be a positive number"),
    ]:
        with pytest.raises(ValueError, match=message):
            draw(J, **options)
    with pytest.raises(TypeError, match="a node of a graph"):
        draw(3.0)
    with pytest.raises(TypeError, match=r"each element of parameters must be a node of a graph, not 3.0"):
        draw(J, parameters=[3.0])
    with pytest.raises(TypeError, match=r"depth must be an integer of at least 0, not 1.5"):
        draw(J, depth=1.5)
    assert draw(J, parameters=J, number=",.2%").source


def test_a_neighborhood_says_where_the_graph_goes_on():
    x = y = Value(1.0, "x")
    for _ in range(100):
        y = y * 1.5
    middle = order(y)[50]
    drawing = draw(y, around=middle, depth=2)
    shown = drawing._diagram
    assert sum(box.role == "operation" for box in shown.boxes) == 5
    assert (len(shown.before), len(shown.after)) == (1, 1)
    assert drawing.source.count("not drawn here") == 4
    whole = draw(y, around=x, depth=200)._diagram
    assert not whole.before
    assert not whole.after
    lonely = draw(y, around=x, depth=0)._diagram
    assert (lonely.before, lonely.after) == ([], ["n0"])


def test_scopes_are_clusters_one_for_each_path_nested():
    with scope("outer"):
        a = Value(1.0)
        with scope("inner"):
            b = a * 2.0
    with scope("outer"):
        c = b + a
    source = draw(c).source
    assert source.count("subgraph cluster_") == 2
    assert source.index("outer") < source.index("inner")


@engines
def test_an_arrow_between_scopes_is_drawn_once(engine):
    p = Value(1.5)
    with scope("layer"), scope("act"):
        h = p.tanh()
    with scope("other"):
        k = h * 2.0
    with scope("layer"):
        r = k + h
    r.backward()
    root = ET.fromstring(draw(r, engine=engine).svg())
    edges = [group for group in root.iter(f"{SVG}g") if (group.get("class") or "").startswith("edge")]
    assert len(edges) == 9
    assert all(len(list(edge.iter(f"{SVG}path"))) == 1 for edge in edges)


def test_scopes_within_scopes_have_an_end():
    with contextlib.ExitStack() as stack:
        for i in range(300):
            stack.enter_context(scope(f"s{i}"))
        x = Value(1.0)
    assert draw(x * 2.0).source.count("subgraph") == 50


def test_detail_follows_size():
    def chain(n):
        x = Value(1.0, "x")
        for _ in range(n):
            x = x.exp().log()
        x.backward()
        return draw(x)

    assert [chain(n)._look.detail for n in (25, 50, 200, 400)] == ["full", "contributions", "plain", "plain"]
    assert chain(200)._diagram.boxes[1].times == 1
    assert max(box.times for box in chain(400)._diagram.boxes) > 300
    assert "dir=both" in chain(200).source


@pytest.mark.parametrize("make", ["chain", "fan"])
def test_large_graphs_are_folded_without_recursion(make):
    x = y = Value(1.0, "x")
    for i in range(10_000):
        y = y * 1.0001 + 0.0001 if make == "chain" else (y + (x * float(i)).sin() if i else x)
    y.backward()
    drawing = draw(y)
    assert len(drawing._diagram.boxes) < 40
    assert "× 9,99" in drawing.source


# --- layout engines


def test_without_an_engine_dot_is_written_and_errors_say_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.delenv(layout_engines.VARIABLE, raising=False)
    J = lecture()
    drawing = draw(J)
    assert drawing.save(tmp_path / "J.dot").read_text().startswith("digraph")
    assert drawing.save(tmp_path / "J.gv").read_text() == drawing.source
    for path in ("J.svg", "J.png", "J.pdf"):
        with pytest.raises(EngineNotFoundError, match=r"pip install '\.\[render\]'"):
            drawing.save(tmp_path / path)
    assert sorted(os.listdir(tmp_path)) == ["J.dot", "J.gv"]
    assert repr(drawing) == "<drawing of J: 7 nodes, 6 edges; call backward() to draw the gradients>"
    shown = drawing._repr_mimebundle_()
    assert set(shown) == {"text/plain"}
    assert "J = 3 × v" in shown["text/plain"]
    assert "no diagram" in shown["text/plain"]


def program(path, text):
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IEXEC)
    return str(path)


def test_an_engine_that_hangs_fails_or_says_nothing_gives_one_error(tmp_path):
    J = lecture()
    slow = program(tmp_path / "slow", "exec sleep 60")
    with pytest.raises(
        LayoutError, match=r"slow did not finish the layout in 0\.2 s: draw fewer nodes with detail='folded'"
    ):
        draw(J, engine=slow, timeout=0.2).svg()
    with pytest.raises(LayoutError, match="broken: no such luck"):
        draw(J, engine=program(tmp_path / "broken", "echo no such luck >&2; exit 3")).svg()
    with pytest.raises(LayoutError, match="mute: exit code 0"):
        draw(J, engine=program(tmp_path / "mute", "exit 0")).svg()
    chatty = draw(J, engine=program(tmp_path / "chatty", "echo hello"))
    with pytest.raises(LayoutError, match="chatty printed no SVG"):
        chatty.svg()
    assert "no diagram" in chatty._repr_mimebundle_()["text/plain"]
    with pytest.raises(EngineNotFoundError, match="engine='nowhere'"):
        draw(J, engine="nowhere").svg()
    assert "no diagram" in draw(J, engine="nowhere")._repr_mimebundle_()["text/plain"]


def test_the_engine_is_the_first_that_is_there(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "executable", str(tmp_path / "venv" / "python"))
    (tmp_path / "venv").mkdir()
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.delenv(layout_engines.VARIABLE, raising=False)
    made = []
    for path in ("venv/graphviz-pure", "bin/graphviz-pure", "bin/dot", "mine"):
        made.append(program(tmp_path / path, "exit 0"))
        if path == "mine":
            monkeypatch.setenv(layout_engines.VARIABLE, made[-1])
        assert layout_engines.find_engine() == made[-1]
    assert layout_engines.find_engine(made[0]) == made[0]


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    J = lecture()
    path = tmp_path / "J.svg"
    path.write_text("mine")
    with pytest.raises(LayoutError):
        draw(J, engine=program(tmp_path / "broken", "exit 1")).save(path)
    with pytest.raises(
        ValueError, match=r"cannot save 'J.gif': the path must end in one of .svg, .png, .pdf, .dot, .gv"
    ):
        draw(J).save(tmp_path / "J.gif")
    assert path.read_text() == "mine"


@engines
def test_files_are_what_their_suffix_says(engine, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "cairosvg", None)  # as if it were not installed
    J = lecture()
    J.backward()
    drawing = draw(J, engine=engine)
    assert drawing.save(tmp_path / "J.png").read_bytes().startswith(b"\x89PNG")
    assert ET.parse(drawing.save(tmp_path / "J.SVG")).getroot().tag == f"{SVG}svg"
    if engine == ENGINES["dot"]:
        assert drawing.save(tmp_path / "J.pdf").read_bytes().startswith(b"%PDF")
    else:
        with pytest.raises(LayoutError, match=r": cannot write pdf: save as .svg"):
            drawing.save(tmp_path / "J.pdf")
    assert drawing._repr_mimebundle_()["image/svg+xml"].startswith("<svg")


def test_the_slope_of_a_largest_entry_can_be_drawn():
    A = Tensor([[1.0, 2.0], [3.0, 4.0]], "A")
    local = tinygraph.grad((A.max(axis=0) ** 2).sum(), A, create_graph=True)
    assert "(A == max(A, axis=0))" in draw(local.sum()).source


# --- formulas and names -------------------------------------------------------------------------------


def weighted_sum(*, middle=""):
    """Return the cost of a neuron with three inputs, whose weighted sum consists of three additions."""
    w, x = [Value(0.5, f"w{i}") for i in (1, 2, 3)], [Value(float(i), f"x{i}") for i in (1, 2, 3)]
    part = w[0] * x[0] + w[1] * x[1]
    part.name = middle
    z = part + w[2] * x[2] + Value(0.1, "b")
    z.name = "z"
    L = z * z
    L.name = "L"
    L.backward()
    return L


def boxes(drawing):
    return {box.name or box.expression: box for box in drawing._diagram.boxes}


def test_a_chain_of_additions_without_names_is_one_box():
    L = weighted_sum()
    folded_sum, apart = draw(L), draw(L, fold_sums=False)
    assert boxes(folded_sum)["z"].expression == "w1 × x1 + w2 × x2 + w3 × x3 + b"
    assert len(boxes(apart)) == len(boxes(folded_sum)) + 2
    red = [arrow.back for arrow in folded_sum._diagram.arrows if arrow.head == boxes(folded_sum)["z"].id]
    assert len(red) == 4
    assert red[-1].symbol == "dL/dz · ∂z/∂b"
    assert {back.contribution for back in red} == {boxes(folded_sum)["z"].grad}, "a sum passes its gradient on"
    assert len(folded_sum._diagram.arrow_ids) == len(folded_sum._diagram.arrows)


def test_an_addition_with_a_name_stays_unless_you_ask():
    L = weighted_sum(middle="part")
    assert {"part", "z"} <= set(boxes(draw(L)))
    assert "part" not in boxes(draw(L, fold_sums=True))
    assert boxes(draw(L, fold_sums=True))["z"].expression == "w1 × x1 + w2 × x2 + w3 × x3 + b"


def test_an_addition_that_is_used_twice_is_not_folded():
    a, b = Value(1.0, "a"), Value(2.0, "b")
    s = a + b
    y = s + 1.0 + s
    assert len([box for box in draw(y, fold_sums=True)._diagram.boxes if box.role != "constant"]) == 4


@given(program=graphs())
def test_a_folded_sum_shows_the_same_contributions(program):
    root, _ = program.record()
    root.backward()
    whole = diagram(Walk(root, root.grad), exact)
    before = dict(whole.arrow_ids)
    texts = {arrow.id: arrow.back and arrow.back.contribution for arrow in whole.arrows}
    for named in (False, True):
        within = sums(order(root), named)
        shown = diagram(Walk(root, root.grad), exact, within=within)
        assert len(shown.boxes) == len(whole.boxes) - len(within)
        kept = {(node, slot) for node, slot in before if not any(node.args[slot] is inner for inner in within)}
        assert shown.arrow_ids.keys() == kept
        now = {arrow.id: arrow.back and arrow.back.contribution for arrow in shown.arrows}
        assert all(now[arrow] == texts[before[key]] for key, arrow in shown.arrow_ids.items())


def test_names_are_set_as_in_a_textbook_unless_you_ask():
    w, sigma = Value(2.0, "w_1"), Value(3.0, "sigma")
    y = w * sigma
    y.name = "y1"
    y.backward()
    source, plain = draw(y).source, draw(y, plain_names=True).source
    assert "<B>w₁</B>" in source
    assert "<B>y₁</B>" in source
    assert "w₁ × σ" in source
    assert "<B>w_1</B>" in plain
    assert "w_1 × sigma" in plain
    assert 'tooltip="w_1 = 2' in source, "a tooltip shows the name that you gave"


def test_a_long_formula_is_wrapped():
    names = [Value(float(i), f"value{i}") for i in range(5)]
    y = (names[0] - names[1]) * (names[2] - names[3]) * names[4]
    source = draw(y, plain_names=True).source
    assert "(value0 - value1) × (value2 - value3)<BR/>× value4" in source


def test_an_arrow_of_an_unnamed_product_shows_its_formula():
    L = weighted_sum()
    symbols = {arrow.back.symbol for arrow in draw(L)._diagram.arrows if arrow.back}
    assert {"dL/dz · x1", "dL/dz · w1", "dL/dz · x3"} <= symbols


def network_of_arrays(m):
    X = Tensor(np.linspace(-1.0, 1.0, 2 * m).reshape(2, m), "X", constant=True)
    Y = Tensor(np.arange(float(m)).reshape(1, m) % 2, "Y", constant=True)
    W, w, b = Tensor(np.linspace(-1.0, 2.0, 6).reshape(3, 2), "W"), Tensor([[0.5, -1.0, 2.0]], "w"), Tensor(0.1, "b")
    V = W @ X
    H = tinygraph.tanh(V)
    Z = w @ H + b
    A = tinygraph.sigmoid(Z)
    L = tinygraph.binary_cross_entropy(A, Y) * 2.0 - A / (H * H + 1.0).sum(axis=0, keepdims=True)
    J = L.mean()
    tinygraph.name_from({"V": V, "H": H, "Z": Z, "A": A, "L": L, "J": J})
    J.backward()
    return J


def calculated(text, names):
    """Return the value of a formula on an arrow between arrays."""
    text = re.sub(r"dJ/d(\w+)", r"d\1", text)
    text = re.sub(r"tanh²(\(\w+\))", r"tanh\1**2", text).replace("²", "**2")
    text = re.sub(r"(\w+)ᵀ", r"\1.T", text).replace(" · ", " @ ").replace(" ⊙ ", " * ").replace(" × ", " * ")
    return eval(text, {"tanh": np.tanh, "σ": tinygraph.sigmoid, **names})


def test_an_arrow_between_long_arrays_shows_a_formula_that_is_right():
    J = network_of_arrays(7)
    walk = Walk(J, J.grad)
    shown = diagram(walk, Style())
    names = {node.name: node.data for node in walk.nodes if node.name}
    names |= {f"d{node.name}": node.grad for node in walk.nodes if node.name}
    arrows = {arrow.id: arrow.back for arrow in shown.arrows}
    checked = []
    for node in walk.nodes:
        for edge in walk.edges_of(node):
            back = arrows[shown.arrow_ids[node, edge.slot]]
            assert not re.search(r"\(\d+, \d+\)", back.product), "shapes explain nothing"
            if back.is_shape and not re.search("upstream|expanded|summed|dJ/d\\(", back.symbol):
                np.testing.assert_allclose(
                    np.broadcast_to(calculated(back.symbol, names), edge.contribution.shape), edge.contribution
                )
                checked.append(back.symbol)
    assert {"dJ/dA ⊙ A ⊙ (1 - A)", "wᵀ · dJ/dZ", "dJ/dZ"} <= set(checked)


@engines
def test_the_shape_is_in_the_line_below_the_formula(engine):
    source = draw(network_of_arrays(7), engine=engine).source
    assert "dJ/dA ⊙ A ⊙ (1 - A)<BR/>=&#160;<B>(1, 7)</B>" in source
    assert "dJ/dZ<BR/>=&#160;<B>(1, 7)</B>" in source
    assert "(1, 3) ⊙" not in draw(network_of_arrays(3), engine=engine).source


def test_an_arrow_of_a_matrix_product_shows_names_and_then_shapes():
    w, X = Tensor([[1.0], [2.0]], "w"), Tensor(np.ones((2, 3)), "X")
    Z = w.T @ X + Tensor(0.5, "b")
    Z.name = "Z"
    J = tinygraph.exp(Z).sum()
    J.name = "J"
    J.backward()
    symbols = {arrow.back.symbol for arrow in draw(J)._diagram.arrows if arrow.back}
    assert {"dJ/dZ · Xᵀ", "w · dJ/dZ", "(dJ/d(wᵀ))ᵀ", "dJ/dZ, summed to ()"} <= symbols
    assert "w · dJ/dZ<BR/>=&#160;<B>(2, 3)</B>" in draw(J).source
    assert "w · dZ" in {arrow.back.symbol for arrow in draw(J, notation="dv")._diagram.arrows if arrow.back}
