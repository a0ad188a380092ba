"""A drawing has the size, the font and the background that its options require, in every format."""

import re
import struct
import subprocess
import sys
import types
import xml.etree.ElementTree as ET

import pytest

from tests.drawing.test_draw import ENGINES, SVG, engines, lecture
from tinygraph import draw
from tinygraph.drawing import LayoutError
from tinygraph.drawing.layout_engines import find_engine


def drawn(**options):
    J = lecture()
    J.backward()
    return draw(J, title="J", **options)


def size(drawing):
    root = ET.fromstring(drawing.svg())
    return float(root.get("width").removesuffix("pt")), float(root.get("height").removesuffix("pt")), root


def png_size(path):
    return struct.unpack(">II", path.read_bytes()[16:24])


@engines
@pytest.mark.parametrize("given", [{"width": 1920, "height": 1080}, {"width": 640, "height": 640}])
def test_a_drawing_fills_its_canvas_and_stays_in_the_center(engine, given, tmp_path):
    drawing = drawn(engine=engine, **given)
    width, height, root = size(drawing)
    assert {"width": width, "height": height} == given
    left, top, across, down = map(float, root.get("viewBox").split())
    assert across / down == pytest.approx(width / height, rel=1e-3)
    _, _, natural_root = size(drawn(engine=engine))
    _, _, whole_across, whole_down = map(float, natural_root.get("viewBox").split())
    assert (left + across / 2, top + down / 2) == pytest.approx((whole_across / 2, whole_down / 2), abs=0.02)
    assert min(across / whole_across, down / whole_down) == pytest.approx(1.0, abs=1e-3)
    ground = root.find(f"{SVG}rect")
    assert [float(ground.get(name)) for name in ("x", "y", "width", "height")] == [left, top, across, down]
    assert png_size(drawing.save(tmp_path / "J.png")) == (given["width"], given["height"])
    twice = drawn(engine=engine, dpi=192, **given).save(tmp_path / "J2.png")
    assert png_size(twice) == (2 * given["width"], 2 * given["height"])


def test_a_page_has_the_size_of_the_drawing(tmp_path):
    if ENGINES["dot"] is None:
        pytest.skip("no dot")
    for options, page in (({"width": 1920, "height": 1080}, (1440, 810)), ({}, None)):
        drawing = drawn(engine=ENGINES["dot"], **options)
        data = drawing.save(tmp_path / "J.pdf").read_bytes()
        (box,) = re.findall(rb"/MediaBox ?\[ ?0 0 ([\d.]+) ([\d.]+) ?\]", data)
        assert tuple(map(float, box)) == pytest.approx(page or size(drawing)[:2], abs=1)


@engines
def test_one_length_or_a_factor_determines_the_other_length(engine, tmp_path):
    points = size(drawn(engine=engine))[:2]
    natural = [length / 0.75 for length in points]
    for options, factor in (
        ({"width": 900}, 900 / natural[0]),
        ({"height": 900}, 900 / natural[1]),
        ({"scale": 1.5}, 1.5),
    ):
        drawing = drawn(engine=engine, **options)
        assert size(drawing)[:2] == pytest.approx([length * factor for length in natural], rel=1e-2)
        assert png_size(drawing.save(tmp_path / "J.png")) == pytest.approx([x * factor for x in natural], rel=1e-2)
    png = drawn(engine=engine).save(tmp_path / "J.png")
    assert png_size(png) == pytest.approx([x * 2 for x in natural], rel=1e-2)  # 192 dots per inch


def font_sizes(drawing):
    return sorted({float(text.get("font-size")) for text in size(drawing)[2].iter(f"{SVG}text")})


@engines
def test_all_text_grows_in_proportion(engine):
    before, after = font_sizes(drawn(engine=engine)), font_sizes(drawn(engine=engine, font_size=26))
    assert after == [2 * x for x in before]


@engines
def test_a_font_applies_to_its_own_drawing_only(engine):
    text = drawn(engine=engine, font="DejaVu Serif").svg()
    (own,) = re.findall(r'^<svg id="(\w+)"', text)
    assert f"#{own} text{{font-family:'DejaVu Serif',Arial" in text
    assert "font-family=" not in text


