"""Routes: a path → its template, learned from the paths themselves, never more than a budget of them.

Numbers, UUIDs, hashes and long random parts are variables at first sight. Names are not (`/blog/how-we-did-it`): a place
in the tree under which more than MAX_SIBLINGS different names have been seen becomes `:slug` for good. What was learned is
kept in `<data>/routes.json`, written by the loader from what is in the store and read by every door, so that a route is
the same after a restart and behind any door.
"""

import json
import re
from collections.abc import Iterable
from pathlib import Path

MAX_SIBLINGS = 50
MAX_ROUTES = 2_000
OTHER = "{other}"

_VARIABLE_PART = re.compile(
    r"\d+"
    r"|[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
    r"|(?=[^/]*\d)[0-9a-fA-F]{8,}"
    r"|(?=[^/]*\d)(?=[^/]*[A-Za-z])[A-Za-z0-9_-]{20,}"
)


class Routes:
    """What has been learned of one app's paths: its routes, and the places whose children are slugs."""

    def __init__(self) -> None:
        self.known: set[str] = set()
        self.slugs: set[str] = set()
        self._children: dict[str, set[str]] = {}
        self._cache: dict[str, str] = {}

    def template(self, path: str, origin: str = "") -> str:
        """The route of a path, after its origin if it has one; OTHER once the budget is spent on other routes."""
        whole = origin + path
        route = self._cache.get(whole)
        if route is None:
            route = self.admit(self._walk(path, origin))
            if len(self._cache) >= 4 * MAX_ROUTES:
                self._cache.clear()
            self._cache[whole] = route
        return route

    def admit(self, route: str) -> str:
        """A route the page named itself or the tree found: itself while the budget lasts, else OTHER."""
        if route in self.known:
            return route
        if len(self.known) >= MAX_ROUTES:
            return OTHER
        self.known.add(route)
        return route

    def learn(self, routes: Iterable[str], slugs: Iterable[str] = ()) -> None:
        """Take over what is already known from elsewhere."""
        self.slugs.update(slugs)
        for route in routes:
            if route != OTHER:
                self.admit(self._walk(route))
        self._cache.clear()

    def _walk(self, path: str, origin: str = "") -> str:
        place = origin
        for part in path.split("/")[1:]:
            place = f"{place}/{self._name(place, part)}"
            if len(place) > 256:
                return place[:256]
        return place or "/"

    def _name(self, place: str, part: str) -> str:
        if not part or part.startswith((":", "{")):
            return part
        if _VARIABLE_PART.fullmatch(part):
            return ":id"
        if place in self.slugs:
            return ":slug"
        children = self._children.setdefault(place, set()) if len(self._children) < MAX_ROUTES else set()
        children.add(part)
        if len(children) <= MAX_SIBLINGS:
            return part
        self._fold(place)
        return ":slug"

    def _fold(self, place: str) -> None:
        """From now on the children of this place are slugs; the routes they took up are free again."""
        self.slugs.add(place)
        inside = place + "/"
        self.known = {route for route in self.known if not route.startswith(inside)}
        self._children = {p: c for p, c in self._children.items() if p != place and not p.startswith(inside)}
        self._cache.clear()


class RouteBook:
    """The routes of every app, and the file they are shared through."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._read_at = 0.0
        self._apps: dict[str, Routes] = {}

    def of(self, app: str) -> Routes:
        """One app's routes."""
        return self._apps.setdefault(app, Routes())

    def refresh(self) -> None:
        """Read the file if it changed; a file that cannot be read changes nothing."""
        try:
            changed_at = self._file.stat().st_mtime
            if changed_at == self._read_at:
                return
            learned = json.loads(self._file.read_text())
        except (OSError, ValueError):
            return
        self._read_at = changed_at
        for app, found in learned.items():
            self.of(app).learn(found["routes"], found["slugs"])


def write_learned(file: Path, routes_by_app: dict[str, list[str]]) -> None:
    """Write what the store holds: templates as they are, and which places have slugs for children."""
    learned = {}
    for app, found in routes_by_app.items():
        routes = Routes()
        routes.learn(found)
        slugs = routes.slugs | {r.split("/:slug")[0] for r in found if "/:slug" in r}
        learned[app] = {"routes": sorted(routes.known), "slugs": sorted(slugs)}
    draft = file.with_suffix(".draft")
    draft.write_text(json.dumps(learned, indent=1))
    draft.replace(file)
