"""The test bed: a real browser, instrumented backends in Python and Node, each machine on a clock of its own.

Backends run under Debian's libfaketime, their clocks wrong by up to two minutes; the browser's
is shifted in the page, for libfaketime brings Chromium's own timers to a stop. Of the backends' spans a tenth comes late and
a twentieth never. `python -m bench.clocks` runs it with many sessions; here are a few, always the same.
"""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from bench.clocks import Bed, measure
from tests.conftest import Running
from tests.traces.backends import faked


@pytest.mark.skipif(not faked(1.0), reason="there is no faketime here")
def test_what_browser_and_backends_saw_is_put_together(
    shared_collector: Running, browser: Browser, tmp_path: Path
) -> None:
    found = measure(Bed(shared_collector, browser, tmp_path, seed=7), sessions=4)
    assert found.fetches >= 40
    assert found.joined_of_due == 1.0, found
    assert found.wrong_reasons == [], found
    assert found.offsets_inside == found.offsets, found
    assert found.outside_their_request == [], found
    assert found.offsets == 4
