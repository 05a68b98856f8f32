"""Rules: `farside rules test`, for CI: files of rules are read, replayed on history, and held to their own expectations."""

import argparse
from datetime import UTC, datetime, timedelta
from pathlib import Path

from collector.alerts.backtest import backtest
from collector.alerts.rules import Rule, Span
from collector.alerts.text import BadRules, read
from collector.notify.message import amount
from collector.notify.receivers import Receivers
from collector.query.fields import BadQuestion
from collector.query.history import TooMuch
from collector.settings import BadSettings, Settings
from collector.store import Store

RIGHT, WRONG = 0, 1


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """`rules test FILE… [--over 7d]`."""
    text = "replay rules on history and hold them to their `tests:`"
    actions = commands.add_parser("rules", help=text, description=text).add_subparsers(required=True, metavar="ACTION")
    command = actions.add_parser("test", help=text, description=text)
    command.set_defaults(run=test_rules, takes=("files", "over", "syntax"))
    command.add_argument("files", nargs="+", type=Path, metavar="FILE", help="*.yaml")
    command.add_argument("--over", type=_length, default=timedelta(days=7), metavar="TIME", help="how far back (7d)")
    command.add_argument("--syntax", action="store_true", help="only read them; needs no store")
    command.add_argument("--config", type=Path, metavar="FILE", help="settings file (farside.toml)")
    command.add_argument("--data", type=Path, metavar="DIR", help="folder for spool and store (./farside-data)")
    command.add_argument("--store", metavar="URL", help="chdb:///path or clickhouse://user:pw@host:8443/farside")


def _length(text: str) -> timedelta:
    try:
        return Span(text).delta
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a length of time such as 12h or 7d") from None


def test_rules(settings: Settings, files: list[Path], over: timedelta, syntax: bool) -> int:
    """Print what each rule would have done; 1 when a rule cannot be read or an expectation is not met."""
    complaints: list[str] = []
    rules: list[Rule] = []
    for file in files:
        try:
            rules += read(file.read_text(), str(file))
        except BadRules as error:
            complaints += error.complaints
        except (OSError, UnicodeDecodeError) as error:
            raise BadSettings(f"{file}: {error}") from None
    receivers = Receivers.of_settings(settings)
    receivers.refresh()
    complaints += receivers.complaints(rules)
    if not syntax and not complaints:
        complaints += _replayed(settings, rules, over)
    for sentence in complaints:
        print(sentence)
    print(f"{len(rules)} rule(s), {len(complaints)} problem(s)")
    return WRONG if complaints else RIGHT


def _replayed(settings: Settings, rules: list[Rule], over: timedelta) -> list[str]:
    store = Store.of(settings)
    store.open()
    now = datetime.now(UTC)
    failures = []
    for rule in rules:
        begin = min([now - over, *(test.from_.at - timedelta(hours=6) for test in rule.tests)])
        end = max([now, *(test.to.at for test in rule.tests)])
        try:
            found = backtest(store, rule, begin, min(end, now))
        except (BadQuestion, TooMuch) as error:
            failures.append(f"{rule.id}: {error}")
            continue
        print(f"{rule.id}: would have fired {len(found.episodes)} time(s), {found.at_night()} at night (UTC)")
        for episode in found.episodes:
            said = episode.begin.measurement
            ended = f"{episode.end:%Y-%m-%d %H:%M}" if episode.end else "now"
            value = amount(said.value, rule) if said else "–"
            n = said.n if said else 0
            print(f"  {episode.begin.at:%Y-%m-%d %H:%M} – {ended} UTC  {episode.name or rule.app}  {value}, n = {n:,}")
        failures += found.failures()
    store.close()
    return failures
