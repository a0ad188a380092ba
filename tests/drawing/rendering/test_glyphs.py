"""Characters that the font of a drawing lacks are drawn in another font, not as an empty box."""

import io
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from tests.drawing.rendering.test_svg import by_function
from tests.engines import needed_engine
from tinygraph import Stepper, Tensor, draw
from tinygraph.drawing.rendering.glyphs import with_all_glyphs

MISSING = "\U0010fffd"  # a private character that no font contains
SIGNS = "⊙ⱼ∛⌊⌈⁻⁽≠"


def ink(signs, family="Arial", attributes=""):
    """Return the pixels of a text that cairosvg draws."""
    cairosvg = pytest.importorskip("cairosvg", reason="no cairosvg: pip install '.[film]'")
    image = pytest.importorskip("PIL.Image", reason="no pillow: pip install '.[film]'")
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" width="200" height="40">'
        f"<style>text{{font-family:{family},sans-serif}}</style>"
        f'<text x="60" y="30" font-size="24"{attributes}>{signs}</text></svg>'
    )
    with image.open(io.BytesIO(cairosvg.svg2png(bytestring=with_all_glyphs(svg).encode()))) as found:
        return np.asarray(found)[..., 3]


def without_sign(sign, **options):
    """Skip a test if no font of this machine contains the character."""
    if np.array_equal(ink(sign, "DejaVu Sans", **options), ink(MISSING, "DejaVu Sans", **options)):
        pytest.skip(f"no DejaVu Sans with {sign}")


@pytest.mark.parametrize("attributes", ["", ' font-weight="bold"', ' text-anchor="middle"'])
@pytest.mark.parametrize("sign", SIGNS)
def test_a_missing_character_is_not_a_box(sign, attributes):
    without_sign(sign, attributes=attributes)
    families = ("Arial", "'Liberation Sans'", "DejaVu Sans")
    boxes = [ink(MISSING, family, attributes) for family in families]
    for family in families:
        assert not any(np.array_equal(ink(sign, family, attributes), box) for box in boxes)


def test_a_character_that_no_font_contains_and_other_text_do_not_change():
    for text in ("q + 1", MISSING, "a &lt; b", "∂x → σ"):
        svg = f"<svg><style>text{{font-family:'DejaVu Sans'}}</style><text x='1'>{text}</text></svg>"
        assert with_all_glyphs(svg) == svg


def test_only_text_changes_and_keeps_its_characters():
    pytest.importorskip("cairosvg", reason="no cairosvg: pip install '.[film]'")
    text = '<text font-family="Arial">q ⊙ <tspan id="⊙">r ⊙ s</tspan> &lt; 2</text>'
    svg = f'<svg><title>a ⊙ b</title><a href="⊙">{text}</a></svg>'
    changed = with_all_glyphs(svg)
    before, after = ET.fromstring(svg), ET.fromstring(changed)
    assert "".join(before.itertext()) == "".join(after.itertext())
    assert re.sub(r"<tspan style=[^>]*>(.)</tspan>", r"\1", changed) == svg


def test_frames_and_diagrams_use_the_font_that_has_the_sign(tmp_path, monkeypatch):
    cairosvg = pytest.importorskip("cairosvg", reason="no cairosvg: pip install '.[film]'")
    needed_engine()
    without_sign("⊙")
    seen = []
    monkeypatch.setattr(cairosvg, "svg2png", lambda bytestring, scale: seen.append(bytestring.decode()) or b"")
    q = Tensor([2.0, 3.0], "q")
    J = (q * q).sum()
    Stepper(J).save(tmp_path / "q-{}.png")
    draw(J, engine=by_function).save(tmp_path / "q.png")
    assert len(seen) == 6
    for frame in seen:
        signs = [element for element in ET.fromstring(frame).iter() if "⊙" in (element.text or "")]
        assert signs
        texts = [element for element in signs if element.tag.rpartition("}")[2] in ("text", "tspan")]
        assert {element.text for element in texts if "style" in element.attrib} == {"⊙"}
        assert all("style" in element.attrib for element in texts)
