"""The explorer's page in a headless Chromium: every control, by mouse and by keyboard alone."""

from __future__ import annotations

import os
import re
import time

import numpy as np
import pytest

import tinygraph as tg
from tinygraph import nn
from tinygraph.demo.run import one_small_step
from tinygraph.viz.page import explore
from tinygraph.viz.steps import Walk
from tools import chromium

if chromium.find_browser() is None and not os.environ.get(chromium.REQUIRED):
    pytest.skip(f"needs Chromium: {chromium.INSTALL}", allow_module_level=True)


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """One browser for all tests."""
    started = chromium.Browser(tmp_path_factory.mktemp("browser"))
    yield started
    started.close()


@pytest.fixture
def browser(shared):
    """The browser with a window of usual size, light, and without motion."""
    shared.size(1200, 760)
    shared.prefer(prefers_color_scheme="light", prefers_reduced_motion="reduce")
    yield shared
    assert shared.problems == [] and shared.requests == []


def language_model():
    tg.manual_seed(0)

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed = nn.Embedding(20, 16)
            self.blocks = nn.Sequential(*[nn.TransformerBlock(16, 4, 32) for _ in range(2)])
            self.head = nn.Linear(16, 20)

        def forward(self, tokens):
            return self.head(self.blocks(self.embed(tokens)))

    logits = Model()(tg.tensor(np.arange(12).reshape(2, 6))).reshape(12, 20)
    return nn.functional.cross_entropy(logits, tg.tensor(np.arange(12)))


@pytest.fixture(scope="module")
def pages(tmp_path_factory, graphs):
    """The pages that the tests open, by name."""
    folder = tmp_path_factory.mktemp("pages")
    f, names = graphs.product()
    g, more = graphs.fork()
    L, others = graphs.layer()
    explore(f, folder / "product.html", names=names)
    explore(g, folder / "fork.html", names=more)
    explore(L, folder / "layer.html", names=others)
    explore(one_small_step(), folder / "step.html")
    explore(language_model(), folder / "model.html")
    explore({"(x + y) · z": f, "a fork": g}, folder / "both.html", names={**names, **more})
    explore(graphs.chain(3000), folder / "chain.html")
    return {path.stem: path for path in folder.iterdir()}


def sentence(browser):
    return browser.text("#sentence")


def card_id(browser, header):
    found = browser.run(
        "[...document.querySelectorAll('.card')].filter((c) => c.querySelector('.header')"
        f".textContent.split(' = ')[0] === {header!r}).map((c) => c.dataset.card)"
    )
    assert len(found) == 1, (header, browser.texts(".header"))
    return found[0]


def face(browser, header):
    return f"[data-card='{card_id(browser, header)}'] .face"


def classes(browser, header):
    script = f"[...document.querySelector(\"[data-card='{card_id(browser, header)}']\").classList]"
    return set(browser.run(script)) - {"card"}


def gradient_on(browser, header):
    """Return what the gradient row of a card says."""
    selector = f"[data-card='{card_id(browser, header)}'] .slot"
    return browser.run(f'document.querySelector("{selector}").textContent')


def number(text):
    return float(text.replace("−", "-"))


# ---- it opens -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["product", "fork", "layer", "step", "model", "both", "chain"])
def test_a_page_opens_quietly_with_the_whole_picture(browser, pages, name):
    browser.open(pages[name])
    assert browser.text("#step-title") == "The whole picture"
    assert browser.run("document.querySelectorAll('.todo').length") == 0
    assert browser.run("document.querySelectorAll('.card').length") >= 3


