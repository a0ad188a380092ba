"""A theme that makes text hard to read is reported, with the two colors and what to do."""

import html
import re
import warnings

import numpy as np
import pytest

from tests.drawing.test_draw import engines
from tinygraph import Stepper, Tensor, Value, draw, worksheet
from tinygraph.drawing import DrawOptions
from tinygraph.drawing.themes import contrast, hard_to_read, theme_of


@pytest.mark.parametrize(
    ("text", "ground", "published"),  # from the contrast checker of WebAIM
    [
        ("#000000", "#ffffff", 21.0),
        ("#767676", "#ffffff", 4.54),
        ("#777777", "#ffffff", 4.47),
        ("#ff0000", "#ffffff", 3.99),
        ("#0000ff", "#ffffff", 8.59),
        ("#123456", "#123456", 1.0),
    ],
)
def test_the_contrast_is_that_of_the_standard(text, ground, published):
    for pair in ((text, ground), (ground, text)):
        assert contrast(*pair) == pytest.approx(published, abs=0.011)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            {"theme": {"forward": "#ffcc00"}},
            "color #ffcc00 ('forward') is hard to read on #e3f1fa ('input'): the contr",
        ),
        (
            {"theme": {"base": "dark", "muted": "#444444"}},
            "color #444444 ('muted') is hard to read on #332a10 ('output')",
        ),
        ({"theme": {"output": ("#123456", "#000000")}}, "color #1b1f24 ('ink') is hard to read on #123456 ('output')"),
        ({"background": "#777777"}, "color #b5371a ('backward') is hard to read on #777777 ('background')"),
    ],
)
def test_a_theme_that_is_hard_to_read_gets_one_warning_that_names_the_line_of_the_user(options, said, tmp_path):
    x = Value(2.0, "x")
    y = x * x
    for make in (DrawOptions, lambda **given: draw(y, **given), lambda **given: worksheet(y, **given)):
        with pytest.warns(UserWarning, match=re.escape(said)) as caught:
            make(**options)
        assert len(caught) == 1
        assert caught[0].filename == __file__
        assert "choose a darker or lighter color" in str(caught[0].message)
        assert "\n" not in str(caught[0].message)
    with pytest.warns(UserWarning, match=re.escape(said)) as caught:
        Stepper(y, **options)
    assert {warning.filename for warning in caught} == {__file__}


def test_what_is_readable_or_not_known_gets_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for theme in ("light", "dark", "auto", {"forward": "#00457c"}, {"base": "dark", "ink": "#ffffff"}):
            for background in (None, "transparent"):
                DrawOptions(theme=theme, background=background)


def test_red_text_on_a_constant_is_not_checked_because_a_constant_has_no_gradient():
    found = theme_of({"backward": "#f0f1f3"})
    assert "('constant')" not in hard_to_read(found)
    assert hard_to_read(theme_of({"backward": "#f0f1f3"})).endswith("(5 more pairs of text and background, too)")


@engines
def test_a_heat_map_for_both_themes_has_the_colors_of_the_dark_one_in_a_dark_browser(engine):
    X = Tensor(np.linspace(-1.0, 2.0, 12).reshape(3, 4), "X")
    J = (X * X).sum()
    J.backward()
    in_both = draw(J, heatmap=True, theme="auto", engine=engine).svg()
    rules = dict(re.findall(r'\[fill="([^"]+)"\]\{fill:([^}]+)\}', in_both))
    cells, light, dark = (
        re.findall(r'<polygon fill="([^"]+)"', svg)
        for svg in (in_both, *(draw(J, heatmap=True, theme=name, engine=engine).svg() for name in ("light", "dark")))
    )
    assert cells == light
    assert [rules.get(color, color) for color in cells] == dark
    assert len(set(dark)) > 20, "the cells have different colors"
    page = html.unescape(Stepper(J, heatmap=True, engine=engine).player()._repr_html_())
    used = set(re.findall(r' fill="(#[^"]+)"', page))
    assert len(used) > 20
    assert used <= set(re.findall(r'\[fill="([^"]+)"\]\{fill:', page))
