"""Weights: how many views one view stands for. Percentiles of views that all stand for equally many need none, and take a
fraction of the time without; of too many reports one view in n is read, and stands for n times as many.

quantileExactWeighted takes the lower neighbour where level × weight is whole, quantileExact the upper one; queries ask for a
level a hair higher, which makes both the same, so that a sample of weight 1 has the p75 everybody else computes.
"""

import re
from typing import Any

from collector.query.question import Question, ask, read_text, written
from collector.store import Store

EXACT = 10_000_000
STEPS = 65_536
_WEIGHTED = re.compile(r"(quantiles?Exact)Weighted((?:State|If)?\([^()]*\)\(\w+), weight\b")
_MERGED = re.compile(r"(quantiles?Exact)WeightedMerge\b")


def ask_weighing(store: Store, name: str, question: Question, /, **parameters: Any) -> list[dict[str, Any]]:
    """As `ask`, without weights if they are even in events of the `types` (vitals, if nothing is said), and over one view
    in so many that at most EXACT of these events are read, if the query can. One that gathers weights itself is told by
    `is_even` that it need not."""
    period = {key: parameters[key] for key in ("since_ms", "types") if key in parameters}
    (found,) = ask(store, "even_weights", question, **{"types": ["vital"], **period})
    text = written(store, name, question)
    if found["is_even"]:
        text = plain(text)
    drawn = {"one_in": one_in(found["events"], EXACT), "is_even": found["is_even"]}
    return read_text(store, text, question, **drawn, **parameters)


def one_in(there: int, most: int) -> int:
    """One in how many is read, so that of so many there are at most `most` are: a power of two, as samples of halves lie
    within each other."""
    return 1 << (max(there - 1, 0) // most).bit_length()


def one_trace_in(there: int, most: int) -> int:
    """The same of traces, which are drawn by steps of a hash (sampled.sql)."""
    return min(one_in(there, most), STEPS)


def plain(text: str) -> str:
    """A query without the weights of its percentiles, which are in a column `weight`."""
    return _MERGED.sub(r"\1Merge", _WEIGHTED.sub(r"\1\2", text))
