"""Pages: which address shows what."""

from collections.abc import Callable
from datetime import datetime

from starlette.routing import BaseRoute

from collector.settings import Settings
from collector.store import Store


def routes(store: Store, settings: Settings, watermark: Callable[[], datetime]) -> list[BaseRoute]:
    """The routes of all pages."""
    return []
