"""The interactive player, as an HTML page in a browser and in a notebook."""

import html
import json
import re
from pathlib import Path

import numpy as np
import pytest

from tests.engines import needed_engine
from tinygraph import Stepper, Tensor, Value
from tinygraph.cli.expressions import parse
from tinygraph.drawing import EngineNotFoundError
from tinygraph.drawing.arrows import Style
from tinygraph.drawing.diagram import diagram
from tinygraph.drawing.options import DrawOptions
from tinygraph.engine.graph import order
from tinygraph.explaining import notation
from tinygraph.stepping.player import page

NOTEBOOK = Path(__file__).parents[2] / "examples" / "notebooks" / "stepping.ipynb"
AUTO = DrawOptions(theme="auto")
HOSTILE = [
    "</script><b>x</b>",
    "{{svg}}",
    "grad",
    '"><img src=x onerror=alert(1)>',
    "<!--",
    "data",
    "\x00\u2028",
    "고양이 🐈",
]


@pytest.fixture(autouse=True)
def _engine():
    needed_engine()


def lecture():
    return parse("u = b*c; v = a + u; J = 3*v", {"a": 5.0, "b": 3.0, "c": 2.0})


def fan_out():
    return parse("s = x*x; t = 3*x + s*w; y = t*s", {"x": 2.0, "w": -0.5})


def boxes_and_arrows(stepper):
    return diagram(stepper.walk, Style())


def large(n=30):
    """Record a graph of about 2 n nodes, with names."""
    x = y = Value(1.5, "x")
    for i in range(n - 1):
        y = (y * x + 1.0) if i % 2 else (y + x).tanh()
        y.name = f"y{i}"
    return y


# --- the text of a page


def test_a_page_is_small_and_asks_for_nothing():
    small = page(Stepper(lecture(), phase="both"), AUTO)
    assert len(small.encode()) < 60_000
    root = large()
    assert 58 <= len(order(root)) <= 62
    assert len(page(Stepper(root, phase="both"), AUTO).encode()) < 300_000
    outside = re.sub(r'xmlns(:\w+)?="[^"]*"', "", small)
    assert "//" not in re.sub(r"(?m)(?:^|\s)// .*$", "", outside), "no address but the names of SVG"
    assert "default-src 'none'" in small


@pytest.mark.parametrize("phase", ["backward", "forward", "both"])
def test_a_page_tells_every_event(phase):
    stepper = Stepper(fan_out(), phase=phase)
    text = page(stepper, AUTO)
    data = json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', text)[1])
    assert len(data["steps"]) == len(stepper) == text.count('<li><a href="#step=')
    for event, step in zip(data["steps"], stepper.steps, strict=True):
        assert (event["kind"], event["after"]) == (step.kind, notation.quantity(step.after))
        assert html.escape(step.equation.partition(" = ")[0]) in text


def test_a_page_without_a_suffix_an_engine_or_an_end_is_refused(tmp_path, monkeypatch):
    stepper = Stepper(lecture())
    with pytest.raises(ValueError, match=r"must end in one of \.html"):
        stepper.save(tmp_path / "page.txt")
    with pytest.raises(ValueError, match="theme must be one of"):
        stepper.save(tmp_path / "page.html", theme="pink")
    y = Value(1.0, "x")
    for _ in range(700):
        y = y.sin()
    with pytest.raises(ValueError, match="a player shows at most 600 nodes, got 701"):
        Stepper(y).save(tmp_path / "page.html")
    assert "(no diagram: a player shows at most 600 nodes" in Stepper(y)._repr_mimebundle_()["text/plain"]
    monkeypatch.setenv("TINYGRAPH_DOT", "no-such-program")
    with pytest.raises(EngineNotFoundError, match="pip install"):
        stepper.save(tmp_path / "page.html")
    assert "(no diagram: " in stepper._repr_mimebundle_()["text/plain"]
    assert not list(tmp_path.iterdir())


# --- in a browser


