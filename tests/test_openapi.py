"""docs/openapi.yaml is what the collector does: schemathesis sends what the document allows and forbids, to a real
collector, and no reply is outside of it. Outcomes and the beacon's fields are compared with the code that knows them.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from collector.beacon import Beacon
from collector.outcomes import Outcome
from tests.conftest import ROOT, Running

DOCUMENT = ROOT / "docs" / "openapi.yaml"
SPANS_ONLY = {Outcome.BAD_OTLP, Outcome.BAD_TOKEN}
BEACONS_ONLY = {
    Outcome.BAD_JSON, Outcome.BAD_VERSION, Outcome.BAD_BEACON, Outcome.NO_EVENT, Outcome.UNKNOWN_KEY,
    Outcome.ORIGIN_REFUSED, Outcome.RATE_LIMITED, Outcome.STORED,
}  # fmt: skip
# Left out: negative_data_rejection and positive_data_acceptance. What a beacon says beyond the schema is ignored or
# refused event by event, and a well-formed one may still be of an unknown key.
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
    "response_schema_conformance,unsupported_method"
)


def document() -> dict[str, Any]:
    return dict(yaml.safe_load(DOCUMENT.read_text()))


def schemas_of_the_decoder() -> dict[str, Any]:
    """The JSON Schema of what `collector.beacon` reads, without what enrichment and the decoder put there themselves."""
    _, found = msgspec.json.schema_components([Beacon], ref_template="#/components/schemas/{name}")
    beacon, event = found["Beacon"], found["Event"]
    for name in ("refused", "reason"):
        beacon["properties"].pop(name, None)
    for name in ("clamped", "endpoint", "fingerprint"):
        event["properties"].pop(name)
    beacon["properties"]["v"] = {"const": 1}
    beacon["properties"]["events"]["minItems"] = 1
    for schema in (beacon, event):
        schema.pop("title")
        schema.pop("description")
        for field in schema["properties"].values():
            field.pop("default", None)
            if "pattern" in field:  # which says how long it is
                field.pop("minLength", None)
                field.pop("maxLength", None)
    # Python's end of text is JSON Schema's `$`.
    return dict(json.loads(json.dumps({"Beacon": beacon, "Event": event}).replace("\\\\Z", "$")))


def outcomes_of(path: str) -> dict[int, set[str]]:
    """What the document says of POST to this path: status → words of X-Farside."""
    whole = document()
    found = {}
    for status, written in whole["paths"][path]["post"]["responses"].items():
        response = written
        if "$ref" in written:
            response = whole["components"]["responses"][written["$ref"].rpartition("/")[2]]
        found[int(status)] = set(response.get("headers", {}).get("X-Farside", {}).get("schema", {}).get("enum", []))
    return found


def at_the_door(without: set[Outcome]) -> dict[int, set[str]]:
    found: dict[int, set[str]] = {}
    for outcome in Outcome:
        if outcome.status and outcome not in without:
            found.setdefault(outcome.status, set()).add(str(outcome))
    return found


def test_the_document_names_every_outcome_of_the_door() -> None:
    refusals = {outcome for outcome in Outcome if outcome.status >= 400}
    assert set(document()["components"]["schemas"]["Refusal"]["properties"]["outcome"]["enum"]) == refusals
    assert outcomes_of("/b") == at_the_door(without=SPANS_ONLY)
    assert outcomes_of("/v1/traces") == at_the_door(without=BEACONS_ONLY) | {200: set()}


def test_the_document_has_the_beacon_that_the_decoder_reads() -> None:
    written = document()["components"]["schemas"]
    assert {name: written[name] for name in ("Beacon", "Event")} == schemas_of_the_decoder()


def run_schemathesis(collector: Running, folder: Path) -> tuple[subprocess.CompletedProcess[str], list[dict[str, Any]]]:
    """Bounded, the same inputs every time; returns what it said and every exchange it had."""
    report = folder / "exchanges.har"
    command = [
        sys.executable, "-m", "schemathesis.cli", "--config-file", os.devnull, "run", str(DOCUMENT),
        "--url", collector.url, "--checks", CHECKS, "--phases", "examples,coverage,fuzzing",
        "--max-examples", "30", "--generation-deterministic", "--no-color", "--continue-on-failure",
        "--report-har-path", str(report),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=folder, check=False)
    entries = json.loads(report.read_text())["log"]["entries"] if report.exists() else []
    return done, entries


def test_no_reply_is_outside_of_the_document(shared_collector: Running, tmp_path: Path) -> None:
    done, exchanges = run_schemathesis(shared_collector, tmp_path)
    assert done.returncode == 0, done.stdout[-6_000:] + done.stderr[-2_000:]
    seen = {header["value"] for e in exchanges for header in e["response"]["headers"] if header["name"] == "x-farside"}
    statuses = [e["response"]["status"] for e in exchanges]
    assert len(exchanges) > 300
    assert {status for status in statuses if status >= 500} == set()
    assert {"stored", "bad_json", "bad_beacon", "bad_encoding", "bad_method", "bad_otlp"} <= seen
    assert seen <= {str(outcome) for outcome in Outcome}
    assert "Traceback" not in shared_collector.log


@pytest.mark.parametrize("path", ["/b", "/v1/traces"])
def test_a_wrong_method_names_the_right_ones(shared_collector: Running, path: str) -> None:
    reply = shared_collector.get(path)
    allowed = {"post", "options"} & set(document()["paths"][path])
    assert (reply.status, reply.outcome) == (405, "bad_method")
    assert {word.strip().lower() for word in reply.headers["allow"].split(",")} == allowed
