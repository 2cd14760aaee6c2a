"""Decodes image files to upright grey or colour pixels of one size, and names the files that cannot be read."""

from __future__ import annotations

import functools
import io
import itertools
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from dltrain.base.errors import ConfigError, DataError, did_you_mean
from dltrain.base.notes import counted, some
from dltrain.base.regular_file import read_regular
from dltrain.data.archive import MOST_OF_A_FILE
from dltrain.data.pixel_stack import Pixels, PixelStack

# Every format of Pillow with its suffixes, the common ones first, but for those that NOT_READ names.
FORMATS = {
    "PNG": (".png", ".apng"), "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"), "TIFF": (".tif", ".tiff"),
    "WEBP": (".webp",), "BMP": (".bmp",), "GIF": (".gif",), "AVIF": (".avif", ".avifs"), "BLP": (".blp",),
    "CUR": (".cur",), "DCX": (".dcx",), "DDS": (".dds",), "DIB": (".dib",), "FITS": (".fit", ".fits"),
    "FLI": (".fli", ".flc"), "FTEX": (".ftc", ".ftu"), "GBR": (".gbr",), "ICNS": (".icns",), "ICO": (".ico",),
    "JPEG2000": (".jp2", ".j2k", ".jpc", ".jpf", ".jpx", ".j2c"), "MSP": (".msp",), "PCX": (".pcx",),
    "PIXAR": (".pxr",), "PPM": (".pbm", ".pgm", ".ppm", ".pnm", ".pfm"), "PSD": (".psd",), "QOI": (".qoi",),
    "SGI": (".bw", ".rgb", ".rgba", ".sgi"), "SUN": (".ras",), "TGA": (".tga", ".icb", ".vda", ".vst"),
    "XBM": (".xbm",), "XPM": (".xpm",),
}  # fmt: skip
# EPS is a program that Ghostscript runs, WMF is drawn by Windows alone, and the others of the first line have no pixels
# that Pillow decodes; those of the second have no mark at their beginning, so that damaged files pass for them.
NOT_READ = {
    "EPS", "WMF", "BUFR", "GRIB", "HDF5", "MPEG",
    "IM", "IMT", "IPTC", "MCIDAS", "PCD", "SPIDER", "XVTHUMB",
}  # fmt: skip
SUFFIXES = tuple(suffix for suffixes in FORMATS.values() for suffix in suffixes)
PIXELS_AT_ONCE = 2**22
LARGEST = 64  # pixels of a side, unless a size is set
FIRST_LOOKED_AT = 100  # files whose sizes decide
TGA_END = b"TRUEVISION-XFILE.\0"
NO_IMAGE = "it is in no format of images that Pillow reads"


@functools.cache
def _formats() -> tuple[str, ...]:
    """Returns the formats that Pillow tries; TGA has a mark at its end alone."""
    Image.init()
    return tuple(name for name in FORMATS if name in Image.OPEN and name != "TGA")


@dataclass(frozen=True)
class Options:
    """The keys `size`, `channels` and `corrupt` of a dataset; conf/dataset/images.yaml explains them.

    A size of auto is that of the images, up to `LARGEST`.
    """

    size: tuple[int, int] | Literal["auto"] | None
    channels: int | None
    corrupt: str

    @classmethod
    def of(cls, size: int | str | Sequence[int] | None, channels: int | None, corrupt: str) -> Options:
        """Checks the keys and raises one ConfigError for all that are out of range."""
        faults = []
        given = None if size == "auto" else size
        sides: list[Any] = [] if given is None else [given, given] if isinstance(given, int) else list(given)
        if given is not None and (len(sides) != 2 or any(not isinstance(side, int) or side < 1 for side in sides)):
            faults.append(f"dataset.size={size}: expected a number of pixels, [height,width], auto, or null.")
        if channels not in (None, 1, 3):
            faults.append(f"dataset.channels={channels}: expected 1 (grey), 3 (colour), or null.")
        if corrupt not in ("skip", "refuse"):
            faults.append(
                f"dataset.corrupt={corrupt}: expected skip or refuse.{did_you_mean(corrupt, ('skip', 'refuse'))}"
            )
        if faults:
            raise ConfigError(faults)
        wanted = (int(sides[0]), int(sides[1])) if sides else None
        return cls("auto" if size == "auto" else wanted, channels, corrupt)


@dataclass(frozen=True)
class Images:
    """Images of one size, (n, height, width, channels); `readable`, (files,), marks the n files that they are from."""

    pixels: Pixels
    readable: npt.NDArray[np.bool_]
    notes: tuple[str, ...]


def decode_image(content: bytes, *, size: tuple[int, int] | None, channels: int) -> Pixels:
    """Decodes the first frame of an image file, turned upright, on white where it is transparent.

    `size` is the height and width to resize to, None keeps the image's own; `channels` is 1 for grey or 3 for colour.
    Returns pixels of shape (height, width, channels).

    Raises:
        DataError: If it cannot be read; the message gives only the reason.
    """
    return _pixels(_decode(content, channels), size)


def _decode(content: bytes, channels: int) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            formats = ("TGA",) if content.endswith(TGA_END) else _formats()
            image: Image.Image = Image.open(io.BytesIO(content), formats=formats)
            ImageOps.exif_transpose(image, in_place=True)
            mode = "L" if channels == 1 else "RGB"
            image = _plain(image)
            return image if image.mode == mode else image.convert(mode)
    except Exception as error:  # decoders fail in many ways; each means that the image is unreadable
        unknown = isinstance(error, UnidentifiedImageError)
        reason = NO_IMAGE if unknown else str(error).rstrip(".") or type(error).__name__
        raise DataError(f"{'the file is empty' if not content else reason}") from None


