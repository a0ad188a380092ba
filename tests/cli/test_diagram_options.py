"""Each option of `draw` is an option of the command, with the same effect, and its errors name it as it is written."""

import argparse
from dataclasses import fields

import pytest

import tinygraph
from tests.cli.commands import LECTURE
from tests.engines import needed_engine
from tinygraph.cli.diagram_options import OPTIONS, add_options
from tinygraph.cli.expressions import parse
from tinygraph.cli.main import main
from tinygraph.drawing import DrawOptions

NAMED = ["draw", "u = w1 * sigma; v = u * 2; J = v + w1 + 2 + sigma", "w1=5", "sigma=3"]
SAME = {  # arguments of the command, and those of draw
    "--theme dark": {"theme": "dark"},
    "--detail contributions": {"detail": "contributions"},
    "--direction TB": {"direction": "TB"},
    "--notation dv": {"notation": "dv"},
    "--title heading": {"title": "heading"},
    "--number .2f": {"number": ".2f"},
    "--font Georgia": {"font": "Georgia"},
    "--font-size 20": {"font_size": 20.0},
    "--background transparent": {"background": "transparent"},
    "--background #fffffe": {"background": "#fffffe"},
    "--compact": {"compact": True},
    "--no-legend": {"legend": False},
    "--no-constants": {"constants": False},
    "--forward-only": {"backward": False},
    "--heatmap": {"heatmap": True},
    "--fold-sums": {"fold_sums": True},
    "--no-fold-sums": {"fold_sums": False},
    "--plain-names": {"plain_names": True},
}


def test_every_option_of_draw_is_an_option_of_the_command():
    assert {option.name for option in OPTIONS} == {field.name for field in fields(DrawOptions)}
    parser = argparse.ArgumentParser()
    add_options(parser)
    given = vars(parser.parse_args([]))
    assert given.pop("parameters") == ""
    assert given == {field.name: field.default for field in fields(DrawOptions) if field.name in given}


@pytest.mark.parametrize("arguments", SAME)
def test_an_option_of_the_command_has_the_effect_of_the_option_of_draw(arguments, tmp_path):
    path = tmp_path / "J.dot"
    assert main([*NAMED, "-o", str(path), *arguments.split(" ")]) == 0
    J = parse(NAMED[1], {"w1": 5.0, "sigma": 3.0})
    J.backward()
    assert path.read_text(encoding="utf-8") == tinygraph.draw(J, **SAME[arguments]).source
    if arguments not in ("--heatmap", "--fold-sums"):  # this graph has no array, and no sum with a name
        assert path.read_text(encoding="utf-8") != tinygraph.draw(J).source


@pytest.mark.parametrize(
    ("arguments", "width"),
    [("--width 640 --height 480", "640"), ("--scale 2", None), ("--height 300", None), ("--width 500 --dpi 50", "500")],
)
def test_the_size_is_that_of_draw(arguments, width, tmp_path):
    needed_engine()
    assert main([*LECTURE, "-o", str(tmp_path / "J.svg"), *arguments.split()]) == 0
    assert main([*LECTURE, "-o", str(tmp_path / "plain.svg")]) == 0
    large, plain = ((tmp_path / name).read_text(encoding="utf-8") for name in ("J.svg", "plain.svg"))
    assert large != plain
    assert width is None or f'width="{width}"' in large


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--scale 2 --width 100", "--scale cannot be combined with --width or --height, which already determine the"),
        ("--font a,b", "--font must be the name of one font, such as 'Arial', not 'a,b'"),
        ("--background pink", "--background must be 'transparent' or a color such as '#0067a5', not 'pink'"),
        ("--theme auto --background #ffffff", "--background '#ffffff' cannot be combined with --theme 'auto', whose"),
        ("--number q", "--number must be a format for floats, such as '.4g', not 'q'"),
        ("--engine no-such-program", "--engine 'no-such-program' is not a program on this machine; run `pip install"),
    ],
)
@pytest.mark.parametrize("command", ["draw", "step"])
def test_an_error_names_the_option_as_it_is_written(command, arguments, message, tmp_path, capsys):
    assert main([command, *LECTURE[1:], "-o", str(tmp_path / "J.svg"), *arguments.split()]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"tinygraph: {message}")
    assert error.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("option", ["--font-size", "--dpi", "--scale", "--width", "--height"])
def test_a_size_must_be_positive(option, tmp_path, capsys):
    for command in ("draw", "step"):
        with pytest.raises(SystemExit):
            main([command, *LECTURE[1:], "-o", str(tmp_path / "J.svg"), option, "-1"])
        assert f"argument {option}: -1 is not a positive number" in capsys.readouterr().err


def test_text_that_is_hard_to_read_gets_one_warning_on_one_line(tmp_path, capsys):
    assert main([*LECTURE, "-o", str(tmp_path / "J.dot"), "--background", "#777777"]) == 0
    error = capsys.readouterr().err
    assert error.startswith("tinygraph: warning: text in the color #b5371a ('backward') is hard to read on #777777")
    assert error.count("\n") == 1


def test_the_options_of_a_walkthrough_are_those_that_it_can_show(tmp_path, capsys):
    for arguments in (["--fold-sums"], ["--forward-only"], ["--detail", "folded"]):
        with pytest.raises(SystemExit):
            main(["step", *LECTURE[1:], "-o", str(tmp_path / "walk.svg"), *arguments])
        assert arguments[-1] in capsys.readouterr().err
    needed_engine()
    look = ["--font", "Georgia", "--font-size", "20", "--no-legend", "--plain-names", "--background", "transparent"]
    assert main(["step", *LECTURE[1:], "-o", str(tmp_path / "walk.svg"), *look]) == 0
    svg = (tmp_path / "walk.svg").read_text(encoding="utf-8")
    assert "Georgia" in svg
    assert 'font-size="20' in svg
    assert "forward: value" not in svg