class Page:
    """An HTML page that is open in the browser."""

    def __init__(self, driver, path, fragment=""):
        self.driver = driver
        driver.get_log("browser"), driver.get_log("performance")
        driver.get("about:blank")
        driver.get(path.as_uri() + fragment)

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def click(self, what):
        self.driver.find_element("id", what).click()

    def press(self, *keys):
        from selenium.webdriver.common.keys import Keys

        body = self.driver.switch_to.active_element
        for key in keys:
            body.send_keys(getattr(Keys, key))

    @property
    def k(self):
        return int(self.run("return document.getElementById('count').value").partition(" / ")[0])

    @property
    def message(self):
        return self.run("return document.getElementById('message').innerText")

    @property
    def breakdown(self):
        return self.run("return document.getElementById('breakdown').innerText")

    def grads(self, ids):
        """Return the gradients that the boxes show."""
        return self.run(
            """const svg = document.querySelector('#diagram > svg');
            return arguments[0].map((id) => {
              const texts = [...document.getElementById(`${svg.id}-${id}`).querySelectorAll('text')]
                .map((text) => text.textContent.trim()).filter(Boolean);
              const at = texts.lastIndexOf('grad');
              return at < 0 ? null : texts[at + 1];
            });""",
            ids,
        )

    def shown(self, ids):
        """Return the opacity of each group after all animations."""
        return self.run(
            """document.getAnimations().forEach((animation) => animation.finish());
            const svg = document.querySelector('#diagram > svg');
            return arguments[0].map((id) => +getComputedStyle(document.getElementById(`${svg.id}-${id}`)).opacity);""",
            ids,
        )

    def check_silent(self):
        assert [entry for entry in self.driver.get_log("browser") if entry["level"] != "INFO"] == []
        asked = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        urls = {e["params"]["request"]["url"] for e in asked if e["method"] == "Network.requestWillBeSent"}
        assert all(url.startswith("file://") for url in urls), urls
        assert len({url.partition("#")[0] for url in urls}) <= 1, urls


def open_page(driver, stepper, folder, fragment="", **options):
    return Page(driver, stepper.save(folder / "page.html", **options), fragment)


@pytest.mark.parametrize("phase", ["backward", "both"])
@pytest.mark.parametrize("make", [lecture, fan_out, lambda: large(8)], ids=["lecture", "fan out", "large"])
def test_the_gradients_at_every_step_are_those_of_the_stepper(browser, tmp_path, make, phase):
    stepper = Stepper(make(), phase=phase)
    opened = open_page(browser, stepper, tmp_path)
    shown = boxes_and_arrows(stepper)
    nodes = [node for node in shown.ids if not node.constant]
    ids = [shown.ids[node] for node in nodes]
    assert opened.k == 0
    for k in range(len(stepper) + 1):
        assert opened.k == stepper.index == k
        truth = [stepper.grad(node) for node in nodes]
        assert opened.grads(ids) == ["·" if gradient is None else notation.quantity(gradient) for gradient in truth]
        if stepper.current is not None:
            assert str(stepper.current.numbers) in opened.message
        opened.click("step") if k < len(stepper) else None
        stepper.step()
    opened.check_silent()


