"""Delivery: nothing that was captured is lost, however the page ends, and nothing more is sent than has to be."""

import time
from typing import Any

import pytest

from tests.conftest import Running, wait_until
from tests.snippet.conftest import Open
from tests.snippet.ends import ENDS, away_for_a_while, crash, live_and_end, lost, lost_while_away
from tests.snippet.site import Site


@pytest.mark.parametrize("end", ENDS)
def test_nothing_is_lost_when_the_page_ends(visit: Open, end: str) -> None:
    for _ in range(5):
        opened = live_and_end(visit, end)
        assert lost(opened, end) == set()
        opened.context.close()


def test_a_collector_that_is_away_for_a_while_loses_nothing(visit: Open, site: Site) -> None:
    for _ in range(5):
        opened = away_for_a_while(visit)
        assert lost_while_away(opened) == set()
        assert len([a for a in site.attempts if a[1] == 503]) <= 4
        opened.context.close()


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_honoured(visit: Open, site: Site, status: int) -> None:
    site.answers = lambda: status if len(site.attempts) < 1 else None
    site.reply_headers = {"retry-after": "3"}
    opened = visit()
    opened.wait_for("view")
    first, second = (at for at, _, _ in site.attempts[:2])
    assert second - first >= 3


def test_what_was_refused_for_good_is_counted_not_repeated(visit: Open, site: Site) -> None:
    site.answers = lambda: 413 if len(site.attempts) < 1 else None
    opened = visit()
    wait_until(lambda: site.attempts)
    opened.page.evaluate("farside.mark('later')")
    wait_until(lambda: site.beacons)
    site.refused.clear()
    assert len(site.attempts) == 2
    assert opened.dropped()["refused"] >= 3


def test_what_could_not_be_sent_goes_with_the_next_view(visit: Open, site: Site) -> None:
    site.answers = lambda: 503
    opened = visit()
    opened.page.wait_for_timeout(1500)
    opened.page.evaluate("farside.mark('kept')")
    opened.page.close()
    time.sleep(0.3)
    site.answers = lambda: None
    again = visit(context=opened.context)
    again.page.wait_for_timeout(100)
    again.wait_for("view")
    kept = opened.wait_for("mark", name="kept")
    assert len(kept) == 1
    assert len(opened.events("view")) == 1


def test_what_happened_offline_arrives_when_the_line_is_back(visit: Open) -> None:
    opened = visit()
    opened.wait_for("view")
    opened.context.set_offline(True)
    opened.page.evaluate("farside.mark('in the tunnel')")
    opened.page.wait_for_timeout(5600)
    assert opened.events("mark") == []
    opened.context.set_offline(False)
    opened.wait_for("mark", name="in the tunnel")


def test_a_page_that_dies_offline_is_heard_of_on_the_next_visit(visit: Open) -> None:
    opened = visit()
    opened.wait_for("view")
    opened.context.set_offline(True)
    opened.page.evaluate("farside.mark('unheard')")
    opened.page.close()
    opened.context.set_offline(False)
    again = visit(context=opened.context)
    again.wait_for("view")
    assert len(opened.wait_for("mark", name="unheard")) == 1


def test_a_tab_that_is_frozen_and_discarded_has_said_all(visit: Open) -> None:
    opened = visit(head="<script>delete window.fetchLater</script>", place="")  # which would speak for the dead
    opened.wait_for("view")
    opened.page.evaluate("farside.mark('before the frost')")
    # Chromium itself freezes no page that is seen, and without a screen all are.
    opened.page.evaluate("document.dispatchEvent(new Event('freeze'))")
    crash(opened)
    assert len(opened.wait_for("mark", name="before the frost")) == 1


def test_beacons_are_small_numbered_and_without_preflight(visit: Open, site: Site) -> None:
    opened = visit()
    opened.page.evaluate("for (let i = 0; i < 30; i++) farside.error(new Error('\\u{1F600}'.repeat(150) + i))")
    opened.page.wait_for_timeout(1500)
    opened.page.evaluate("farside.mark('one more')")
    opened.leave()
    assert len(opened.events("error")) == 30
    posts = [seen for seen in site.seen if seen.path == "/b" and seen.method == "POST"]
    assert not [seen for seen in site.seen if seen.method == "OPTIONS"]
    assert max(int(seen.headers["content-length"]) for seen in posts) < 24_000
    assert {seen.headers["content-type"] for seen in posts} == {"text/plain;charset=UTF-8"}
    assert not any("cookie" in seen.headers or "authorization" in seen.headers for seen in posts)
    sequence = sorted(beacon["seq"] for beacon in site.beacons)
    assert sequence == list(range(len(sequence)))


def test_a_flood_that_cannot_leave_costs_its_own_tail(visit: Open) -> None:
    opened = visit()
    opened.page.evaluate("for (let i = 0; i < 150; i++) farside.error(new Error('\\u{1F600}'.repeat(400) + i))")
    opened.page.wait_for_timeout(1500)
    opened.page.evaluate("farside.mark('after')")
    opened.leave()
    assert len(opened.events("view")) == 1
    assert len(opened.events("error")) + opened.dropped()["outbox"] >= 150  # a vital may be among the dropped


def test_a_quiet_page_sends_two_beacons_and_asks_for_nothing(visit: Open, site: Site) -> None:
    opened = visit()
    opened.page.wait_for_timeout(3000)
    opened.leave()
    assert [seen.method for seen in site.seen if seen.path == "/b"] == ["POST"]
    assert not [seen for seen in site.seen if seen.path.startswith("/c/")]


def test_a_standing_beacon_that_fires_is_told_from_a_beacon_on_time(visit: Open) -> None:
    opened = visit()
    opened.page.wait_for_timeout(600)
    crash(opened)
    (view,) = opened.wait_for("view")
    assert view["of"]["deferred"] is True


def test_every_kind_of_event_comes_to_rest_in_the_tables(visit: Open, snippet_collector: Running) -> None:
    """By the script's own address and no other option than the key: the collector that served it gets the beacons."""
    body = """<script>performance.mark('m'); fetch('/api/a').then((r) => r.json()); setTimeout(() => { throw new Error('e') }, 50);
    </script><img src=/a.png><button id=b onclick="const t = Date.now(); while (Date.now() - t < 90);">b</button>"""
    opened = visit(body, script="", head=f'<script src="{snippet_collector.url}/farside.js" data-key=demo></script>')
    opened.page.evaluate("farside.set('test', 'tables')")
    opened.page.wait_for_timeout(300)
    opened.page.click("#b")
    opened.page.wait_for_timeout(300)
    opened.page.close()
    sql = "SELECT groupUniqArray(type) AS types FROM events WHERE attributes['test'] = 'tables'"
    wanted = {"view", "vital", "fetch", "error", "resource", "action", "longframe", "mark"}

    def all_there() -> Any:
        return wanted <= set(snippet_collector.value(sql))

    wait_until(all_there)
