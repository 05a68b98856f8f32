"""Typical: one view that shows what an alert is about, neither the mildest nor the wildest of those beyond the limit."""

from dataclasses import dataclass

from collector.query.metrics import metric_of
from collector.query.question import Question, ask
from collector.store import Store


@dataclass(frozen=True, slots=True)
class TypicalView:
    """A view, its trace (empty where it has none), and its value of the metric."""

    view_id: str
    trace_id: str
    value: float


def typical_view(store: Store, question: Question, limit: float) -> TypicalView | None:
    """Of the views beyond a limit the one in the middle, those with a trace first; of events that are counted, one of the
    newest that failed, came again or took longest. None: there is none."""
    metric = metric_of(question.metric)
    if metric.limit:
        rows = ask(store, "typical_view", question, vital=metric.limit.name, limit=limit)
    else:
        rows = ask(store, "typical_event", question, types=list(metric.types))
    return TypicalView(rows[0]["view_id"], rows[0]["trace_id"], rows[0]["shown"]) if rows else None
