"""The OpenTelemetry SDK for Node exports unmodified, in protobuf and in JSON; its packages are pinned in tests/node."""

import json
import os
import subprocess

import pytest

from tests import npm
from tests.conftest import Running


@pytest.mark.parametrize("compression", ["none", "gzip"])
@pytest.mark.parametrize("exporter", ["proto", "http"], ids=["proto", "json"])
def test_the_node_sdk_exports_unmodified(shared_collector: Running, exporter: str, compression: str) -> None:
    environment = os.environ | {
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{shared_collector.url}/v1/traces",
        "OTEL_EXPORTER_OTLP_COMPRESSION": compression,
        "OTEL_LOG_LEVEL": "warn",
    }
    done = subprocess.run(
        [*npm.program("export.mjs"), exporter], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    sent = json.loads(done.stdout)
    shared_collector.settled()
    rows = shared_collector.rows(
        "SELECT * FROM otel_traces WHERE TraceId = {t:String} ORDER BY SpanName", t=sent["trace"]
    )
    outer, inner = rows
    assert (outer["SpanId"], outer["SpanName"], outer["SpanKind"]) == (sent["outer"], "GET /images/:id", "Server")
    assert (outer["ServiceName"], outer["ResourceAttributes"]["service.version"]) == ("images", "3")
    assert (outer["ScopeName"], outer["ScopeVersion"], outer["ParentSpanId"]) == ("test", "1.2", "")
    assert outer["SpanAttributes"] == {
        "n": "3", "half": "0.5", "ok": "true", "sizes": '["s", "l"]', "word": "größer",
    }  # fmt: skip
    assert (inner["SpanId"], inner["ParentSpanId"], inner["SpanKind"]) == (sent["inner"], sent["outer"], "Internal")
    assert (inner["StatusCode"], inner["StatusMessage"]) == ("Error", "no such image")
    assert inner["Events.Name"] == ["started", "exception"]
    assert inner["Events.Attributes"][0] == {"k": "v"}
    assert inner["Events.Attributes"][1]["exception.message"] == "no such image"
    assert (inner["Links.TraceId"], inner["Links.SpanId"]) == ([sent["trace"]], [sent["outer"]])
    assert inner["Links.Attributes"] == [{"why": "test"}]
    assert inner["Duration"] >= 0
