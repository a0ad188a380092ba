"""Labels keep off the arrows, and options change what is drawn but not where."""

import json
import random
import re
import subprocess
import xml.etree.ElementTree as ET

import numpy as np
import pytest

import tinygraph
from tests.drawing.overlaps import overlaps
from tests.drawing.test_draw import SVG, engines, example, lecture
from tinygraph import Tensor, Value, draw, scope


def fan_out():
    x = Value(3.0, "x")
    y = x * x * x + tinygraph.sin(x) * -2.0 - x
    y.name = "y"
    return y


def network():
    """Record a network with two inputs, three hidden units and one output."""
    number = random.Random(0).gauss
    inputs = [Value(1.0, "x1"), Value(-0.5, "x2")]
    hidden = []
    for j in range(3):
        weights = [Value(round(number(0, 1), 2), f"w{j}{i}") for i in range(2)]
        hidden.append(tinygraph.tanh(weights[0] * inputs[0] + weights[1] * inputs[1] + Value(0.1, f"b{j}")))
    out = Value(0.2, "c")
    for j, unit in enumerate(hidden):
        out = out + Value(round(number(0, 1), 2), f"v{j}") * unit
    return tinygraph.binary_cross_entropy(tinygraph.sigmoid(out), 1.0)


def recurrence(n=5):
    h, w = Value(0.0, "h"), Value(0.9, "w")
    for i in range(n):
        h = tinygraph.tanh(w * h + Value(-0.4, f"x{i}"))
    return h


GRAPHS = {
    "J": lecture,
    "one neuron": lambda: example()[0],
    "fan-out": fan_out,
    "network": network,
    "recurrence": recurrence,
}


@engines
@pytest.mark.parametrize("direction", ["LR", "TB"])
@pytest.mark.parametrize("name", GRAPHS)
def test_no_label_is_on_an_arrow_or_on_another_label(name, direction, engine):
    root = GRAPHS[name]()
    root.backward()
    for options in ({"notation": "dv"}, {}, {"detail": "contributions"}):
        number, found = overlaps(draw(root, direction=direction, **options).source, engine)
        assert number
        assert not found


def test_the_measure_finds_labels_on_arrows():
    """Without space around the labels, the measure finds the overlaps that this space prevents."""
    root = network()
    root.backward()
    source = draw(root, direction="TB").source
    crowded = source.replace('CELLPADDING="2"', 'CELLPADDING="0"').replace("&#160;", "")
    engine = pytest.importorskip("shutil").which("dot")
    if engine is None:
        pytest.skip("no dot")
    assert overlaps(crowded, engine)[1]


# --- forward only, in the layout of the whole diagram


def layout(source, engine):
    """Return the positions and sizes of boxes, and the curves of forward arrows."""
    done = subprocess.run([engine, "-Tjson"], input=source.encode(), capture_output=True, check=True)
    found = json.loads(done.stdout)
    boxes = {x["id"]: (x["pos"], x["width"], x["height"]) for x in found["objects"] if "pos" in x}
    return found["bb"], boxes, {x["id"]: x["pos"] for x in found["edges"] if not x["id"].endswith("b")}


def long_vector():
    x = Tensor(np.linspace(-1.0, 1.0, 12).reshape(3, 4), "x")
    return (x * x).sum()


@engines
@pytest.mark.parametrize("make", [*GRAPHS.values(), long_vector])
@pytest.mark.parametrize("options", [{}, {"compact": True, "heatmap": True}, {"detail": "contributions"}])
def test_the_forward_pass_alone_has_the_layout_of_the_whole(make, options, engine):
    root = make()
    root.backward()
    whole, forward = (draw(root, backward=flag, engine=engine, **options) for flag in (True, False))
    assert layout(forward.source, engine) == layout(whole.source, engine)
    seen = ET.fromstring(forward.svg())
    groups = [group.get("class") for group in seen.iter(f"{SVG}g")]
    assert not any("backward" in kind for kind in groups if kind)
    said = {text.text for text in seen.iter(f"{SVG}text")}
    assert not {"grad", "|"} & said
    assert not any("backward" in text or "grad" in text for text in said)
    assert "grad" not in "".join(link.get("{http://www.w3.org/1999/xlink}title", "") for link in seen.iter(f"{SVG}a"))
    assert any("grad" in text or "|" in text for text in ET.fromstring(whole.svg()).itertext())


@engines
def test_an_image_of_the_forward_pass_has_no_red(engine, tmp_path):
    image = pytest.importorskip("PIL.Image")
    root = Value(2.0, "x") * Value(3.0, "w")  # the border of an output is gold, but the theme can change it
    root.backward()
    blue = {"output": ("#ffffff", "#0067a5")}
    reddish = []
    for flag in (True, False):
        drawing = draw(root, theme=blue, backward=flag, engine=engine)
        pixels = image.open(drawing.save(tmp_path / "J.png")).convert("RGB")
        reddish.append(sum(n for n, (r, g, b) in pixels.getcolors(1 << 24) if r > b + 8))
    assert reddish[0] > 100
    assert reddish[1] == 0


