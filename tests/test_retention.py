"""Rows grow old: by table, by app, and as the settings say today."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from collector.night import Night
from collector.settings import BadSettings, Settings, load
from collector.store import Store
from tests.conftest import wait_until

NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
TOML = """
[apps.short]
keys = ["s"]
origins = ["*"]
retention_days = 7
[apps.long]
keys = ["l"]
origins = ["*"]
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    file = tmp_path / "farside.toml"
    file.write_text(TOML)
    return load(file, {"FARSIDE_DATA": str(tmp_path)})


def fill(store: Store) -> None:
    """One event and one span of each app for each of the last 60 days."""
    store._writer.command(
        "INSERT INTO events (app, type, event_id, received_at, timestamp) SELECT ['short', 'long'][number % 2 + 1],"
        " 'view', toString(number), {noon:DateTime64(3, 'UTC')} - toIntervalDay(intDiv(number, 2)) AS at, at"
        " FROM numbers(120)",
        parameters={"noon": NOON},
    )
    store._writer.command(
        "INSERT INTO otel_traces (Timestamp, TraceId, SpanId, ServiceName, ResourceAttributes, received_at)"
        " SELECT timestamp, 't', event_id, 'browser', map('service.namespace', app), received_at FROM events"
    )


def days_of(store: Store, table: str = "events", app: str = "app") -> dict[str, int]:
    rows = store.read(f"SELECT {app} AS app, count() AS n FROM {table} GROUP BY app")
    return {row["app"]: row["n"] for row in rows}


def ttl(store: Store, table: str) -> str:
    sql = "SELECT extract(create_table_query, 'TTL [^S]*toIntervalDay\\\\((\\\\d+)\\\\)') AS days FROM system.tables"
    return store.read(f"{sql} WHERE database = 'farside' AND name = {{t:String}}", {"t": table})[0]["days"]


def opened(settings: Settings, **days: int) -> Store:
    given = load(
        environ={"FARSIDE_DATA": str(settings.data), **{f"FARSIDE_{k.upper()}": str(v) for k, v in days.items()}}
    )
    store = Store.of(given)
    store.open()
    return store


def test_limits_follow_the_settings_at_every_start(settings: Settings) -> None:
    store = opened(settings)
    assert [ttl(store, table) for table in ("events", "otel_traces", "outcomes")] == ["90", "90", "400"]
    fill(store)
    store.close()
    store = opened(settings, retention_days=30, span_retention_days=0, ledger_retention_days=30)
    assert [ttl(store, table) for table in ("events", "otel_traces", "outcomes")] == ["30", "", "30"]
    wait_until(lambda: set(days_of(store).values()) <= {30, 31}, timeout_s=60)  # it depends on the hour
    assert days_of(store, "otel_traces", "ResourceAttributes['service.namespace']") == {"short": 60, "long": 60}
    assert store.prove(b"") == ""
    store.close()
    store = opened(settings, retention_days=45)
    assert [ttl(store, table) for table in ("events", "otel_traces")] == ["45", "90"]
    store.close()


def test_the_night_drops_days_and_deletes_what_an_app_keeps_shorter(settings: Settings) -> None:
    hour = [NOON.replace(hour=2)]
    registry = CollectorRegistry()
    store = opened(settings, retention_days=90, span_retention_days=50)
    fill(store)
    store._days = {"retention_days": 40, "span_retention_days": 50, "ledger_retention_days": 400}
    night = Night(settings, store, registry, lambda: hour[-1].timestamp())  # noqa: PLW0108  (it goes on)
    assert not night.is_due()
    hour[-1] = NOON
    assert night.is_due()
    removed = night.run()
    # A day goes when even its last moment is past the limit: today and 40 whole days before it are kept.
    assert days_of(store) == {"short": 8, "long": 41}
    assert days_of(store, "otel_traces", "ResourceAttributes['service.namespace']")["short"] == 8
    assert removed["events", ""] == 2 * 19
    assert removed["events", "short"] == 33
    counted = registry.get_sample_value("farside_removed_rows_total", {"table": "events", "app": "short"})
    assert counted == 33
    masked = "SELECT count() AS n FROM system.parts WHERE active AND database = 'farside' AND has_lightweight_delete"
    assert store.read(masked)[0]["n"] == 0
    assert not night.is_due()
    assert night.run() == {}
    hour[-1] = NOON + timedelta(days=1)
    assert night.is_due()
    store.close()


def test_a_night_that_was_missed_is_made_up_for(settings: Settings) -> None:
    store = opened(settings)
    night = Night(settings, store, CollectorRegistry(), time.time)
    night._done_file.write_text("2020-01-01")
    assert night.is_due() == (datetime.now(UTC).hour >= 3)
    store.close()


def test_a_limit_that_is_no_number_of_days_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "farside.toml"
    file.write_text(TOML.replace("retention_days = 7", 'retention_days = "a week"'))
    with pytest.raises(BadSettings, match="retention_days = 'a week'"):
        load(file, {})
