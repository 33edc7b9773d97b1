"""Write the page of common misstatements, docs/errata.md, from the claims that the tests check."""

from __future__ import annotations

from pathlib import Path

from tinygraph.check import properties

PAGE = Path(__file__).parent.parent / "docs" / "errata.md"


def main() -> None:
    """Measure all claims and write the page."""
    PAGE.write_text(properties.page(), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
