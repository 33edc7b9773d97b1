"""The DOT text of the gallery, kept in tests/golden. Accept new ones with --accept-golden."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from gallery import GALLERY

from tools.make_gallery import WIDE, page, width_of

GOLDEN = Path(__file__).parent.parent / "golden"
BIG = ("resnet50", "transformer")


@pytest.mark.parametrize("name", GALLERY)
def test_golden(name, request):
    source = GALLERY[name].make().source
    path = GOLDEN / f"{name}.gv"
    if request.config.getoption("--accept-golden", default=False):
        path.write_text(source, encoding="utf-8")
    assert source == path.read_text(encoding="utf-8"), "differs: pytest tests/viz --accept-golden"


def test_no_golden_is_left_over():
    assert {p.stem for p in GOLDEN.glob("*.gv")} == set(GALLERY)
    assert len(GALLERY) >= 25


@pytest.mark.parametrize("name", GALLERY)
def test_the_picture_is_well_formed(name):
    drawing = GALLERY[name].make()
    root = ET.fromstring(drawing.pipe("svg"))
    groups = [g.attrib.get("class", "") for g in root.iter("{http://www.w3.org/2000/svg}g")]
    assert sum(g.startswith("node") for g in groups) == len(drawing.picture.cards)
    assert sum(g.startswith("edge") for g in groups) == len(drawing.picture.edges)
    assert not any(k.endswith("href") for e in root.iter() for k in e.attrib)


@pytest.mark.parametrize("name", BIG)
def test_big_models_fit_on_a_screen(name):
    svg = GALLERY[name].make().pipe("svg")
    root = ET.fromstring(svg)
    width, height = (float(root.attrib[k].removesuffix("pt")) for k in ("width", "height"))
    assert width < 800 and height < 1150
    assert b"font-size" in svg


def test_the_code_of_an_entry_is_the_one_that_ran():
    for entry in GALLERY.values():
        assert entry.caption and "def " + entry.name not in entry.code
        compile(entry.code, entry.name, "exec")
        assert "tg.draw" in entry.code


def test_wide_pictures_of_the_gallery_scroll_so_that_letters_stay_readable():
    assert width_of(GALLERY["neuron"].make().pipe("svg").decode()) > WIDE
    assert width_of(GALLERY["product"].make().pipe("svg").decode()) < WIDE
    text = page("place", {"neuron"})
    assert text.count(":::{container} wide\n") == 1
    assert text.index(":::{container} wide") < text.index("(place/neuron.svg)\n:::")
    assert len(re.findall(r"\(place/\w+\.svg\)", text)) == len(GALLERY)
