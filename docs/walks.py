"""Walks: for each trouble of the shop, the way from its alert to its cause, in words; the tour adds the pictures.

`{alert}` and `{page}` stand for the two pictures. Which rule and page are meant is written in `collector.demo.troubles`.
"""

from typing import NamedTuple

from collector.demo.troubles import TROUBLES, Trouble


class Walk(NamedTuple):
    """One trouble: the kind of page that meets it, how many views that takes, what one does, and what one learns."""

    trouble: Trouble
    page: str
    views: int
    words: str
    learned: str


_WORDS = {
    "scroll": ("list", 50,
        ("The alert names the feed and the share of its loads that were asked for again before the page had grown. One click"
        " leads to the feeds page."),
        ("Tall windows make many times the requests of other heights on the same route, and the feed is marked as self-made"
        " load. The cause is the page's own handler, and the remedy is a flag around it."),
    ),
    "slow-voting": ("product", 60,
        "The alert names the endpoint and its p75 against the limit; a typical slow trace is one click away, and so is the map.",
        ("The map says which service takes the time by itself: voting. Those that merely wait for it are slow too, and not to"
        " blame."),
    ),
    "n-plus-one": ("product", 115,
        "Nothing fails and hardly anything is slower, but one page load in ten calls the same operation over and over.",
        ("The search of traces says who asks whom, for what and how often, and links the trace in which it is worst. There the"
        " calls stand one after the other, folded into one row."),
    ),
    "flags-away": ("cart", 50,
        "Every page still works, so no other rule says anything: this one counts views that ran on built-in defaults.",
        "The flags page says from when to when the service was away, and what each value of a flag came from meanwhile.",
    ),
    "bad-release": ("list", 70,
        "The new release is compared with the others over the same time, so that a slow hour blames nobody.",
        "Beside the release before it one sees what regressed, on which routes, and which error came with it.",
    ),
    "partner-away": ("cart", 50,
        "The alert names the other host and how long its assets keep a view waiting.",
        ("The resources page says that they fail as well. A script in the head holds up everything below it: load it with"
        " `async`, or do without."),
    ),
    "skewed-clock": ("cart", 50,
        "A share of the views comes from clocks that are over a minute off.",
        ("The pipeline page says how many and of which origin; their times were shifted by the collector's clock, and joined"
        " requests stay joined."),
    ),
}  # fmt: skip
WALKS = [Walk(trouble, *_WORDS[trouble.name]) for trouble in TROUBLES]
