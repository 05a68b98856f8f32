"""A shop's backend in one of four frameworks, instrumented as OpenTelemetry's documentation says, with our recipe.

Usage: python -m tests.backends.python flask|django|fastapi|starlette PORT COLLECTOR SERVICE
Every one answers `/` (a page with the snippet), `/kept` (one that a cache may keep) and `/api/NAME?work=MS` (which does
its work in a span of its own).
"""

import os
import sys
import threading
from typing import Any

import uvicorn
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

FRAMEWORK, PORT, COLLECTOR, SERVICE = sys.argv[1:]
PAGE = f"""<!doctype html><title>{SERVICE}</title><link rel="icon" href="data:,">
<script src="{COLLECTOR}/farside.js" data-key="demo" async></script>
<script>onload = () => fetch('/api/first?work=5')</script><h1>{SERVICE}</h1>"""
KEPT = {"cache-control": "max-age=60"}
tracer = trace.get_tracer("shop")


def work(name: str, ms: str | None) -> dict[str, str]:
    with tracer.start_as_current_span(f"look up {name}"):
        # libfaketime makes nonsense of time.sleep(): it alters the clock that absolute waits are told in.
        threading.Event().wait(float(ms or 0) / 1000)
    return {"name": name}


def flask() -> Any:
    from flask import Flask, Response, request
    from opentelemetry.instrumentation.flask import FlaskInstrumentor

    from dashboards.recipes.server_timing_wsgi import ServerTiming

    app = Flask(SERVICE)
    FlaskInstrumentor().instrument_app(app)
    app.wsgi_app = ServerTiming(app.wsgi_app)
    app.add_url_rule("/", "page", lambda: PAGE)
    app.add_url_rule("/kept", "kept", lambda: Response(PAGE, headers=KEPT))
    app.add_url_rule("/api/<name>", "api", lambda name: work(name, request.args.get("work")))
    return app


def django() -> Any:
    from django.conf import settings
    from django.core.wsgi import get_wsgi_application
    from django.http import HttpResponse, JsonResponse
    from django.urls import path
    from opentelemetry.instrumentation.django import DjangoInstrumentor

    from dashboards.recipes.server_timing_wsgi import ServerTiming

    settings.configure(
        ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, SECRET_KEY="a test's",
        MIDDLEWARE=["dashboards.recipes.server_timing_wsgi.remember_server_span"],
    )  # fmt: skip
    DjangoInstrumentor().instrument()
    globals()["urlpatterns"] = [
        path("", lambda request: HttpResponse(PAGE)),
        path("kept", lambda request: HttpResponse(PAGE, headers=KEPT)),
        path("api/<name>", lambda request, name: JsonResponse(work(name, request.GET.get("work")))),
    ]
    return ServerTiming(get_wsgi_application())


def fastapi() -> Any:
    from fastapi import FastAPI
    from fastapi.responses import HTMLResponse
    from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor

    from collector.demo.server_timing import ServerTiming

    app = FastAPI()
    app.get("/")(lambda: HTMLResponse(PAGE))
    app.get("/kept")(lambda: HTMLResponse(PAGE, headers=KEPT))

    @app.get("/api/{name}")
    def api(name: str, work: str = "0") -> dict[str, str]:
        return globals()["work"](name, work)

    FastAPIInstrumentor.instrument_app(app)
    return ServerTiming(app)


def starlette() -> Any:
    from opentelemetry.instrumentation.starlette import StarletteInstrumentor
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import HTMLResponse, JSONResponse
    from starlette.routing import Route

    from collector.demo.server_timing import ServerTiming

    def page(request: Request) -> HTMLResponse:
        return HTMLResponse(PAGE, headers=KEPT if request.url.path == "/kept" else None)

    def api(request: Request) -> JSONResponse:
        return JSONResponse(work(request.path_params["name"], request.query_params.get("work")))

    app = Starlette(routes=[Route("/", page), Route("/kept", page), Route("/api/{name}", api)])
    StarletteInstrumentor.instrument_app(app)
    return ServerTiming(app)


def main() -> None:
    resource = Resource.create({"service.name": SERVICE, "host.name": f"{SERVICE}-1"})
    provider = TracerProvider(resource=resource)
    exporter = OTLPSpanExporter(endpoint=os.environ.get("SPANS_TO") or f"{COLLECTOR}/v1/traces")
    provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=200))
    trace.set_tracer_provider(provider)
    app = globals()[FRAMEWORK]()
    if FRAMEWORK in {"flask", "django"}:
        from socketserver import ThreadingMixIn
        from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

        class Server(ThreadingMixIn, WSGIServer):
            daemon_threads = True

        class Quiet(WSGIRequestHandler):
            def log_message(self, *arguments: Any) -> None:
                pass

        make_server("127.0.0.1", int(PORT), app, Server, Quiet).serve_forever()
    else:
        uvicorn.run(app, port=int(PORT), log_level="warning")


if __name__ == "__main__":
    main()
