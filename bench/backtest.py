"""How long a backtest of seven days takes: 20 routes, a million events, every five minutes; prints JSON.

A tenth of the events are LCP reports of views, as in real beacons. Usage: python -m bench.backtest [--events 1000000]
"""

import argparse
import gc
import json
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from collector.alerts.backtest import backtest
from collector.alerts.text import read
from collector.store import Store

(RULE,) = read("{id: lcp, metric: lcp, aggregate: p75, where: {app: demo}, group_by: [route], fire: {above: 2500}}")
FILL = """
    INSERT INTO events (app, type, event_id, received_at, timestamp, session_id, view_id, user_id, seq, route, sample_n,
        visibility, name, value)
    WITH intDiv(number, 10) AS view, cityHash64(view) AS h
    SELECT 'demo', if(number % 10 = 0, 'vital', 'fetch'), concat(hex(number), '.1'), at, at,
        leftPad(lower(hex(h)), 32, '0'), leftPad(lower(hex(h)), 32, '0'), concat('u', toString(h % 20000)), 1,
        concat('/route/', toString(h % 20)), 1, 'visible', if(number % 10 = 0, 'LCP', 'GET'),
        if(number % 10 = 0, 1400 * exp(0.5 * randNormal(0, 1, number)), NULL)
    FROM (SELECT number, now64(3) - INTERVAL 1 MINUTE - toIntervalMillisecond(toInt64(number * (604800000 / {n}))) AS at
        FROM numbers({n}))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    options = parser.parse_args()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)  # as `farside serve` has it
    with tempfile.TemporaryDirectory() as folder:
        store = Store(f"chdb://{folder}/chdb", scratch=Path(folder) / "tmp")
        store.open()
        store._ready().command(FILL.replace("{n}", str(options.events)))
        now = datetime.now(UTC)
        took = []
        for _ in range(3):
            wall, cpu = time.perf_counter(), time.process_time()
            found = backtest(store, RULE, now - timedelta(days=7), now)
            took.append((time.perf_counter() - wall, time.process_time() - cpu))
        store.close()
    best = min(took)
    print(json.dumps({
        "events": options.events, "groups": 20, "moments": 2016, "flips": len(found.flips),
        "wall_s": round(best[0], 2), "cpu_s": round(best[1], 2), "promised_s": 1.0,
    }))  # fmt: skip


if __name__ == "__main__":
    main()
