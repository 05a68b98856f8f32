"""The recipes of docs/backends.md, each with its real framework and OpenTelemetry's own instrumentation, in a browser."""

import html
import re
import shutil
import socket
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from dashboards.recipes import RECIPES
from tests.conftest import ROOT, Running, free_port, send, wait_until
from tests.traces.backends import backend

ENTRY = re.compile(r'(trace|traceparent);desc="00-([0-9a-f]{32})-([0-9a-f]{16})-01"')


@pytest.mark.parametrize("framework", ["starlette", "fastapi", "flask", "django", "express"])
def test_a_page_is_the_root_of_its_trace_and_a_fetch_knows_its_server(
    shared_collector: Running, browser: Browser, tmp_path: Path, framework: str
) -> None:
    collector = shared_collector
    with backend(framework, collector.url, tmp_path) as url:
        context = browser.new_context()
        page = context.new_page()
        page.goto(f"{url}/")
        view = f"app = 'demo' AND type = 'view' AND origin = '{url}'"
        collector.wait_for(f"SELECT count() FROM events WHERE origin = '{url}' AND type = 'fetch'")
        assert collector.value(f"SELECT trace_source FROM events WHERE {view}") == "server-timing"
        trace_id, span_id = collector.rows(f"SELECT trace_id, span_id FROM events WHERE {view}")[0].values()
        spans = "SELECT SpanId, ServiceName FROM otel_traces WHERE TraceId = {t:String} AND ParentSpanId = {p:String}"
        below = f"{spans} AND SpanKind = 'Server'"
        collector.wait_for(f"SELECT count() FROM ({below})", t=trace_id, p=span_id)
        (server,) = collector.rows(below, t=trace_id, p=span_id)
        assert server["ServiceName"] == framework
        fetch = collector.rows(f"SELECT * FROM events WHERE origin = '{url}' AND type = 'fetch'")[0]
        assert (fetch["trace_id"], fetch["trace_source"]) == (trace_id, "header")
        collector.wait_for(f"SELECT count() FROM ({below})", t=trace_id, p=fetch["span_id"])
        (served,) = collector.rows(below, t=trace_id, p=fetch["span_id"])
        assert served["SpanId"] == fetch["server_span_id"], "the reply named its server's span"
        context.close()


@pytest.mark.parametrize("framework", ["starlette", "fastapi", "flask", "django", "express"])
def test_what_a_reply_says(shared_collector: Running, tmp_path: Path, framework: str) -> None:
    page = {"sec_fetch_dest": "document", "accept": "text/html"}
    parent = "00-11111111111111112222222222222222-3333333333333333-01"
    with backend(framework, shared_collector.url, tmp_path) as url:
        said = ENTRY.fullmatch(send(f"{url}/", **page).headers["server-timing"])
        assert said
        assert said[1] == "trace"
        named = ENTRY.fullmatch(send(f"{url}/api/x", traceparent=parent).headers["server-timing"])
        assert named
        assert (named[1], named[2]) == ("traceparent", parent[3:35])
        assert named[3] != parent[36:52], "the server's own span, not its parent"
        assert "server-timing" not in send(f"{url}/kept", **page).headers, "a cache may keep it"
        assert "server-timing" not in send(f"{url}/api/x").headers, "neither a page nor traced"


@pytest.mark.skipif(not shutil.which("nginx"), reason="there is no nginx here")
def test_nginx_lets_traceparent_through_to_an_api_on_another_origin(
    shared_collector: Running, browser: Browser, tmp_path: Path
) -> None:
    collector, port = shared_collector, free_port()
    with (
        backend("starlette", collector.url, tmp_path, "shop") as shop,
        backend("fastapi", collector.url, tmp_path, "api") as api,
    ):
        lines = (ROOT / "dashboards" / "recipes" / "nginx.conf").read_text()
        lines = lines.replace("https://shop.example", shop).replace("http://127.0.0.1:8080", api)
        conf = tmp_path / "nginx.conf"
        conf.write_text(
            f"daemon off; pid {tmp_path}/pid; error_log {tmp_path}/error.log;\nevents {{}}\n"
            f"http {{ access_log off; server {{ listen 127.0.0.1:{port}; location / {{\n{lines}\n}} }} }}"
        )
        nginx = subprocess.Popen(["nginx", "-p", str(tmp_path), "-c", str(conf)], stderr=subprocess.DEVNULL)
        origin = f"http://127.0.0.1:{port}"
        wait_until(lambda: is_open(port))
        context = browser.new_context()
        page = context.new_page()
        page.goto(f"{shop}/blank")
        page.set_content(
            f"<script src='{collector.url}/farside.js' data-key=demo data-trace-origins={origin} "
            f"onload=\"fetch('{origin}/api/far?work=3')\"></script>"
        )
        url = f"{origin}/api/far"
        collector.wait_for("SELECT count() FROM events WHERE type = 'fetch' AND url = {u:String}", u=url)
        fetch = collector.rows("SELECT * FROM events WHERE type = 'fetch' AND url = {u:String}", u=url)[0]
        assert (fetch["status_code"], fetch["trace_source"]) == (200, "header")
        assert fetch["phases"]["request_ms"] >= 3, "Timing-Allow-Origin"
        served = "SELECT SpanId FROM otel_traces WHERE ParentSpanId = {p:String} AND SpanKind = 'Server'"
        collector.wait_for(f"SELECT count() FROM ({served})", p=fetch["span_id"])
        assert collector.value(served, p=fetch["span_id"]) == fetch["server_span_id"]
        context.close()
        nginx.terminate()
        nginx.wait(10)


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_setup_shows_each_recipe(shared_collector: Running) -> None:
    shown = html.unescape(shared_collector.get("/setup").body.decode())
    for recipe in RECIPES:
        assert recipe.title in shown
        assert recipe.usage in shown
        assert recipe.text in shown
