"""ClickHouse's HTTP interface over chDB: what clickhouse-connect's HTTP client speaks to when no server is at hand.

A process of its own, for chDB opens one folder in a process. It answers as a server does: the query in the URL or at the
start of the body, rows behind it, `param_*` and settings in the URL, compressed bodies, `X-ClickHouse-*` headers, error
codes and the status that goes with them. Every request has a handle of its own, so nothing is left from the one before.

What it does not do, and a server does: sessions, users but one, compressed replies, progress while a query runs.

With `--cluster-of-one` it passes for one node of a cluster of one shard and one replica. There is no Keeper inside, so
`ON CLUSTER` and `Replicated` are taken off, and a `Distributed` table becomes one over `remote('127.0.0.1', …)`, which
chDB serves from itself: the rest of the way, through the front table into the shard's views, is the engine's own.

Usage: python -m tests.clickhouse_front --data DIR --port N [--user U --password P] [--cluster-of-one]
"""

import argparse
import base64
import gzip
import json
import re
import secrets
import tempfile
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import chdb
import lz4.frame
import uvicorn
from backports import zstd
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

TRANSPORT = {
    "query", "database", "default_format", "session_id", "session_timeout", "session_check", "query_id", "quota_key",
    "wait_end_of_query", "client_protocol_version", "compress", "decompress", "buffer_size", "role", "user", "password",
    "send_progress_in_http_headers", "http_headers_progress_interval_ms", "enable_http_compression",
}  # fmt: skip
# As HTTPHandler maps codes; everything else is 500.
STATUS = {
    62: 400, 41: 400, 27: 400, 26: 400, 456: 400, 457: 400, 36: 400, 47: 404, 60: 404, 81: 404, 16: 404, 46: 404,
    115: 404, 159: 408, 164: 403, 497: 403, 516: 403, 307: 413, 396: 500, 158: 500,
}  # fmt: skip
INFLATE = {
    "gzip": gzip.decompress,
    "deflate": zlib.decompress,
    "lz4": lz4.frame.decompress,
    "zstd": zstd.decompress,
}
# INSERT INTO table [(columns)] [SETTINGS …] FORMAT name, then the rows: the only statement whose body is not all SQL.
INSERT_ROWS = re.compile(
    rb"\s*(INSERT\s+INTO\s+.*?)\s+FORMAT\s+(?!VALUES)(\w+)[ \t]*(?:\n|\Z)", re.IGNORECASE | re.DOTALL
)


