"""The animated SVG: its look at each step is that of the frame, in a browser."""

import re
import sys
import time
from pathlib import Path

import pytest

from tests.engines import needed_engine
from tests.stepping.test_film import fan_out, lecture
from tinygraph import Stepper
from tinygraph.drawing import DrawOptions
from tinygraph.stepping.animation import HOLD, animated
from tinygraph.stepping.film import Film


@pytest.fixture(autouse=True)
def _engine():
    needed_engine()


ROOT = Path(__file__).parents[2]
LOOKS = """return [...document.querySelectorAll('svg *')].filter((part) => part.tagName !== 'style').map((part) => {
  const look = getComputedStyle(part);
  return [part.tagName, look.visibility, look.opacity, look.strokeWidth].join(' ');
})"""


def looks(browser, path, text, before=""):
    path.write_text(text, encoding="utf-8")
    browser.get(path.as_uri())
    return browser.execute_script(f"{before}\n{LOOKS}")


@pytest.mark.parametrize("hide", [False, True])
@pytest.mark.parametrize("phase", ["backward", "both"])
@pytest.mark.parametrize("make", [lecture, fan_out], ids=["lecture", "fan out"])
def test_at_each_step_it_looks_like_the_frame(browser, tmp_path, make, phase, hide):
    film = Film(Stepper(make(), phase=phase), DrawOptions(), hide=hide)
    (tmp_path / "walk.svg").write_text(animated(film, 1.0), encoding="utf-8")
    frames = [looks(browser, tmp_path / "frame.svg", film.frame(k)) for k in film.positions]
    browser.get((tmp_path / "walk.svg").as_uri())
    at = "document.getAnimations().forEach((a) => { a.pause(); a.currentTime = arguments[0]; });"
    for k in (*film.positions, 1):  # also back from the end
        for moment in (0.02, 0.5, 0.98):
            assert browser.execute_script(at + LOOKS, 1000 * (k + moment)) == frames[k]
    assert browser.execute_script(at + LOOKS, 1000 * (len(frames) + HOLD - 1.01)) == frames[-1], "the end holds"
    assert browser.execute_script(at + LOOKS, 1000 * (len(frames) + HOLD - 0.98)) == frames[0], "it starts again"


def test_without_motion_it_shows_the_end(browser, tmp_path):
    film = Film(Stepper(lecture(), phase="both"), DrawOptions())
    (tmp_path / "walk.svg").write_text(animated(film), encoding="utf-8")
    end = [line.replace("4.2px", "").replace("2.8px", "") for line in looks(browser, tmp_path / "f.svg", film.frame(9))]
    for feature in ({"features": [{"name": "prefers-reduced-motion", "value": "reduce"}]}, {"media": "print"}):
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", feature)
        try:
            browser.get((tmp_path / "walk.svg").as_uri())
            assert browser.execute_script("return document.getAnimations().length") == 0
            shown = browser.execute_script(LOOKS)
        finally:
            browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [], "media": ""})
        different = [(a, b) for a, b in zip(shown, end, strict=True) if a != b]
        assert all(a.startswith(b) for a, b in different), "only the highlight of the last step is missing"
    assert len(browser.execute_script("return document.getAnimations()")) > 0


@pytest.mark.parametrize("theme", ["light", "dark", "auto"])
def test_it_is_small_and_has_no_script_and_no_address(theme):
    text = animated(Film(Stepper(lecture(), phase="both"), DrawOptions(theme=theme)))
    assert len(text.encode()) < 25_000
    assert not re.search(r"<script|\bon\w+=|href|url\(|@import|data:", text)
    assert re.findall(r"https?://[^\"]+", text) == ["http://www.w3.org/2000/svg"]
    assert "prefers-reduced-motion:reduce" in text


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_animation_of_the_readme_is_current(theme):
    sys.path.insert(0, str(ROOT / "examples"))
    try:
        from pictures_of_the_lecture import computation_graph
    finally:
        sys.path.remove(str(ROOT / "examples"))
    root, options = computation_graph()
    text = animated(Film(Stepper(root, **options), DrawOptions(theme=theme, **options)))
    stored = (ROOT / "docs" / "pictures" / f"stepping-{theme}.svg").read_text(encoding="utf-8")
    shown = [re.findall(r">([^<>{}]+)</text>", svg) for svg in (stored, text)]  # engines differ in positions
    assert shown[0] == shown[1], "run: python examples/pictures_of_the_lecture.py docs/pictures"
    assert stored.count("@keyframes") == text.count("@keyframes") > 20


def test_it_plays_as_an_image(browser, tmp_path):
    Stepper(lecture()).save(tmp_path / "walk.svg", seconds=0.1, theme="light")
    page = tmp_path / "page.html"
    page.write_text("<!DOCTYPE html><img src='walk.svg'>")
    browser.get(page.as_uri())
    assert browser.execute_script("return document.images[0].naturalWidth") > 500
    seen, end = set(), time.monotonic() + 20
    while len(seen) < 4 and time.monotonic() < end:
        seen.add(browser.get_screenshot_as_png())
    assert len(seen) >= 4, "the image changes"
