"""docs/backprop.md: every number in its text is the library's, and so is every picture."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest

from tools import backprop

TEXT = backprop.PAGE.read_text(encoding="utf-8")
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """The page with its numbers computed, and a folder with its pictures."""
    folder = tmp_path_factory.mktemp("pictures")
    return backprop.computed(TEXT, folder), folder


def test_every_number_in_the_text_is_computed(drawn):
    assert drawn[0] == TEXT, "stale: python -m tools.backprop"


def test_a_wrong_number_is_found(tmp_path):
    wrong = TEXT.replace("3 · 12 = 36", "3 · 12 = 35").replace("becomes 6.03", "becomes 6.3")
    assert wrong != TEXT and backprop.computed(wrong, tmp_path) == TEXT


@pytest.mark.parametrize("more", ["It is 7.", "0.5 of it", "−1"])
def test_a_number_that_is_not_listed_is_an_error(more, tmp_path):
    with pytest.raises(ValueError, match=r"1\. One edge: 16 numbers, 15 listed"):
        backprop.computed(TEXT.replace("Here *x* is", f"{more} Here *x* is"), tmp_path)


def test_the_eight_pictures_are_the_ones_on_the_page(drawn):
    shown = re.findall(r"!\[[^\]]+\]\(images/backprop/([\w.-]+)\)", TEXT)
    assert len(shown) == 8
    assert shown == sorted(p.name for p in backprop.PICTURES.iterdir())
    assert shown == sorted(p.name for p in drawn[1].iterdir())


def words(path) -> list[str]:
    """Return what a picture says, whatever its layout."""
    return sorted("".join(t.itertext()) for t in ET.parse(path).iter(f"{SVG}text"))


def test_the_committed_pictures_say_what_the_library_draws(drawn):
    for path in backprop.PICTURES.iterdir():
        assert words(path) == words(drawn[1] / path.name), "stale: python -m tools.backprop"


def test_the_pictures_show_what_the_text_says(drawn):
    """Local derivatives, contributions and sums of the sections are in their pictures."""
    parts = {
        "1-edge.svg": ["× 3", "◂ 3"], "2-chain.svg": ["× 12", "× 3", "◂ 36"],
        "3-circuit.svg": ["× −4", "× 3", "× 1"], "4-fork.svg": ["−4 + 1 = −3"],
        "5-gate.svg": ["× 0", "◂ 0"], "6-neuron.svg": ["0.7311", "0.1966", "0.3932"],
        "7-layer.svg": ["Xᵀ G", "(3,2)(2,2)→(3,2)"], "8-network.svg": ["1.25", "no gradient"],
    }  # fmt: skip
    for name, expected in parts.items():
        said = " ".join(words(drawn[1] / name)).replace("\u2002", " ")
        assert all(part in said for part in expected), (name, said)


def test_every_word_of_the_glossary_is_used():
    rows = re.findall(r"^\| ([^|]+) \| [^|]+ \|$", TEXT.split("## Words")[1], re.MULTILINE)[2:]
    assert len(rows) >= 12
    for needed in ("leaf", "upstream", "local derivative", "downstream", "topological order",
                   "broadcasting", "detach"):  # fmt: skip
        assert any(needed in row for row in rows)
    lesson = TEXT.split("## Words")[0].lower()
    for needed in ("upstream", "local derivative", "downstream", "chain rule", "topological order",
                   "broadcast", "forward pass", "backward pass", "loss"):  # fmt: skip
        assert needed in lesson.replace("**", "")
