"""A read-only server of one results root for the browser on the same machine.

Records are data of somebody else, and other pages in the same browser can send requests to this machine. So
the server listens to the loopback address alone, answers GET and HEAD only, under this machine's own names
only (a foreign name could be pointed here), and a stored report is shown in a sandbox.
"""

from __future__ import annotations

import base64
import hashlib
import logging
import socket
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import HTTPException, InternalServerError, NotFound
from werkzeug.routing import Map, Rule
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server
from werkzeug.utils import send_file
from werkzeug.wrappers import Request, Response

from prior_bench import logs
from prior_bench.browsing import runs, stores
from prior_bench.errors import BenchError
from prior_bench.escaping.page import environment
from prior_bench.io.bounded import is_own_file
from prior_bench.report import html
from prior_bench.report.runs.run_text import inline
from prior_bench.store.store import Store

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

LOG = logging.getLogger(__name__)
HOST = "127.0.0.1"
NAMES = ["localhost", "127.0.0.1"]
"""Names under which a browser may ask."""

ROUTES = Map(
    [
        Rule("/", endpoint="all_stores", methods=["GET"]),
        Rule("/stores/<name>/", endpoint="one_store", methods=["GET"]),
        Rule("/stores/<name>/report", endpoint="report", methods=["GET"]),
        Rule("/stores/<name>/runs/<key>", endpoint="one_run", methods=["GET"]),
        Rule("/stores/<name>/compare", endpoint="compare", methods=["GET"]),
    ]
)
TEMPLATES = Path(__file__).parent / "templates"
REPORT_TEMPLATES = Path(html.__file__).parent / "templates"
SCRIPT = (REPORT_TEMPLATES / "sort.js").read_text("utf-8")
DIGEST = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
NOTHING_ELSE = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
OUR_PAGE = f"{NOTHING_ELSE}; script-src 'sha256-{DIGEST}'; form-action 'self'"
"""What our pages may load: no script but the one that sorts tables."""

STORED_PAGE = f"sandbox allow-scripts; {NOTHING_ELSE}; script-src 'unsafe-inline'"
"""What a stored report may do: nothing with this server, whoever wrote it."""


class ResultsSite:
    """The pages of one results root, as a WSGI application.

    Args:
        root: folder with one store per suite.
    """

    def __init__(self, root: Path):
        self.root = root
        self.templates = environment(TEMPLATES, REPORT_TEMPLATES)
        self.templates.filters["inline"] = inline

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request; what cannot be answered is a page that says why."""
        request = Request(environ)
        request.trusted_hosts = NAMES
        try:
            request.host  # noqa: B018  raises SecurityError, which is answered with 400
            endpoint, values = ROUTES.bind_to_environ(environ).match()
            response = getattr(self, endpoint)(request, **values)
        except HTTPException as error:
            response = self.refusal(error.name, error.description or "", error.code or 500, error)
        except BenchError as error:
            response = self.refusal("Not possible", str(error), 404)
        except Exception:  # a page that cannot be made must not end the server
            LOG.exception("the page %s could not be made", request.path)
            fault = InternalServerError()
            response = self.refusal(fault.name, f"A log in {logs.folder()} says what went wrong.", 500)
        response.headers.setdefault("Content-Security-Policy", OUR_PAGE)
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cache-Control"] = "no-store"
        return response(environ, start_response)

    def all_stores(self, request: Request) -> Response:
        """The list of stores."""
        lines = [stores.store_line(Store(self.root / name)) for name in stores.store_names(self.root)]
        return self.page("stores.html.j2", title="Results", root=self.root, lines=lines)

    def one_store(self, request: Request, name: str) -> Response:
        """The runs of a store."""
        store = stores.store_named(self.root, name)
        lines = stores.run_lines(store)
        has_report = is_own_file(store.root / stores.REPORT)
        return self.page("store.html.j2", title=name, lines=lines, has_report=has_report)

    def report(self, request: Request, name: str) -> Response:
        """The stored report of a store."""
        place = stores.store_named(self.root, name).root / stores.REPORT
        if not is_own_file(place):
            raise NotFound(f"{name} has no report: prior-bench report {name} writes it.")
        response = send_file(place.absolute(), request.environ, mimetype="text/html")
        response.headers["Content-Security-Policy"] = STORED_PAGE
        return response

    def one_run(self, request: Request, name: str, key: str) -> Response:
        """Everything about a run; ``?intervals=1`` computes its intervals."""
        run = stores.run_named(stores.store_named(self.root, name), key)
        about = runs.run_context(run, with_intervals=request.args.get("intervals") == "1")
        return self.page("run.html.j2", title=about["what"], name=name, **about)

    def compare(self, request: Request, name: str) -> Response:
        """Two runs of a store, ``?first=KEY&second=KEY``."""
        store = stores.store_named(self.root, name)
        keys = [request.args.get(side, "") for side in ("first", "second")]
        if not all(keys) or keys[0] == keys[1]:
            raise NotFound("Choose two different runs.")
        about = runs.comparison_context(*(stores.run_named(store, key) for key in keys))
        return self.page("compare.html.j2", title="Comparison", name=name, **about)

    def refusal(self, title: str, text: str, code: int, error: HTTPException | None = None) -> Response:
        """A page that says why there is none."""
        if error is not None and error.get_response().status_code < 400:
            return Response(status=error.code, headers=dict(error.get_headers()))  # a redirection
        response = self.page("refusal.html.j2", title=title, text=text)
        response.status_code = code
        return response

    def page(self, template: str, **values: Any) -> Response:
        """Fill a template."""
        text = self.templates.get_template(template).render(script=SCRIPT, **values)
        return Response(text, mimetype="text/html")


class QuietHandler(WSGIRequestHandler):
    """Requests go to the log of the command and not to the terminal."""

    def log(self, type: str, message: str, *args: Any) -> None:
        """Log a line."""
        LOG.info(message, *args)


def bound_server(root: Path, port: int) -> BaseWSGIServer:
    """Return a server that listens on a port of this machine; call its ``serve_forever``.

    Args:
        root: folder with one store per suite.
        port: 0 takes a free one; the server's ``port`` has it.

    Raises:
        BenchError: the port cannot be used.
    """
    try:
        listening = socket.create_server((HOST, port))
    except OSError as error:
        fix = "another --port, or --port 0 for a free one"
        raise BenchError(f"cannot listen: {error.strerror}", where=f"port {port}", fix=fix) from None
    with listening:  # the server has a copy of the descriptor
        application: Callable[..., Any] = ResultsSite(root)
        return make_server(
            HOST,
            listening.getsockname()[1],
            application,
            threaded=True,
            request_handler=QuietHandler,
            fd=listening.detach(),
        )
