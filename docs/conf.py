"""Sphinx configuration. Build with ``make docs``; every warning is an error."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

import tinygraph  # noqa: E402
from tinygraph.demo.run import explore_steps  # noqa: E402
from tools import backprop  # noqa: E402
from tools.make_docs import write_pages  # noqa: E402
from tools.make_gallery import write_gallery  # noqa: E402

write_pages(HERE / "generated")
write_gallery(HERE / "generated" / "gallery")

project = "tinygraph"
author = "The tinygraph authors"
copyright = "2026, the tinygraph authors"
version = release = tinygraph.__version__

extensions = ["sphinx.ext.autodoc", "sphinx.ext.napoleon", "myst_parser"]
exclude_patterns = ["_build", "benchmarks", "generated/gallery", "generated/parts"]
myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3
napoleon_google_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False
autodoc_member_order = "bysource"
autodoc_typehints = "none"

html_theme = "furo"
html_title = f"tinygraph {release}"
html_static_path = ["_static"]
html_css_files = ["pictures.css"]
html_extra_path = ["generated/pages"]

EXPLORER = HERE / "generated" / "pages" / "explorer.html"
EXPLORER.parent.mkdir(parents=True, exist_ok=True)
explore_steps(EXPLORER)


def draw_lesson(app, exception):
    """Draw the pictures of the lesson anew into the site; its numbers must be the library's."""
    folder = Path(app.outdir) / "_images"
    if exception is None and folder.is_dir():
        text = backprop.PAGE.read_text(encoding="utf-8")
        assert backprop.computed(text, folder) == text, "stale numbers: python -m tools.backprop"


def setup(app):
    app.connect("build-finished", draw_lesson)