def _plain(image: Image.Image) -> Image.Image:
    """Converts to eight bits a channel without transparency."""
    if image.mode == "F":
        raise DataError("its pixels are numbers with fractions, of no known range; save it with 8 or 16 bits")
    if image.mode.startswith("I"):
        return Image.fromarray((np.asarray(image).clip(0, 65_535) // 257).astype(np.uint8))
    if not image.has_transparency_data:
        return image
    if image.mode != "RGBA":
        image = image.convert("RGBA")
    opaque = Image.new("RGB", image.size)
    rows = max(1, PIXELS_AT_ONCE // image.width)  # a copy of a large image takes hundreds of megabytes
    for top in range(0, image.height, rows):
        strip = image.crop((0, top, image.width, min(top + rows, image.height)))
        white = Image.new("RGBA", strip.size, "white")
        opaque.paste(Image.alpha_composite(white, strip).convert("RGB"), (0, top))
    return opaque


def image_content(folder: Path, cell: str) -> bytes | DataError:
    """Reads the image file that a cell names, from a folder, or returns the reason why it cannot be read."""
    if not cell:
        return DataError("its cell is empty")
    try:
        return read_regular(folder / Path(cell).expanduser(), MOST_OF_A_FILE)
    except FileNotFoundError:
        return DataError("there is no such file")
    except (OSError, RuntimeError, ValueError) as error:  # the user has no home, or the path holds a zero byte
        return DataError(getattr(error, "strerror", None) or str(error))


def read_images(files: Iterable[tuple[str, bytes | DataError]], options: Options, *, origin: str) -> Images:
    """Decodes many files into one array.

    `files` gives name and content, or why there is none; `origin` names their place for messages.

    Raises:
        DataError: If a corrupt file is to be refused, none can be read, or sizes differ and no size is set.
    """
    if options.size == "auto":
        files = iter(files)
        first = list(itertools.islice(files, FIRST_LOOKED_AT))
        options = replace(options, size=_common_size(first, options.channels or 3))
        files = itertools.chain(first, files)
    assert options.size != "auto"
    images = PixelStack()
    readable: list[bool] = []
    corrupt: list[str] = []
    sizes: set[tuple[int, int]] = set()
    for name, content in files:
        try:
            if isinstance(content, DataError):
                raise content
            image = _decode(content, options.channels or 3)
        except DataError as error:
            corrupt.append(f"{name} ({error})")
            readable.append(False)
            continue
        sizes.add((image.height, image.width))
        if options.size is None and len(sizes) > 1:
            low, high = min(sizes), max(sizes)
            raise DataError(
                f"The images in {origin} differ in size, such as {_size(low)} and {_size(high)} pixels. "
                "Give them one: dataset.size=64, or 'dataset.size=[48,64]' for height and width."
            )
        images.append(_pixels(image, options.size))
        if images.full:
            raise DataError(
                f"The images in {origin} take {images.nbytes:,} bytes and more as "
                f"{_size(options.size or (image.height, image.width))} pixels, over half of what is free on the disk. "
                "Give them fewer pixels: dataset.size=64."
            )
        del image  # a large one takes hundreds of megabytes, and the next is decoded before its name is given away
        readable.append(True)
    if corrupt and (options.corrupt == "refuse" or not images.rows):
        raise DataError(
            f"{len(corrupt):,} of {counted(len(readable), 'image')} in {origin} cannot be read: {some(corrupt)}."
            + (" dataset.corrupt=skip leaves them out." if images.rows else "")
        )
    pixels = images.array(grey=options.channels is None and images.grey)
    notes = [f"skipped {counted(len(corrupt), 'image')} that cannot be read: {some(corrupt)}."] if corrupt else []
    if options.size is not None and sizes - {options.size}:
        came = _size(min(sizes)) if len(sizes) == 1 else f"{_size(min(sizes))} to {_size(max(sizes))}"
        notes.append(f"resized to {_size(options.size)} pixels, from {came}; dataset.size sets it.")
    return Images(pixels, np.array(readable, bool), tuple(notes))


def _common_size(files: Iterable[tuple[str, bytes | DataError]], channels: int) -> tuple[int, int]:
    """Returns height and width that nearly no image has to be enlarged to, at most `LARGEST` pixels each."""
    sizes = []
    for _, content in files:
        try:
            image = _decode(content, channels) if isinstance(content, bytes) else None
        except DataError:  # told where all files are read
            continue
        sizes += [] if image is None else [(image.height, image.width)]
    sides = np.quantile(np.array(sizes or [(LARGEST, LARGEST)]), 0.05, axis=0, method="lower")
    return min(LARGEST, int(sides[0])), min(LARGEST, int(sides[1]))


def _pixels(image: Image.Image, size: tuple[int, int] | None) -> Pixels:
    if size is not None and (image.height, image.width) != size:
        image = image.resize((size[1], size[0]), Image.Resampling.BILINEAR)
    return np.asarray(image, np.uint8).reshape(image.height, image.width, -1)


def _size(size: tuple[int, ...]) -> str:
    return f"{size[0]} x {size[1]}"