def test_every_control_and_key(browser, tmp_path):
    stepper = Stepper(lecture())
    opened = open_page(browser, stepper, tmp_path)
    disabled = (
        "return ['first', 'back', 'step', 'last'].map((id) => document.getElementById(id).ariaDisabled === 'true')"
    )
    assert opened.run(disabled) == [True, True, False, False]
    opened.press("ARROW_LEFT")
    assert opened.k == 0, "back at the start does nothing"
    opened.click("last")
    assert (opened.k, opened.run(disabled)) == (6, [False, False, True, True])
    opened.press("ARROW_RIGHT")
    assert opened.k == 6
    opened.click("back")
    assert opened.k == 5
    assert "dJ/db += dJ/du · ∂u/∂b = 3 × 2 = 6" in opened.message
    opened.click("first")
    assert opened.k == 0
    opened.press("ARROW_RIGHT", "ARROW_RIGHT")
    assert opened.k == 2
    opened.press("END")
    assert opened.k == 6
    opened.press("HOME")
    assert opened.k == 0
    opened.run("const s = document.getElementById('slider'); s.value = 4; s.dispatchEvent(new Event('input'));")
    assert opened.k == 4
    assert opened.run("return document.getElementById('slider').getAttribute('aria-valuetext')").startswith("4 of 6: ")
    opened.driver.find_element("id", "slider").send_keys("\ue014")  # → on the slider moves once
    assert opened.k == 5
    opened.driver.find_elements("css selector", "#steps a")[2].click()
    assert (opened.k, opened.run("return location.hash")) == (3, "#step=3")
    opened.run("location.hash = '#step=1'")
    opened.run("return new Promise((done) => setTimeout(done, 50))")
    assert opened.k == 1
    opened.check_silent()


def test_play_goes_to_the_end_and_can_be_paused(browser, tmp_path):
    opened = open_page(browser, Stepper(lecture()), tmp_path)
    opened.click("play")
    assert opened.run("return document.getElementById('play').textContent") == "Pause"
    assert opened.k == 1
    opened.click("play")
    assert opened.run("return document.getElementById('play').textContent") == "Play"
    opened.run("document.activeElement.blur()")
    opened.press("SPACE")
    assert opened.k == 2
    end = "return new Promise((done) => { const wait = setInterval(() => { "
    end += "if (document.getElementById('play').textContent === 'Play') { clearInterval(wait); done(); } }, 50); })"
    opened.run(end)
    assert opened.k == 6
    opened.click("play")
    assert opened.k == 1, "from the end it plays from the start"
    opened.click("play")


def test_a_link_opens_its_event_and_any_number_is_safe(browser, tmp_path):
    for fragment, k in (("#step=3", 3), ("#step=999", 6), ("#step=x", 2), ("#%3Cb%3E", 2)):
        stepper = Stepper(lecture())
        stepper.goto(2)
        opened = open_page(browser, stepper, tmp_path, fragment)
        assert opened.k == k, "the page opens where the stepper stands, or where the link says"
        opened.check_silent()


def test_what_has_not_happened_cannot_be_seen(browser, tmp_path):
    stepper = Stepper(lecture(), phase="both")
    opened = open_page(browser, stepper, tmp_path)
    shown = boxes_and_arrows(stepper)
    backs = [f"{arrow.id}b" for arrow in shown.arrows if arrow.back is not None]
    values = (
        "return [...document.querySelectorAll('#diagram g.node text.value')].map((x) => +getComputedStyle(x).opacity)"
    )
    assert max(opened.shown(backs)) < 0.1
    assert sorted(opened.run(values)) == [0, 0, 0, 1, 1, 1], "three nodes are still to be computed"
    opened.click("last")
    assert opened.shown(backs) == [1] * len(backs)
    assert opened.run(values) == [1] * 6
    lit = "return [...document.querySelectorAll('#diagram g.edge.path')].length"
    assert opened.run(lit) == 2, "dJ/du came through v and J"
    assert opened.run("return document.querySelectorAll('#diagram g.edge.now').length") == 1


