"""Decodes image files to upright grey or colour pixels of one size, and names the files that cannot be read."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from dltrain.base.errors import ConfigError, DataError, did_you_mean

Pixels = npt.NDArray[np.uint8]

# The list is short on purpose: each decoder of Pillow is open to hostile files.
FORMATS = ("PNG", "JPEG", "BMP", "GIF")
SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif")
SHOWN = 5


@dataclass(frozen=True)
class Options:
    """The keys `size`, `channels` and `corrupt` of a dataset; conf/dataset/images.yaml explains them."""

    size: tuple[int, int] | None
    channels: int | None
    corrupt: str

    @classmethod
    def of(cls, size: int | Sequence[int] | None, channels: int | None, corrupt: str) -> Options:
        """Checks the keys and raises one ConfigError for all that are out of range."""
        faults = []
        sides = [] if size is None else [size, size] if isinstance(size, int) else list(size)
        if size is not None and (len(sides) != 2 or any(not isinstance(side, int) or side < 1 for side in sides)):
            faults.append(f"dataset.size={size}: expected a number of pixels, [height,width], or null.")
        if channels not in (None, 1, 3):
            faults.append(f"dataset.channels={channels}: expected 1 (grey), 3 (colour), or null.")
        if corrupt not in ("skip", "refuse"):
            faults.append(
                f"dataset.corrupt={corrupt}: expected skip or refuse.{did_you_mean(corrupt, ('skip', 'refuse'))}"
            )
        if faults:
            raise ConfigError(faults)
        return cls((int(sides[0]), int(sides[1])) if sides else None, channels, corrupt)


@dataclass(frozen=True)
class Images:
    """Images of one size, (n, height, width, channels); `readable`, (files,), marks the n files that they are from."""

    pixels: Pixels
    readable: npt.NDArray[np.bool_]
    notes: tuple[str, ...]


def decode_image(content: bytes, *, size: tuple[int, int] | None, channels: int) -> Pixels:
    """Decodes a PNG, JPEG, BMP or GIF (its first frame), turned upright, on white where it is transparent.

    `size` is the height and width to resize to, None keeps the image's own; `channels` is 1 for grey or 3 for colour.
    Returns pixels of shape (height, width, channels).

    Raises:
        DataError: If it cannot be read; the message gives only the reason.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image: Image.Image = Image.open(io.BytesIO(content), formats=FORMATS)
            image = _plain(ImageOps.exif_transpose(image)).convert("L" if channels == 1 else "RGB")
    except Exception as error:  # decoders fail in many ways; each means that the image is unreadable
        unknown = isinstance(error, UnidentifiedImageError)
        reason = "it is no PNG, JPEG, BMP or GIF" if unknown else str(error).rstrip(".") or type(error).__name__
        raise DataError(f"{'the file is empty' if not content else reason}") from None
    return _resized(np.asarray(image, np.uint8).reshape(image.height, image.width, channels), size)


def _plain(image: Image.Image) -> Image.Image:
    """Converts to eight bits a channel without transparency."""
    if image.mode.startswith("I"):
        return Image.fromarray((np.asarray(image).clip(0, 65_535) // 257).astype(np.uint8))
    if not image.has_transparency_data:
        return image
    coloured = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), coloured)


def read_images(files: Iterable[tuple[str, bytes | None]], options: Options, *, origin: str) -> Images:
    """Decodes many files into one array.

    `files` gives name and content, None for a missing file; `origin` names their place for messages.

    Raises:
        DataError: If a corrupt file is to be refused, none can be read, or sizes differ and no size is set.
    """
    images: list[Pixels] = []
    readable: list[bool] = []
    corrupt: list[str] = []
    sizes: set[tuple[int, int]] = set()
    for name, content in files:
        try:
            if content is None:
                raise DataError("there is no such file")
            image = decode_image(content, size=None, channels=options.channels or 3)
        except DataError as error:
            corrupt.append(f"{name} ({error})")
            readable.append(False)
            continue
        sizes.add(image.shape[:2])
        if options.size is None and len(sizes) > 1:
            low, high = min(sizes), max(sizes)
            raise DataError(
                f"The images in {origin} differ in size, such as {_size(low)} and {_size(high)} pixels. "
                "Give them one: dataset.size=64, or 'dataset.size=[48,64]' for height and width."
            )
        images.append(_resized(image, options.size))
        readable.append(True)
    if corrupt and (options.corrupt == "refuse" or not images):
        raise DataError(
            f"{len(corrupt):,} of {len(readable):,} images in {origin} cannot be read: {_some(corrupt)}."
            + (" dataset.corrupt=skip leaves them out." if images else "")
        )
    pixels = np.stack(images) if images else np.zeros((0, 1, 1, 1), np.uint8)
    grey = options.channels is None and not any((image != image[..., :1]).any() for image in images)
    notes = [f"skipped {len(corrupt):,} images that cannot be read: {_some(corrupt)}."] if corrupt else []
    if options.size is not None and sizes - {options.size}:
        came = _size(min(sizes)) if len(sizes) == 1 else f"{_size(min(sizes))} to {_size(max(sizes))}"
        notes.append(f"resized to {_size(options.size)} pixels, from {came}; dataset.size sets it.")
    return Images(np.ascontiguousarray(pixels[..., :1]) if grey else pixels, np.array(readable, bool), tuple(notes))


def _resized(image: Pixels, size: tuple[int, int] | None) -> Pixels:
    if size is None or image.shape[:2] == size:
        return image
    found = Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)
    return np.asarray(found.resize((size[1], size[0]), Image.Resampling.BILINEAR)).reshape(*size, -1)


def _size(size: tuple[int, ...]) -> str:
    return f"{size[0]} x {size[1]}"


def _some(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
