"""Options that contradict each other, or have an impossible value, are refused in one sentence."""

import re
import warnings
from dataclasses import FrozenInstanceError, replace

import pytest

from tinygraph import Value, draw
from tinygraph.drawing import DrawOptions
from tinygraph.drawing.themes import DARK, LIGHT, Theme, theme_of


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"width": 0}, "width must be a positive number, not 0"),
        ({"height": float("inf")}, "height must be a positive number, not inf"),
        ({"scale": -2.0}, "scale must be a positive number, not -2.0"),
        ({"scale": 2.0, "width": 100}, "scale= cannot be combined with width= or height=, which"),
        ({"font_size": 0.0}, "font_size must be a positive number, not 0.0"),
        ({"dpi": float("nan")}, "dpi must be a positive number, not nan"),
        ({"font": "Arial, Helvetica"}, "font must be the name of one font, such as 'Arial', not 'Arial, Helvetica'"),
        ({"font": "x'}</style>"}, "font must be the name of one font"),
        ({"background": "pink"}, "background must be 'transparent' or a color such as '#0067a5', not 'pink'"),
        ({"background": "#ffffff", "theme": "auto"}, "background='#ffffff' cannot be combined with theme='auto'"),
        ({"theme": {"base": "auto"}}, "theme['base'] must be one of 'light', 'dark', not 'auto'"),
        ({"theme": {"foward": "#ffffff"}}, "each key of theme must be one of 'base', 'background', 'ink'"),
        ({"theme": {"forward": "#fff"}}, "theme['forward'] must be a color such as '#0067a5', not '#fff'"),
        ({"theme": {"input": "#ffffff"}}, "theme['input'] must be a pair of colors (fill, border), not '#ffffff'"),
        ({"theme": {"input": ("#ffffff", "blue")}}, "theme['input'] must be a pair of colors (fill, border) such as"),
    ],
)
def test_what_is_wrong_with_an_option_is_said_in_one_sentence(options, message):
    for make in (DrawOptions, lambda **given: draw(Value(1.0), **given)):
        with pytest.raises(ValueError, match=re.escape(message)) as caught:
            make(**options)
        assert "\n" not in str(caught.value)


def test_options_never_change_and_copies_are_checked():
    options = DrawOptions(theme="dark", parameters=Value(1.0))
    with pytest.raises(FrozenInstanceError):
        options.theme = "light"
    assert replace(options, width=100).width == 100
    assert len(options.parameters) == 1
    with pytest.raises(ValueError, match="width must be"):
        replace(options, width=-1)


@pytest.mark.parametrize("base", ["light", "dark"])
def test_a_dictionary_replaces_only_its_colors(base):
    whole = {"light": LIGHT, "dark": DARK}[base]
    new = {"forward": "#ABCDEF", "output": ["#123456", "#654321"]}
    colors = theme_of({"base": base, **new})
    assert (colors.forward, colors.output) == ("#abcdef", ("#123456", "#654321"))
    others = set(Theme._fields) - new.keys()
    assert {role: getattr(colors, role) for role in others} == {role: getattr(whole, role) for role in others}
    x = Value(2.0, "x")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some of these texts are hard to read
        source = draw(x * 3.0, theme={"base": base, **new}).source
    assert "#abcdef" in source
    assert whole.forward not in source.replace(whole.input[1], "") or whole.forward == whole.input[1]
    assert theme_of({"forward": "#abcdef"}).backward == LIGHT.backward
