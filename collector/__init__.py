"""The journey of a beacon.

A page view happens in somebody's browser. The snippet (`js-snippet/`, built into `collector/snippet/`) watches it and
posts what it saw: a beacon, a few events of one view.

The beacon arrives at the door. `beacon` turns its bytes into typed things, or refuses them; backends' spans come the same
way through `otlp`. Every story has exactly one end, and `outcomes` names it: the same word stands in the reply's header,
in the counter, in the ledger and on the pages. `enrich` adds what the collector knows (whose page, which browser, which
route) in a tuple of pure steps and takes away what is nobody's business. `ingest` is the door itself: HTTP in, one line
into the spool, and only when the line is on disk an answer.

The `spool` is a folder. Lines gather in an open file; a sealed file belongs to `load`, which drops the beacons it has
`seen`, freezes the rest into a segment whose bytes never change again, and ships it under its name until the `store`
acknowledges. The door never waits for any of that: a store that is away costs freshness and nothing else.

The `store` is ClickHouse, embedded or served. One line is one row of a table that keeps nothing; views on it expand the
line into event rows, browser spans and the ledger, all inside one insert that happens once. Python decides, ClickHouse
expands.

Readers come last. `query` is one function per question with its SQL in a file of the same name; `traces` puts the
browser's spans and the backends' into one tree and one time. `alerts` asks the same questions as the watermark moves and
writes down what flips; `notify` sees to it that somebody hears. `dashboards` draws what they answer and asks nothing of
its own. `settings` are read once, in `cli`, and passed along; `app` wires it all. `demo` is a shop that uses Farside like
anybody else would.

Whoever reads or changes anything passes the `gate`, which knows `people` and tells the routes behind it who asks
(`caller`). What they change goes over the `desk`, and into the `audit` before it is done.

Each module knows only what lies upstream of it. import-linter holds that order, and one rule more: the door never waits
for the store.
"""