class Failure(Exception):  # noqa: N818
    """What a server would answer with an exception code."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class Answer(NamedTuple):
    body: bytes
    format: str
    summary: dict[str, str]


def quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def alone(statement: str) -> str:
    """A statement for a cluster → the one that does the same on a node by itself."""
    if not re.match(r"\s*(CREATE|ALTER|DROP|DELETE)\b", statement):
        return statement
    statement = re.sub(r" ON CLUSTER `\w+`", "", statement)
    statement = re.sub(r"\bReplicated(\w*MergeTree)\('[^']*', '[^']*'(?:, )?", r"\1(", statement)
    statement = re.sub(r"\breplicated_deduplication_window_seconds = \d+,?\s*", "", statement)
    statement = statement.replace(" replicated_deduplication_window", " non_replicated_deduplication_window")
    return re.sub(
        r"\bAS \S+\s+ENGINE = Distributed\('\w+', '(\w+)', '(\w+)', (.*)\)\s*\Z",
        r"AS remote('127.0.0.1', '\1', '\2', 'default', '', \3)",
        statement,
    )


class Front:
    """One folder, one user."""

    def __init__(self, data: Path, user: str, password: str, cluster_of_one: bool) -> None:
        self._cluster_of_one = cluster_of_one
        self.path = str(data)
        self.spare = data.parent / f"{data.name}-bodies"
        self.spare.mkdir(parents=True, exist_ok=True)
        self._login = (user, password)
        self._keeps_it_open = chdb.connect(self.path)

    async def ping(self, request: Request) -> Response:
        return Response("Ok.\n")

    async def query(self, request: Request) -> Response:
        headers = {"X-ClickHouse-Query-Id": request.query_params.get("query_id") or secrets.token_hex(16)}
        try:
            self._check(request)
            body = await self._body(request)
            answer = await run_in_threadpool(self._run, dict(request.query_params), body)
        except Failure as failure:
            text = str(failure)
            text = text if text.startswith("Code:") else f"Code: {failure.code}. DB::Exception: {text}"
            headers["X-ClickHouse-Exception-Code"] = str(failure.code)
            return Response(text + "\n", status_code=STATUS.get(failure.code, 500), headers=headers)
        headers["X-ClickHouse-Summary"] = json.dumps(answer.summary)
        headers["X-ClickHouse-Timezone"] = "UTC"
        if answer.format:
            headers["X-ClickHouse-Format"] = answer.format
        return Response(answer.body, headers=headers, media_type="application/octet-stream")

    def _check(self, request: Request) -> None:
        """Basic authentication, the headers, or the URL, as a server takes them."""
        kind, _, value = request.headers.get("authorization", "").partition(" ")
        if kind == "Basic":
            user, _, password = base64.b64decode(value).decode().partition(":")
        else:
            user = request.headers.get("x-clickhouse-user") or request.query_params.get("user", "default")
            password = request.headers.get("x-clickhouse-key") or request.query_params.get("password", "")
        if (user, password) != self._login:
            raise Failure(
                516, f"{user}: Authentication failed: password is incorrect, or there is no user with such name."
            )

    async def _body(self, request: Request) -> bytes:
        body = await request.body()
        encoding = request.headers.get("content-encoding", "")
        if encoding and encoding not in INFLATE:
            raise Failure(48, f"Unknown compression method: {encoding}")
        if request.headers.get("content-type", "").startswith("multipart/form-data"):
            raise Failure(48, "the test front takes no multipart bodies")
        return INFLATE[encoding](body) if encoding else body

    def _run(self, url: dict[str, str], body: bytes) -> Answer:
        handle = chdb.connect(self.path)
        try:
            return self._answer(handle, url, body)
        except Failure:
            raise
        except Exception as error:
            code = re.match(r"(?:.*?)Code: (\d+)", str(error), re.DOTALL)
            raise Failure(int(code[1]) if code else 1002, str(error)) from error
        finally:
            handle.close()

    def _answer(self, handle: Any, url: dict[str, str], body: bytes) -> Answer:
        handle.query(f"USE {chr(96)}{url.get('database', 'default')}{chr(96)}")
        settings = {name: value for name, value in url.items() if name not in TRANSPORT}
        if settings:
            handle.query("SET " + ", ".join(f"{name} = {quoted(value)}" for name, value in settings.items()))
        query = url.get("query", "").encode()
        whole = query + b"\n" + body if query else body
        rows = INSERT_ROWS.match(whole)
        if rows:
            return self._insert(handle, rows, whole[rows.end() :])
        trailing = re.search(rb"\bFORMAT\s+(\w+)\s*;?\s*\Z", whole)
        form = trailing[1].decode() if trailing else url.get("default_format", "TabSeparated")
        result = handle.query(alone(whole.decode()) if self._cluster_of_one else whole.decode(), form)
        data = result.bytes()
        summary = {"read_rows": str(result.storage_rows_read()), "read_bytes": str(result.storage_bytes_read())}
        # A statement without a result names no format; a select without a row does.
        has_result = data or re.match(rb"\s*(SELECT|WITH|SHOW|DESCRIBE|DESC|EXISTS|EXPLAIN)\b", whole, re.IGNORECASE)
        return Answer(data, form if has_result else "", summary | {"result_rows": str(result.rows_read())})

    def _insert(self, handle: Any, statement: re.Match[bytes], rows: bytes) -> Answer:
        with tempfile.NamedTemporaryFile(dir=self.spare) as file:
            file.write(rows)
            file.flush()
            insert, form = statement[1].decode(), statement[2].decode()
            settings = re.search(r"\bSETTINGS\b.*\Z", insert, re.IGNORECASE | re.DOTALL)
            into, tail = (insert[: settings.start()], settings[0]) if settings else (insert, "")
            result = handle.query(f"{into} FROM INFILE {quoted(file.name)} {tail} FORMAT {form}")
        n, size = result.rows_read(), result.bytes_read()
        return Answer(b"", "", {"written_rows": str(n), "written_bytes": str(size), "read_rows": str(n)})


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--user", default="default")
    parser.add_argument("--password", default="")
    parser.add_argument("--cluster-of-one", action="store_true")
    options = parser.parse_args()
    front = Front(options.data, options.user, options.password, options.cluster_of_one)
    app = Starlette(
        routes=[
            Route("/ping", front.ping),
            Route("/", front.query, methods=["GET", "POST"]),
        ]
    )
    uvicorn.run(app, host="127.0.0.1", port=options.port, log_level="error", access_log=False)


if __name__ == "__main__":
    main()
