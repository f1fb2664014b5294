"""Renders the icon and the logo that Home Assistant and HACS show from docs/brand.svg.

Started by scripts/brand after a change of the drawing.
"""

from io import BytesIO
from typing import Final

from PIL import Image
from resvg_py import svg_to_bytes

from .process import ROOT

SOURCE: Final = ROOT / "docs" / "brand.svg"
FOLDER: Final = ROOT / "custom_components" / "gosms" / "brand"

# The height of icon and logo in pixels, on an ordinary and on a high-resolution screen.
HEIGHTS: Final = {"": 256, "@2x": 512}

# Colors for a dark background; the drawing has those for a light one.
DARK: Final = (
    ".from { stop-color: #5eead4 } .to { stop-color: #22a3c9 } .ticks { stroke: #0b2a33 }"
    " .name { stroke: #eaf6f6 } .land { stroke: #4fd3d0 }"
)

# The visible part of the drawing: the icon is the first square of the logo.
LOGO_VIEW: Final = 'viewBox="0 0 1200 256"'
ICON_VIEW: Final = 'viewBox="0 0 256 256"'


def images() -> dict[str, bytes]:
    """Return the content of each image by its file name."""
    logo = SOURCE.read_text(encoding="utf-8")
    drawings = {"icon": logo.replace(LOGO_VIEW, ICON_VIEW), "logo": logo}
    return {
        f"{prefix}{name}{suffix}.png": _optimize(
            svg_to_bytes(svg_string=drawing, style_sheet=style, height=height, skip_system_fonts=True)
        )
        for prefix, style in (("", None), ("dark_", DARK))
        for name, drawing in drawings.items()
        for suffix, height in HEIGHTS.items()
    }


def _optimize(png: bytes) -> bytes:
    """Return the same image in fewer bytes: every user loads it."""
    content = BytesIO()
    Image.open(BytesIO(png)).save(content, "PNG", optimize=True)
    return content.getvalue()


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for file_name, content in images().items():
        (FOLDER / file_name).write_bytes(content)
        print(f"{file_name}: {len(content)} bytes")
