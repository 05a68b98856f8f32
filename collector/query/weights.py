"""Weights: percentiles of views that all stand for equally many need no weights, and take a fraction of the time without.

quantileExactWeighted takes the lower neighbour where level × weight is whole, quantileExact the upper one; queries ask for a
level a hair higher, which makes both the same, so that a sample of weight 1 has the p75 everybody else computes.
"""

import re
from typing import Any

from collector.query.question import Question, ask, read_text, written
from collector.store import Store

_WEIGHTED = re.compile(r"(quantiles?Exact)Weighted((?:State|If)?\([^()]*\)\(\w+), weight\b")
_MERGED = re.compile(r"(quantiles?Exact)WeightedMerge\b")


def ask_weighing(store: Store, name: str, question: Question, /, **parameters: Any) -> list[dict[str, Any]]:
    """As `ask`, without weights if they are even in events of the `types` (vitals, if nothing is said)."""
    text = written(store, name, question)
    if even_weights(store, question, **{key: parameters[key] for key in ("since_ms", "types") if key in parameters}):
        text = plain(text)
    return read_text(store, text, question, **parameters)


def even_weights(store: Store, question: Question, **parameters: Any) -> bool:
    """Whether every view stands for equally many."""
    return bool(ask(store, "even_weights", question, **{"types": ["vital"], **parameters})[0]["is_even"])


def plain(text: str) -> str:
    """A query without the weights of its percentiles, which are in a column `weight`."""
    return _MERGED.sub(r"\1Merge", _WEIGHTED.sub(r"\1\2", text))
