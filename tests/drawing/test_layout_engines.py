"""A slow layout is reported and simplified before it fails, and large recurrences are folded before they are slow."""

import sys

import pytest

from tests.drawing.test_draw import lecture, program
from tests.engines import needed_engine
from tinygraph import Stepper, Value, compare, draw, tanh, worksheet
from tinygraph.drawing import EngineNotFoundError, LayoutError, use_engine
from tinygraph.drawing.draw import MOST_RANKS
from tinygraph.drawing.layout_engines import CHEAPER, VARIABLE, svg

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
    drawings = {n: draw(recurrence(n)) for n in (5, 10, 20, 30, 60)}
    details = {n: drawing._look.detail for n, drawing in drawings.items()}
    assert details == {5: "full", 10: "full", 20: "plain", 30: "plain", 60: "plain"}
    assert len(drawings[30]._diagram.boxes) == 125  # an unnamed addition is part of a longer one
    assert len(drawings[60]._diagram.boxes) < 40  # folded
    assert draw(recurrence(60), detail="plain")._diagram.boxes[0].times == 1  # you can still ask for all boxes


def newton(n):
    x = a = Value(2.0, "a")
    for _ in range(n):
        x = (x + a / x) / 2
    return x


def momentum(n):
    x, v = Value(1.0, "x"), Value(0.0, "v")
    rate, keep = Value(0.1, "rate"), Value(0.9, "keep")
    for _ in range(n):
        v = keep * v + 2 * x
        x = x - rate * v
    return x


def savings(n):
    amount, rate, saved = Value(100.0, "amount"), Value(0.05, "rate"), Value(10.0, "saved")
    for _ in range(n):
        amount = amount + amount * rate + saved
    return amount


def logistic_map(n):
    r, x = Value(3.2, "r"), Value(0.3, "x")
    for _ in range(n):
        x = r * x * (1 - x)
    return x


@pytest.mark.parametrize("record", [recurrence, newton, momentum, savings, logistic_map])
@pytest.mark.parametrize("n", [10, 20, 60])
def test_the_layout_of_an_ordinary_recurrence_takes_seconds(record, n):
    resource = pytest.importorskip("resource")
    needed_engine()
    y = record(n)
    y.backward()
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    assert "<svg" in draw(y, timeout=None).svg()  # one attempt, without a limit
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before < 10.0  # the usual limit is 15 s per attempt


def test_a_large_graph_without_long_arrows_is_not_folded():
    terms = [Value(float(i), f"x{i}") * 2.0 for i in range(150)]
    drawing = draw(sum(terms[1:], terms[0]), fold_sums=False)
    assert len(drawing._diagram.boxes) == 599
    assert MOST_RANKS == 12_000


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


@pytest.fixture
def registered():
    """Return a function that registers a layout engine for one test."""
    before = use_engine(None)
    yield use_engine
    use_engine(before)


def test_a_registered_function_lays_out_every_kind_of_diagram(tmp_path, monkeypatch, registered):
    engine = needed_engine()
    asked = []

    def layout(dot):
        asked.append(dot)
        return svg(dot, engine)[0]

    monkeypatch.setenv(VARIABLE, "no-such-program")  # so that no door can find a program
    monkeypatch.setenv("PATH", "")
    assert registered(layout) is None
    J = lecture()
    doors = {
        "draw": lambda: draw(J).svg(),
        "a .svg file": lambda: draw(J).save(tmp_path / "J.svg"),
        "a notebook cell": lambda: draw(J)._repr_mimebundle_()["image/svg+xml"],
        "side by side": lambda: draw([J, J]).svg(),
        "compare": lambda: compare(J, J).draw().svg(),
        "a page": lambda: Stepper(J).save(tmp_path / "J.html"),
        "an animation": lambda: Stepper(J).save(tmp_path / "steps.svg"),
        "numbered frames": lambda: Stepper(J).save(tmp_path / "step-{:02}.svg"),
        "a player": lambda: Stepper(J).player(),
        "a cell of a Stepper": lambda: Stepper(J)._repr_mimebundle_()["text/html"],
        "a worksheet": lambda: worksheet(J).save(tmp_path / "sheet.html"),
    }
    for name, door in doors.items():
        before = len(asked)
        door()
        assert len(asked) > before, name
    with pytest.raises(EngineNotFoundError, match="engine='nowhere'"):  # a diagram's own engine has priority
        draw(J, engine="nowhere").svg()
    assert registered(None) is layout
    with pytest.raises(EngineNotFoundError, match="no-such-program"):
        draw(J).svg()


def test_a_registered_program_is_run(tmp_path, registered):
    registered(program(tmp_path / "mine", f'echo "{SVG}"'))
    assert SVG.split()[1] in draw(lecture()).svg()
    registered("no-such-program")
    with pytest.raises(EngineNotFoundError, match="engine='no-such-program' is not a program"):
        draw(lecture()).svg()


def test_a_registered_function_that_cannot_write_png_says_what_to_do(tmp_path, monkeypatch, registered):
    layout = draw(lecture(), engine=program(tmp_path / "mine", f'echo "{SVG}"')).svg()
    registered(lambda dot: layout)
    monkeypatch.setitem(sys.modules, "cairosvg", None)
    with pytest.raises(LayoutError, match=r"the layout engine is a function, which cannot write png: save as \.svg"):
        draw(lecture()).save(tmp_path / "J.png")


@pytest.mark.parametrize("wrong", [3, b"dot", ["dot"], "a\0b"])
def test_a_wrong_engine_is_refused_and_changes_nothing(registered, wrong):
    registered("mine")
    with pytest.raises((TypeError, ValueError), match="engine must be the name of a program"):
        registered(wrong)
    assert registered(None) == "mine"
