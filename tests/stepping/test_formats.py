"""The files that a Stepper writes."""

import builtins
import re
from pathlib import Path

import pytest

from tests.engines import needed_engine
from tests.stepping.test_film import lecture
from tinygraph import Stepper, Value
from tinygraph.drawing import DrawOptions
from tinygraph.stepping.animation import HOLD
from tinygraph.stepping.film import Film
from tinygraph.stepping.formats import LARGEST_GIF_IMAGE, check_name, names


@pytest.fixture(autouse=True)
def _engine():
    needed_engine()


@pytest.fixture
def raster():
    """Skip a test without the packages of the extra `film`."""
    pytest.importorskip("cairosvg", reason="no cairosvg: pip install '.[film]'")
    return pytest.importorskip("PIL.Image", reason="no pillow: pip install '.[film]'")


def without_prefix(svg):
    return re.sub(r"g[0-9a-f]{8}(n\d+)?", "g", svg)


def test_numbered_frames_are_those_of_the_film(tmp_path):
    stepper = Stepper(lecture(), phase="both")
    path = tmp_path / "frames" / "step-{:02}.svg"
    assert stepper.save(path, theme="dark") == path
    film = Film(stepper, DrawOptions(theme="dark"))
    written = sorted((tmp_path / "frames").iterdir())
    assert [file.name for file in written] == [f"step-{k:02}.svg" for k in range(10)]
    for k, file in enumerate(written):
        text = file.read_text(encoding="utf-8")
        assert text.startswith('<?xml version="1.0" encoding="UTF-8"?>\n<svg')
        assert without_prefix(text.partition("\n")[2]) == without_prefix(film.frame(k))
    assert names(path, 9) == written


def test_images_have_one_canvas_and_the_look_of_their_step(tmp_path, raster):
    stepper = Stepper(lecture())
    stepper.save(tmp_path / "{}.png", width=900)
    images = [raster.open(tmp_path / f"{k}.png").convert("RGB") for k in range(7)]
    assert {image.size[0] for image in images} == {900}
    assert len({image.size for image in images}) == 1
    assert len({image.tobytes() for image in images}) == 7, "each step changes the image"
    assert {image.getpixel((0, 0)) for image in images} == {(255, 255, 255)}


def test_a_gif_has_one_image_per_step_and_holds_the_end(tmp_path, raster):
    stepper = Stepper(lecture())
    stepper.save(tmp_path / "walk.gif", seconds=0.5)
    durations, looks = [], set()
    with raster.open(tmp_path / "walk.gif") as image:
        assert (image.n_frames, image.info["loop"]) == (7, 0)
        for k in range(7):
            image.seek(k)
            durations.append(image.info["duration"])
            looks.add(image.convert("RGB").tobytes())
    assert durations == [500] * 6 + [500 * HOLD]
    assert len(looks) == 7
    stepper.save(tmp_path / "dark.gif", theme="dark")
    with raster.open(tmp_path / "dark.gif") as image:
        assert image.convert("RGB").getpixel((0, 0)) == (13, 17, 23)


def test_a_gif_that_would_fill_the_memory_is_refused_before_it_is_made(tmp_path, raster):
    stepper = Stepper(lecture())
    with pytest.raises(ValueError, match=r"a \.gif of 7 images of 40,000 × .* pixels is too large: choose a smaller"):
        stepper.save(tmp_path / "walk.gif", width=40_000)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("options", [{"dpi": 9000}, {"width": 40_000}, {"height": 40_000}, {"scale": 200.0}])
def test_an_image_that_cairo_or_pillow_cannot_write_is_refused_before_it_is_made(tmp_path, raster, options):
    x = Value(2.0, "x")
    stepper = Stepper(x * 3.0, phase="forward")
    refused = r"[\d,]+ × [\d,]+ pixels is too large: choose a smaller "
    with pytest.raises(ValueError, match=rf"a \.png of {refused}"):
        stepper.save(tmp_path / "frames" / "step-{:02}.png", **options)
    with pytest.raises(ValueError, match=rf"a \.gif of \d images of {refused}"):
        stepper.save(tmp_path / "walk.gif", **options)
    assert not list(tmp_path.iterdir())


def test_one_image_of_a_gif_has_fewer_pixels_than_pillow_refuses(tmp_path, raster):
    assert raster.MAX_IMAGE_PIXELS >= LARGEST_GIF_IMAGE
    with pytest.raises(ValueError, match=r"a \.gif of 2 images of 10,000 × 10,000 pixels is too large"):
        Stepper(Value(2.0) * 3.0, phase="forward").save(tmp_path / "walk.gif", width=10_000, height=10_000)