@pytest.mark.parametrize("name", ["product", "fork", "layer", "step", "model"])
@pytest.mark.parametrize("turned", [False, True])
def test_text_lies_inside_its_card(browser, pages, name, turned):
    browser.open(pages[name])
    if turned:
        browser.press("r")
    outside = browser.run(
        "[...document.querySelectorAll('.card')].flatMap((card) => {"
        "  const box = card.querySelector('.body').getBoundingClientRect();"
        "  const texts = [...card.querySelectorAll('.face text')].filter((t) => t.textContent);"
        "  return texts.filter((t) => {"
        "    const b = t.getBoundingClientRect();"
        "    return b.left < box.left - 1 || b.right > box.right + 1 || b.top < box.top - 1"
        "      || b.bottom > box.bottom + 1; }).map((t) => t.textContent); })"
    )
    assert outside == []


PAIRS_THAT_MEET = """
[...document.querySelectorAll('.card .face')].flatMap((face) => {
  const texts = [...face.querySelectorAll('text')].filter((t) => t.textContent.trim());
  const boxes = texts.map((t) => t.getBoundingClientRect());
  return texts.flatMap((t, i) => texts.slice(i + 1).filter((_, j) => {
    const [a, b] = [boxes[i], boxes[i + 1 + j]];
    return a.left < b.right - 1 && b.left < a.right - 1
      && Math.abs((a.top + a.bottom) - (b.top + b.bottom)) < 8;
  }).map((u) => `${t.textContent} | ${u.textContent}`));
})"""

STRETCHED = """
[...document.querySelectorAll('#world text[textLength]')].filter((t) => {
  const wide = Number(t.getAttribute('textLength'));
  t.removeAttribute('textLength');
  return t.getComputedTextLength() < 0.95 * wide;
}).map((t) => `${t.textContent} ${t.getComputedTextLength()}`)"""


@pytest.mark.parametrize("font", ["", "Verdana, DejaVu Sans"])
@pytest.mark.parametrize("name", ["fork", "layer", "step", "model"])
def test_a_wide_font_makes_text_narrower_and_never_meet(browser, pages, name, font):
    browser.open(pages[name])
    if font:
        style = f"#world text {{ font-family: {font}; font-size-adjust: 0.6; }}"
        browser.run(
            "(() => { const sheet = new CSSStyleSheet(); document.adoptedStyleSheets = [sheet];"
            f"sheet.replaceSync({style!r}); }})()"
        )
        browser.press("r", "r")  # the scene is built anew
    assert browser.run(PAIRS_THAT_MEET) == []
    assert browser.run(STRETCHED) == []


@pytest.mark.parametrize("name", ["step", "model"])
def test_no_edge_crosses_the_title_of_a_module(browser, pages, name):
    browser.open(pages[name])
    if browser.run("document.querySelector('#scene .frame') === null"):
        browser.click(".badge")
    assert browser.texts(".scope-title")
    crossed = browser.run(
        "[...document.querySelectorAll('.scope-title text')].filter((title) => {"
        "  const box = title.getBBox();"
        "  return [...document.querySelectorAll('.wire')].some((wire) => {"
        "    for (let at = 0; at < wire.getTotalLength(); at += 2) {"
        "      const p = wire.getPointAtLength(at);"
        "      if (p.x > box.x - 2 && p.x < box.x + box.width + 2 && p.y > box.y"
        "        && p.y < box.y + box.height) return true; }"
        "    return false; }); }).map((title) => title.textContent)"
    )
    assert crossed == []


# ---- the steps ----------------------------------------------------------------------------------