# --- compact drawings, constants and heatmaps


@engines
def test_a_compact_drawing_has_symbols_and_no_captions(engine):
    root, parameters = example()
    root.backward()
    text = draw(root, parameters=parameters, compact=True, engine=engine)
    said = [text.text for text in ET.fromstring(text.svg()).iter(f"{SVG}text")]
    assert not {"data", "grad"} & set(said)
    assert {"×", "σ", "+"} <= {word.replace("\xa0", "").strip() for word in said}


def test_arrows_of_a_compact_drawing_have_no_text_unless_you_ask_for_it():
    x = Value(3.0, "x")
    y = x * 2.0 + x
    y.backward()
    arrows = [line for line in draw(y, compact=True).source.splitlines() if "->" in line]
    assert not any("FONT" in line for line in arrows)
    assert sum("class=backward" in line for line in arrows) == 3
    assert "= 1 + 2" in draw(y, compact=True).source  # the box still shows the contributions
    assert "1 × 2 =" in draw(y, compact=True, detail="full").source


def test_without_constants_only_what_has_a_gradient_stays():
    w, c = Value(2.0, "w"), Value(3.0, "c", constant=True)
    y = (c * 2.0 + 1.0) * w + 4.0
    y.backward()
    whole, fewer = draw(y)._diagram, draw(y, constants=False)._diagram
    assert [box.data for box in fewer.boxes] == ["2", "14", "18"]  # w, its product, and the sum
    assert all(box.grad is not None for box in fewer.boxes)
    assert len(whole.boxes) == 9
    kept = {box.id for box in fewer.boxes}
    assert all({arrow.tail, arrow.head} <= kept for arrow in fewer.arrows)
    assert len(draw(y, constants=False, parameters=[c])._diagram.boxes) == 4
    assert len(draw(c, constants=False)._diagram.boxes) == 1
    chain = w
    for _ in range(700):
        chain = chain * 1.001
    folded = draw(chain, constants=False)._diagram
    assert folded.boxes
    assert not any(box.role == "constant" for box in folded.boxes)


def grids(source):
    """Return the colors of the cells of each grid."""
    tables = re.findall(r'<TABLE BORDER="0" CELLBORDER="1"[^>]*>(.*?)</TABLE>', source)
    return [[re.findall(r'BGCOLOR="(#\w+)"', row) for row in table.split("</TR>")[:-1]] for table in tables]


def test_a_heatmap_is_darker_where_an_element_is_larger():
    rng = np.random.default_rng(1)
    data = rng.normal(size=(4, 5))
    x = Tensor(data, "x")
    y = (x * x).sum()
    y.backward()
    assert not grids(draw(y).source)
    values, gradient, square, ones = grids(draw(y, heatmap=True).source)
    assert [len(row) for row in values] == [5] * 4
    for cells, numbers in ((values, data), (gradient, 2 * data), (square, data**2)):
        reds = np.array([[int(cell[1:3], 16) for cell in row] for row in cells])
        assert np.all(np.diff(reds.ravel()[np.argsort(numbers.ravel())]) <= 0)
    assert len({cell for row in ones for cell in row}) == 1


def test_heatmaps_of_odd_arrays():
    infinite = Tensor([[np.nan, 1.0], [np.inf, 2.0]], "x")
    (cells,) = grids(draw(infinite, heatmap=True).source)
    assert [len(row) for row in cells] == [1, 1]  # what is not finite has no color
    for shape in ((), (1,), (0, 3), (2, 2, 2), (101,), (21, 2), (11, 10)):
        assert not grids(draw(Tensor(np.ones(shape), "x"), heatmap=True).source)
    assert grids(draw(Tensor(np.array([-1.7e308, 1.7e308]), "x"), heatmap=True).source)
    assert not grids(draw(Value(2.0, "x"), heatmap=True).source)


@engines
def test_the_largest_heatmap_is_not_too_long_for_the_engine(engine):
    x = Tensor(np.random.default_rng(0).normal(size=(10, 10)), "x" * 300)
    y = (x * x).sum()
    y.backward()
    ET.fromstring(draw(y, heatmap=True, engine=engine).svg())


def test_a_scope_and_its_boxes_have_all_options_together():
    with scope("a"):
        x = Tensor([[1.0, 2.0]], "x")
        y = (x * 2.0).sum()
    y.backward()
    assert draw(y, heatmap=True, compact=True, constants=False, backward=False, detail="scopes").source
