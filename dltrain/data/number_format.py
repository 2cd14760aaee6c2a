"""Reads numbers as people write them: decimal comma, marks between thousands, currency and per cent signs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

# What marks are called in the config, and as regular expressions in RE2's syntax.
MARKS = {
    "point": r"\.",
    "comma": ",",
    "blank": r"[ \x{a0}\x{2007}\x{2009}\x{202f}]",
    "apostrophe": r"['\x{2019}]",
}
DECIMAL = ("point", "comma")
THOUSANDS = ("comma", "point", "blank", "apostrophe")
SIGN = r"[\p{Sc}%]"
SPACE = r"[\s\x{a0}\x{2007}\x{2009}\x{202f}]*"
PLUS_MINUS = r"[-+\x{2212}]?"
BEFORE_THOUSANDS = rf"^{PLUS_MINUS}[1-9]\d{{0,2}}\.\d{{3}}$"
FIRST_CELLS = 1_000


@dataclass(frozen=True)
class NumberFormat:
    """How the cells of a column write numbers; a minus may be a hyphen or U+2212, and 1e3 is 1000."""

    decimal: str = "point"
    thousands: str = ""  # comma, point, blank or apostrophe; each cell may do without it
    sign: str = ""  # a currency or per cent sign before or after the number, which a cell may do without

    @property
    def plain(self) -> bool:
        """Whether a program would write numbers so."""
        return self == NumberFormat()

    def parse(self, text: Any) -> Any:
        """Converts n cells of text to float64, null for a cell that is missing or no number of this format."""
        if self.plain:
            try:
                return pc.cast(text, pa.float64())
            except pa.ArrowInvalid:  # some cell is no number, or has a sign that Arrow does not know
                pass
        fits = pc.match_substring_regex(text, self._pattern())
        marks = r"[^0-9eE.\-\x{2212}]" if self.decimal == "point" else r"[^0-9eE,\-\x{2212}]"
        bare = pc.replace_substring_regex(text, marks, "")
        if self.decimal == "comma":
            bare = pc.replace_substring(bare, ",", ".")
        bare = pc.replace_substring(bare, "\u2212", "-")
        return pc.cast(pc.if_else(fits, bare, pa.scalar(None, bare.type)), pa.float64())

    def matches(self, text: Any) -> Any:
        """Marks the cells that are numbers of this format, null for a missing one."""
        return pc.match_substring_regex(text, self._pattern())

    def _pattern(self) -> str:
        sign = f"(?:{_quoted(self.sign)})?" if self.sign else ""
        return _whole_pattern(_body(self.decimal, self.thousands), sign)

    def described(self) -> str:
        """Tells the marks, as in `with decimal comma and points between thousands`."""
        told = [
            "decimal comma" if self.decimal == "comma" else "",
            f"{self.thousands}s between thousands" if self.thousands else "",
            f"the sign {self.sign}" if self.sign else "",
        ]
        return f"with {' and '.join(filter(None, told)) or 'decimal point'}"


def _quoted(sign: str) -> str:
    return rf"\x{{{ord(sign):x}}}"


def _body(decimal: str, thousands: str) -> str:
    point = MARKS[decimal]
    # "5." is a number in many programs, "5," the end of a phrase.
    fraction = rf"(?:{point}\d*)?" if decimal == "point" else rf"(?:{point}\d+)?"
    digits = r"\d+"
    if thousands:
        mark = MARKS[thousands]
        indian = r"|[1-9]\d?(?:,\d{2})+,\d{3}" if thousands == "comma" else ""
        digits = rf"(?:[1-9]\d{{0,2}}(?:{mark}\d{{3}})+{indian}|\d+)"
    return rf"(?:{digits}{fraction}|{point}\d+)(?:[eE][-+\x{{2212}}]?\d+)?"


def _whole_pattern(body: str, sign: str) -> str:
    # At most one of the two signs, and of the two places of a minus, is taken.
    before = rf"(?:{PLUS_MINUS}{SPACE}{sign}|{sign}{SPACE}{PLUS_MINUS}){SPACE}{body}" if sign else f"{PLUS_MINUS}{body}"
    after = rf"|{PLUS_MINUS}{body}{SPACE}{sign}" if sign else ""
    return f"^(?:{before}{after})$"


PLAIN = NumberFormat()
FORMATS = (
    NumberFormat("point"), NumberFormat("point", "comma"), NumberFormat("comma"), NumberFormat("comma", "point"),
    NumberFormat("point", "blank"), NumberFormat("comma", "blank"), NumberFormat("point", "apostrophe"),
    NumberFormat("comma", "apostrophe"),
)  # fmt: skip
ANY = _whole_pattern("(?:" + "|".join(_body(each.decimal, each.thousands) for each in FORMATS) + ")", f"(?:{SIGN})?")


def are_numbers(text: Any) -> Any:
    """Marks the cells that are numbers in some format, null for a missing one."""
    return pc.match_substring_regex(text, ANY)


class MixedNumbersError(ValueError):
    """Two cells of a column cannot be numbers of one format; `one` and `other` are the cells."""

    def __init__(self, one: str, other: str) -> None:
        super().__init__(f"'{one}' and '{other}'")
        self.one, self.other = one, other


def fitting(words: Any, decimal: str = "", thousands: str = "") -> list[NumberFormat]:
    """Returns the formats of which all words are numbers, several only if they give other numbers; the usual first.

    `words` are the different cells of a column, without missing ones. There is no format if some word is no number.
    Formats with the given marks come first, so that they are taken wherever they fit.

    Raises:
        MixedNumbersError: If each word is a number, and no format fits all of them.
    """
    if not len(words):
        return []
    if not pc.all(are_numbers(words)).as_py():
        try:
            pc.cast(words, pa.float64())  # which takes inf as well
        except pa.ArrowInvalid:
            return []
        return [PLAIN]
    sign = _sign(words)
    found: list[tuple[NumberFormat, Any]] = []
    counts = {}
    asked_first = sorted(
        FORMATS, key=lambda each: (decimal not in ("", each.decimal)) + (thousands not in ("", each.thousands))
    )
    for each in asked_first:
        number_format = NumberFormat(each.decimal, each.thousands, sign)
        fits = number_format.matches(words)
        counts[number_format] = fits
        if pc.all(fits).as_py():
            values = number_format.parse(words)
            if not any(values.equals(others) for _, others in found):
                found.append((number_format, values))
    if not found:
        fits = max(counts.values(), key=lambda fits: pc.sum(fits).as_py())
        # Of the cells that the format with most of them has, the one with most marks shows best what it is.
        one = max(pc.filter(words, fits).to_pylist(), key=lambda word: sum(not c.isalnum() for c in word))
        raise MixedNumbersError(one, pc.filter(words, pc.invert(fits))[0].as_py())
    return [number_format for number_format, _ in found]


def points_are_open(text: Any) -> bool:
    """Tells of cells that are numbers to a program whether each point in them may stand before thousands: 18.568."""
    for cells in (text[:FIRST_CELLS], text):  # usually the first ones show that it cannot
        with_point = cells.filter(pc.match_substring(cells, "."))
        if len(with_point) and not pc.all(pc.match_substring_regex(with_point, BEFORE_THOUSANDS)).as_py():
            return False
    return len(with_point) > 0


def with_decimal_comma(words: Any) -> bool:
    """Tells whether words, without missing ones or not, are numbers whose decimal mark can only be a comma."""
    try:
        found = fitting(words.drop_null())
    except MixedNumbersError:
        return False
    return bool(found) and all(each.decimal == "comma" for each in found)


def _sign(words: Any) -> str:
    """Returns the sign beside the numbers, or "" where there is none."""
    with_signs = pc.match_substring_regex(words, SIGN)
    if not pc.any(with_signs).as_py():
        return ""
    signed = pc.filter(words, with_signs)
    signs = pc.replace_substring_regex(signed, r"[^\p{Sc}%]", "")
    sign = signs[0].as_py()
    others = pc.not_equal(signs, sign)
    if pc.any(others).as_py():
        raise MixedNumbersError(signed[0].as_py(), pc.filter(signed, others)[0].as_py())
    bare = pc.filter(words, pc.invert(with_signs))
    # Beside per cent 0.24 would be another number than 24%, while 0 is 0.
    if sign == "%" and len(bare := pc.filter(bare, pc.match_substring_regex(bare, "[1-9]"))):
        raise MixedNumbersError(signed[0].as_py(), bare[0].as_py())
    return str(sign)