def test_a_card_that_is_looked_at_tells_its_ledger(browser, tmp_path):
    stepper = Stepper(fan_out())
    stepper.run_until("s")
    opened = open_page(browser, stepper, tmp_path)
    shown = boxes_and_arrows(stepper)
    card = "const svg = document.querySelector('#diagram > svg'); return document.getElementById(`${svg.id}-%s`)"
    x = shown.ids[stepper.find("x")]
    element = opened.run(card % x)
    opened.run("arguments[0].focus()", element)
    assert "dy/dx = · (nothing has arrived yet)" in opened.breakdown
    assert "not arrived yet (·): 3 of 3 contributions" in opened.breakdown
    opened.click("last")
    opened.run("arguments[0].dispatchEvent(new MouseEvent('mouseenter'))", element)
    told = [line.strip() for line in str(stepper.explain("x")).splitlines()]
    stepper.end()
    told = [line.strip().removeprefix("+ ") for line in str(stepper.explain("x")).splitlines()]
    assert [line.strip() for line in opened.breakdown.splitlines() if line.strip()][1:] == told


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_both_colour_schemes_can_be_read(browser, tmp_path, scheme):
    feature = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", feature)
    try:
        opened = open_page(browser, Stepper(lecture()), tmp_path)
        opened.click("last")
        colour = "return getComputedStyle(document.querySelector(arguments[0]))[arguments[1]]"
        ground = opened.run(colour, "body", "backgroundColor")
        assert ground == {"light": "rgb(255, 255, 255)", "dark": "rgb(13, 17, 23)"}[scheme]
        assert opened.run(colour, "#diagram svg polygon", "fill") == ground, "the picture has the page's ground"
        red = {"light": "rgb(181, 55, 26)", "dark": "rgb(255, 139, 107)"}[scheme]
        assert opened.run(colour, "#breakdown .sum", "color") == red
        assert opened.run(colour, "#diagram g.edge.backward text", "fill") == red
        opened.check_silent()
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_hostile_names_are_text(browser, tmp_path):
    leaves = [Value(float(i + 1), name) for i, name in enumerate(HOSTILE)]
    root = sum(leaves[1:], start=leaves[0]) * leaves[2]
    root.name = "</title><script>document.title = 'hacked'</script>"
    stepper = Stepper(root, phase="both")
    opened = open_page(browser, stepper, tmp_path)
    assert opened.run("return document.title") == notation.clean(notation.headline(root))
    assert opened.run("return document.querySelectorAll('img, b b, #diagram script, h1 script').length") == 0
    shown = boxes_and_arrows(stepper)
    ids = [shown.ids[leaf] for leaf in leaves]
    opened.click("last")
    stepper.end()
    assert opened.grads(ids) == [notation.quantity(stepper.grad(leaf)) for leaf in leaves]
    for leaf, key in zip(leaves, ids, strict=True):
        svg = "const svg = document.querySelector('#diagram > svg'); document.getElementById(`${svg.id}-%s`).focus()"
        opened.run(svg % key)
        assert opened.breakdown.startswith(notation.clean(leaf.name).strip())
    opened.check_silent()


def test_a_card_says_nothing_before_its_time(browser, tmp_path):
    """A constant named grad has no gradient; the root's gradient and its spread appear only after the seed."""
    grad = Value(7.0, "grad", constant=True)
    stepper = Stepper(Value(2.0, "x") * grad)
    opened = open_page(browser, stepper, tmp_path)
    key = boxes_and_arrows(stepper).ids[grad]
    card = "const svg = document.querySelector('#diagram > svg'); return document.getElementById(`${svg.id}-%s`)%s"
    words_on_it = ".textContent.replace(/\\s+/g, ' ').trim()"
    assert opened.run(card % (key, words_on_it)) == "grad data 7"
    w = Tensor(np.ones((20, 20)), "w")
    stepper = Stepper(w * w, phase="both", seed=np.full((20, 20), 3.0))
    opened = open_page(browser, stepper, tmp_path)
    late = "return [...document.querySelectorAll('#diagram text')].filter((x) => x.textContent === 'all 3')"
    late += ".map((x) => x.classList.contains('early'))"
    assert opened.run(late) == [True]
    opened.press("ARROW_RIGHT", "ARROW_RIGHT")
    assert opened.run(late) == [False]
    assert "the backward pass starts here" in opened.breakdown
    opened = open_page(browser, Stepper(lecture(), phase="forward"), tmp_path)
    opened.click("last")
    assert "has arrived" not in opened.breakdown
    opened.check_silent()


