"""The plugin: TensorBoard's requests, checked, answered, and bounded.

Names in a request are looked up in tables of what was found; no text of one becomes a path. This
module needs the standard library and TensorBoard alone: reading an archive needs pyarrow, and where
that is missing the tab says so.
"""

from __future__ import annotations

import contextlib
import functools
import json
import logging
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tensorboard.backend import http_util
from tensorboard.plugins import base_plugin
from werkzeug.wrappers import Request, Response

from tbtrace.board.faults import BadRequest, Fault, NotFound
from tbtrace.board.finder import Finder
from tbtrace.board.found import SPLITS, Archive, File
from tbtrace.board.logdirs import logdirs

if TYPE_CHECKING:
    from tbtrace.board.catalogue import Catalogue

_STATIC = Path(__file__).parent / "static"
_TYPES = {".js": "text/javascript", ".css": "text/css"}
_KEY = re.compile(r"[0-9a-f]{16}")
_NUMBER = re.compile(r"[0-9]{1,15}")
_JSON = "application/json"
_FOR_EVER = "max-age=31536000, immutable"


class TracesPlugin(base_plugin.TBPlugin):  # type: ignore[misc]  # TensorBoard ships no types
    """The Traces tab.

    Args:
        context: TensorBoard's `TBContext`.
    """

    plugin_name = "tbtrace"

    def __init__(self, context: Any) -> None:
        flags = context.flags
        found = logdirs(
            getattr(flags, "logdir", None) or context.logdir, getattr(flags, "logdir_spec", None)
        )
        self._catalogue: Catalogue | None = None
        self._lock = threading.Lock()
        self.finder = Finder(found, when_active=self._warm_up)

    def get_plugin_apps(self) -> dict[str, Any]:
        """Returns what answers which path; docs/dashboard.md describes the answers."""
        apps = {
            "/runs": self._runs,
            "/episodes": self._episodes,
            "/episode": self._episode,
            "/background": self._background,
        }
        files = [path for path in sorted(_STATIC.glob("*")) if path.suffix in _TYPES]
        static = {f"/static/{path.name}": _file(path) for path in files}
        return {route: _app(answer) for route, answer in {**apps, **static}.items()}

    def is_active(self) -> bool:
        """Tells whether there is anything to show; the last scan has found out."""
        return self.finder.active

    def data_plugin_names(self) -> tuple[str, ...]:
        """Returns the plugins whose summaries this one reads: none."""
        return ()

    def frontend_metadata(self) -> Any:
        """Returns what TensorBoard shows of the tab."""
        return base_plugin.FrontendMetadata(
            es_module_path="/static/index.js", tab_name="Traces", disable_reload=True
        )

    def _runs(self, request: Request) -> Response:
        finder = self.finder
        complete, found, told = finder.complete, finder.found, finder.logdirs
        left_out = [*found.left_out]
        left_out += [f"{place} is not on this machine, and is not scanned" for place in told.remote]
        answer = {
            "complete": complete,
            "limits": "; ".join(left_out),
            "logdir": told.told,
            "runs": [
                {"run": run, "version": archive.version, "splits": _splits(archive.files)}
                for run, archive in found.runs.items()
            ],
            "staging": [{"run": run, "storage": storage} for run, storage in found.staging.items()],
        }
        return _respond(request, json.dumps(answer))

    def _episodes(self, request: Request) -> Response:
        archive = self._archive(request)
        known = _argument(request, "known", "")
        return _respond(request, self._reader().listing(archive, known))

    def _episode(self, request: Request) -> Response:
        archive = self._archive(request)
        split, iteration = _argument(request, "split"), _argument(request, "iteration")
        if split not in SPLITS:
            raise BadRequest(f"split is one of {', '.join(SPLITS)}")
        if not _NUMBER.fullmatch(iteration):
            raise BadRequest("iteration is a whole number, in at most 15 digits")
        uid = _argument(request, "uid")
        content = self._reader().episode(archive, split, int(iteration), uid)
        return self._sent(request, content, "application/octet-stream")

    def _background(self, request: Request) -> Response:
        archive = self._archive(request)
        key = _argument(request, "key")
        if not _KEY.fullmatch(key):
            raise BadRequest("key is 16 hex digits")
        response = self._sent(request, self._reader().background(archive, key), "image/png")
        response.headers["Cache-Control"] = _FOR_EVER
        del response.headers["Expires"]
        return response

    def _sent(self, request: Request, content: bytes, kind: str) -> Response:
        """Returns an answer, which is on its way until the server has closed it."""
        has_left = functools.partial(self._reader().turns.has_left, len(content))
        try:
            response = _respond(request, content, kind)
        except BaseException:
            has_left()
            raise
        response.call_on_close(has_left)
        return response

    def _archive(self, request: Request) -> Archive:
        archive = self.finder.found.runs.get(_argument(request, "run"))
        if archive is None:
            raise NotFound("there is no such run (any more)")
        return archive

    def _warm_up(self) -> None:
        """Imports what requests need, before there is one; what is missing, they will say."""
        with contextlib.suppress(Exception):
            self._reader().warm_up()

    def _reader(self) -> Catalogue:
        with self._lock:
            if self._catalogue is None:
                try:
                    from tbtrace.board.catalogue import Catalogue
                except ImportError as error:
                    what = error.name or "a package"
                    raise Fault(
                        f"{what} is missing, without which no archive can be read: run "
                        "`pip install tbtrace` where TensorBoard is installed, and start it again"
                    ) from error
                self._catalogue = Catalogue()
            return self._catalogue


def _splits(files: tuple[File, ...]) -> dict[str, dict[str, int]]:
    told = {}
    for number, split in enumerate(SPLITS):
        of_split = [file.iteration for file in files if file.split == number]
        if of_split:
            told[split] = {"first": of_split[0], "last": of_split[-1], "count": len(of_split)}
    return told


def _argument(request: Request, name: str, default: str | None = None) -> str:
    """Returns the only value of a request's parameter.

    Raises:
        BadRequest: It is missing, or given more than once.
    """
    values = request.args.getlist(name)
    if not values and default is not None:
        return default
    if len(values) != 1:
        raise BadRequest(f"give {name} once")
    return values[0]


def _file(path: Path) -> Callable[[Request], Response]:
    """Returns what answers with one file of the page."""

    def answer(request: Request) -> Response:
        return _respond(request, path.read_bytes(), _TYPES[path.suffix])

    return answer


def _app(answer: Callable[[Request], Response]) -> Any:
    """Returns a WSGI application that gives an answer, or says in JSON why there is none."""

    def application(request: Request) -> Response:
        if request.method not in ("GET", "HEAD"):
            return _error(request, 405, "only GET is answered", [("Allow", "GET, HEAD")])
        try:
            return answer(request)
        except Fault as fault:
            return _error(request, fault.status, str(fault))
        except MemoryError:
            return _error(request, 413, "the server has not enough memory for this")
        except Exception:
            logging.getLogger("tbtrace").exception("tbtrace: %s failed", request.path)
            return _error(request, 503, "this failed; the server's terminal says how")

    return Request.application(application)


def _error(
    request: Request, code: int, sentence: str, headers: list[tuple[str, str]] | None = None
) -> Response:
    return _respond(request, json.dumps({"error": sentence}), _JSON, code, headers)


def _respond(
    request: Request,
    content: str | bytes,
    kind: str = _JSON,
    code: int = 200,
    headers: list[tuple[str, str]] | None = None,
) -> Response:
    # JSON is ASCII already; Respond would walk over every value of a dict.
    return http_util.Respond(request, content, kind, code=code, headers=headers)  # type: ignore[no-any-return]
