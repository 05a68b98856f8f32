"""Numbers: how values are written, everywhere the same: thousands apart, units said, no digit that means nothing."""

from datetime import UTC, datetime, timedelta

from collector.query.vitals import LIMITS, Percentile

NARROW = "\u202f"  # a narrow space that does not break, between a number and its unit


class RangeWords(dict[str, str]):
    """How a range is said; any will do."""

    def __missing__(self, name: str) -> str:
        """`90m` is 90 min, and the empty one that of a question with a time of its own."""
        unit = {"m": f"{NARROW}min", "h": f"{NARROW}h", "d": " days"}.get(name[-1:])
        return f"{name[:-1]}{unit}" if unit else "the chosen time"


RANGE_WORDS = RangeWords()
MARKS = {"good": "●", "mixed": "■", "poor": "▲"}
RATINGS = {"good": "good", "mixed": "needs improvement", "poor": "poor"}


def count(value: float) -> str:
    """A whole number: 1,204."""
    return f"{round(value):,}"


def ratio(value: float) -> str:
    """A small ratio with one digit behind the point: 7.6."""
    return f"{value:,.0f}" if value >= 100 else f"{value:,.1f}"


def percent(part: float, whole: float = 1.0) -> str:
    """A share; one that is there is never 0 %, one that is not all never 100 %."""
    if not whole:
        return "–"
    share = 100 * part / whole
    if 0 < share < 1:
        return f"<{NARROW}1{NARROW}%"
    if 99 < share < 100:
        return f">{NARROW}99{NARROW}%"
    return f"{share:.0f}{NARROW}%"


def ms(value: float | None) -> str:
    """A duration given in milliseconds, to three digits: 83 µs, 4.21 ms, 231 ms, 2.31 s, 1 min 12 s."""
    if value is None:
        return "–"
    if value < 0:
        return f"−{ms(-value)}"
    if value == 0:
        return f"0{NARROW}ms"
    if value < 1:
        return f"{value * 1000:.0f}{NARROW}µs"
    if value < 9.995:
        return f"{value:.2f}{NARROW}ms"
    if value < 99.95:
        return f"{value:.1f}{NARROW}ms"
    if value < 999.5:
        return f"{value:.0f}{NARROW}ms"
    if value < 9_995:
        return f"{value / 1000:.2f}{NARROW}s"
    if value < 59_950:
        return f"{value / 1000:.1f}{NARROW}s"
    minutes, seconds = divmod(round(value / 1000), 60)
    if minutes < 60:
        return f"{minutes}{NARROW}min {seconds}{NARROW}s"
    return f"{minutes // 60}{NARROW}h {minutes % 60}{NARROW}min"


def vital(value: float | None, name: str) -> str:
    """A vital's value: whole milliseconds up to a second, then seconds; CLS with three digits and no unit."""
    if value is None:
        return "–"
    if not LIMITS[name].unit:
        return f"{value:.3f}"
    return f"{value:.0f}{NARROW}ms" if value < 999.5 else ms(value)


def between(bounds: Percentile, name: str = "") -> str:
    """An interval, its unit said once if it is one: 3.21–4.08 s."""
    if bounds.low is None or bounds.high is None:
        return ""
    low, high = (vital(value, name) if name else ms(value) for value in (bounds.low, bounds.high))
    number, _, unit = low.partition(NARROW)
    return f"{number}–{high}" if unit and high.endswith(f"{NARROW}{unit}") else f"{low} – {high}"


def rating(value: float, name: str) -> str:
    """`good`, `mixed` or `poor`."""
    return LIMITS[name].rate(value)


def size(value: float | None) -> str:
    """Bytes: 812 B, 4.2 kB, 1.3 MB."""
    if value is None:
        return "–"
    for unit, factor in (("MB", 1e6), ("kB", 1e3)):
        if value >= factor:
            scaled = value / factor
            return f"{scaled:.0f}{NARROW}{unit}" if scaled >= 100 else f"{scaled:.1f}{NARROW}{unit}"
    return f"{value:.0f}{NARROW}B"


def ago(moment: datetime, now: datetime) -> str:
    """How long before `now`: 2 s ago."""
    return f"{span(now - moment)} ago"


def span(length: timedelta) -> str:
    """A length of time in its largest unit: 2 s, 14 min, 3 h, 2 days."""
    seconds = max(0, round(length.total_seconds()))
    if seconds < 100:
        return f"{seconds}{NARROW}s"
    if seconds < 100 * 60:
        return f"{round(seconds / 60)}{NARROW}min"
    if seconds < 48 * 3600:
        return f"{round(seconds / 3600)}{NARROW}h"
    return f"{round(seconds / 86_400)} days"


def clock(moment: datetime) -> str:
    """A time of day, to the second, in UTC: 14:03:22."""
    return moment.astimezone(UTC).strftime("%H:%M:%S")


def minute(moment: datetime) -> str:
    """A date and a time of what was counted by minutes, in UTC: 22 Nov 2026, 14:03."""
    return moment.astimezone(UTC).strftime("%-d %b %Y, %H:%M")


def day(moment: datetime) -> str:
    """A date and a time to the second, in UTC: 22 Nov 2026, 14:03:22."""
    return moment.astimezone(UTC).strftime("%-d %b %Y, %H:%M:%S")


def iso(moment: datetime) -> str:
    """What a machine reads: 2026-11-22T14:03:22.125Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def short(identifier: str) -> str:
    """The first eight digits of an id, enough to tell it from its neighbours."""
    return identifier[:8]


# Control characters show as their pictures (␇), and what turns the direction of text shows as what it is.
_VISIBLE = (
    {code: 0x2400 + code for code in range(32) if chr(code) not in "\t\n\r"}
    | {0x7F: 0x2421}
    | {code: f"⟨U+{code:04X}⟩" for code in (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))}
    | dict.fromkeys((*range(128, 160), *range(55296, 57344)), "�")
)


def visible(value: object) -> object:
    """What a template prints, without characters that hide, ring or turn the words after them around."""
    # Most text has none of them; what is not plain `str` is markup that was made of such text already.
    if type(value) is str and not value.isprintable():
        return value.translate(_VISIBLE)
    return value


def clip(text: str, most: int = 120) -> str:
    """A name that a page or a visitor chose, cut to what can be read at a glance."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


FILTERS = {
    function.__name__: function
    for function in (
        between, clip, count, ratio, percent, ms, vital, rating, size, ago, span, clock, minute, day, iso, short,
    )
}  # fmt: skip