def test_the_keyboard_keeps_its_place(browser, tmp_path):
    opened = open_page(browser, Stepper(lecture()), tmp_path)
    opened.run("document.getElementById('step').focus()")
    opened.press(*["ENTER"] * 7)
    assert (opened.k, opened.run("return document.activeElement.id")) == (6, "step")
    assert opened.run("return document.querySelectorAll('#diagram title').length") == 0, "ids are not read out"


def test_tensors_and_numbers_that_need_room(browser, tmp_path):
    w, X = Tensor([[1.0, 2.0, 3.0, 4.0, 5.0]], "w"), Tensor([[0.5]] * 5, "X")
    b = Tensor(-1234.5, "b")
    root = ((w @ X).sigmoid() * b).sum()
    opened = open_page(browser, Stepper(root), tmp_path)
    opened.click("last")
    fits = """return [...document.querySelectorAll('#diagram g.node')].every((node) => {
      const box = node.querySelector('path, polygon').getBoundingClientRect();
      return [...node.querySelectorAll('text')].every((text) => text.getBoundingClientRect().right <= box.right + 2);
    })"""
    for _ in range(len(Stepper(root))):
        assert opened.run(fits), "every text is on its card"
        opened.click("back")
    opened.check_silent()


@pytest.mark.parametrize("n", [80, 300])
def test_large_graphs_say_less_and_play_as_well(browser, tmp_path, n):
    y = Value(1.0, "x")
    for _ in range(n - 1):
        y = y.sin()
    stepper = Stepper(y)
    opened = open_page(browser, stepper, tmp_path)
    opened.click("last")
    stepper.goto(n - 1)
    opened.click("back")
    nodes = order(y)
    ids = boxes_and_arrows(stepper).ids
    assert opened.grads([ids[nodes[-1]], ids[nodes[-2]]]) == ["·", notation.quantity(stepper.grad(nodes[-2]))]
    red = """return [...document.querySelectorAll('#diagram g.edge.backward .back')].filter(
      (part) => document.getAnimations().forEach((a) => a.finish()) || getComputedStyle(part.closest('.unpulled') ?
      part : part.parentNode).opacity < 0.1 || (part.closest('.unpulled') &&
      getComputedStyle(part.closest('.unpulled')).opacity < 0.1)).length"""
    assert opened.run(red) >= 1
    opened.check_silent()


# --- the size of the diagram

FRAME = """const of = (element) => { const box = element.getBoundingClientRect();
    return [box.left, box.top, box.right, box.bottom]; };
  const figure = document.getElementById('diagram'), svg = figure.querySelector('svg');
  return {figure: of(figure), svg: of(svg), window: [innerWidth, innerHeight],
    page: document.documentElement.scrollWidth, node: of(document.querySelector('#diagram g.node.now') ?? svg)};"""


@pytest.fixture
def sized(browser):
    """Return a function that sets the size of the window. The window gets its usual size back afterward."""

    def resize(width, height):
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)

    yield resize
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def is_inside(inner, outer, tolerance=1):
    return all(x >= y - tolerance for x, y in zip(inner[:2], outer[:2], strict=True)) and all(
        x <= y + tolerance for x, y in zip(inner[2:], outer[2:], strict=True)
    )


@pytest.mark.parametrize("size", [(1130, 560), (2560, 1440)])
@pytest.mark.parametrize("make", [lecture, fan_out, lambda: large(8)], ids=["lecture", "fan out", "large"])
def test_the_whole_diagram_fits_its_window_and_stays_in_place(browser, sized, tmp_path, make, size):
    sized(*size)
    stepper = Stepper(make(), phase="both")
    opened = open_page(browser, stepper, tmp_path)
    first = opened.run(FRAME)
    assert is_inside(first["svg"], [0, 0, *size])
    width, height = (first["svg"][i + 2] - first["svg"][i] for i in (0, 1))
    at_most = [
        width,
        height * size[0] / size[1],
    ]  # the page uses its window: in one direction there is little space left
    assert max(at_most) > 0.5 * size[0]
    for _ in range(len(stepper)):
        opened.press("ARROW_RIGHT")
        now = opened.run(FRAME)
        assert (now["figure"], now["svg"]) == (first["figure"], first["svg"]), f"step {opened.k}: the diagram moved"
    opened.check_silent()


