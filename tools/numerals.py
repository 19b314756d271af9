"""Read the numbers in a text: digits, shapes, percentages, and numbers in words.

Prose, code and printed results are read in the same way, so that "22.7 million" in a sentence can
be compared with "22,713,216" in an output. A whole number below ten is read only as a part of
something larger: a shape, a decimal, a percentage, a ratio.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import NamedTuple

UNITS = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen"
UNITS += " fifteen sixteen seventeen eighteen nineteen"
WORDS = {word: value for value, word in enumerate(UNITS.split())}
TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
WORDS |= {word: 10 * value for value, word in enumerate(TENS.split(), start=2)}
SCALES = {"dozen": 12, "hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9}
PARTS = {
    "half": 2,
    "third": 3,
    "quarter": 4,
    "fourth": 4,
    "fifth": 5,
    "sixth": 6,
    "seventh": 7,
    "eighth": 8,
}
PARTS |= {"ninth": 9, "tenth": 10, "twentieth": 20, "hundredth": 100, "thousandth": 1000}
ABOUT = r"\b(?:about|nearly|almost|around|roughly|less than)"


class Number(NamedTuple):
    """A number as it is written, or several that belong together: a shape, a row of ids."""

    text: str
    start: int
    kind: str  # count, decimal, rounded, percent, row, share or times
    values: tuple[Decimal, ...]
    step: Decimal = Decimal(0)  # the unit of the last digit: rounding explains half of it
    about: bool = False

    @property
    def end(self) -> int:
        """The place behind its last character."""
        return self.start + len(self.text)


def read(text: str) -> list[Number]:
    """Read the numbers in a text, in order."""
    numbers = []
    rest = text
    for pattern, make in READERS:
        for match in pattern.finditer(rest):
            kind, values, step = make(match)
            about = bool(re.search(rf"{ABOUT}\s+(?:an?\s|the\s)?$", text[: match.start()], re.I))
            numbers.append(Number(match[0], match.start(), kind, values, step, about))
        rest = pattern.sub(lambda match: " " * len(match[0]), rest)
    large = [n for n in numbers if n.kind != "count" or abs(n.values[0]) >= 10]
    return sorted(large, key=lambda number: number.start)


def _row(match: re.Match[str]) -> tuple:
    return "row", tuple(_decimal(digits) for digits in re.findall(WHOLE, match[0])), Decimal(0)


def _date(match: re.Match[str]) -> tuple:
    return "row", (Decimal(match["year"]), Decimal(MONTH[match["month"].lower()])), Decimal(0)


def _percent(match: re.Match[str]) -> tuple:
    value = _decimal(match["digits"])
    return "percent", (value / 100,), _step(value) / 100


def _digits(match: re.Match[str]) -> tuple:
    value, scale = _decimal(match["digits"]), match["scale"]
    if scale:
        factor = SCALES[scale.lower()]
        return "rounded", (value * factor,), _step(value) * factor
    if re.search("[.eE]", match[0]):
        return "decimal", (value,), _step(value)
    return "count", (value,), Decimal(0)


def _fraction(match: re.Match[str]) -> tuple:
    above, below = map(Decimal, match[0].split("/"))
    return "share", (above / below,), Decimal(0)


def _part(match: re.Match[str]) -> tuple:
    count = WORDS.get((match["count"] or "").lower(), 1)
    value = Decimal(count) / PARTS[match["part"].lower()]
    return "share", (value,), Decimal(0)


def _times(match: re.Match[str]) -> tuple:
    value = {"twice": 2, **WORDS}[match["word"].lower()]
    return "times", (Decimal(value),), Decimal(0)


def _words(match: re.Match[str]) -> tuple:
    words = re.findall("[a-z]+", match[0].lower())
    value = Decimal(sum(WORDS.get(word, 0) for word in words) or 1)
    step = Decimal(0)
    if words[0] == "half":
        value = Decimal("0.5")
    for word in words:
        value *= SCALES.get(word, 1)
        if SCALES.get(word, 1) > 1000:
            step = SCALES[word] * _step(value / SCALES[word])
    return ("rounded" if step else "count"), (value,), step


def _decimal(digits: str) -> Decimal:
    return Decimal(digits.replace(",", "").replace("−", "-"))


def _step(value: Decimal) -> Decimal:
    return Decimal(1).scaleb(int(value.as_tuple().exponent))


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.VERBOSE | re.IGNORECASE)


def _any(words: dict[str, int]) -> str:
    return f"(?:{'|'.join(sorted(words, key=len, reverse=True))})"


WHOLE = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)"
FREE = r"(?<![\w.])(?<![A-Za-z]-)"  # not the 2 of GPT-2, 512 of fp512 or 0 of layer.0
SIGN = r"(?:(?<![\w)\]])[-−])?"
DIGITS = rf"(?P<digits>{FREE}{SIGN}{WHOLE}(?:\.\d+)?(?:e[-−+]?\d+)?)(?!\w|\.\d)"
# what follows a ratio: "a third of", "a quarter longer", "half as many", but not "a third kind"
MORE = "more|less|fewer|longer|shorter|faster|slower|larger|smaller|wider|higher|lower|better|worse"
THAN = rf"(?:\s(?:of|as|the|to|its|their|{MORE})\b|[.,;:)]|\s?$)"
MULTIPLE = r"\s(?:as|more|the|that|its)\b"
# but not "the left half of the picture"
HALVES = ["which", "left", "right", "upper", "lower", "other"]
WHOLE_HALF = "".join(rf"(?<!{word}\s)" for word in HALVES)
COUNT = rf"{_any(WORDS)}(?:-{_any(WORDS)})?"

MONTHS = "January February March April May June July August September October November December"
MONTH = {name.lower(): number for number, name in enumerate(MONTHS.split(), start=1)}

READERS: list[tuple[re.Pattern[str], Callable]] = [
    (_pattern(rf"\b(?P<month>{_any(MONTH)})\s(?P<year>\d{{4}})\b"), _date),
    (_pattern(rf"{FREE}{WHOLE}(?:\s?×\s?{WHOLE})+"), _row),  # 2 × 16 × 384
    (_pattern(r"(?<=[(\[])\s*\d+(?:,\s+\d+)+(?=,?\s*[)\]])"), _row),  # (2, 16, 384)
    (_pattern(rf"{FREE}\d+(?:[ ]\d+){{2,}}(?!\w|[.,]\d)"), _row),  # 101 1045 102
    (_pattern(rf"{DIGITS}\s?(?:%|per\scent\b|percent\b)"), _percent),
    (_pattern(rf"{FREE}\d+/\d+(?![\w/])"), _fraction),
    (_pattern(rf"{DIGITS}(?:\s(?P<scale>{_any(SCALES)})\b)?"), _digits),
    (_pattern(rf"\bhalf\sa\s{_any(SCALES)}\b"), _words),
    (_pattern(rf"\b(?:{COUNT}|an?)[\s-]{_any(SCALES)}\b(?:[\s-]{_any(SCALES)}\b)?"), _words),
    (_pattern(rf"\b(?P<count>{_any(WORDS)}|an?)[\s-](?P<part>{_any(PARTS)})s?(?={THAN})"), _part),
    (_pattern(rf"{WHOLE_HALF}\b(?P<count>)(?P<part>half)\b(?={THAN})"), _part),
    (_pattern(rf"\bevery\s(?P<count>)(?P<part>{_any(PARTS)})\b"), _part),
    (_pattern(rf"\b(?P<word>twice|{_any(WORDS)}(?=\stimes))(?:\stimes)?(?={MULTIPLE})"), _times),
    (_pattern(rf"\b{COUNT}\b"), _words),
    (_pattern(rf"\b{_any(SCALES)}\b"), _words),
]


def fits(claimed: Number, other: Number) -> bool:
    """Tell whether a number in the prose can be the other one, rounded."""
    if claimed.kind == "row":
        size, values = len(claimed.values), other.values
        return any(values[i : i + size] == claimed.values for i in range(len(values) - size + 1))
    (value,) = claimed.values
    return any(_fits_one(claimed, value, other, found) for found in other.values)


def _fits_one(claimed: Number, value: Decimal, other: Number, found: Decimal) -> bool:
    near = abs(found - value)
    if claimed.kind in ("share", "times"):
        # Too many decimals are near 2 or a half by accident.
        if other.kind == "percent":
            exact = value / 20 if claimed.about else Decimal("0.005")
            return claimed.kind == "share" and near <= exact
        return other.kind == "calculated" and near <= value / (10 if claimed.about else 20)
    if claimed.kind == "count":
        return other.kind != "percent" and near <= claimed.about * abs(value) / 20
    if claimed.kind == "rounded":
        return other.kind != "percent" and near <= claimed.step / 2
    return near == 0 or (
        other.kind in ("percent", "decimal", "calculated")
        and other.step <= claimed.step
        and near <= claimed.step / 2
    )


def one_of(number: Number, others: Iterable[Number]) -> bool:
    """Tell whether one of these numbers is the same, rounded."""
    return any(fits(number, other) for other in others)
