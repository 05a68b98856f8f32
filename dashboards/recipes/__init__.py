"""Recipes: what a backend needs so that the browser learns its trace, per framework; shown by /setup, told in
docs/backends.md, and run by tests with the real frameworks. Files to copy, not to import.
"""

from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True, slots=True)
class Recipe:
    """For one framework: the `file` to copy (from `folder`), and the lines that use it."""

    title: str
    folder: str
    file: str
    usage: str

    @property
    def text(self) -> str:
        """The file."""
        return _read(self.folder, self.file)


@cache
def _read(folder: str, file: str) -> str:
    return (resources.files(folder) / file).read_text()


RECIPES = (
    Recipe(
        "Starlette, FastAPI", "collector.demo", "server_timing.py",
        "from server_timing import ServerTiming\n\napp = ServerTiming(app)  # last, around OpenTelemetry's instrumentation",
    ),
    Recipe(
        "Flask", "dashboards.recipes", "server_timing_wsgi.py",
        "from server_timing_wsgi import ServerTiming\n\n"
        "app.wsgi_app = ServerTiming(app.wsgi_app)  # after FlaskInstrumentor().instrument_app(app)",
    ),
    Recipe(
        "Django", "dashboards.recipes", "server_timing_wsgi.py",
        "# wsgi.py\nfrom server_timing_wsgi import ServerTiming\n\napplication = ServerTiming(get_wsgi_application())\n\n"
        "# settings.py\nMIDDLEWARE = [\"server_timing_wsgi.remember_server_span\", *MIDDLEWARE]",
    ),
    Recipe(
        "Express", "dashboards.recipes", "server-timing.cjs",
        "const { ServerTimingPropagator, serverTiming } = require('./server-timing.cjs');\n\n"
        "propagation.setGlobalPropagator(new ServerTimingPropagator());\napp.use(serverTiming);  // before everything else",
    ),
    Recipe(
        "nginx before an API on another origin", "dashboards.recipes", "nginx.conf",
        "location / {\n    include /etc/nginx/farside-cors.conf;  # the lines below, with your page's origin\n}",
    ),
)  # fmt: skip
