"""Rules over a real store: what live evaluators write is what a backtest says, once, and blindness is never ok."""

import random
import re
import threading
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from collector.alerts.backtest import backtest
from collector.alerts.evaluate import BLIND_AFTER, Evaluator, Sight
from collector.alerts.flips import Book, asked
from collector.alerts.folder import Folder
from collector.alerts.measuring import course, moments
from collector.alerts.rules import Rule
from collector.alerts.text import read
from collector.notify.quiet import quiet
from collector.query.alerts import flips_of
from collector.query.measure import measure
from collector.store import Store, StoreAway
from tests.alerts.conftest import NOW, History

RULES = """
- {id: lcp, metric: lcp, aggregate: p75, where: {app: demo}, group_by: [route], groups: 2, every: 20m,
   window: {samples: 60, min: 20m, max: 2h}, fire: {above: 2500, min_users: 5, for: 2}, clear: {below: 2300, for: 2}}
- {id: errors, metric: error_rate, where: {app: demo}, window: {samples: 80, min: 20m, max: 1h}, every: 20m,
   fire: {above: 0.05, min_users: 3, for: 2}}
- {id: change, kind: change, metric: lcp, where: {app: demo}, weeks: 1, window: {samples: 40, min: 20m, max: 1h},
   every: 20m, fire: {more_by: 0.2, for: 1}}
- {id: release, kind: release, metric: lcp, where: {app: demo}, new_for: 6h, window: {samples: 150, min: 20m, max: 2h},
   every: 20m, fire: {more_by: 0.15, for: 1}}
- {id: burn, kind: burn, metric: error_rate, objective: 99, where: {app: demo}, every: 20m,
   burns: [{rate: 6, long: 1h, short: 20m}], fire: {min_users: 2}}
- {id: new-error, kind: new_error, where: {app: demo}, new_for: 2h, every: 20m, fire: {min_users: 2}}
- {id: bursts, kind: feed_burst, where: {app: demo}, group_by: [name], every: 20m,
   window: {samples: 30, min: 20m, max: 1h}, fire: {min_users: 2, for: 1}}
- {id: views, metric: views, aggregate: count, where: {app: demo}, window: {samples: 1, min: 20m, max: 20m},
   every: 20m, fire: {below: 1, min_users: 0, for: 1}, clear: {above: 1, for: 1}}
"""
READ = read(RULES)


class Alerting:
    """An evaluator whose watermark and clock a test moves."""

    def __init__(self, store: Store, folder: Path, rules: str = RULES, name: str = "") -> None:
        (folder / "rules").mkdir(exist_ok=True, parents=True)
        (folder / "rules" / "shop.yaml").write_text(rules)
        self.now = self.watermark = NOW
        self.book = Book(store, name)
        self.sight = Sight(folder / "blind.json")
        self.evaluator = Evaluator(
            self.book, Folder(folder / "rules"), lambda: self.watermark, self.sight, lambda: self.now
        )

    def at(self, moment: datetime) -> int:
        self.now = self.watermark = moment
        return len(self.evaluator.step())


def rule(name: str) -> Rule:
    return next(found for found in READ if found.id == name)


def eventful(history: History) -> None:
    """Twelve hours with a slow spell, a new release, errors, bursts and an hour of silence; and the same a week before."""
    begin = NOW - timedelta(hours=12)
    history.steady(begin - timedelta(weeks=1), NOW - timedelta(weeks=1), 120, 1_500)
    history.steady(begin, NOW - timedelta(hours=8), 300, 1_700)
    history.steady(NOW - timedelta(hours=8), NOW - timedelta(hours=6), 300, 3_200, route="/slow")
    history.steady(NOW - timedelta(hours=6), NOW - timedelta(hours=2, minutes=30), 300, 1_900, release="2.0")
    history.steady(NOW - timedelta(hours=6), NOW - timedelta(hours=4), 100, 1_400)
    history.steady(NOW - timedelta(hours=1, minutes=20), NOW, 200, 1_700, release="2.0", route="/new")
    for minute in range(90):
        at = NOW - timedelta(hours=5) + timedelta(minutes=minute)
        error = {
            "type": "error",
            "at": 5.0,
            "name": "error",
            "fingerprint": "f1" if minute < 50 else "f2",
            "message": "x",
        }
        feed = {"type": "feed", "at": 9.0, "name": "list", "duration_ms": 300.0, "burst": 1 + minute % 4, "batch": 1}
        history.view(at, None, [error, feed])
    history.write()