def test_every_step_says_what_the_library_computes(browser, pages, graphs):
    g, names = graphs.fork()
    steps = list(Walk(g, names=names))
    browser.open(pages["fork"])
    browser.press("ArrowRight")
    assert browser.text("#step-title") == "Given" and "a = 2" in sentence(browser)
    so_far = {}
    for step in steps:
        browser.press("ArrowRight")
        if not hasattr(step, "contribution"):
            assert sentence(browser).startswith(f"{step.name} = ")
            assert number(sentence(browser).rpartition("= ")[2]) == step.tensor.item()
            assert classes(browser, step.name) >= {"now"}
            continue
        if browser.text("#step-title") == "Turn round":
            assert gradient_on(browser, "f") == "1"
            browser.press("ArrowRight")
        assert browser.text("#step-title") == f"Step {step.number} of {len(steps)} · backward"
        upstream, local, added = (
            number(t)
            for t in re.findall(r"upstream (\S+) × local (\S+) = (\S+)", sentence(browser))[0]
        )
        assert (upstream, local, added) == (step.upstream, step.local, step.contribution)
        so_far[step.name] = step.after.item()
        for name, total in so_far.items():
            assert number(gradient_on(browser, name).rpartition("= ")[2]) == total
        assert "now" in classes(browser, step.name)
        for read in step.reads:
            assert {"reads", "now"} & classes(browser, names_of(names, read))
    browser.press("ArrowRight")
    assert browser.text("#step-title") == "The gradients"


def names_of(names, tensor):
    return next((n for n, t in names.items() if t is tensor), "v₄")


def test_terms_append_one_by_one_where_edges_meet(browser, pages):
    browser.open(pages["fork"])
    seen = []
    browser.press("End")
    last = int(browser.run("document.querySelector('#position').max"))
    browser.press("Home")
    for _ in range(last):
        browser.press("ArrowRight")
        if "∂f/∂a" in sentence(browser):
            seen.append(gradient_on(browser, "a"))
    assert seen == ["2", "2 + 2 = 4", "2 + 2 + (−3) = 1"]


def test_what_is_to_come_is_faded_and_unknown(browser, pages):
    browser.open(pages["product"])
    browser.press("ArrowRight", "ArrowRight")
    assert classes(browser, "f") >= {"todo", "unknown"} and classes(browser, "x") >= {"reads"}
    opacity = browser.run("getComputedStyle(document.querySelector('.card.todo')).opacity")
    assert opacity == "0.35"
    value = "[data-card='t4'] .value"
    assert (
        browser.run(f'getComputedStyle(document.querySelector("{value}")).visibility') == "hidden"
    )
    browser.press("End")
    assert browser.run("document.querySelectorAll('.todo, .unknown').length") == 0


def test_a_dead_edge_is_grey(browser, pages):
    browser.open(pages["fork"])
    assert browser.run("document.querySelectorAll('.edge.dead').length") == 1
    assert browser.run("document.querySelectorAll('.edge.passed').length") > 5


def test_buttons_slider_and_speed(browser, pages):
    browser.open(pages["product"])
    assert browser.run("document.querySelector('#back').disabled")
    browser.click("#next")
    assert browser.text("#step-title") == "Given"
    browser.click("#last")
    assert browser.text("#step-title") == "The gradients"
    assert browser.run("document.querySelector('#next').disabled")
    browser.click("#back")
    assert browser.text("#count") == "6 / 6"
    browser.click("#first")
    assert browser.text("#step-title") == "The whole picture"
    browser.run("(() => { const s = document.querySelector('#position'); s.value = 3;"
                "s.dispatchEvent(new Event('input')); })()")  # fmt: skip
    assert browser.text("#count") == "2 / 6"
    assert browser.run("document.querySelector('#position').ariaValueText ?? "
                       "document.querySelector('#position').getAttribute('aria-valuetext')"
                       ) == "Step 2 of 6, forward"  # fmt: skip
    for key, speed in (("]", "2"), ("]", "4"), ("]", "4"), ("[", "2"), ("[", "1"), ("[", "0.5")):
        browser.press(key)
        assert browser.run("document.querySelector('#speed').value") == speed


def test_play_goes_on_by_itself_and_pause_stops_it(browser, pages):
    browser.open(pages["product"])
    browser.press("]", "]")
    browser.click("#play")
    assert browser.run("document.querySelector('#play').getAttribute('aria-label')") == "Pause"
    browser.wait(lambda: browser.text("#count") == "2 / 6", "two steps were played")
    browser.press(" ")
    stopped = browser.text("#step-title")
    time.sleep(0.7)
    assert browser.text("#step-title") == stopped
    assert browser.run("document.querySelector('#play').getAttribute('aria-label')") == "Play"
    browser.press("End", " ")
    browser.wait(lambda: browser.text("#step-title") == "Given", "it begins again")
    browser.press("ArrowRight")
    assert browser.run("document.body.classList.contains('playing')") is False