def test_a_narrow_window_scrolls_the_diagram_to_the_step(browser, sized, tmp_path):
    sized(320, 568)
    stepper = Stepper(lecture(), phase="both")
    opened = open_page(browser, stepper, tmp_path)
    for _ in range(len(stepper)):
        opened.press("ARROW_RIGHT")
        now = opened.run(FRAME)
        assert now["page"] <= 320, "only the diagram is wider than the window"
        assert is_inside(now["node"], now["figure"], 4), "the box of the step is visible"
        sizes = """return Math.min(...[...document.querySelectorAll('#diagram text')].map(
          (x) => x.getBoundingClientRect().height))"""
        assert opened.run(sizes) >= 6
    opened.check_silent()


def test_a_frame_of_another_page_shows_the_whole_diagram_and_keeps_its_height(browser, tmp_path):
    Stepper(lecture(), phase="both").save(tmp_path / "page.html")
    outer = tmp_path / "outer.html"
    outer.write_text(
        "<!DOCTYPE html><script>heights = []; addEventListener('message', ({ data }) => {"
        "heights.push(data.tinygraphHeight);"
        "document.querySelector('iframe').style.height = data.tinygraphHeight + 'px'; })</script>"
        "<iframe src='page.html' style='width:1130px;height:560px;border:0'></iframe>"
    )
    browser.get(outer.as_uri())
    browser.execute_script("return new Promise((done) => setTimeout(done, 1000))")
    heights = browser.execute_script("return heights")
    assert len(heights) < 6, f"the frame grows again and again: {heights}"
    browser.switch_to.frame(0)
    shown = browser.execute_script(FRAME)
    browser.switch_to.default_content()
    assert shown["window"][0] == 1130
    assert is_inside(shown["svg"], [0, 0, *shown["window"]])


def test_zoom_by_keys_buttons_and_two_fingers(browser, sized, tmp_path):
    sized(1130, 560)
    opened = open_page(browser, Stepper(lecture()), tmp_path)
    width = "return document.querySelector('#diagram > svg').getBoundingClientRect().width"
    fit = opened.run(width)
    body = browser.find_element("tag name", "body")
    body.send_keys("+")
    assert opened.run(width) == pytest.approx(1.25 * fit, rel=1e-4)
    body.send_keys("+")
    assert opened.run(width) == pytest.approx(1.25**2 * fit, rel=1e-4)
    before = opened.run(FRAME)["figure"]
    assert before == opened.run(FRAME)["figure"]
    body.send_keys("-")
    assert opened.run(width) == pytest.approx(1.25 * fit, rel=1e-4)
    body.send_keys("0")
    assert opened.run(width) == pytest.approx(fit, rel=1e-4)
    body.send_keys("-")
    assert opened.run(width) == pytest.approx(fit, rel=1e-4), "the diagram never becomes smaller than its window"
    for button, factor in (("larger", 1.25), ("smaller", 1.0), ("larger", 1.25), ("fit", 1.0)):
        opened.click(button)
        assert opened.run(width) == pytest.approx(factor * fit, rel=1e-4)
    wheel = """const figure = document.getElementById('diagram'), svg = figure.querySelector('svg');
      const at = svg.getBoundingClientRect(), place = {clientX: 800, clientY: 400};
      const event = new WheelEvent('wheel', {ctrlKey: arguments[0], deltaY: -50, cancelable: true, ...place});
      figure.dispatchEvent(event);
      const to = svg.getBoundingClientRect();
      return [event.defaultPrevented, ...[at, to].map((box) => (800 - box.left) / box.width)];"""
    prevented, before, after = opened.run(wheel, True)
    assert prevented
    assert opened.run(width) > 1.5 * fit
    assert after == pytest.approx(before, abs=2e-3), "the point under the pointer stays in place"
    opened.click("fit")
    prevented, *_ = opened.run(wheel, False)
    assert not prevented, "without the key, the wheel scrolls"

    def touch(kind, *xs):
        points = [{"x": x, "y": 350, "id": i} for i, x in enumerate(xs)]
        browser.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    browser.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True, "maxTouchPoints": 2})
    try:
        touch("touchStart", 500, 600)
        touch("touchMove", 450, 650)
        touch("touchMove", 400, 700)
        touch("touchEnd")
    finally:
        browser.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": False})
    assert opened.run(width) == pytest.approx(3 * fit, rel=0.02)
    opened.check_silent()


