"""`farside serve` with one address more: POST /sql answers any question, so that tests can look into the running engine.

chDB opens a data folder for one process at a time, and a process opens one folder: hence a process for every collector,
and this way in. Usage: python -m tests.serving --data DIR --port N [flags of serve]
"""

import pickle
import sys

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from collector import cli
from collector.app import Collector, Front
from collector.store import StoreAway


class InspectableFront(Front):
    async def __call__(self, scope, receive, send):
        if scope["type"] == "http" and scope["path"] == "/sql":
            await (await self._answer(Request(scope, receive)))(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        question, parameters = pickle.loads(await request.body())
        try:
            rows = await run_in_threadpool(self.collector.store.read, question, parameters)
        except StoreAway as error:
            return Response(str(error), status_code=500)
        return Response(pickle.dumps(rows))


if __name__ == "__main__":
    cli.create_app = lambda settings: InspectableFront(Collector(settings))
    sys.exit(cli.main(["serve", *sys.argv[1:]]))