def test_clicks_on_edges_and_step_buttons_jump(browser, pages):
    browser.open(pages["product"])
    browser.run(
        "document.querySelector('.edge .touch').parentNode.dispatchEvent(new Event('click'))"
    )
    assert "∂f/∂x += " in sentence(browser)
    browser.click(face(browser, "q"))
    jumps = browser.texts(".jump")
    assert jumps == ["1 computed", "3 receives", "5 passes on", "6 passes on"]
    browser.click(".jump")
    assert sentence(browser) == "q = x + y = 3"


# ---- cards --------------------------------------------------------------------------------------


def test_hover_and_focus_tell_the_story_of_a_card(browser, pages):
    browser.open(pages["layer"])
    assert browser.text("#card") == ""
    browser.hover(face(browser, "W"))
    assert browser.text("#card h2") == "W" and "a parameter" not in browser.text("#card")
    assert len(browser.texts("#card .numbers td")) == 8
    browser.hover("#first")
    assert browser.text("#card") == ""
    browser.run(f'document.querySelector("{face(browser, "h")}").focus()')
    story = browser.text("#card")
    assert "maximum(x, 0)" in story and "(3, 2) · float32" in story and "kept for backward" in story


def test_all_digits_are_those_of_the_library(browser, pages, graphs):
    L, names = graphs.layer()
    leaves = [names["W"], names["b"]]
    gradients = tg.grad(L, leaves)
    browser.open(pages["layer"])
    browser.press("p")
    for name, leaf, gradient in zip("Wb", leaves, gradients, strict=True):
        browser.click(face(browser, name))
        for part, array in (("is-value", leaf.data), ("is-gradient", gradient.data)):
            shown = [number(t) for t in browser.texts(f"#card .part.{part} td")]
            np.testing.assert_array_equal(np.array(shown, np.float32), array.ravel())
    browser.click("#exact")
    assert browser.text("#exact") == "All digits"


def test_results_list_every_gradient_and_the_nudge(browser, pages):
    browser.open(pages["product"])
    browser.press("End")
    rows = browser.texts(".results tbody tr")
    assert rows == ["x−2−4", "y5−4", "z−43"]
    assert "f goes from −12 to −12.04" in browser.text("#step-more")


def test_matrices_show_the_rule_with_shapes(browser, pages):
    browser.open(pages["layer"])
    browser.press("End", "ArrowLeft")
    found = []
    for _ in range(12):
        found.append(browser.text("#step"))
        browser.press("ArrowLeft")
    (product,) = [t for t in found if "∂L/∂W = Xᵀ G" in t]
    assert "(2,3)(3,2) → (2,2)" in product and "this edge adds" in product
    assert "needed from the forward pass" in product


# ---- modules ------------------------------------------------------------------------------------


def headers(browser):
    return set(browser.texts(".header"))


def test_modules_open_and_close_in_their_place(browser, pages):
    browser.open(pages["model"])
    before = headers(browser)
    assert {"embed", "blocks.0", "blocks.1", "head"} <= before
    browser.click("[aria-label='Open blocks.1']")
    assert "blocks.1.self_attn" in headers(browser) and "blocks.1" not in headers(browser)
    assert "blocks.1 is open" in browser.text("#said")
    browser.click("[aria-label='Close blocks.1']")
    assert headers(browser) == before


def corners(browser, selector):
    """Return where the upper left corners of elements are seen."""
    return browser.run(
        f"[...document.querySelectorAll({selector!r})].map((e) => e.getBoundingClientRect())"
        ".map((b) => [b.left, b.top])"
    )


