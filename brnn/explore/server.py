"""The server: HTTP on the loopback of this machine alone, for the page that was given its address."""

from __future__ import annotations

import functools
import json
import mimetypes
import secrets
import select
import socket
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from typing import Any
from urllib.parse import unquote, urlsplit

from brnn.base.text import one_line, shortened
from brnn.errors import BrnnError, InputError, IntegrationError
from brnn.explore.answers import Answers, Gone, packed
from brnn.explore.running import Abandoned

__all__ = ["ExploreServer"]

_HOST = "127.0.0.1"
_BODY = 16_000_000  # bytes that the page may send
_IDLE = 120.0  # seconds after which a connection that says nothing is closed
_POLICY = "default-src 'self'; img-src 'self' data: blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


class ExploreServer(ThreadingHTTPServer):
    """Serves the page and its answers under an address that nobody can guess.

    Parameters
    ----------
    answers : Answers
        What answers.
    port : int
        The port; 0 for any that is free.

    Attributes
    ----------
    address : str
        Where the page is.

    Raises
    ------
    InputError
        If the port is taken or not allowed.
    """

    daemon_threads = True
    allow_reuse_address = False
    request_queue_size = 32

    def __init__(self, answers: Answers, port: int = 0) -> None:
        self.answers = answers
        self.token = secrets.token_urlsafe(16)
        try:
            super().__init__((_HOST, port), _Handler)
        except OverflowError:
            raise InputError(f"--port {port}: must be from 0 to 65535") from None
        except OSError as error:
            hint = "; another one, or none, which takes any that is free" if error.errno else ""
            raise InputError(f"--port {port}: {error.strerror or error}{hint}") from None

    @property
    def address(self) -> str:
        """Where the page is."""
        return f"http://{_HOST}:{self.server_port}/{self.token}/"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of connections that break: browsers leave when they like."""


class _Refused(Exception):
    """A request that is not answered, with the status that says why."""

    def __init__(self, status: HTTPStatus, words: str) -> None:
        super().__init__(words)
        self.status = status


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: ExploreServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # with the default an answer of 8 kB takes 44 ms, not 0.4
    wbufsize = -1
    timeout = _IDLE
    server_version = "brnn"
    sys_version = ""

    def do_GET(self) -> None:
        """Answer what a link can carry: nothing that changes anything."""
        self._guarded(self._get)

    def do_POST(self) -> None:
        """Take a pattern, or write a file into the folder that was named."""
        self._guarded(self._post)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the terminal has the address, and it shall stay in sight."""

    def _guarded(self, work: Any) -> None:
        try:
            work(self._path())
        except _Refused as refused:
            self.close_connection = True
            self._send(refused.status, "text/plain", f"{refused}\n".encode())
        except Abandoned:
            self.close_connection = True
        except (BrokenPipeError, ConnectionResetError, TimeoutError):
            self.close_connection = True
        except (BrnnError, MemoryError, OSError) as error:
            self._fail(one_line(error) or type(error).__name__, isinstance(error, IntegrationError))
        except Exception as error:  # the server goes on whatever a network does
            self._fail(f"unexpected {type(error).__name__}: {one_line(error)} (a mistake of brnn's own)", True)

    def _path(self) -> tuple[str, str]:
        """Return the path behind the token, and the query; refuse what does not come from the page."""
        port = self.server.server_port
        if self.headers.get("Host", "") not in (f"{_HOST}:{port}", f"localhost:{port}"):
            raise _Refused(HTTPStatus.FORBIDDEN, "this server answers to 127.0.0.1 alone")
        origin = self.headers.get("Origin")
        if origin is not None and origin not in (f"http://{_HOST}:{port}", f"http://localhost:{port}"):
            raise _Refused(HTTPStatus.FORBIDDEN, "another page asks, which is not answered")
        if self.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
            raise _Refused(HTTPStatus.FORBIDDEN, "another page asks, which is not answered")
        parts = urlsplit(self.path)
        _, _, rest = parts.path.partition("/")
        token, slash, path = rest.partition("/")
        if not secrets.compare_digest(token.encode("utf-8", "replace"), self.server.token.encode()) or not slash:
            raise _Refused(HTTPStatus.NOT_FOUND, "the address is not complete: take the one that brnn explore printed")
        return path, parts.query

    def _get(self, where: tuple[str, str]) -> None:
        path, query = where
        answers = self.server.answers
        simple = {
            "api/models": lambda: answers.models(),
            "api/model": lambda: answers.model(query),
            "api/texts": lambda: answers.texts(query),
            "api/theory": lambda: answers.theory(query),
            "api/sweep": lambda: answers.sweep(query, self._gone()),
            "api/stage": lambda: answers.runner.stage,
        }
        if path == "api/run":
            self._send(HTTPStatus.OK, "application/octet-stream", answers.run(query, self._gone()))
        elif path in simple:
            self._send_json(simple[path]())
        else:
            self._send_page(path)

    def _post(self, where: tuple[str, str]) -> None:
        path, _ = where
        if path not in ("api/pattern", "api/save"):
            raise _Refused(HTTPStatus.NOT_FOUND, "there is no such page")
        body = self._body()
        if path == "api/pattern":
            name = unquote(self.headers.get("X-File-Name", ""))
            self._send_json(self.server.answers.pattern(name, body))
            return
        try:
            asked = json.loads(body)
            query, name = asked["query"], asked["name"]
        except (ValueError, TypeError, KeyError, RecursionError):
            raise InputError("save: needs the query of a run and the name of a file") from None
        self._send_json(self.server.answers.save(str(query), str(name)))

    def _body(self) -> bytes:
        """Return what the page sends with a request."""
        text = self.headers.get("Content-Length", "")
        if not (text.isascii() and text.isdigit()):
            raise _Refused(HTTPStatus.LENGTH_REQUIRED, "the length of what is sent is not said")
        length = int(text[:20])
        if length > _BODY:
            raise _Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"more than {_BODY:,} bytes are not taken")
        return self.rfile.read(length)

    def _gone(self) -> Gone:
        return functools.partial(_has_left, self.connection)

    def _fail(self, words: str, ours: bool) -> None:
        """Answer with one line that says what is wrong."""
        status = HTTPStatus.UNPROCESSABLE_ENTITY if ours else HTTPStatus.BAD_REQUEST
        try:
            self._send(status, "application/json", json.dumps({"error": words}).encode())
        except OSError:
            self.close_connection = True

    def _send_json(self, value: Any) -> None:
        self._send(HTTPStatus.OK, "application/json", packed(value)[4:].rstrip())

    def _send_page(self, path: str) -> None:
        """Send a file of the page: one of those that stand in its folder, and no other."""
        path = path or "index.html"
        page = files("brnn.explore") / "page"
        if path not in {file.name for file in page.iterdir() if file.is_file()}:
            raise _Refused(HTTPStatus.NOT_FOUND, f"there is no page '{shortened(path)}'")
        suffix = f".{path.rpartition('.')[2]}"
        kind = _TYPES.get(suffix) or mimetypes.guess_type(path)[0] or "application/octet-stream"
        self._send(HTTPStatus.OK, kind, (page / path).read_bytes())

    def _send(self, status: HTTPStatus, kind: str, content: bytes) -> None:
        self.send_response(status)
        text = kind.startswith("text/") or kind == "application/json"
        self.send_header("Content-Type", f"{kind}; charset=utf-8" if text else kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Content-Security-Policy", _POLICY)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()


def _has_left(connection: socket.socket) -> bool:
    """Tell whether the other side has closed a connection, without taking anything from it."""
    try:
        readable, _, _ = select.select([connection], [], [], 0.0)
        return bool(readable) and connection.recv(1, socket.MSG_PEEK) == b""
    except (OSError, ValueError):
        return True
