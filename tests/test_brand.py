"""The icon and logo that Home Assistant and HACS show."""

from io import BytesIO
from pathlib import Path
from typing import Final

from PIL import Image, ImageChops
import pytest

from devtools.brand import FOLDER, images

# What Home Assistant serves, and nothing else; the sizes are those of its brands repository.
SIZES: Final = {
    f"{prefix}{name}": size
    for prefix in ("", "dark_")
    for name, size in {
        "icon.png": (256, 256),
        "icon@2x.png": (512, 512),
        "logo.png": (1200, 256),
        "logo@2x.png": (2400, 512),
    }.items()
}


@pytest.fixture(scope="module")
def rendered() -> dict[str, bytes]:
    return images()


def opened(content: bytes | Path) -> Image.Image:
    return Image.open(BytesIO(content) if isinstance(content, bytes) else content)


def test_every_image_has_a_name_that_home_assistant_serves() -> None:
    assert {file.name for file in FOLDER.iterdir()} == set(SIZES)


@pytest.mark.parametrize("name", SIZES)
def test_an_image_has_the_required_size(name: str) -> None:
    picture = opened(FOLDER / name)
    assert picture.format == "PNG"
    assert picture.size == SIZES[name]


@pytest.mark.parametrize("name", SIZES)
def test_an_image_is_trimmed_and_has_transparent_corners(name: str) -> None:
    opacity = opened(FOLDER / name).getchannel("A")
    width, height = opacity.size
    corners = [(0, 0), (width - 1, 0), (0, height - 1), (width - 1, height - 1)]
    assert {opacity.getpixel(corner) for corner in corners} == {0}
    assert opacity.getbbox() == (0, 0, width, height)


@pytest.mark.parametrize("name", SIZES)
def test_an_image_file_is_small(name: str) -> None:
    assert (FOLDER / name).stat().st_size < 80_000


@pytest.mark.parametrize("name", SIZES)
def test_an_image_matches_the_current_drawing(name: str, rendered: dict[str, bytes]) -> None:
    difference = ImageChops.difference(opened(FOLDER / name), opened(rendered[name]))
    # Another processor may round another way.
    assert max(difference.tobytes()) <= 2


@pytest.mark.parametrize("name", [name for name in SIZES if not name.startswith("dark_")])
def test_a_dark_image_differs_only_in_its_colors(name: str) -> None:
    light, dark = opened(FOLDER / name), opened(FOLDER / f"dark_{name}")
    assert light.getchannel("A").tobytes() == dark.getchannel("A").tobytes()
    assert light.convert("RGB").tobytes() != dark.convert("RGB").tobytes()