@pytest.mark.parametrize(("keys", "name"), [("+", "embed"), ("--", "embed"), ("---", "head")])
def test_the_clicked_card_keeps_its_place(browser, pages, keys, name):
    browser.open(pages["model"])
    browser.press(*keys)
    (closed,) = corners(browser, f'[data-card="{card_id(browser, name)}"] .body')
    browser.click(f"[aria-label='Open {name}']")
    distances = [abs(x - closed[0]) + abs(y - closed[1]) for x, y in corners(browser, ".frame")]
    assert min(distances) < 2
    browser.click(f"[aria-label='Close {name}']")
    (again,) = corners(browser, f'[data-card="{card_id(browser, name)}"] .body')
    assert again == pytest.approx(closed, abs=2)


def test_the_whole_picture_comes_into_sight_where_there_is_room(browser, pages):
    browser.open(pages["step"])
    browser.click("[aria-label^='Close Sequential']")
    stage = browser.run(
        "(() => { const b = document.querySelector('#stage').getBoundingClientRect();"
        "return [b.left, b.top, b.right, b.bottom]; })()"
    )
    for x, y in corners(browser, ".card .body"):
        assert stage[0] <= x <= stage[2] and stage[1] <= y <= stage[3]


def test_a_step_stays_the_same_step_when_a_module_opens(browser, pages):
    browser.open(pages["model"])
    browser.press("End", *["ArrowLeft"] * 2)
    said = sentence(browser)
    browser.click("[aria-label='Open head']")
    assert sentence(browser) == said


def test_steps_inside_an_opened_module(browser, pages):
    browser.open(pages["model"])
    total = browser.run("Number(document.querySelector('#position').max)")
    browser.click("[aria-label='Open blocks.0']")
    assert browser.run("Number(document.querySelector('#position').max)") > total
    browser.press("End", "ArrowLeft")
    assert "backward" in browser.text("#step-title")


# ---- the keyboard alone -------------------------------------------------------------------------


def test_tab_reaches_every_control_and_one_card(browser, pages):
    browser.open(pages["product"])
    reached = []
    for _ in range(24):
        browser.press("Tab")
        reached.append(
            browser.run("document.activeElement.id || document.activeElement.getAttribute('class')")
        )
    wanted = {"search", "overlay", "theme", "help-open", "zoom-in", "zoom-out", "fit", "turn",
              "panel", "play", "next", "last", "position", "speed", "face"}  # fmt: skip
    assert wanted <= set(reached)
    assert reached.count("face") <= 2


def test_arrows_move_between_cards_and_enter_jumps(browser, pages):
    browser.open(pages["product"])
    browser.press("ArrowDown")
    focused = "document.activeElement.closest('.card').dataset.card"
    order = browser.run("[...document.querySelectorAll('.card')].map((c) => c.dataset.card)")
    assert browser.run(focused) == order[1]
    browser.press("ArrowUp")
    assert browser.run(focused) == order[0]
    while browser.run(focused) != card_id(browser, "q"):
        browser.press("ArrowDown")
    browser.press("Enter")
    assert sentence(browser) == "q = x + y = 3"
    browser.press("Enter")
    assert "∂f/∂q += " in sentence(browser)
    outline = "getComputedStyle(document.activeElement.querySelector('.body')).strokeWidth"
    assert browser.run(outline) == "3.5px"


def test_modules_open_and_close_by_key(browser, pages):
    browser.open(pages["model"])
    browser.run(f'document.querySelector("{face(browser, "blocks.0")}").focus()')
    browser.press("o")
    assert "blocks.0.self_attn" in headers(browser)
    assert browser.run("document.activeElement.closest('.card') !== null")
    browser.press("c")
    assert "blocks.0" in headers(browser)


