"""One page load is one trace through all services, and Server-Timing tells the browser its place in it."""

import re

import httpx
import pytest

from tests.demo.sink import CLIENT, SERVER

DOCUMENT = {"Sec-Fetch-Dest": "document", "Accept": "text/html"}
FETCHED = "00-11111111111111112222222222222222-3333333333333333-01"


def test_a_page_load_spans_web_product_and_image(shop: str, sink) -> None:
    trace_id, browser_span_id = offered(httpx.get(f"{shop}/products", headers=DOCUMENT))
    spans = {span.span_id: span for span in sink.trace(trace_id, {"web", "product", "image"})}
    servers = [span for span in spans.values() if span.kind == SERVER]
    assert {span.service: span.name for span in servers if span.parent_id == browser_span_id} == {
        "web": "GET /products"
    }
    inner = [span for span in servers if span.service != "web"]
    assert {(spans[span.parent_id].service, spans[span.parent_id].kind) for span in inner} == {("web", CLIENT)}
    # Nobody's parent is missing but the browser's own span, which the snippet will send.
    assert {span.parent_id for span in spans.values()} - set(spans) == {browser_span_id}
    assert any(span.name.startswith("SELECT") for span in spans.values())


def test_a_fetch_with_traceparent_is_continued(shop: str, sink) -> None:
    reply = httpx.get(f"{shop}/api/products?page=2", headers={"traceparent": FETCHED})
    said = re.fullmatch(r'traceparent;desc="00-([0-9a-f]{32})-([0-9a-f]{16})-01"', reply.headers["server-timing"])
    assert said
    assert said[1] == FETCHED.split("-")[1]
    (server,) = [span for span in sink.trace(said[1], {"web"}) if span.span_id == said[2]]
    assert (server.service, server.kind, server.parent_id) == ("web", SERVER, FETCHED.split("-")[2])


def test_two_page_loads_are_two_traces(shop: str) -> None:
    assert offered(httpx.get(shop, headers=DOCUMENT)) != offered(httpx.get(shop, headers=DOCUMENT))


@pytest.mark.parametrize("sent", [{}, DOCUMENT, {"traceparent": FETCHED}])
@pytest.mark.parametrize("path", ["/images/5", "/static/shop.css"])
def test_what_a_cache_may_keep_names_no_trace(shop: str, path: str, sent: dict[str, str]) -> None:
    reply = httpx.get(shop + path, headers=sent)
    assert reply.status_code == 200
    assert "server-timing" not in reply.headers


def test_a_token_goes_with_the_spans(start, sink, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FARSIDE_OTLP_TOKEN", "s3cret")
    trace_id, _ = offered(httpx.get(start("--port=0", f"--collector={sink.url}").opened(), headers=DOCUMENT))
    sink.trace(trace_id, {"web", "product", "image"})
    assert any(headers.get("authorization") == "Bearer s3cret" for headers in sink.headers)
    assert all(headers["content-type"] == "application/x-protobuf" for headers in sink.headers)


def offered(reply: httpx.Response) -> tuple[str, str]:
    """The trace and the browser's span that a page was offered."""
    said = re.fullmatch(r'trace;desc="00-([0-9a-f]{32})-([0-9a-f]{16})-01"', reply.headers["server-timing"])
    assert said, reply.headers
    return said[1], said[2]
