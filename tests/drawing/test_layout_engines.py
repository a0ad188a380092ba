"""A slow layout is reported and simplified before it fails, and large recurrences are folded before they are slow."""

import pytest

from tests.drawing.test_draw import lecture, program
from tests.engines import needed_engine
from tinygraph import Value, draw, tanh
from tinygraph.drawing import LayoutError
from tinygraph.drawing.draw import MOST_RANKS
from tinygraph.drawing.layout_engines import CHEAPER

SVG = "<svg width='10pt' height='10pt' viewBox='0 0 10 10'></svg>"


def test_a_slow_layout_is_reported_and_simplified(tmp_path, capfd):
    slow = program(
        tmp_path / "slow",
        f'echo "$@" >> {tmp_path}/calls\ncase "$*" in *splines=line*) echo "{SVG}";; *) exec sleep 60;; esac',
    )
    drawing = draw(lecture(), engine=slow, timeout=6.0, width=20)
    assert "<svg" in drawing.svg()
    assert capfd.readouterr().err == (
        "tinygraph: the layout takes more than 3 s, so a simpler one with straight lines is tried\n"
    )
    drawing.save(tmp_path / "J.png")  # the same layout again, without another attempt
    calls = (tmp_path / "calls").read_text().splitlines()
    assert [("-Gsplines=line" in call, call.split()[0]) for call in calls] == [
        (False, "-Tsvg"),
        (True, "-Tsvg"),
        (True, "-Tpng"),
    ]
    assert all(set(CHEAPER) <= set(call.split()) for call in calls[1:])
    assert not capfd.readouterr().err


def test_a_layout_that_is_still_too_slow_is_an_error(tmp_path, capfd):
    hang = program(tmp_path / "hang", "exec sleep 60")
    with pytest.raises(LayoutError, match=r"hang did not finish the layout in 0\.2 s: draw fewer nodes with detail="):
        draw(lecture(), engine=hang, timeout=0.2).svg()
    assert capfd.readouterr().err.count("\n") == 1


def recurrence(n):
    """Record a recurrence in which all steps share the input and the weights."""
    h = Value(0.1, "h")
    x, w, u, b = (Value(v, name) for v, name in ((1.0, "x"), (0.9, "w"), (0.3, "u"), (0.1, "b")))
    for _ in range(n):
        h = tanh(w * h + u * x + b)
    h.backward()
    return h


def test_a_recurrence_shows_less_before_its_layout_is_slow():
    drawings = {n: draw(recurrence(n)) for n in (5, 20, 30, 60)}
    details = {n: drawing._look.detail for n, drawing in drawings.items()}
    assert details == {5: "full", 20: "contributions", 30: "plain", 60: "plain"}
    assert len(drawings[30]._diagram.boxes) == 125  # an unnamed addition is part of a longer one
    assert len(drawings[60]._diagram.boxes) < 40  # folded
    assert draw(recurrence(60), detail="plain")._diagram.boxes[0].times == 1  # you can still ask for all boxes


def test_a_large_graph_without_long_arrows_is_not_folded():
    terms = [Value(float(i), f"x{i}") * 2.0 for i in range(150)]
    drawing = draw(sum(terms[1:], terms[0]), fold_sums=False)
    assert len(drawing._diagram.boxes) == 599
    assert MOST_RANKS == 15_000


@pytest.mark.parametrize("options", [{"dpi": 9000}, {"width": 40_000}, {"height": 40_000}, {"scale": 200.0}])
@pytest.mark.parametrize("engine", [None, "a function"])
def test_an_image_that_would_be_too_large_is_refused_before_it_is_drawn(tmp_path, monkeypatch, options, engine):
    needed_engine()
    layout = draw(lecture()).svg()
    if engine:
        options = {**options, "engine": lambda source: layout}
    drawing = draw(lecture(), **options)
    drawing.svg()
    monkeypatch.setattr("tinygraph.drawing.layout_engines.lay_out", None)  # would draw the image
    monkeypatch.setattr("tinygraph.drawing.layout_engines.from_svg", None)
    with pytest.raises(ValueError, match=r"a \.png of [\d,]+ × [\d,]+ pixels is too large: choose a smaller dpi="):
        drawing.save(tmp_path / "s.png")
    assert not list(tmp_path.iterdir())


def test_the_size_that_is_checked_is_that_of_the_file(tmp_path, monkeypatch):
    image = pytest.importorskip("PIL.Image", reason="no pillow: pip install '.[film]'")
    seen = []
    monkeypatch.setattr("tinygraph.drawing.layout_engines.check_pixels", lambda *size: seen.append(size))
    for options in ({"dpi": 300}, {"width": 500}, {"scale": 2.0, "dpi": 96.0}, {"width": 300, "dpi": 200.0}):
        with image.open(draw(lecture(), **options).save(tmp_path / "s.png")) as found:
            assert found.size == pytest.approx(seen.pop(), abs=1.5)