def test_search_finds_cards_also_in_closed_modules(browser, pages):
    browser.open(pages["model"])
    browser.press("/")
    browser.type("blocks.0.norm2")
    assert browser.run("document.querySelector('#search').value") == "blocks.0.norm2"
    assert (
        browser.run("document.querySelector('#hits li[aria-selected=true] .strong').textContent")
        == "blocks.0.norm2"
    )
    browser.press("ArrowDown", "ArrowUp", "Enter")
    assert "blocks.0.norm2" in headers(browser)
    assert browser.run("document.activeElement.closest('.card') !== null")
    assert "blocks.0.norm2" in browser.text("#card h2")
    browser.press("/")
    browser.type("nothing has this name")
    assert browser.texts("#hits li") == ["No card has these words."]
    browser.press("Escape")
    assert browser.run("document.querySelector('#hits').hidden")


def test_keys_for_zoom_pan_fit_and_turn(browser, pages):
    browser.open(pages["product"])
    matrix = "document.querySelector('#world').getAttribute('transform')"
    first = browser.run(matrix)
    browser.press("+")
    larger = browser.run(matrix)
    assert larger != first
    browser.press("-")
    browser.press("ArrowLeft", shift=True)
    assert browser.run(matrix) != first
    browser.press("f")
    assert browser.run(matrix) == first
    browser.press("r")
    boxes = [corners(browser, face(browser, h))[0][1] for h in ("x", "q", "f")]
    assert boxes == sorted(boxes) and boxes[0] < boxes[2]
    browser.press("r")
    assert browser.run(matrix) == first


def test_help_opens_and_closes(browser, pages):
    browser.open(pages["product"])
    browser.press("?")
    assert browser.run("document.querySelector('#help').open")
    browser.press("ArrowRight")
    assert browser.text("#step-title") == "The whole picture"
    browser.press("Escape")
    assert not browser.run("document.querySelector('#help').open")
    browser.click("#help-open")
    browser.click("#help-close")
    assert not browser.run("document.querySelector('#help').open")


# ---- the mouse ----------------------------------------------------------------------------------


def test_wheel_drag_and_buttons_move_the_picture(browser, pages):
    browser.open(pages["product"])
    matrix = "document.querySelector('#world').getAttribute('transform')"
    first = browser.run(matrix)
    browser.mouse("mouseWheel", 200, 300, deltaX=0, deltaY=-120)
    browser.wait(lambda: browser.run(matrix) != first, "the wheel zooms")
    browser.click("#fit")
    assert browser.run(matrix) == first
    for button in ("#zoom-in", "#zoom-out", "#turn"):
        before = browser.run(matrix)
        browser.click(button)
        assert browser.run(matrix) != before
    browser.click("#turn")
    browser.click("#fit")
    browser.mouse("mousePressed", 60, 120, button="left", clickCount=1)
    browser.mouse("mouseMoved", 100, 160, button="left", buttons=1)
    browser.mouse("mouseMoved", 160, 200, button="left", buttons=1)
    browser.mouse("mouseReleased", 160, 200, button="left", clickCount=1)
    x = float(re.findall(r"translate\((\S+)", browser.run(matrix))[0])
    assert x == pytest.approx(float(re.findall(r"translate\((\S+)", first)[0]) + 100, abs=1)
    assert browser.text("#step-title") == "The whole picture"


# ---- overlays, themes, sizes --------------------------------------------------------------------


def test_overlays_have_legends_and_words(browser, pages):
    browser.open(pages["model"])
    browser.press("g")
    assert browser.text("#legend h2") == "Gradient size" and len(browser.texts(".ticks span")) >= 2
    assert "Vanishing: less than" in browser.text("#legend-words")
    assert len(browser.texts(".amount")) >= 5
    browser.press("m")
    assert re.fullmatch(r"\d.* k?B", browser.text(".amount")) and "Memory" in browser.text(
        "#legend h2"
    )
    browser.press("n")
    assert browser.run("document.querySelector('#legend').hidden")
    assert browser.texts(".amount") == []
    browser.run("(() => { const s = document.querySelector('#overlay'); s.value = 'gradient';"
                "s.dispatchEvent(new Event('change')); })()")  # fmt: skip
    assert browser.text("#legend h2") == "Gradient size"


