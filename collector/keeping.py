"""Keeping: people save a question under a name, name it anew, and let it go.

The routes lie behind the gate like those of the desk; each writes its change into the audit before it makes it.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from collector import audit
from collector.caller import caller_of, form_of
from collector.desk import Mended, answering
from collector.gate import NO_STORE
from collector.people import Person
from collector.query.fields import BadQuestion
from collector.query.question import parse
from collector.query.saved import PATHS, Saved, keep, named, plain_of, saved_queries
from collector.settings import Settings
from collector.store import Store


@dataclass(frozen=True, slots=True)
class Keeping:
    """The routes, over one store."""

    store: Store
    settings: Settings
    watermark: Callable[[], datetime]

    def routes(self) -> list[BaseRoute]:
        """Save, rename, delete."""
        return [
            Route("/saved", answering(self.save), methods=["POST"]),
            Route("/saved/{id}/rename", answering(self.rename), methods=["POST"]),
            Route("/saved/{id}/delete", answering(self.delete), methods=["POST"]),
        ]

    async def save(self, request: Request) -> Response:
        """The form at the foot of a page: `name`, the page it is `on` and the page's `query`, as its address had it."""
        form, person, now = await form_of(request), caller_of(request).person, datetime.now(UTC)
        path = form.get("on", "")
        if path not in PATHS:
            raise Mended(f"on = {path[:80]!r}; questions can be saved on {', '.join(PATHS)}")
        try:
            pairs = parse_qsl(form.get("query", ""), keep_blank_values=True, max_num_fields=200)
            question = parse(pairs, self.settings.apps, self.watermark())
            name = named(form.get("name", ""))
        except (BadQuestion, ValueError) as error:
            raise Mended(str(error)) from None
        saved = Saved(secrets.token_hex(8), now, now, person.name, question.app, name, path, plain_of(question))
        await anyio.to_thread.run_sync(self._save, person, saved)
        return RedirectResponse(f"/saved?app={question.app}#q-{saved.id}", 303, NO_STORE)

    def _save(self, person: Person, saved: Saved) -> None:
        audit.record(self.store, person, "query saved", saved.id, app=saved.app, after=_facts(saved))
        keep(self.store, saved)

    async def rename(self, request: Request) -> Response:
        """Another name for a saved question."""
        form = await form_of(request)
        try:
            name = named(form.get("name", ""))
        except BadQuestion as error:
            raise Mended(str(error)) from None
        person, id_ = caller_of(request).person, request.path_params["id"]
        saved = await anyio.to_thread.run_sync(self._rename, person, id_, name)
        return RedirectResponse(f"/saved?app={saved.app}#q-{saved.id}", 303, NO_STORE)

    def _rename(self, person: Person, id_: str, name: str) -> Saved:
        before = self._one(id_)
        after = replace(before, name=name, changed_at=datetime.now(UTC), who=person.name)
        audit.record(
            self.store, person, "query renamed", id_, app=after.app, before=_facts(before), after=_facts(after)
        )
        keep(self.store, after)
        return after

    async def delete(self, request: Request) -> Response:
        """Let a saved question go."""
        person, id_ = caller_of(request).person, request.path_params["id"]
        app = await anyio.to_thread.run_sync(self._delete, person, id_)
        return RedirectResponse(f"/saved?app={app}", 303, NO_STORE)

    def _delete(self, person: Person, id_: str) -> str:
        before = self._one(id_)
        audit.record(self.store, person, "query deleted", id_, app=before.app, before=_facts(before))
        keep(self.store, replace(before, changed_at=datetime.now(UTC), who=person.name), is_gone=True)
        return before.app

    def _one(self, id_: str) -> Saved:
        found = saved_queries(self.store, id_) if id_ else []
        if not found:
            raise Mended(f"there is no saved question {id_[:40]!r}", 404)
        return found[0]


def _facts(saved: Saved) -> dict[str, Any]:
    return {"name": saved.name, "path": saved.path, "question": saved.plain}
