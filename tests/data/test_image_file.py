"""Image files become pixels whatever their mode and size; what is no image is named."""

from __future__ import annotations

import io
import mmap
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from dltrain.base.errors import ConfigError, DataError
from dltrain.data import image_file, pixel_stack
from dltrain.data.image_file import Options, decode_image, read_images


def encoded(pixels: Any, file_format: str = "PNG", **options: Any) -> bytes:
    stream = io.BytesIO()
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(np.asarray(pixels))
    image.save(stream, file_format, **options)
    return stream.getvalue()


GREY = np.arange(24, dtype=np.uint8).reshape(4, 6) * 10
COLOUR = np.stack([GREY, GREY[::-1], GREY[:, ::-1]], axis=-1)


@pytest.mark.parametrize("file_format", ["PNG", "BMP", "GIF"])
def test_grey_files_keep_every_byte(file_format: str) -> None:
    np.testing.assert_array_equal(decode_image(encoded(GREY, file_format), size=None, channels=1)[..., 0], GREY)


def test_colour_files_and_their_formats() -> None:
    np.testing.assert_array_equal(decode_image(encoded(COLOUR), size=None, channels=3), COLOUR)
    found = decode_image(encoded(COLOUR, "JPEG", quality=95), size=None, channels=3)
    assert found.shape == COLOUR.shape
    grey = decode_image(encoded(COLOUR), size=None, channels=1)
    np.testing.assert_allclose(grey[..., 0], COLOUR @ [0.299, 0.587, 0.114], atol=1)


def test_every_format_of_pillow_is_read_but_for_those_with_a_reason() -> None:
    Image.init()
    assert {*Image.OPEN} == {*image_file.FORMATS} | image_file.NOT_READ
    known = {suffix: name for suffix, name in Image.registered_extensions().items() if name in image_file.FORMATS}
    assert {*known} == {*image_file.SUFFIXES}
    for name in ("TIFF", "WEBP", "TGA", "PPM", "ICO", "SGI", "PCX", "DDS"):
        pixels = np.repeat(np.repeat(COLOUR, 8, axis=0), 8, axis=1)
        options = {"lossless": True} if name == "WEBP" else {"sizes": [(48, 32)]} if name == "ICO" else {}
        found = decode_image(encoded(pixels, name, **options), size=None, channels=3)
        np.testing.assert_array_equal(found, pixels, err_msg=name)


def test_what_a_viewer_would_show() -> None:
    deep = Image.fromarray(GREY.astype(np.uint16) * 257)
    np.testing.assert_array_equal(decode_image(encoded(deep), size=None, channels=1)[..., 0], GREY)
    clear = np.dstack([COLOUR, np.zeros((4, 6), np.uint8)])
    assert (decode_image(encoded(clear), size=None, channels=3) == 255).all()
    turned = Image.Exif()
    turned[0x0112] = 6  # the camera was held upright
    assert decode_image(encoded(COLOUR, "JPEG", exif=turned), size=None, channels=3).shape == (6, 4, 3)
    frames = [Image.fromarray(np.full((2, 2), level, np.uint8)) for level in (7, 200)]
    moving = io.BytesIO()
    frames[0].save(moving, "GIF", save_all=True, append_images=frames[1:])
    assert (decode_image(moving.getvalue(), size=None, channels=1) == 7).all()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (b"no image at all", "it is in no format of images that Pillow reads"),
        (encoded(COLOUR)[:60], ".+"),
        (encoded(np.zeros((200, 200), np.uint8), "JPEG")[:300], "(?i)truncated"),
        (encoded(COLOUR, "EPS"), "it is in no format"),
        (encoded(GREY.astype(np.float32), "TIFF"), "numbers with fractions"),
        (encoded(COLOUR, "TGA")[:60], "it is in no format"),
    ],
)
def test_what_cannot_be_read(content: bytes, reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        decode_image(content, size=None, channels=3)


def test_a_bomb_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    with pytest.raises(DataError, match="exceeds limit"):
        decode_image(encoded(GREY), size=None, channels=1)


@settings(deadline=None)
@given(
    shapes=st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9), st.booleans()), min_size=1, max_size=4),
    size=st.tuples(st.integers(1, 7), st.integers(1, 7)),
    channels=st.sampled_from([None, 1, 3]),
)
def test_any_mixture_of_sizes_and_colours_becomes_one_array(
    shapes: list[tuple[int, int, bool]], size: tuple[int, int], channels: int | None
) -> None:
    generator = np.random.default_rng(0)
    files = []
    for place, (height, width, colour) in enumerate(shapes):
        pixels = generator.integers(0, 256, (height, width, 3) if colour else (height, width)).astype(np.uint8)
        files.append((f"{place}.png", encoded(pixels)))
    found = read_images(files, Options(size, channels, "refuse"), origin="here")
    expected = channels or (3 if any(colour for *_, colour in shapes) else 1)
    assert found.pixels.shape == (len(shapes), *size, expected)
    # What a new file goes through at prediction is the same.
    for (_, content), pixels in zip(files, found.pixels, strict=True):
        np.testing.assert_array_equal(decode_image(content, size=size, channels=expected), pixels)


