"""The page of a worked solution in a headless Chromium: mathematics, and the explorer in it."""

from __future__ import annotations

import os

import numpy as np
import pytest

import tinygraph as tg
from tools import chromium

if chromium.find_browser() is None and not os.environ.get(chromium.REQUIRED):
    pytest.skip(f"needs Chromium: {chromium.INSTALL}", allow_module_level=True)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    started = chromium.Browser(tmp_path_factory.mktemp("browser"))
    started.size(1200, 900)
    yield started
    started.close()


@pytest.fixture(scope="module")
def page(browser, graphs, tmp_path_factory):
    """The browser with the page of (x + y) · z."""
    f, names = graphs.product()
    path = tg.explain(f, names=names).save(tmp_path_factory.mktemp("page") / "solution.html")
    browser.problems.clear()
    browser.ask("Page.navigate", url=path.as_uri())
    browser.wait(lambda: browser.run("document.readyState") == "complete", "the page is there")
    browser.wait(lambda: inside(browser, "document.body.dataset.ready"), "the explorer is ready")
    return browser


def inside(browser, script):
    """Evaluate JavaScript in the frame, which the page itself may not look into."""
    frames = browser.ask("Page.getFrameTree")["frameTree"].get("childFrames", [])
    if not frames:
        return None
    frame = frames[0]["frame"]["id"]
    world = browser.ask("Page.createIsolatedWorld", frameId=frame)["executionContextId"]
    answer = browser.ask("Runtime.evaluate", expression=script, contextId=world, returnByValue=True)
    return answer["result"].get("value")


def test_no_problems_and_no_requests(page):
    assert page.problems == [] and page.requests == []


def test_mathematics_is_set(page):
    """A fraction is higher than a letter: the browser knows MathML."""
    script = "document.querySelector('.steps %s').getBoundingClientRect().height"
    assert page.run(script % "mfrac") > 1.4 * page.run(script % "mi")
    assert page.run("getComputedStyle(document.querySelector('.steps .gradient')).color") == (
        "rgb(181, 74, 0)"
    )


def test_the_explorer_steps_in_its_frame(page):
    page.run("document.querySelector('iframe').scrollIntoView()")
    assert inside(page, "document.querySelector('#position').max") is not None
    before = inside(page, "document.querySelector('#sentence').textContent")
    inside(page, "document.querySelector('#next').click()")
    page.wait(
        lambda: inside(page, "document.querySelector('#sentence').textContent") != before,
        "a step was made",
    )


def test_it_fits_a_phone(page):
    page.size(390, 800, mobile=True)
    wide = page.run("document.documentElement.scrollWidth")
    page.size(1200, 900)
    assert wide <= 390


def test_paper_gets_the_picture(page):
    page.ask("Emulation.setEmulatedMedia", media="print")
    shown = page.run(
        "['.frame', '.printed'].map(s => getComputedStyle(document.querySelector(s)).display)"
    )
    page.ask("Emulation.setEmulatedMedia", media="")
    assert shown == ["none", "block"]


def test_long_rules_and_matrices_scroll_on_a_phone(browser, tmp_path):
    W, x = tg.tensor(np.arange(24.0).reshape(4, 6) / 7, requires_grad=True, name="W"), tg.ones(6)
    x.name = "x"
    solution = tg.explain((tg.relu(W @ x - 3) * tg.softmax(W @ x, axis=0)).sum())
    browser.ask("Page.navigate", url=solution.save(tmp_path / "solution.html").as_uri())
    browser.wait(lambda: browser.run("document.querySelectorAll('.steps').length"), "it is there")
    browser.size(390, 800, mobile=True)
    wide = browser.run("document.documentElement.scrollWidth")
    cut = browser.run(
        "[...document.querySelectorAll('.steps')].filter((t) => t.scrollWidth > t.clientWidth"
        " && getComputedStyle(t).overflowX !== 'auto').length"
    )
    browser.size(1200, 900)
    assert wide <= 390 and cut == 0
