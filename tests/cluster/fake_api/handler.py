"""Answers one connection's requests from the fake server's store and plans."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import ssl
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from tests.cluster.fake_api.answers import Answer, ExecRequest, Received, refusal
from tests.cluster.fake_api.exec_wire import Wire
from tests.cluster.fake_api.paths import Target, parse_path
from tests.cluster.fake_api.store import Object

if TYPE_CHECKING:
    from tests.cluster.fake_api.server import FakeApi

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_VERBS = {"POST": "create", "PATCH": "patch", "DELETE": "delete"}


class Handler(BaseHTTPRequestHandler):
    """One connection, kept alive between requests."""

    protocol_version = "HTTP/1.1"
    server: Any

    @property
    def api(self) -> FakeApi:
        """The fake server."""
        api: FakeApi = self.server.api
        return api

    def log_message(self, format: str, *args: Any) -> None:
        """Tests read `received` instead of a log."""

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_PATCH(self) -> None:
        self._answer()

    def _answer(self) -> None:
        parts = urlsplit(self.path)
        self.query = parse_qs(parts.query, keep_blank_values=True)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.api.note(
            Received(
                self.command,
                parts.path,
                self.query,
                dict(self.headers),
                body,
                tuple(self.headers.items()),
            )
        )
        planned = self.api.planned(self.command, parts.path)
        if planned is not None:
            self._send(planned)
            return
        if self.headers.get("Authorization", "").removeprefix("Bearer ") not in self.api.tokens:
            self._send(refusal(401, "Unauthorized", "Unauthorized"))
            return
        if parts.path == "/version":
            self._json(self.api.version)
            return
        discovered = self.api.discovery.get(parts.path.removeprefix("/apis/").removeprefix("/api/"))
        if discovered is not None:
            self._json({"kind": "APIResourceList", "resources": discovered})
            return
        target = parse_path(parts.path)
        if target is None:
            self._send(refusal(404, "NotFound", "the server could not find the requested resource"))
            return
        verb = self._verb(target)
        if target.resource != "selfsubjectaccessreviews" and not self.api.rights(verb, target):
            where = f' in the namespace "{target.namespace}"' if target.namespace else " at the cluster scope"
            what = f'{target.permission}{" " if target.name else ""}"{target.name}" is forbidden: '
            text = f'User "tester" cannot {verb} resource "{target.permission}" in API group "{target.group}"'
            self._send(refusal(403, "Forbidden", what + text + where, kind=target.resource))
            return
        self._serve(target, verb, body)

    def _verb(self, target: Target) -> str:
        if self.command == "GET":
            if self.query.get("watch"):
                return "watch"
            return "get" if target.name else "list"
        return _VERBS[self.command]

    def _serve(self, target: Target, verb: str, body: bytes) -> None:
        if target.resource == "selfsubjectaccessreviews":
            self._review(json.loads(body))
        elif target.subresource == "exec":
            self._exec(target)
        elif target.subresource == "log":
            container = self.query.get("container", [""])[0]
            self._text(self.api.logs.get((target.namespace, target.name, container), b""))
        elif verb == "watch":
            self._watch(target)
        elif verb == "list":
            self._list(target)
        elif (found := self.api.store.read(target)) is None:
            message = f'{target.resource} "{target.name}" not found'
            self._send(refusal(404, "NotFound", message, name=target.name, kind=target.resource))
        elif verb == "patch":
            self._patch(found, json.loads(body))
        else:
            self._json(found)

    def _list(self, target: Target) -> None:
        wanted = _labels(self.query.get("labelSelector", [""])[0])
        items = [item for item in self.api.store.select(target) if wanted.items() <= _labels_of(item).items()]
        start = int(self.query.get("continue", ["0"])[0])
        size = self.api.page_size or len(items)
        metadata: dict[str, Any] = {"resourceVersion": str(self.api.store.version)}
        if "limit" in self.query and start + size < len(items):
            metadata["continue"] = str(start + size)
            items = items[start : start + size]
        else:
            items = items[start:]
        for item in items:
            del item["kind"], item["apiVersion"]
        self._json(
            {
                "kind": f"{target.kind}List",
                "apiVersion": target.api_version,
                "metadata": metadata,
                "items": items,
            }
        )

    def _patch(self, pod: Object, patch: Mapping[str, Any]) -> None:
        present = pod.setdefault("spec", {}).setdefault("ephemeralContainers", [])
        names = {container["name"] for container in present}
        added = [one for one in patch["spec"]["ephemeralContainers"] if one["name"] not in names]
        for container in added:
            reason = self.api.admission(pod, container)
            if reason:
                self._send(
                    refusal(403, "Forbidden", f'pods "{pod["metadata"]["name"]}" is forbidden: {reason}')
                )
                return
        present[:0] = added
        if "dryRun" not in self.query:
            pod = self.api.store.replace(pod)
            for container in added:
                self.api.on_attach(pod, container)
        self._json(pod)

    def _review(self, review: dict[str, Any]) -> None:
        asked = review["spec"]["resourceAttributes"]
        target = Target(
            asked.get("group", ""),
            "v1",
            asked.get("namespace", ""),
            asked["resource"],
            asked.get("name", ""),
            asked.get("subresource", ""),
        )
        self._json({**review, "status": {"allowed": self.api.rights(asked["verb"], target)}}, status=201)

    def _watch(self, target: Target) -> None:
        store = self.api.store
        position = int(self.query["resourceVersion"][0])
        until = time.monotonic() + float(self.query.get("timeoutSeconds", ["240"])[0])
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        epoch = self.api.watch_epoch
        with store.changed:
            self.api.watches += 1
            store.changed.notify_all()
        try:
            while True:
                with store.changed:
                    if position < store.oldest:
                        self._event("ERROR", _expired(position, store.oldest))
                        break
                    news = [change for change in store.log if change.version > position]
                    if not news or self.api.half_open:
                        left = until - time.monotonic()
                        if self.api.stopping.is_set() or self.api.watch_epoch != epoch or left <= 0:
                            break
                        store.changed.wait(left)
                        continue
                    position = news[-1].version
                for change in news:
                    if change.type == "BOOKMARK":
                        metadata = {"resourceVersion": str(change.version), "creationTimestamp": None}
                        self._event("BOOKMARK", {"kind": target.kind, "metadata": metadata})
                    elif change.resource == target.resource and target.namespace in (
                        "",
                        change.object["metadata"].get("namespace", ""),
                    ):
                        self._event(change.type, change.object)
            self._chunk(b"")
        finally:
            with store.changed:
                self.api.watches -= 1
                store.changed.notify_all()

    def _event(self, type: str, item: Mapping[str, Any]) -> None:
        self._chunk(json.dumps({"type": type, "object": item}).encode() + b"\n")

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def _exec(self, target: Target) -> None:
        key = self.headers.get("Sec-WebSocket-Key", "")
        offered = [word.strip() for word in self.headers.get("Sec-WebSocket-Protocol", "").split(",")]
        chosen = next((one for one in self.api.subprotocols if one in offered), "")
        if not key or not chosen:
            self._send(refusal(400, "BadRequest", "Upgrade request required"))
            return
        command = tuple(self.query.get("command", ()))
        container = self.query.get("container", [""])[0]
        request = ExecRequest(target.namespace, target.name, container, command, self.query, chosen)
        self.api.execs.append(request)
        behave = self.api.on_exec(request)
        accept = base64.b64encode(hashlib.sha1(key.encode() + _GUID).digest()).decode()
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", accept)
        self.send_header("Sec-WebSocket-Protocol", chosen)
        self.end_headers()
        self.close_connection = True
        connection = self.connection
        assert isinstance(connection, ssl.SSLSocket)
        with contextlib.suppress(OSError):
            behave(Wire(connection, chosen, self.api.stopping))
            # Closing with the client's goodbye unread would reset the connection under our last frames.
            connection.settimeout(2.0)
            while connection.recv(4096):
                pass

    def _send(self, answer: Answer) -> None:
        if answer.after is not None:
            answer.after()
        if answer.reset:
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def _json(self, value: Mapping[str, Any], *, status: int = 200) -> None:
        self._text(json.dumps(value).encode(), content_type="application/json", status=status)

    def _text(self, body: bytes, *, content_type: str = "text/plain", status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _labels(selector: str) -> dict[str, str]:
    """Equality selectors only, which is what the tests use."""
    pairs = (part.replace("==", "=").split("=", 1) for part in selector.split(",") if "=" in part)
    return {key.strip(): value.strip() for key, value in pairs}


def _labels_of(item: Object) -> dict[str, str]:
    labels: dict[str, str] = item["metadata"].get("labels", {})
    return labels


def _expired(position: int, oldest: int) -> Object:
    message = f"too old resource version: {position} ({oldest})"
    return {"kind": "Status", "status": "Failure", "reason": "Expired", "code": 410, "message": message}
