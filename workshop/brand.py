"""Draws the pictures of the integration, which Home Assistant and HACS show, from docs/brand.svg.

Started by scripts/brand, after a change of the drawing.
"""

from io import BytesIO
from typing import Final

from PIL import Image
from resvg_py import svg_to_bytes

from .child import ROOT

DRAWING: Final = ROOT / "docs" / "brand.svg"
FOLDER: Final = ROOT / "custom_components" / "gosms" / "brand"

# The side of the icon, and the height of the logo, in pixels of a usual screen and of a fine one.
HEIGHTS: Final = {"": 256, "@2x": 512}

# Colours for a dark background; the drawing has those for a light one.
DARK: Final = (
    ".from { stop-color: #5eead4 } .to { stop-color: #22a3c9 } .ticks { stroke: #0b2a33 }"
    " .name { stroke: #eaf6f6 } .land { stroke: #4fd3d0 }"
)

# What the logo shows, and its first square, which is the icon.
WHOLE: Final = 'viewBox="0 0 1200 256"'
SQUARE: Final = 'viewBox="0 0 256 256"'


def pictures() -> dict[str, bytes]:
    """Return the content of each picture by its file name."""
    logo = DRAWING.read_text(encoding="utf-8")
    drawings = {"icon": logo.replace(WHOLE, SQUARE), "logo": logo}
    return {
        f"{prefix}{name}{suffix}.png": _small(
            svg_to_bytes(svg_string=drawing, style_sheet=style, height=height, skip_system_fonts=True)
        )
        for prefix, style in (("", None), ("dark_", DARK))
        for name, drawing in drawings.items()
        for suffix, height in HEIGHTS.items()
    }


def _small(png: bytes) -> bytes:
    """Return the same picture in fewer bytes: every house loads it."""
    content = BytesIO()
    Image.open(BytesIO(png)).save(content, "PNG", optimize=True)
    return content.getvalue()


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for file_name, content in pictures().items():
        (FOLDER / file_name).write_bytes(content)
        print(f"{file_name}: {len(content)} bytes")
