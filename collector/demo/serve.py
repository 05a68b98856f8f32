"""Serve one of the shop's services in this process: `python -m collector.demo.serve web --fd 3 --store FILE …`.

The listening socket comes from the parent, so a port is never lost between choosing and binding. The service ends when
its standard input does: that is how the parent stops it, and what happens by itself when the parent is killed.
"""

import argparse
import logging
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

import uvicorn
from opentelemetry.instrumentation.starlette import StarletteInstrumentor
from starlette.types import ASGIApp

from collector.demo import (
    checkout,
    comment,
    flags,
    identity,
    image,
    moderation,
    photo,
    product,
    telemetry,
    voting,
    web,
)
from collector.demo.lifeline import when_parent_is_gone
from collector.demo.roster import NAMES
from collector.demo.server_timing import ServerTiming
from collector.demo.troubles import Troubles
from collector.demo.upstream import Upstream

ALONE = {
    "product": product.app,
    "image": image.app,
    "identity": identity.app,
    "photo": photo.app,
    "moderation": moderation.app,
    "voting": voting.app,
    "flags": flags.app,
}
ASKING = {"comment": comment.app, "checkout": checkout.app}


def main(argv: Sequence[str]) -> None:
    options = _parser().parse_args(argv)
    logging.basicConfig(level=logging.INFO if options.verbose else logging.WARNING, format="%(message)s")
    stop_telemetry = telemetry.start(options.name, options.release, options.collector)
    config = uvicorn.Config(_app(options), log_config=None, access_log=options.verbose, timeout_graceful_shutdown=2)
    server = uvicorn.Server(config)
    when_parent_is_gone(lambda: setattr(server, "should_exit", True))
    try:
        server.run(sockets=[socket.socket(fileno=options.fd)])
    finally:
        stop_telemetry()


def _app(options: argparse.Namespace) -> ASGIApp:
    urls = dict(pair.split("=", 1) for pair in options.at)
    troubles = Troubles(options.troubles)
    if options.name == "web":
        shop = web.app(options.store, web.Surroundings(urls, options.snippet, options.release, troubles))
        StarletteInstrumentor.instrument_app(shop)
        return ServerTiming(shop)
    if options.name in ASKING:
        service = ASKING[options.name](options.store, troubles, Upstream(urls))
    else:
        service = ALONE[options.name](options.store, troubles)
    StarletteInstrumentor.instrument_app(service)
    return service


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m collector.demo.serve", description=__doc__)
    parser.add_argument("name", choices=NAMES)
    parser.add_argument("--fd", type=int, required=True, help="the listening socket")
    parser.add_argument("--store", type=Path, required=True, help="SQLite file")
    parser.add_argument("--collector", required=True, help="where spans go, a base URL")
    parser.add_argument("--release", required=True)
    parser.add_argument("--troubles", type=Path, required=True, help="the file that says what is wrong today")
    parser.add_argument("--at", action="append", default=[], metavar="NAME=URL", help="where another service is")
    parser.add_argument("--snippet", default="", help="where browsers fetch farside.js, for the web front")
    parser.add_argument("--verbose", action="store_true", help="log every request")
    return parser


if __name__ == "__main__":
    main(sys.argv[1:])
