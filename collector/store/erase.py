"""Erase: take one person's rows out of every table.

Which tables those are is read off their columns, so that a table made tomorrow cannot be forgotten. Rows are gone from
every answer when `erase` returns; the files that held them are rewritten by `wipe`, at night, for that takes a while.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from clickhouse_connect.driver.client import Client

USER, SESSION = "user", "session"
UNNAMED = "unnamed"  # what a session held before its user signed in
AT_ONCE = 2_000  # ids in one statement: over HTTP they travel in the address of the request

# How a row says whose it is, by the columns its table has; the first line whose columns are all there counts.
# Who asks as a user leaves rows of their sessions in which somebody else was signed in by then.
MARKS = (
    (
        {"session_id", "user_id"},
        """(session_id IN {sessions:Array(String)} AND ({user:String} = '' OR user_id IN ('', {user:String})))
        OR (user_id = {user:String} AND user_id != '')""",
    ),
    ({"session_id"}, "session_id IN {sessions:Array(String)}"),
    ({"user_id"}, "user_id = {user:String} AND user_id != ''"),
    ({"view_id"}, "view_id IN {views:Array(String)}"),
    (
        {"ResourceAttributes", "SpanAttributes"},
        """ResourceAttributes['session.id'] IN {sessions:Array(String)}
        OR SpanAttributes['session.id'] IN {sessions:Array(String)}
        OR ({user:String} != '' AND {user:String} IN (SpanAttributes['user.id'], SpanAttributes['enduser.id']))""",
    ),
)
# Which app a row is of; a table without one of these has rows of no app.
APPS = (
    ({"app"}, "app = {app:String}"),
    ({"ResourceAttributes"}, "ResourceAttributes['service.namespace'] = {app:String}"),
)


class Person(NamedTuple):
    """Whom to erase: a user by the id the page gave them, or one session; in one app, or in all."""

    kind: str
    id: str
    app: str = ""


def digest(app: str, kind: str, identifier: str) -> str:
    """What is remembered of an id: the list must not itself tell who asked to be forgotten."""
    return hashlib.sha256(f"{kind}\0{app}\0{identifier}".encode()).hexdigest()[:32]


class Erased:
    """The digests of everybody who was erased, and until when what was received of them is theirs."""

    def __init__(self, rows: Iterable[Mapping[str, Any]] = ()) -> None:
        self._until = {row["digest"]: row["until"] for row in rows}

    def __bool__(self) -> bool:
        return bool(self._until)

    def covers(self, app: str, session_id: str, user_id: str, received_at: datetime) -> bool:
        """Whether a line received then must not come in again; what came later is of somebody who came back."""
        ids = [(SESSION, session_id), (USER, user_id) if user_id else (UNNAMED, session_id)]
        return any(
            received_at <= until
            for kind, identifier in ids
            if identifier
            for scope in ("", app)
            if (until := self._until.get(digest(scope, kind, identifier)))
        )


class Found(NamedTuple):
    """What belongs to a person."""

    sessions: list[str]
    views: list[str]


def find(client: Client, person: Person) -> Found:
    """The sessions a user was seen in, and the views of those."""
    within = " AND app = {app:String}" if person.app else ""
    sessions = [person.id]
    if person.kind == USER:
        sessions = _column(
            client, f"SELECT DISTINCT session_id FROM events WHERE user_id = {{id:String}}{within}",
            {"id": person.id, "app": person.app},
        )  # fmt: skip
    views = {
        view
        for part in _parts(sessions)
        for view in _column(
            client, f"SELECT DISTINCT view_id FROM events WHERE session_id IN {{ids:Array(String)}}{within}",
            {"ids": part, "app": person.app},
        )
    }  # fmt: skip
    return Found(sorted(sessions), sorted(views))


def digests(person: Person, found: Found) -> list[str]:
    """What to remember, before anything is taken out."""
    if person.kind == SESSION:
        return [digest(person.app, SESSION, person.id)]
    unnamed = [digest(person.app, UNNAMED, session) for session in found.sessions]
    return [digest(person.app, USER, person.id), *unnamed]


def erase(client: Client, home: str, person: Person, found: Found, on_cluster: str = "") -> dict[str, int]:
    """Take the rows out; how many there were, by table. `client` reads through the plain names.

    `events` comes last: from there the sessions are found, also when this is done again after a crash.
    """
    counted: dict[str, int] = {}
    for table, columns in sorted(tables(client, home).items(), key=lambda found: found[0] == "events"):
        where = condition(columns, person.app)
        if not where:
            continue
        counted[table] = 0
        for parameters in _parameters(person, found):
            n = _column(client, f"SELECT count() FROM {table} WHERE {where}", parameters)[0]
            if n:
                client.command(
                    f"DELETE FROM {home}.{table}{on_cluster} WHERE {where}",
                    parameters=parameters,
                    settings={"lightweight_deletes_sync": 1},
                )
            counted[table] += n
    return {table: n for table, n in counted.items() if n}


def wipe(client: Client, home: str, on_cluster: str = "") -> list[str]:
    """Rewrite the files of tables that still hold what was taken out of the answers; returns their names."""
    masked = _column(
        client,
        "SELECT DISTINCT table FROM system.parts WHERE active AND database = {home:String} AND has_lightweight_delete",
        {"home": home},
    )
    for table in masked:
        client.command(f"ALTER TABLE {home}.{table}{on_cluster} APPLY DELETED MASK", settings={"mutations_sync": 1})
    return masked


def tables(client: Client, home: str) -> dict[str, set[str]]:
    """Every table that keeps rows, and its columns."""
    rows = client.query(
        "SELECT table, groupArray(name) FROM system.columns WHERE database = {home:String} AND table IN"
        " (SELECT name FROM system.tables WHERE database = {home:String} AND engine LIKE '%MergeTree') GROUP BY table",
        parameters={"home": home},
    ).result_rows
    return {table: set(columns) for table, columns in rows}


def condition(columns: set[str], app: str = "") -> str:
    """Which rows of a table are a person's; empty when none can be."""
    where = next((text for needed, text in MARKS if needed <= columns), "")
    within = next((text for needed, text in APPS if needed <= columns), "") if app else ""
    # Sessions and views were looked up within the app; a user's name without an app may be somebody else's there.
    if app and not within and "user_id" in columns:
        return ""
    return f"({where}) AND {within}" if where and within else where


def _parameters(person: Person, found: Found) -> Iterator[dict[str, Any]]:
    user = person.id if person.kind == USER else ""
    sessions, views = list(_parts(found.sessions)), list(_parts(found.views))
    for nr in range(max(len(sessions), len(views), 1)):
        yield {
            "user": user,
            "app": person.app,
            "sessions": sessions[nr] if nr < len(sessions) else [],
            "views": views[nr] if nr < len(views) else [],
        }


def _parts(ids: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(ids), AT_ONCE):
        yield ids[start : start + AT_ONCE]


def _column(client: Client, sql: str, parameters: dict[str, Any]) -> list[Any]:
    return [row[0] for row in client.query(sql, parameters=parameters).result_rows]
