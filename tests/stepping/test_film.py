"""The frames of a pass, which differ only in their classes."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings

from tests.engines import needed_engine
from tinygraph import Stepper, Tensor, Value, scope
from tinygraph.cli.expressions import parse
from tinygraph.drawing import DrawOptions
from tinygraph.explaining import notation
from tinygraph.stepping.captions import text_width
from tinygraph.stepping.document import XMLNS, groups_of
from tinygraph.stepping.film import STATES, Film
from tinygraph.testing import graphs


@pytest.fixture(autouse=True)
def _engine():
    needed_engine()


def lecture():
    return parse("u = b*c; v = a + u; J = 3*v", {"a": 5.0, "b": 3.0, "c": 2.0})


def fan_out():
    return parse("s = x*x; t = 3*x + s*w; y = t*s", {"x": 2.0, "w": -0.5})


def frame(film, k):
    return ElementTree.fromstring(film.frame(k).replace(XMLNS, ""))


def frames(film):
    return [frame(film, k) for k in film.positions]


def captions(root):
    return [group for group in root if group.tag == "g" and "transform" not in group.attrib]


def without_classes(root):
    """Return everything in a document but the classes."""
    rest = [(e.tag, {k: v for k, v in e.attrib.items() if k != "class"}, e.text, e.tail) for e in root.iter()]
    return rest, [len(element) for element in root.iter()]


def visible(element):
    """Return the texts of an element that its own classes and those of its children do not hide."""
    if element.get("class", "").split()[-1:] in (["off"], ["gone"]):
        return []
    own = [element.text] if element.tag == "text" else []
    return own + [text for child in element for text in visible(child)]


def happened(stepper, k):
    return {(step.kind, step.result, step.slot) for step in stepper.steps[:k]}


def check_frame(stepper, film, k, root):
    """Check the numbers and the classes of a frame against the steps before it."""
    groups, past, shown = groups_of(root), happened(stepper, k), film.shown
    stepper.goto(k)
    for node, key in shown.ids.items():
        group = groups[key]
        classes = group.get("class").split()
        is_computed = node.op is None or stepper.steps.computed == [] or ("forward", node, 0) in past
        assert ("ahead" in classes) == (not is_computed)
        values = [text.text for text in group.iter("text") if text.get("class", "") == "value"]
        assert (notation.clean(notation.quantity(node.raw)) in values) == is_computed
        if not node.constant:
            gradient = stepper.grad(node)
            numbers = [text.text for text in group.iter("text") if text.get("class", "") == "grad"]
            assert numbers == ["·" if gradient is None else notation.quantity(gradient)]
    backs = {arrow.id: arrow.back is not None for arrow in shown.arrows}
    for (node, slot), key in shown.arrow_ids.items():
        if backs[key]:
            assert ("faint" in groups[f"{key}b"].get("class").split()) == (("backward", node, slot) not in past)
    here = stepper.current
    written = [key for key in shown.ids.values() if "written" in [s.get("class") for s in groups[key].iter()]]
    assert written == ([] if here is None else [shown.ids[here.node]])


@settings(max_examples=15)
@given(program=graphs())
def test_frames_differ_only_in_classes_and_show_what_has_happened(program):
    root, _ = program.record()
    stepper = Stepper(root, phase="both")
    film = Film(stepper, DrawOptions(detail="full"))
    drawn = frames(film)
    for k, frame in enumerate(drawn):
        assert without_classes(frame) == without_classes(drawn[0])
        check_frame(stepper, film, k, frame)


@pytest.mark.parametrize("phase", ["backward", "forward", "both"])
@pytest.mark.parametrize("make", [lecture, fan_out], ids=["lecture", "fan out"])
def test_a_caption_tells_its_step(make, phase):
    stepper = Stepper(make(), phase=phase)
    film = Film(stepper, DrawOptions(legend=False))
    for k, root in enumerate(frames(film)):
        caption = " ".join(text for group in captions(root) for text in visible(group))
        told = str(stepper.steps[k - 1]) if k else f"at the start of {len(stepper)} steps"
        assert "".join(caption.split()).replace(":", "", 1) == "".join(told.split())
    bare = Film(stepper, DrawOptions(legend=False), caption=False)
    assert not [
        group for root in frames(bare) for group in root if group.tag == "g" and "transform" not in group.attrib
    ]


def test_a_grid_appears_with_its_array():
    w = Tensor(np.arange(6.0).reshape(2, 3), "w")
    u = w * w
    u.name = "u"
    stepper = Stepper(u.sum(), phase="both")
    film = Film(stepper, DrawOptions(heatmap=True, legend=False), caption=False)
    for k, root in enumerate(frames(film)):
        past = happened(stepper, k)
        for node in (w, u):
            cells = [shape.get("class") for shape in groups_of(root)[film.shown.ids[node]].iter("polygon")]
            cells = [state for state in cells if state]
            is_computed = node is w or ("forward", node, 0) in past
            assert cells.count("value" if is_computed else "value off") == 12, "an area and a border per element"
            arrived = {step.index for step in stepper.contributions(node)}
            assert cells.count("late" if max(arrived) <= k else "late off") == 12


def test_a_node_without_a_box_has_steps_but_no_marks():
    x, c = Value(2.0, "x"), Value(3.0, "c", constant=True)
    y = x * (c * 2.0)
    stepper = Stepper(y, phase="both")
    drawn = frames(Film(stepper, DrawOptions(constants=False)))
    assert len(drawn) == len(stepper) + 1
    with pytest.raises(ValueError, match="fold_sums=True cannot be combined with a walkthrough"):
        Film(stepper, DrawOptions(fold_sums=True))
    with pytest.raises(ValueError, match="backward=False cannot be combined with the steps of a backward pass"):
        Film(stepper, DrawOptions(backward=False))
    assert frames(Film(Stepper(y, phase="forward"), DrawOptions(backward=False)))


def test_what_has_not_happened_is_invisible_on_request():
    stepper = Stepper(fan_out(), phase="both")
    film = Film(stepper, DrawOptions(), hide=True, caption=False)
    for k, root in enumerate(frames(film)):
        groups, past = groups_of(root), happened(stepper, k)
        for node, key in film.shown.ids.items():
            is_computed = node.op is None or ("forward", node, 0) in past
            assert ("gone" in groups[key].get("class").split()) == (not is_computed)
        for (node, slot), key in film.shown.arrow_ids.items():
            assert ("gone" in groups[key].get("class").split()) == (("forward", node, 0) not in past)
            if f"{key}b" in groups:
                assert ("gone" in groups[f"{key}b"].get("class").split()) == (("backward", node, slot) not in past)
    assert "opacity:0" in STATES["gone"]


def test_a_literal_appears_with_its_result_and_a_scope_with_its_first_box():
    x = Value(2.0, "x")
    with scope("outer"):
        u = x * 3.0
        with scope("inner"):
            v = u + 4.0
    y = v * v
    stepper = Stepper(y, phase="both")
    film = Film(stepper, DrawOptions(), hide=True, caption=False)
    texts = {"3": 1, "4": 2, "outer": 1, "inner": 2}  # the steps that compute u and v
    for k, root in enumerate(frames(film)):
        shown = visible(root)
        assert {text: text in shown for text in texts} == {text: k >= at for text, at in texts.items()}
    backward = Film(Stepper(y), DrawOptions(), hide=True, caption=False)
    assert {"3", "4", "outer", "inner"} <= set(visible(frames(backward)[0]))


def test_gradients_of_another_pass_are_not_shown():
    J = lecture()
    J.backward(seed=7.0)
    film = Film(Stepper(J), DrawOptions(), caption=False)
    for root in frames(film):
        texts = [text.text for text in root.iter("text")]
        assert ".grad is" not in texts
        assert "63" not in texts, "the stored gradient of c"


def test_a_document_has_no_tooltip_that_shows_a_later_result():
    y = Value(2.0, "x") * Value(3.0, "a name of more than twenty-four characters")
    text = Film(Stepper(y), DrawOptions(legend=False), caption=False).frame(0)
    assert "title" not in text
    assert "&#10;" not in text


def test_large_graphs_show_two_colored_arrows_in_parts():
    y = Value(1.0, "x")
    for _ in range(250):
        y = y.sin()
    stepper = Stepper(y)
    film = Film(stepper, DrawOptions(), caption=False)
    for k in (0, 1, 2, 100, 251):
        root = frame(film, k)
        parts = [shape.get("class") for shape in root.iter() if shape.get("stroke") == film.look.theme.backward]
        per_arrow, contributions = len(parts) // 250, max(k - 1, 0)
        assert parts.count("faint") == per_arrow * (250 - contributions)
        assert parts.count("now") == (per_arrow if contributions else 0)


def test_arrays_have_shapes_and_notes_that_come_late():
    w = Tensor(np.ones((20, 20)), "w")
    stepper = Stepper(w * w, seed=np.full((20, 20), 3.0))
    film = Film(stepper, DrawOptions())
    first, *_, last = frames(film)
    texts = {
        name: [text for text in visible(root) if text == "all 3"] for name, root in (("first", first), ("last", last))
    }
    assert not texts["first"]
    assert texts["last"]


@pytest.mark.parametrize(
    "options",
    [
        {"width": 1920, "height": 1080},
        {"width": 800},
        {"scale": 2.0, "theme": "dark"},
        {"background": "transparent"},
        {"background": "#ffeecc"},
        {"font_size": 20, "font": "DejaVu Sans"},
        {"theme": {"forward": "#123456", "backward": "#654321"}},
        {"compact": True, "constants": False, "legend": False},
        {"theme": {"forward": "#123456", "backward": "#123456", "muted": "#123456", "ink": "#123456"}},
        {"direction": "TB", "notation": "dv", "title": "a title", "number": ".2f"},
    ],
    ids=lambda options: ",".join(options),
)
@pytest.mark.parametrize("caption", [True, False])
def test_frames_take_the_options_of_draw(options, caption):
    stepper = Stepper(lecture(), phase="both")
    film = Film(stepper, DrawOptions(**options), caption=caption)
    drawn = frames(film)
    width, height = (float(drawn[0].get(side)) for side in ("width", "height"))
    for name, size in (("width", width), ("height", height)):
        assert size == pytest.approx(options.get(name, size))
    _, _, across, down = map(float, drawn[0].get("viewBox").split())
    assert across / down == pytest.approx(width / height, rel=1e-4)
    grounds = [rect.get("fill") for rect in drawn[0].iter("rect")]
    assert grounds == [] if options.get("background") == "transparent" else [film.look.theme.background]
    for root in drawn:
        assert without_classes(root) == without_classes(drawn[0])
    spec = options.get("number", ".4g")
    shown = [text.text for text in drawn[0].iter("text") if text.get("class") == "grad"]
    assert shown == ["·"] * 6
    values = [text.text for text in drawn[-1].iter("text") if text.get("class") == "value"]
    assert sorted(values) == sorted(notation.number(x, spec) for x in (5, 3, 2, 6, 11, 33))
    numbers = [text.text for text in drawn[-1].iter("text") if text.get("class") == "grad"]
    assert sorted(numbers) == sorted(notation.number(x, spec) for x in (3, 6, 9, 3, 3, 1))
    title = options.get("title", "")
    assert not title or title in visible(drawn[0])


@pytest.mark.parametrize("detail", ["folded", "scopes"])
def test_a_walkthrough_that_folds_nodes_is_refused(detail):
    with pytest.raises(ValueError, match=f"detail of a walkthrough.* not '{detail}'"):
        Film(Stepper(lecture()), DrawOptions(detail=detail))


def test_the_estimate_of_a_width_is_not_too_small():
    """The widths come from the metrics of Arial, in thousandths of the font size."""
    arial = {"0": 556, "m": 833, "W": 944, "i": 222, " ": 278, "·": 333, "×": 584, "→": 1000, "A": 667, "Q": 778}
    for sign, width in arial.items():
        assert text_width(sign, 1000) >= 0.9 * width
    assert text_width("dJ/db += dJ/du · du/db = 3 × 2 = 6", 13) > 200


def test_a_long_caption_is_wrapped_and_makes_a_narrow_canvas_wider():
    x = Value(2.0, "a_very_long_name_of_an_input")
    y = x * x
    y.name = "another_long_name_of_the_output"
    film = Film(Stepper(y), DrawOptions(legend=False))
    bare = Film(Stepper(y), DrawOptions(legend=False), caption=False)
    assert float(film.root.get("width")) >= float(bare.root.get("width"))
    wide = float(film.root.get("viewBox").split()[2])
    for root in frames(film):
        lines = [text for group in captions(root) for text in group]
        for line in lines:
            assert text_width(line.text, 13) <= wide or " " not in line.text
        assert re.match(r"0 0 ", root.get("viewBox"))