def test_options_that_leave_things_out(browser, tmp_path):
    x, c = Value(2.0, "x"), Value(3.0, "c", constant=True)
    stepper = Stepper(x * (c * 2.0), phase="both", constants=False, compact=True)
    opened = open_page(browser, stepper, tmp_path)
    for _ in range(len(stepper)):
        opened.press("ARROW_RIGHT")
    assert opened.k == len(stepper)
    ids = boxes_and_arrows(stepper).ids
    assert opened.run("return [...document.querySelectorAll('.grad')].map((x) => x.textContent)") == ["6", "1"]
    assert ids[c] not in opened.run("return Object.keys(JSON.parse(document.getElementById('data').text).breakdowns)")
    opened.check_silent()


# --- slides, and the future


def test_a_slide_shows_the_diagram_and_one_sentence(browser, sized, tmp_path):
    sized(1920, 1080)
    stepper = Stepper(lecture(), phase="both")
    opened = open_page(browser, stepper, tmp_path, "?slide#step=8")
    parts = "'h1, button, #slider, #count, #steps, #breakdown, #message > *'"
    visible = f"""return [...document.querySelectorAll({parts})]
      .filter((part) => part.checkVisibility()).map((part) => part.textContent)"""
    assert opened.run(visible) == [str(stepper.steps[7]).splitlines()[1].strip()]
    opened.press("ARROW_RIGHT")
    assert opened.run(visible) == [str(stepper.steps[8]).splitlines()[1].strip()]
    assert opened.run("return location.search + location.hash") == "?slide#step=9"
    opened.press("HOME", "ARROW_RIGHT")
    assert opened.run(visible) == [stepper.steps[0].equation]
    shown = opened.run(FRAME)
    assert is_inside(shown["svg"], [0, 0, 1920, 1080])
    sizes = """const texts = [...document.querySelectorAll('#diagram text, #message > *')];
      return texts.filter((text) => text.checkVisibility()).map((text) =>
      parseFloat(getComputedStyle(text).fontSize) * (text.getScreenCTM?.().a ?? 1))"""
    assert min(opened.run(sizes)) >= 18, "pixels, to be read from the back row"
    opened.check_silent()


def test_a_slide_of_a_wide_graph_shows_a_part_that_can_be_read_and_follows_the_steps(browser, sized, tmp_path):
    sized(1920, 1080)
    y = Value(0.5, "x")
    for i in range(12):
        y = (y * (0.5 + i)).tanh()
    stepper = Stepper(y, phase="both")
    opened = open_page(browser, stepper, tmp_path, "?slide")
    smallest = """return Math.min(...[...document.querySelectorAll('#diagram text')].map((text) =>
      parseFloat(text.getAttribute('font-size')) * text.getScreenCTM().a))"""
    now = """const frame = document.getElementById('diagram').getBoundingClientRect();
      const part = document.querySelector('#diagram .node.now').getBoundingClientRect();
      return part.left >= frame.left && part.right <= frame.right && frame.bottom <= innerHeight"""
    assert opened.run(smallest) >= 17.9
    for _ in range(len(stepper)):
        opened.press("ARROW_RIGHT")
        assert opened.run(now)
    assert opened.run("return document.getElementById('diagram').scrollLeft") == 0, "the last step is at the input x"
    shown = "return document.querySelector('#diagram > svg').getBoundingClientRect().width <= innerWidth"
    assert not opened.run(shown)
    opened.driver.switch_to.active_element.send_keys("0")
    assert opened.run(shown), "the whole graph"
    assert opened.run(smallest) < 12
    sized(1280, 720)
    opened.run("window.dispatchEvent(new Event('resize'))")
    assert opened.run(shown), "a reader's choice stays"
    opened.check_silent()


