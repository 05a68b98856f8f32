"""The stock rules in a hurry: as they are, but for the times, so that what takes them hours is seen in a minute."""

from pathlib import Path

from msgspec.structs import replace

from collector.alerts.folder import ready
from collector.alerts.rules import Rule, Span, Window
from collector.alerts.text import write
from collector.demo.troubles import TROUBLES

NEW_FOR_S = 120


def hurried(rule: Rule) -> Rule:
    """The rule, looking every ten seconds, at no more than it must, and believing what it sees at once."""
    samples = {"p75": 60, "p90": 110}.get(rule.aggregate, 60) if rule.kind != "release" else rule.window.samples
    window = Window(samples, Span("10s"), Span("10m"))
    return replace(
        rule, every=Span("10s"), window=window, fire=replace(rule.fire, for_=1), new_for=Span(f"{NEW_FOR_S}s")
    )


def write_hurried(folder: Path) -> None:
    """The rules meant for the shop's troubles, each in a file of its own."""
    folder.mkdir(parents=True)
    for name in {trouble.rule for trouble in TROUBLES}:
        (folder / f"{name}.yaml").write_text(write(hurried(ready()[name])))
