"""A late question stops in the engine, and the next one finds a reader free."""

import threading
import time
from collections.abc import Iterator

import anyio
import pytest

from collector.store import READERS, QueryFailed, Store, StoreAway
from collector.ticket import TICKET, Ticket
from dashboards.panels import Panels
from tests.conftest import wait_until

ENDLESS = "SELECT sum(cityHash64(number)) AS n FROM numbers(1000000000000)"


@pytest.fixture(autouse=True)
def no_ticket_is_left() -> Iterator[None]:
    """A withdrawn ticket left in this thread would refuse the questions of other tests."""
    yield
    TICKET.set(None)


def running(store: Store) -> int:
    rows = store.read("SELECT count() AS n FROM system.processes WHERE query LIKE '%numbers(1000000000000)%'")
    return int(rows[0]["n"]) - 1  # this question is one of them


def test_a_late_panel_leaves_nothing_running(store: Store) -> None:
    async def page() -> tuple[float, dict[str, object]]:
        begun = time.monotonic()
        panels = await Panels().ask({f"p{nr}": lambda: store.read(ENDLESS) for nr in range(6)}, budget_s=0.5)
        return time.monotonic() - begun, {name: panel.is_late for name, panel in panels.items()}

    took, late = anyio.run(page)
    assert set(late.values()) == {True}
    assert took < 5
    wait_until(lambda: running(store) == 0, timeout_s=5)
    begun = time.monotonic()
    assert store.read("SELECT 1 AS one") == [{"one": 1}]
    assert time.monotonic() - begun < 2


def test_a_withdrawn_ticket_stops_its_query_and_no_other(store: Store) -> None:
    mine, other = Ticket(60), Ticket(3)
    ends: dict[str, QueryFailed] = {}

    def ask(name: str, ticket: Ticket) -> None:
        TICKET.set(ticket)
        try:
            store.read(ENDLESS)
        except QueryFailed as error:
            ends[name] = error

    threads = [threading.Thread(target=ask, args=pair) for pair in (("mine", mine), ("other", other))]
    for thread in threads:
        thread.start()
    wait_until(lambda: running(store) == 2, timeout_s=10)
    mine.withdraw()
    threads[0].join(10)
    assert ends["mine"].code == 394
    assert "other" not in ends
    threads[1].join(20)
    assert ends["other"].code == 159  # it had its three seconds
    TICKET.set(mine)
    with pytest.raises(QueryFailed, match="nobody waits"):
        store.read("SELECT 1")
    TICKET.set(None)


def test_a_question_may_not_take_all_memory(store: Store) -> None:
    with pytest.raises(QueryFailed) as refused:
        store.read("SELECT groupArray(number) FROM numbers(100000000000)", max_memory_usage=100_000_000)
    assert refused.value.code == 241
    with pytest.raises(QueryFailed):
        store.read("SELECT number FROM numbers(1000000)")  # more rows than a page has use for


def test_withdrawing_stops_both_of_two_queries_of_one_ticket(store: Store) -> None:
    """Also when a third has ended in between, which must not take the way to stop with it."""
    ticket, ends = Ticket(60), list[int]()

    def ask(sql: str) -> None:
        TICKET.set(ticket)
        try:
            store.read(sql)
        except QueryFailed as error:
            ends.append(error.code)

    threads = [threading.Thread(target=ask, args=(ENDLESS,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    wait_until(lambda: running(store) == 2, timeout_s=10)
    ask("SELECT 1")
    ticket.withdraw()
    for thread in threads:
        thread.join(10)
    assert ends == [394, 394]


def test_a_handle_whose_query_was_stopped_is_not_used_again(store: Store) -> None:
    """chDB gave the next question on it the stopped one's result: once in a thousand, seen by a newcomer of ours."""
    for _ in range(READERS):
        store.read("SELECT 1 AS one")
    used = [store._readers.get() for _ in range(READERS)]
    for handle in used:
        store._readers.put(handle)
    assert None not in used
    ticket = Ticket(60)
    TICKET.set(ticket)
    timer = threading.Timer(0.3, ticket.withdraw)
    timer.start()
    with pytest.raises(QueryFailed):
        store.read(ENDLESS)
    left = [store._readers.get() for _ in range(READERS)]
    for handle in left:
        store._readers.put(handle)
    assert left == [*used[1:], None]


@pytest.mark.parametrize("is_free", [False, True])
def test_every_question_gets_its_own_answer_while_others_are_stopped(store: Store, is_free: bool) -> None:
    until, wrong, stopped = time.monotonic() + 4, list[str](), list[str]()

    def ask(who: int) -> None:
        for nr in range(10_000):
            if time.monotonic() > until:
                return
            name, ticket = f"c{who}_{nr}", Ticket(5)
            TICKET.set(ticket)
            threading.Timer(nr % 7 / 100, ticket.withdraw).start()
            sql = f"SELECT count() AS {name} FROM numbers(20000000) WHERE cityHash64(number) % 7 = 3"
            try:
                names = store.read_freely(sql)[0] if is_free else list(store.read(sql)[0])
            except StoreAway:
                stopped.append(name)
            else:
                wrong.extend(name for found in names if found != name)

    threads = [threading.Thread(target=ask, args=(who,)) for who in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(stopped) > 20
    assert wrong == []
