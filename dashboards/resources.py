"""Resources: the cost of others: third parties by count, bytes, time, blocking and failures; and the page's own assets."""

from dataclasses import asdict
from functools import partial
from typing import Any

from starlette.requests import Request

from collector.query import overview, people, resources
from collector.query.resources import Asset, ThirdParty
from dashboards.site import Page, Site
from dashboards.twins import Row, percentile


async def page(site: Site, request: Request) -> Page:
    """The page at `/resources` and its twins."""
    q = site.question(request)
    panels = await site.ask(
        request,
        {
            "others": partial(resources.other_hosts, site.store, q),
            "assets": partial(resources.assets, site.store, q),
            "rates": partial(people.rates, site.store, q),
        },
    )
    others: list[ThirdParty] = panels["others"].value or []
    own: list[Asset] = panels["assets"].value or []
    presence = None
    if panels["others"].is_answered and panels["assets"].is_answered and not others and not own:
        found = await site.ask(request, {"presence": partial(overview.presence, site.store, q)})
        presence = found["presence"].value
    tables = {"third_parties": [_row(one) for one in others], "assets": [_row(one) for one in own]}
    context: dict[str, Any] = {
        "presence": presence, "others": others, "assets": own,
        "views": max(1, panels["rates"].value.views) if panels["rates"].value else 1,
        "most": max((one.total_bytes for one in others), default=0) or 1,
        "most_own": max((one.total_bytes for one in own), default=0) or 1,
    }  # fmt: skip
    return Page("resources.html", "Resources", q, "/resources", panels, tables, context=context)


def _row(one: ThirdParty | Asset) -> Row:
    plain = {name: value for name, value in asdict(one).items() if name != "took"}
    return plain | percentile("duration_ms_", one.took)
