"""Several graphs stay separate in one drawing, and matching boxes are aligned wherever all of them can be."""

import itertools
import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given

import tinygraph
from tests.drawing.test_draw import SVG, engines
from tinygraph import StaleGraphError, Tensor, Value, draw
from tinygraph.drawing.arrows import Style
from tinygraph.drawing.diagram import diagram
from tinygraph.drawing.side_by_side import matches
from tinygraph.drawing.themes import LIGHT
from tinygraph.explaining.walk import Walk
from tinygraph.testing import graphs


def lectures():
    """Record 3(a + bc) and 3a + 3bc."""
    a, b, c = Value(5.0, "a"), Value(3.0, "b"), Value(2.0, "c")
    u, t = b * c, b * c
    v = a + u
    p, q = 3 * a, 3 * t
    J1, J2 = 3 * v, p + q
    tinygraph.name_from({"u": u, "v": v, "J1": J1, "p": p, "q": q, "J2": J2})
    t.name = "u"
    J1.backward()
    J2.backward()
    return J1, J2


def positions(drawing):
    """Return the center of the text of each box by its name, for each of the two graphs."""
    found = ({}, {})
    for group in ET.fromstring(drawing.svg()).iter(f"{SVG}g"):
        key = re.search(r"-(g1)?n\d+$", group.get("id", ""))
        if key:
            text = next(group.iter(f"{SVG}text"))
            shape = next(x for x in group.iter() if x.tag in (f"{SVG}path", f"{SVG}polygon"))
            numbers = list(map(float, re.findall(r"-?[\d.]+", shape.get("d") or shape.get("points"))))
            found[key[1] is not None][text.text.strip()] = [
                (min(numbers[axis::2]) + max(numbers[axis::2])) / 2 for axis in (0, 1)
            ]
    return found


@engines
@pytest.mark.parametrize("direction", ["LR", "TB"])
def test_matching_boxes_are_aligned(direction, engine):
    first, second = positions(draw(lectures(), direction=direction, engine=engine))
    along, across = (0, 1) if direction == "LR" else (1, 0)
    assert first.keys() & second.keys() == {"a", "b", "c", "u"}
    for name in "abcu":
        assert first[name][along] == pytest.approx(second[name][along], abs=3)
    # the first graph is on top, or on the left
    assert max(p[across] for p in first.values()) < min(p[across] for p in second.values())


def test_each_graph_keeps_its_boxes_and_numbers():
    J1, J2 = lectures()
    both = draw([J1, J2])
    parts = [draw(J)._diagram for J in (J1, J2)]
    shown = both._diagram
    assert len(shown.boxes) == sum(len(part.boxes) for part in parts)
    assert len(shown.arrows) == sum(len(part.arrows) for part in parts)
    assert len({box.id for box in shown.boxes}) == len(shown.boxes)
    assert len({arrow.id for arrow in shown.arrows}) == len(shown.arrows)
    assert {box.scope[0] for box in shown.boxes} == {"J1", "J2"}
    grads = {(box.scope[0], box.name): box.grad for box in shown.boxes if box.name}
    assert (grads["J1", "c"], grads["J2", "c"]) == ("9", "9")
    assert repr(both) == "<drawing of J1, J2: 16 nodes, 14 edges>"
    assert {box.scope[0] for box in draw([J1, J1])._diagram.boxes} == {"J1 (1)", "J1 (2)"}
    assert {box.scope[0] for box in draw([Value(1.0), Tensor([1.0])])._diagram.boxes} == {"graph 1", "graph 2"}


@given(program=graphs(), other=graphs())
def test_aligned_boxes_never_form_a_cycle(program, other):
    """Without this property, dot would have to break a cycle, and would not align the boxes."""
    shown = []
    for recorded in (program, other):
        root, _ = recorded.record()
        for i, node in enumerate(Walk(root).nodes):
            node.name = f"x{i * 7 % 5}" if i % 3 else f"y{i}"
        shown.append(diagram(Walk(root), Style()))
    pairs = matches(*shown)
    same = {("second", b): ("first", a) for a, b in pairs}
    heads = {}
    for side, part in zip(("first", "second"), shown, strict=True):
        for arrow in part.arrows:
            tail, head = ((side, key) for key in (arrow.tail, arrow.head))
            heads.setdefault(same.get(tail, tail), set()).add(same.get(head, head))
    left = {*heads, *itertools.chain.from_iterable(heads.values())}
    while free := {key for key in left if not heads.get(key, set()) & left}:
        left -= free
    assert not left


def test_several_roots_are_checked():
    J1, J2 = lectures()
    with pytest.raises(ValueError, match="root must be a node of a graph or a sequence of them, not an empty sequence"):
        draw([])
    with pytest.raises(TypeError, match=r"each element of root must be a node of a graph, not 3 \(int\)"):
        draw([J1, 3])
    with pytest.raises(ValueError, match="around= cannot be combined with several roots: draw one root"):
        draw([J1, J2], around=J1)
    leaf = Walk(J2).find("c")
    leaf.data = 7.0
    with pytest.raises(StaleGraphError):
        draw([J1, J2])


def test_without_an_engine_every_graph_is_shown_as_a_tree(tmp_path, monkeypatch):
    shown = draw(lectures(), engine=str(tmp_path / "nothing"))._repr_mimebundle_()
    assert {"J1 = 3 × v", "J2 = p + q"} <= {line.split("   ")[0] for line in shown["text/plain"].splitlines()}


def test_the_marks_of_a_comparison_stay_if_the_backward_pass_is_hidden():
    a, b = Value(2.0, "a"), Value(3.0, "b")
    found = tinygraph.compare(a * b, a + b)
    for flag in (True, False):
        marks = re.findall(r'color="(#\w+)"[^\n]* peripheries=2', found.draw(backward=flag).source)
        assert len(marks) == 6  # two inputs and a root in each graph
        assert set(marks) == {LIGHT.backward}
