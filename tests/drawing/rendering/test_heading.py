"""The legend explains the arrows, does not limit a compact slide, and does not move a diagram whose pass is hidden."""

import re

import pytest

from tests.drawing.test_draw import engines, lecture
from tinygraph import draw


def numbers(svg):
    return re.findall(r'(?:points|\bd|viewBox)="([^"]+)"', svg)


@engines
@pytest.mark.parametrize("direction", ["LR", "TB"])
@pytest.mark.parametrize("compact", [False, True])
def test_a_hidden_pass_leaves_each_box_where_it_is_even_if_the_legend_is_the_widest_part(engine, direction, compact):
    J = lecture()
    J.backward()
    whole, forward = (
        draw(J, backward=backward, compact=compact, direction=direction, engine=engine, font_size=9).svg()
        for backward in (True, False)
    )
    assert numbers(forward)[0] == numbers(whole)[0], "the canvas"
    assert set(numbers(forward)) <= set(numbers(whole))
    assert "backward:" in whole
    assert "backward:" not in forward


@engines
def test_the_legend_of_a_compact_slide_leaves_room(engine):
    """In one line, the legend made the diagram a third smaller."""
    svgs = [
        draw(lecture(), compact=True, width=1920, height=1080, legend=k, engine=engine).svg() for k in (True, False)
    ]
    with_legend, without = (float(re.search(r'viewBox="\S+ \S+ (\S+)', svg)[1]) for svg in svgs)
    assert with_legend < 1.3 * without