def test_a_pdf_has_one_page_per_step(tmp_path, raster):
    stepper = Stepper(lecture(), phase="both")
    stepper.save(tmp_path / "walk.pdf")
    data = (tmp_path / "walk.pdf").read_bytes()
    assert data.startswith(b"%PDF")
    assert b"/Count 10" in data
    boxes = set(re.findall(rb"/MediaBox \[([^\]]+)\]", data))
    assert len(boxes) <= 1, "all pages have one size"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("walk.txt", r"a walkthrough must end in one of \.html, \.htm, \.svg, \.gif, \.pdf, not 'walk\.txt'"),
        ("walk.png", r"not 'walk\.png'; for one image per step, use a name such as step-\{:02\}\.png"),
        ("walk", r"must end in one of .*, not 'walk'"),
        ("step-{}.gif", r"numbered frames must end in one of \.svg, \.png, not 'step-\{\}\.gif'"),
        ("step-{}.html", r"numbered frames must end in one of"),
        ("step-{{}}.svg", r"must contain one field such as \{:02\}, not 'step-\{\{\}\}\.svg'"),
        ("step-{name}.svg", r"must contain one field such as"),
        ("step-{}-{}.svg", r"must contain one field such as"),
        ("step-{:s}.svg", r"must contain one field such as"),
        ("step-{.real.}.svg", r"must contain one field such as"),
        ("step-{0[1]}.svg", r"must contain one field such as"),
        ("step-{.svg", r"must contain one field such as"),
        ("step-}{.svg", r"must contain one field such as"),
    ],
)
def test_a_wrong_name_is_refused_before_anything_is_written(tmp_path, name, message):
    with pytest.raises(ValueError, match=message):
        Stepper(lecture()).save(tmp_path / name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["s{}.svg", "s{0}.svg", "s{:03d}.png", "s{0:>4}.SVG", "{:x}.svg"])
def test_names_of_frames_are_all_different(name):
    assert check_name(Path("folder") / name)
    found = names(Path("folder") / name, 20)
    assert len(set(found)) == 21
    assert {file.parent for file in found} == {Path("folder")}


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf")])
def test_a_wrong_time_is_refused(tmp_path, value):
    with pytest.raises(ValueError, match="seconds must be a positive number"):
        Stepper(lecture()).save(tmp_path / "walk.svg", seconds=value)


@pytest.mark.parametrize("value", [0.001, 200.5, 1e300])
def test_a_time_that_a_gif_cannot_represent_is_refused(tmp_path, raster, value):
    with pytest.raises(ValueError, match=r"seconds must be from 0\.01 to 200\.0 for a \.gif"):
        Stepper(lecture()).save(tmp_path / "walk.gif", seconds=value)


@pytest.mark.parametrize(
    ("missing", "name"), [("cairosvg", "a.gif"), ("cairosvg", "a.pdf"), ("cairosvg", "{}.png"), ("PIL", "a.gif")]
)
@pytest.mark.parametrize("reason", [ImportError("no module"), OSError("no library called cairo was found\nmore")])
def test_a_missing_package_is_named_and_nothing_is_written(tmp_path, monkeypatch, missing, name, reason):
    if missing == "PIL" and isinstance(reason, OSError):
        reason = ImportError("no module")
    importing = builtins.__import__

    def without(given, *rest, **options):
        if given.partition(".")[0] == missing:
            raise reason
        return importing(given, *rest, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(
        ModuleNotFoundError, match=r"needs the package (cairosvg|pillow): run `pip install '\.\[film\]'`"
    ):
        Stepper(lecture()).save(tmp_path / name)
    assert not [file for file in tmp_path.iterdir() if file.is_file()]


# --- the options of a Stepper


def test_a_stepper_takes_the_options_of_draw(tmp_path):
    J = lecture()
    a = Stepper(J).find("a")
    stepper = Stepper(J, title="my title", parameters=[a], notation="dv", number=".2f", direction="TB", theme="dark")
    options = DrawOptions(title="my title", parameters=[a], notation="dv", number=".2f", direction="TB", theme="dark")
    stepper.save(tmp_path / "{}.svg")
    shown = without_prefix((tmp_path / "6.svg").read_text().partition("\n")[2])
    assert shown == without_prefix(Film(stepper, options).frame(6))
    assert "my title" in shown
    assert "parameter" in shown
    stepper.save(tmp_path / "{}.svg", theme="light", title="other")
    assert "other" in (tmp_path / "6.svg").read_text()
    page = stepper.save(tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<title>my title</title>" in page
    assert page.count("my title") == 2, "the title of the page is not repeated in the diagram"
    assert '"after":"3.00"' in page
    assert "3.00 × 2.00 = 6.00" in page
    assert "3.00 × 2.00 = 6.00" in shown
    assert "3.00 × 2.00 = 6.00" in str(stepper.steps[4])
    assert "3.0 × 2.0 = 6.0" in stepper.save(tmp_path / "page.html", number=".1f").read_text(encoding="utf-8")
    assert "color-scheme: dark" in page
    cell = stepper._repr_mimebundle_()["text/html"]
    assert "my title" in cell
    assert "my title" in stepper.player()._repr_html_()


def test_a_page_takes_colors_of_a_brand(tmp_path):
    stepper = Stepper(lecture())
    page = stepper.save(tmp_path / "page.html", theme={"base": "dark", "forward": "#8ec7ff"}).read_text()
    assert "color-scheme: dark" in page
    assert "--forward: #8ec7ff" in page
    assert "--ground: #101820" in stepper.save(tmp_path / "page.html", theme="dark", background="#101820").read_text()


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"colour": "red"}, ValueError, "each option of the drawing must be one of 'theme', .*, not 'colour'"),
        ({"theme": "pink"}, ValueError, "theme must be one of"),
        ({"title": 3}, TypeError, "title must be a str"),
        ({"number": "x"}, ValueError, "number must be a format"),
        ({"background": "#ffffff", "theme": "auto"}, ValueError, "background=.* cannot be combined with theme='auto'"),
    ],
)
def test_a_wrong_option_is_refused_at_every_door(tmp_path, options, error, message):
    J = lecture()
    with pytest.raises(error, match=message):
        Stepper(J, **options)
    with pytest.raises(error, match=message):
        Stepper(J).save(tmp_path / "page.html", **options)
    with pytest.raises(error, match=message):
        Stepper(J).player(**options)
    assert not list(tmp_path.iterdir())