def test_live_and_backtest_agree_flip_by_flip(history: History, tmp_path: Path) -> None:
    eventful(history)
    live = Alerting(history.store, tmp_path)
    since = NOW - timedelta(hours=11)
    for at in moments(rule("lcp"), since, NOW):
        live.at(at)
    written = flips_of(history.store, since - timedelta(days=30), most=5_000)
    fired = set()
    for each in READ:
        replayed = backtest(history.store, each, since, NOW)
        own = sorted((f for f in written if f.rule == each.id), key=lambda f: (f.at, f.group_key))
        expected = sorted(replayed.flips, key=lambda f: (f.at, f.token))
        assert [(f.at, f.group, f.before, f.after, f.value, f.low, f.n, f.users, f.limit_value, f.problem) for f in own] == [
            (
                f.at, dict(f.group), f.before, f.after,
                *((m.value, m.low, m.n, m.users, m.limit) if (m := f.measurement) else ()), f.problem,
            )
            for f in expected
        ], each.id  # fmt: skip
        fired |= {each.id for f in replayed.flips if f.after == "firing"}
    assert fired == {found.id for found in READ}, "every kind had something to say"


def test_every_rule_that_does_not_fire_says_why_at_every_moment(history: History, tmp_path: Path) -> None:
    eventful(history)
    live, said = Alerting(history.store, tmp_path), dict[str, set[str]]()
    for at in moments(rule("lcp"), NOW - timedelta(hours=11), NOW):
        live.at(at)
        assert len(live.evaluator.seen["lcp"].found) <= 2 + len(live.book.groups(rule("lcp"))), "those that are watched"
        calm = quiet(live.evaluator, [], at)
        for one in calm:
            said.setdefault(one.rule.id, set()).add(re.sub(r"[\d.,]+", "#", one.why))
            assert "–" not in one.why
            assert not live.book.state(one.rule, one.group).is_firing
        firing = {name for (name, group), state in live.book.states.items() if state.is_firing and not group}
        assert {one.rule.id for one in calm} & firing == set()
    assert set(said) == {found.id for found in READ}
    assert "not above # s" in said["lcp"]
    assert "no new release" in said["release"]
    assert "no error is new to # users or more; none counts as new until an app is #h old" in said["new-error"]
    assert "not below #" in said["views"]


def test_a_fresh_look_measures_what_a_sliding_window_does(history: History) -> None:
    eventful(history)
    rng = random.Random(5)
    for each in (rule("lcp"), rule("errors"), rule("change"), rule("release"), rule("burn")):
        steps = [at for at in moments(each, NOW - timedelta(hours=11), NOW) if rng.random() < 0.5]
        sliding = course(history.store, each, steps)
        fresh = rng.sample(steps, 3)
        for at in steps:
            seen = sliding.at(at)
            if at in fresh:
                assert seen == course(history.store, each, [at]).at(at), (each.id, at)


def test_the_count_of_a_flip_is_the_count_of_the_page_it_opens(history: History, tmp_path: Path) -> None:
    eventful(history)
    for each in READ:
        for flip in backtest(history.store, each, NOW - timedelta(hours=11), NOW).flips:
            found = flip.measurement
            if found is None or not found.n or (each.kind == "release" and not found.narrowed):
                continue
            figure = measure(history.store, asked(each, (*flip.group, *found.narrowed), found.since, flip.at)).figure
            assert (figure.n, figure.value) == (found.n, pytest.approx(found.value)), (each.id, flip)