def test_corrupt_files_are_named_and_skipped_or_refused() -> None:
    files = [
        ("a.png", encoded(GREY)),
        ("b.png", b"broken"),
        ("c.png", DataError("there is no such file")),
        ("d.png", encoded(GREY)),
    ]
    found = read_images(files, Options(None, None, "skip"), origin="here")
    assert found.pixels.shape == (2, 4, 6, 1)
    assert found.readable.tolist() == [True, False, False, True]
    assert found.notes == (
        "skipped 2 images that cannot be read: b.png (it is in no format of images that Pillow reads), "
        "c.png (there is no such file).",
    )
    with pytest.raises(DataError, match=r"2 of 4 images in here cannot be read: b.png .*dataset.corrupt=skip"):
        read_images(files, Options(None, None, "refuse"), origin="here")
    with pytest.raises(DataError, match=r"1 of 1 image in here cannot be read: b.png"):
        read_images(files[1:2], Options(None, None, "skip"), origin="here")


@pytest.mark.parametrize("image", [GREY, COLOUR])
def test_many_images_lie_in_a_file_and_no_more_than_the_disk_has_place_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, image: Any
) -> None:
    monkeypatch.setenv("DLTRAIN_DATA_DIR", str(tmp_path / "data"))
    files = [(f"{n}.png", encoded(image)) for n in range(4)]
    expected = read_images(files, Options(None, None, "skip"), origin="here")
    assert not (tmp_path / "data").exists()
    monkeypatch.setattr(pixel_stack, "MOST_IN_MEMORY", 50)
    found = read_images(files, Options(None, None, "skip"), origin="here")
    np.testing.assert_array_equal(found.pixels, expected.pixels)
    assert found.pixels.dtype == np.uint8
    base: Any = found.pixels
    while isinstance(base, np.ndarray):
        base = base.base
    assert isinstance(base.obj, mmap.mmap)
    assert list((tmp_path / "data").iterdir()) == []  # its file has no name
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=2 * 250))
    with pytest.raises(DataError, match=r"take 288 bytes and more as 4 x 6 pixels.*disk.*dataset.size=64"):
        read_images(files, Options(None, None, "skip"), origin="here")


def test_sizes_must_agree_where_none_is_given() -> None:
    files = [("a.png", encoded(GREY)), ("b.png", encoded(GREY[:3]))]
    with pytest.raises(DataError, match=r"differ in size, such as 3 x 6 and 4 x 6 pixels. Give them one: dataset.size"):
        read_images(files, Options(None, None, "skip"), origin="here")
    found = read_images(files, Options((2, 3), 1, "skip"), origin="here")
    assert found.notes == ("resized to 2 x 3 pixels, from 3 x 6 to 4 x 6; dataset.size sets it.",)


def test_all_faulty_keys_are_told_at_once() -> None:
    with pytest.raises(ConfigError) as error:
        Options.of([0, 4], 2, "skp")
    assert str(error.value).count("dataset.") == 3
    assert "Did you mean 'skip'?" in str(error.value)
    assert Options.of(5, None, "skip").size == (5, 5)
    assert Options.of([4, 6], 1, "refuse").size == (4, 6)
