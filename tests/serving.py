"""`farside serve` with one address more: POST /sql answers any question, so that tests can look into the running engine.

chDB opens a data folder for one process at a time, and a process opens one folder: hence a process for every collector,
and this way in. Usage: python -m tests.serving --data DIR --port N [flags of serve]
"""

import pickle
import sys

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from collector import cli
from collector.app import create_app
from collector.settings import Settings
from collector.store import StoreAway


def create_inspectable_app(settings: Settings):
    app = create_app(settings)

    async def sql(request: Request) -> Response:
        question, parameters = pickle.loads(await request.body())
        try:
            rows = await run_in_threadpool(app.collector.store.read, question, parameters)
        except StoreAway as error:
            return Response(str(error), status_code=500)
        return Response(pickle.dumps(rows))

    app.starlette.router.routes.insert(0, Route("/sql", sql, methods=["POST"]))
    return app


if __name__ == "__main__":
    cli.create_app = create_inspectable_app
    sys.exit(cli.main(["serve", *sys.argv[1:]]))
