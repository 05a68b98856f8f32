"""Traces: the spans of browsers and backends as one tree, in one time.

`weave` adds what only the view's events know (feed loads, assets, long frames), `tree` hangs every span on its parent
or says why it could not, `clock` bounds how far the browser's clock is from each backend host's, `waterfall` puts it
together for a reader. No span is ever rewritten: what the clocks disagree by is taken off when a time is shown.
"""