def test_vanishing_gradients_are_named(browser, tmp_path):
    x = tg.tensor(np.full((3, 3), 1e-4), requires_grad=True, name="x")
    explore(tg.sum(1e-3 * tg.tanh(x) * 1e-4), tmp_path / "small.html")
    browser.open(tmp_path / "small.html")
    browser.press("g")
    assert "vanishing: x" in browser.text("#legend-words")
    browser.click("#legend-words .chip")
    assert browser.text("#card h2") == "x"


def background(browser):
    return browser.run("getComputedStyle(document.body).backgroundColor")


def contrast(browser, selector, behind="document.body"):
    """Return the contrast of an element's text with what is behind it."""
    colours = browser.run(
        f"[getComputedStyle(document.querySelector('{selector}')).color,"
        f"getComputedStyle({behind}).backgroundColor]"
    )

    def light(colour):
        channels = [int(c) / 255 for c in re.findall(r"\d+", colour)[:3]]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    a, b = sorted(map(light, colours), reverse=True)
    return (a + 0.05) / (b + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_light_and_dark_follow_the_reader_and_the_button(browser, pages, scheme):
    browser.prefer(prefers_color_scheme=scheme, prefers_reduced_motion="reduce")
    browser.open(pages["product"])
    white = "rgb(255, 255, 255)"
    assert (background(browser) == white) == (scheme == "light")
    browser.press("ArrowRight", "ArrowRight", "ArrowRight", "ArrowRight", "ArrowRight")
    for selector in ("#sentence", "#sentence .is-gradient", "#card .is-value", ".words", ".quiet"):
        assert contrast(browser, selector) >= 4.5, selector
    browser.press("d")
    assert (background(browser) == white) == (scheme == "dark")
    browser.click("#theme")
    assert (background(browser) == white) == (scheme == "light")


@pytest.mark.parametrize("name", ["product", "both", "layer", "model"])
def test_a_phone_needs_no_sideways_scrolling(browser, pages, name):
    browser.size(360, 740, mobile=True)
    browser.open(pages[name])
    for keys in ([], ["ArrowRight"] * 6, ["End"], ["g"], ["m", "ArrowLeft"]):
        browser.press(*keys)
        assert browser.run("document.scrollingElement.scrollWidth") <= 360
        for part in ("#next", "#sentence", "#position", "#overlay"):
            box = browser.run(f"(() => {{ const b = document.querySelector('{part}')"
                              ".getBoundingClientRect(); return [b.left, b.top, b.right, b.bottom];"
                              "})()")  # fmt: skip
            assert box[0] >= 0 and box[2] <= 360 and box[1] >= 0 and box[3] <= 740, (part, box)
    height = browser.run("document.querySelector('#stage').getBoundingClientRect().height")
    assert height > 200


def test_motion_stops_for_those_who_ask(browser, pages):
    flow = "getComputedStyle(document.querySelector('.edge.now .back')).animationName"
    browser.open(pages["product"])
    browser.press("End", "ArrowLeft")
    assert browser.run(flow) == "none"
    browser.prefer(prefers_color_scheme="light", prefers_reduced_motion="no-preference")
    assert browser.run(flow) == "flow"


# ---- for screen readers -------------------------------------------------------------------------


def test_every_control_has_a_name_and_the_sentence_is_announced(browser, pages):
    browser.open(pages["model"])
    browser.press("ArrowRight", "ArrowRight", "g")
    tree = browser.ask("Accessibility.getFullAXTree")["nodes"]
    roles = [(n["role"]["value"], n.get("name", {}).get("value", "")) for n in tree
             if not n.get("ignored")]  # fmt: skip
    named = ("button", "combobox", "searchbox", "slider", "textbox", "img", "dialog", "table")
    assert [r for r in roles if r[0] in named and not r[1].strip()] == []
    assert ("slider", "Step") in roles and ("complementary", "Explanation") in roles
    cards = [name for role, name in roles if role == "button" and name.startswith("embed")]
    assert cards and "changes now" in cards[0] and "closed, O opens it" in cards[0]
    live = browser.run("document.querySelector('#sentence').closest('[aria-live=polite]') !== null")
    assert live


def test_a_cards_label_follows_the_steps(browser, pages):
    browser.open(pages["product"])
    label = f'document.querySelector("{face(browser, "q")}").getAttribute("aria-label")'
    assert browser.run(label) == "q = x + y, value 3, gradient −4"
    browser.press("ArrowRight")
    assert browser.run(label) == "q = x + y"
    browser.press("ArrowRight")
    assert browser.run(label) == "q = x + y, value 3, changes now"
    browser.press("End", "ArrowLeft")
    assert browser.run(label) == "q = x + y, value 3, gradient −4, the gradient comes from here"


# ---- the rest -----------------------------------------------------------------------------------


def test_a_switch_between_graphs(browser, pages):
    browser.open(pages["both"])
    assert browser.texts("#graph option") == ["(x + y) · z", "a fork"]
    browser.run("(() => { const s = document.querySelector('#graph'); s.value = 1;"
                "s.dispatchEvent(new Event('change')); })()")  # fmt: skip
    assert "relu" in sentence(browser) and "v₄ = relu(b)" in headers(browser)
    browser.press("End")
    assert len(browser.texts(".results tbody tr")) == 2


@pytest.mark.parametrize(
    "text",
    ["</script><script>hacked = 1</script>", "<img src=x onerror='hacked = 1'>", "__proto__",
     "\u202e<b>", "{{DATA}}", "x" * 3000],
)  # fmt: skip
def test_hostile_names_are_only_text(browser, tmp_path, text):
    x = tg.tensor(2.0, requires_grad=True, name=text)
    explore({text: x * tg.exp(x), "b": x * x}, tmp_path / "hostile.html", title=text)
    browser.open(tmp_path / "hostile.html")
    for _ in range(4):
        browser.press("ArrowRight")
    browser.press("g", "ArrowDown", "/")
    browser.type("x")
    assert browser.run("typeof hacked") == "undefined"
    assert browser.run("document.querySelectorAll('img, b, script:not([type])').length") == 1
    assert browser.run("document.scrollingElement.scrollWidth") <= 1200


def test_it_works_in_the_frame_of_a_notebook(browser, pages, graphs, tmp_path):
    f, names = graphs.product()
    frame = explore(f, names=names)._repr_html_()
    (tmp_path / "notebook.html").write_text(
        f"<!doctype html><meta charset=utf-8><body data-ready=true><p>Out [1]:</p>{frame}",
        encoding="utf-8",
    )
    browser.open(tmp_path / "notebook.html")

    def seen():
        tree = browser.ask("Page.getFrameTree")["frameTree"]
        child = tree["childFrames"][0]["frame"]["id"]
        world = browser.ask("Page.createIsolatedWorld", frameId=child)["executionContextId"]
        expression = "document.querySelector('#sentence').textContent"
        answer = browser.ask("Runtime.evaluate", contextId=world, expression=expression)
        return answer["result"].get("value")

    assert browser.wait(seen, "the frame shows the page") == "f = (x + y) · z"


def test_a_long_chain_is_told_with_its_middle_as_one(browser, pages):
    browser.open(pages["chain"])
    assert "in the middle are told as one" in browser.text("#step-more")
    assert any("nodes …" in header for header in headers(browser))
    browser.press("End", "ArrowLeft", "ArrowLeft", "Home")
    assert browser.text("#step-title") == "The whole picture"