@pytest.mark.parametrize("phase", ["backward", "both"])
def test_the_future_is_hidden_on_request(browser, tmp_path, phase):
    stepper = Stepper(lecture(), phase=phase)
    drawn = boxes_and_arrows(stepper)
    visible = """const svg = document.querySelector('#diagram > svg'); return arguments[0].filter((id) => {
        const part = document.getElementById(`${svg.id}-${id}`);
        return getComputedStyle(part).visibility !== 'hidden';
      })"""
    listed = """return [...document.querySelectorAll('#steps a')].filter(
      (link) => link.checkVisibility({visibilityProperty: true})).length"""
    opened = open_page(browser, stepper, tmp_path, "?hide")
    for k in range(len(stepper) + 1):
        past = {(step.kind, step.result, step.slot) for step in stepper.steps[:k]}
        boxes = {
            key for node, key in drawn.ids.items()
            if phase == "backward" or node.op is None or ("forward", node, 0) in past
        }  # fmt: skip
        literals = {arrow.tail: arrow.head for arrow in drawn.arrows if arrow.tail not in drawn.ids.values()}
        boxes |= {tail for tail, head in literals.items() if head in boxes}
        backs = {f"{key}b": ("backward", *edge) in past for edge, key in drawn.arrow_ids.items()}
        known = [*drawn.ids.values(), *literals, *(f"{arrow.id}b" for arrow in drawn.arrows if arrow.back)]
        assert set(opened.run(visible, known)) == boxes | {key for key in backs if backs[key]}
        assert opened.run(listed) == k
        opened.press("ARROW_RIGHT")
    opened.press("HOME")
    opened.click("future")
    assert opened.run(listed) == len(stepper), "the button shows the future again"
    opened = Page(browser, stepper.save(tmp_path / "exam.html", hide=True))
    assert opened.run(listed) == 0
    opened.check_silent()


# --- in a notebook


def test_two_players_in_a_notebook_do_not_disturb_each_other(browser, execute, tmp_path):
    outputs = execute(NOTEBOOK, tmp_path)
    shown = [out.data["text/html"] for cell in outputs for out in cell if "text/html" in out.get("data", {})]
    assert sum("<svg" in text and "<iframe" not in text for text in shown) == 3, "three moments"
    frames = [text for text in shown if text.startswith("<iframe")]
    assert len(frames) == 2
    cells = tmp_path / "cells.html"
    cells.write_text("<!DOCTYPE html><meta charset='utf-8'>" + "\n".join(shown), encoding="utf-8")
    browser.get(cells.as_uri())
    first, second = browser.find_elements("tag name", "iframe")
    counts = []
    for frame, clicks in ((first, 3), (second, 1), (first, 1)):
        browser.switch_to.frame(frame)
        for _ in range(clicks):
            browser.find_element("id", "step").click()
        counts.append(browser.find_element("id", "count").text)
        browser.switch_to.default_content()
    assert counts == ["3 / 9", "1 / 6", "4 / 9"]
    assert [entry for entry in browser.get_log("browser") if entry["level"] != "INFO"] == []


def test_a_player_has_a_short_name():
    player = Stepper(lecture()).player()
    assert repr(player) == "<player of stepper of J: 0 of 6 steps>"
    assert player._repr_html_().startswith('<iframe sandbox="allow-scripts"')
