"""Dashboards: pages that answer questions about views, requests and traces, on `collector.query` and nothing else.

Rendered on the server and readable without JavaScript. No SQL here, no writes: what a page shows is what a function of
`collector.query` returned, and its JSON and CSV twins show the same.
"""

from dashboards.pages import lost, routes

__all__ = ["lost", "routes"]
