"""A schema registry as HTTP tells of one, in memory, that fails just as it is told to."""

import json
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

NOT_FOUND = {"subject": 40401, "version": 40402, "schema": 40403}


class Answer(NamedTuple):
    """What is sent back, whatever was asked."""

    status: int
    body: bytes = b""


class Kept(NamedTuple):
    """What a registry has: schemas by id, and the ids of each subject's versions."""

    schemas: Mapping[int, Mapping[str, str]]
    subjects: Mapping[str, tuple[int, ...]]


class StubRegistry:
    """Serves what it keeps, or what it is told to answer instead.

    Attributes:
        instead: gives an answer to a path, or None where the registry's own is due.
        asked: each request, as method and path.
        signed: what each said under Authorization.
    """

    def __init__(self, first_id: int = 1) -> None:
        self.instead: Callable[[str], Answer | None] = lambda _path: None
        self.asked: list[str] = []
        self.signed: list[str | None] = []
        self.kept = Kept({}, {})
        self.url = ""
        self._first_id = first_id
        self._silence = threading.Event()

    def restart(self, first_id: int) -> None:
        """Forget everything, as one that keeps it in memory, and give other ids from now on."""
        self.kept, self._first_id = Kept({}, {}), first_id

    def keep(self, schema_id: int, schema: str, kind: str = "AVRO") -> None:
        """Have a schema under an id that nobody asked for."""
        stored = {"schema": schema, "schemaType": kind}
        self.kept = Kept({**self.kept.schemas, schema_id: stored}, self.kept.subjects)

    def be_silent(self, _path: str) -> Answer | None:
        """Take a request and never answer, until the end."""
        self._silence.wait()
        return None

    def answer(self, method: str, path: str, sent: Mapping[str, Any]) -> Answer:
        """Return what a request gets."""
        self.asked.append(f"{method} {path}")
        told = self.instead(path)
        return self._own(method, path.strip("/").split("/"), sent) if told is None else told

    def end(self) -> None:
        """Let go of whoever waits."""
        self._silence.set()

    def _own(self, method: str, parts: list[str], sent: Mapping[str, Any]) -> Answer:
        match method, parts:
            case "GET", ["schemas", "ids", number]:
                found = self.kept.schemas.get(int(number))
                made = _none("schema") if found is None else _json(found)
            case "PUT", ["config", _]:
                made = _json(sent)
            case "GET", ["subjects", name, "versions"]:
                ids = self.kept.subjects.get(name)
                made = _none("subject") if ids is None else _json([*range(1, len(ids) + 1)])
            case "GET", ["subjects", name, "versions", number]:
                made = self._version(name, int(number))
            case "POST", ["subjects", name, "versions"]:
                made = _json({"id": self._register(name, sent["schema"])})
            case "POST", ["subjects", name]:
                made = self._look_up(name, sent["schema"])
            case _:
                made = Answer(404, b"<html>not a registry's path</html>")
        return made

    def _version(self, name: str, number: int) -> Answer:
        ids = self.kept.subjects.get(name, ())
        if not 0 < number <= len(ids):
            return _none("version")
        schema_id = ids[number - 1]
        stored = self.kept.schemas[schema_id]
        return _json({"subject": name, "version": number, "id": schema_id, **stored})

    def _id_of(self, schema: str) -> int | None:
        return next((n for n, one in self.kept.schemas.items() if one["schema"] == schema), None)

    def _register(self, name: str, schema: str) -> int:
        schema_id = self._id_of(schema)
        if schema_id is None:
            schema_id = max([self._first_id - 1, *self.kept.schemas]) + 1
            self.keep(schema_id, schema)
        ids = self.kept.subjects.get(name, ())
        known = ids if schema_id in ids else (*ids, schema_id)
        self.kept = Kept(self.kept.schemas, {**self.kept.subjects, name: known})
        return schema_id

    def _look_up(self, name: str, schema: str) -> Answer:
        ids = self.kept.subjects.get(name)
        if ids is None:
            return _none("subject")
        schema_id = self._id_of(schema)
        if schema_id not in ids:
            return _none("schema")
        version = ids.index(schema_id) + 1
        return _json({"subject": name, "version": version, "id": schema_id, "schema": schema})


@contextmanager
def serving(
    registry: StubRegistry | None = None, context: ssl.SSLContext | None = None
) -> Iterator[StubRegistry]:
    """Yield a registry that is served on a free port of this machine."""
    stub = registry or StubRegistry()

    class Asked(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            stub.signed.append(self.headers.get("Authorization"))
            length = int(self.headers.get("Content-Length") or 0)
            sent = json.loads(self.rfile.read(length) or b"{}")
            status, body = stub.answer(self.command, self.path.partition("?")[0], sent)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.do_GET()

        def do_PUT(self) -> None:
            self.do_GET()

        def log_message(self, *_told: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Asked)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # of clients that hang up
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    scheme = "http" if context is None else "https"
    stub.url = f"{scheme}://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield stub
    finally:
        stub.end()
        server.shutdown()
        server.server_close()
        thread.join()


def _json(content: object) -> Answer:
    return Answer(200, json.dumps(content).encode())


def _none(what: str) -> Answer:
    told = {"error_code": NOT_FOUND[what], "message": f"no such {what}"}
    return Answer(404, json.dumps(told).encode())