def test_two_evaluators_write_each_flip_once(history: History, tmp_path: Path) -> None:
    eventful(history)
    pair = [Alerting(history.store, tmp_path / name, name=name) for name in ("a", "b")]
    own = [0, 0]

    def run(nr: int) -> None:
        for at in moments(rule("lcp"), NOW - timedelta(hours=9), NOW - timedelta(hours=5)):
            own[nr] += pair[nr].at(at)

    threads = [threading.Thread(target=run, args=(nr,)) for nr in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rows = history.store.read("SELECT rule, group_key, seq, count() AS n FROM flips GROUP BY rule, group_key, seq")
    assert rows
    assert {row["n"] for row in rows} == {1}
    assert sum(own) == len(rows), "each flip is one evaluator's to deliver"


def test_an_evaluator_that_starts_anew_goes_on_where_the_last_one_stopped(history: History, tmp_path: Path) -> None:
    eventful(history)
    steps = list(moments(rule("lcp"), NOW - timedelta(hours=9), NOW - timedelta(hours=5)))
    for at in steps:
        Alerting(history.store, tmp_path).at(at)  # killed after every step
    replayed = backtest(history.store, rule("lcp"), steps[0] - timedelta(minutes=5), steps[-1])
    written = flips_of(history.store, NOW - timedelta(days=30), "lcp")
    assert {(f.at, f.group_key, f.after) for f in written} == {
        (f.at, f.token.split("/", 1)[1].rsplit("/", 1)[0], f.after) for f in replayed.flips
    }


class Failing:
    """A store that fails on demand, and otherwise is the real one."""

    def __init__(self, store: Store) -> None:
        self.store, self.is_away = store, False

    def __getattr__(self, name: str) -> object:
        if self.is_away:
            raise StoreAway("connection refused")
        return getattr(self.store, name)


def test_a_store_that_is_away_makes_alerts_blind_and_nothing_ok(history: History, tmp_path: Path) -> None:
    eventful(history)
    store = Failing(history.store)
    live = Alerting(store, tmp_path)  # type: ignore[arg-type]
    for at in moments(rule("lcp"), NOW - timedelta(hours=8), NOW - timedelta(hours=6, minutes=30)):
        live.at(at)
    before = flips_of(history.store, NOW - timedelta(days=30))
    assert any(flip.after == "firing" for flip in before)
    store.is_away = True
    for at in moments(rule("lcp"), live.now, live.now + timedelta(minutes=30)):
        assert live.at(at) == 0
    assert live.sight.blind is not None
    assert "connection refused" in live.sight.blind.why
    assert Sight(tmp_path / "blind.json").blind == live.sight.blind, "a restart remembers it"
    store.is_away = False
    assert live.at(live.now + timedelta(minutes=20)) <= 4, "one look at what is now, none at what was missed"
    assert live.sight.blind is None
    after = flips_of(history.store, NOW - timedelta(days=30))
    assert len({flip.at for flip in after} - {flip.at for flip in before}) <= 1


def test_a_watermark_that_stands_is_blindness_too(history: History, tmp_path: Path) -> None:
    live = Alerting(history.store, tmp_path)
    live.at(NOW)
    assert live.sight.blind is None
    live.now += BLIND_AFTER + timedelta(seconds=1)
    live.evaluator.step()
    assert live.sight.blind is not None
    assert "nothing has been loaded since 2026-11-20 12:00:00" in live.sight.blind.why


def test_a_question_that_fails_is_an_error_of_its_rule_alone(history: History, tmp_path: Path) -> None:
    for nr in range(1_001):
        history.view(NOW - timedelta(minutes=3), route=f"/{nr}")
    history.write()
    live = Alerting(history.store, tmp_path)
    live.at(NOW)
    states = {name: state.name for (name, group), state in live.evaluator.standing().items() if not group}
    assert states["lcp"] == "error"
    assert "lcp" not in live.evaluator.seen, "what an earlier look found is not shown for this one"
    assert "views" in live.evaluator.seen
    assert "ok" in states["views"]
    (flip,) = flips_of(history.store, NOW - timedelta(days=1), "lcp")
    assert "1001 groups" in flip.problem


def test_what_fires_ends_when_its_rule_is_taken_away(history: History, tmp_path: Path) -> None:
    eventful(history)
    live = Alerting(history.store, tmp_path)
    for at in moments(rule("lcp"), NOW - timedelta(hours=8), NOW - timedelta(hours=6, minutes=30)):
        live.at(at)
    (tmp_path / "rules" / "shop.yaml").write_text("- broken")
    live.at(live.now + timedelta(minutes=20))
    assert live.book.states["lcp", (("route", "/slow"),)].is_firing, "a typing error takes no rule away"
    (tmp_path / "rules" / "shop.yaml").unlink()
    live.at(live.now + timedelta(minutes=20))
    (last, *_) = flips_of(history.store, NOW - timedelta(days=1), "lcp")
    assert (last.after, last.problem) == ("ok", "the rule was taken away")


@pytest.mark.parametrize(
    ("lead", "says"), [(3, "release 2.0 is new, and none was seen before it"), (40, "release 2.0 against")]
)
def test_on_the_first_day_a_release_is_new_beside_one_that_was_there_before_it(
    history: History, tmp_path: Path, lead: int, says: str
) -> None:
    history.steady(NOW - timedelta(hours=3), NOW - timedelta(hours=1), 600, 1_700)
    came = NOW - timedelta(hours=3) + timedelta(minutes=lead)
    history.steady(came, NOW - timedelta(hours=1), 400, 4_400, release="2.0")
    history.write()
    live = Alerting(history.store, tmp_path)
    for at in moments(rule("release"), NOW - timedelta(hours=2), NOW - timedelta(hours=1)):
        live.at(at)
    (found,) = live.evaluator.seen["release"].found.values()
    assert found.note.startswith(says)
    assert live.book.state(rule("release"), ()).is_firing == (lead > 10)