@engines
def test_a_transparent_drawing_has_no_ground(engine, tmp_path):
    for options in ({}, {"width": 640, "height": 640}):
        for theme in ("light", "dark", "auto"):
            drawing = drawn(engine=engine, background="transparent", theme=theme, **options)
            root = size(drawing)[2]
            graph = root.find(f"{SVG}g")
            assert root.find(f"{SVG}rect") is None
            assert all(x.get("fill") in ("none", "transparent") for x in graph.findall(f"{SVG}polygon"))
        image = pytest.importorskip("PIL.Image").open(drawing.save(tmp_path / "J.png"))
        assert image.convert("RGBA").getpixel((1, 1))[3] == 0
    color = drawn(engine=engine, background="#fff4d6", width=640, height=640).save(tmp_path / "J.png")
    assert pytest.importorskip("PIL.Image").open(color).convert("RGB").getpixel((1, 1)) == (0xFF, 0xF4, 0xD6)


# --- functions as layout engines, and formats that an engine cannot write


def by_function(source):
    return subprocess.run([find_engine(), "-Tsvg"], input=source, capture_output=True, text=True, check=True).stdout


@pytest.mark.skipif(not any(ENGINES.values()), reason="no layout engine")
def test_an_engine_can_be_a_function():
    same = [re.sub(r"\bg[0-9a-f]{8}(n\d+)?", "", drawn(engine=engine).svg()) for engine in (None, by_function)]
    assert same[0] == same[1]
    with pytest.raises(LayoutError, match=r"engine=<lambda> must return SVG text, not 3 \(int\)"):
        drawn(engine=lambda source: 3).svg()
    with pytest.raises(LayoutError, match=r"engine=<lambda> must return SVG text, not 'digraph"):
        drawn(engine=lambda source: source).svg()
    with pytest.raises(LayoutError, match="SVG text without a viewBox: leave out width=, height= and scale="):
        drawn(engine=lambda source: "<svg><g/></svg>", width=100).svg()
    assert drawn(engine=lambda source: "<svg><g/></svg>").svg().endswith("<g/></svg>")
    other = drawn(
        engine=lambda source: "<svg viewBox='0,0,30 60' width='9em'><g/></svg>", height=120, background="transparent"
    )
    assert [ET.fromstring(other.svg()).get(name) for name in ("width", "height", "viewBox")] == [
        "60",
        "120",
        "0.00 0.00 30.00 60.00",
    ]
    assert "no diagram" in drawn(engine=lambda source: source)._repr_mimebundle_()["text/plain"]


@pytest.mark.skipif(not any(ENGINES.values()), reason="no layout engine")
@pytest.mark.parametrize("kind", ["pdf", "png"])
def test_without_cairosvg_a_function_writes_svg_only(kind, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "cairosvg", None)
    with pytest.raises(LayoutError, match=rf"cannot write {kind}: save as .svg, or run `pip install '\.\[film\]'` in"):
        drawn(engine=by_function).save(tmp_path / f"J.{kind}")
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not any(ENGINES.values()), reason="no layout engine")
def test_cairosvg_gets_the_drawing_and_the_resolution(tmp_path, monkeypatch):
    seen = []
    fake = types.SimpleNamespace(
        svg2pdf=lambda bytestring: seen.append(bytestring) or b"%PDF-x",
        svg2png=lambda bytestring, scale: seen.append(scale) or b"\x89PNG",
    )
    monkeypatch.setitem(sys.modules, "cairosvg", fake)
    drawing = drawn(engine=by_function, width=960, dpi=192)
    assert drawing.save(tmp_path / "J.pdf").read_bytes() == b"%PDF-x"
    assert drawing.save(tmp_path / "J.png").read_bytes() == b"\x89PNG"
    assert seen == [drawing.svg().encode(), 2.0]


@engines
def test_cairosvg_draws_what_the_engine_cannot(engine, tmp_path):
    pytest.importorskip("cairosvg")
    drawing = drawn(engine=by_function, width=640, height=480, theme="auto")
    assert drawing.save(tmp_path / "J.pdf").read_bytes().startswith(b"%PDF")
    assert png_size(drawing.save(tmp_path / "J.png")) == (640, 480)


@pytest.mark.skipif(not any(ENGINES.values()), reason="no layout engine")
def test_show_opens_a_file_that_a_viewer_can_read(tmp_path, monkeypatch):
    opened = []
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("webbrowser.open", lambda url: opened.append(url) or True)
    drawing = drawn()
    path = drawing.show()
    assert opened == [path.as_uri()]
    assert ET.parse(path).getroot().tag == f"{SVG}svg"
    assert drawing.show() != path
    monkeypatch.setattr("webbrowser.open", lambda url: False)
    with pytest.raises(RuntimeError, match=r"no viewer was found: open .*diagram\.svg yourself"):
        drawing.show()
