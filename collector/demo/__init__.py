"""The demo shop: a small store whose pages and services Farside watches.

Three processes (`web`, `product`, `image`), each with its own SQLite file and the real OpenTelemetry SDK, send their
spans to a collector; the pages carry the snippet. The product list scrolls with the bug this project began with.
The shop is a user of Farside like any other: it knows a collector's address and nothing else of it.
"""

from collector.demo.run import main

__all__ = ["main"]
