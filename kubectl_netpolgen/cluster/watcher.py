"""Everything that happens to the objects of a run, from a first list to the end, through every broken watch.

The package's own Watch gives up after a second 410, and its informers tell objects apart by name, so that a
StatefulSet's recreated pod is a mere change to them; addresses and evidence hang on the UID.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from kubectl_netpolgen.cluster.api import Api, Objects
from kubectl_netpolgen.cluster.resources import Resource, run_resources
from kubectl_netpolgen.cluster.status import ApiError, Gone, Unreachable

__all__ = ["Resource", "WatchEvent", "Watcher", "run_resources"]

_LISTERS = 16
_LONGEST_BACKOFF = 30.0
# A watch that ended sooner than this brought nothing: asking again at once would be a busy loop.
_SHORT_WATCH = 1.0


@dataclass(frozen=True)
class WatchEvent:
    """One change."""

    time: int
    """Nanoseconds since the epoch by our clock, when it came."""
    type: str
    """ADDED, MODIFIED or DELETED."""
    object: dict[str, Any]
    """As the server sent it. A deletion that was noticed only by a new list has kind and metadata alone."""


class Watcher:
    """Lists and then watches resources, a thread each, until `stop` is set.

    `on_event` is called by one thread at a time. What it raises ends the watching and comes out of `join`.
    """

    def __init__(
        self,
        api: Api,
        resources: Sequence[Resource],
        *,
        on_event: Callable[[WatchEvent], None],
        stop: threading.Event,
        clock: Callable[[], int],
        backoff: float = 0.5,
    ) -> None:
        """`clock` gives nanoseconds since the epoch; `backoff` in seconds doubles with every failure."""
        self._api = api
        self._resources = resources
        self._on_event = on_event
        self._stop = stop
        self._clock = clock
        self._backoff = backoff
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._stale: set[str] = set()
        self._error: BaseException | None = None
        self.readable: frozenset[str] = frozenset()

    @property
    def stale(self) -> frozenset[str]:
        """Names of the resources whose watch is down at this moment, so that changes may be missing."""
        with self._lock:
            return frozenset(self._stale)

    @property
    def error(self) -> BaseException | None:
        """What `on_event` raised."""
        return self._error

    def start(self) -> Objects:
        """List everything once and begin to watch; return the objects, in the resources' order.

        403 and 404 only mean that a resource is not readable; its fallbacks are tried, and `readable` tells.
        So does any refusal of an optional one; others are raised.
        """
        listed = self._list_all(self._resources)
        refused = [resource for resource in self._resources if resource.name not in listed]
        listed |= self._list_all(fallback for resource in refused for fallback in resource.fallback)
        self.readable = frozenset(listed)
        for name, (resource, items, version) in listed.items():
            if not (resource.single or resource.once):
                reflector = _Reflector(resource, items, version)
                thread = threading.Thread(
                    target=self._run, args=(reflector,), name=f"netpolgen-watch-{name}", daemon=True
                )
                self._threads.append(thread)
        for thread in self._threads:
            thread.start()
        return [item for _, items, _ in listed.values() for item in items]

    def join(self, timeout: float | None = None) -> None:
        """Wait for the threads, which end after `stop`, at most `timeout` seconds in all."""
        until = None if timeout is None else time.monotonic() + timeout
        for thread in self._threads:
            thread.join(None if until is None else max(0.0, until - time.monotonic()))
        if self._error is not None:
            raise self._error

    def _list_all(self, resources: Iterable[Resource]) -> dict[str, tuple[Resource, Objects, str]]:
        wanted = list(resources)
        with ThreadPoolExecutor(_LISTERS, thread_name_prefix="netpolgen-list") as pool:
            answers = list(pool.map(self._list, wanted))
        return {
            resource.name: (resource, *answer)
            for resource, answer in zip(wanted, answers, strict=True)
            if answer is not None
        }

    def _list(self, resource: Resource) -> tuple[Objects, str] | None:
        try:
            if resource.single:
                return [self._api.get(resource.path, resource.query)], ""
            return self._api.list(resource.path, resource.query)
        except ApiError as error:
            if error.code in (403, 404) or resource.optional:
                return None
            raise

    def _run(self, reflector: _Reflector) -> None:
        failures = 0
        while not self._stop.is_set():
            started = time.monotonic()
            try:
                if reflector.version is None:
                    items, version = self._api.list(reflector.resource.path, reflector.resource.query)
                    self._tell(reflector.compare(items, version))
                self._mark(reflector, stale=False)
                failures = self._watch(reflector, failures)
            except Gone:
                reflector.version = None
                continue
            except (ApiError, Unreachable) as error:
                self._mark(reflector, stale=True)
                failures += 1
                if isinstance(error, ApiError):
                    # Whatever the server held against this version, a new list is the way on.
                    reflector.version = None
            except BaseException as error:
                self._error = self._error or error
                return
            else:
                if time.monotonic() - started >= _SHORT_WATCH:
                    continue
                failures += 1
            self._stop.wait(min(self._backoff * 2 ** (failures - 1), _LONGEST_BACKOFF))

    def _watch(self, reflector: _Reflector, failures: int) -> int:
        resource = reflector.resource
        version = reflector.version or ""
        for event in self._api.watch(resource.path, version, stop=self._stop, query=resource.query):
            failures = 0
            self._tell(reflector.follow(event))
        return failures

    def _tell(self, changes: Iterable[tuple[str, dict[str, Any]]]) -> None:
        with self._lock:
            for type, item in changes:
                self._on_event(WatchEvent(self._clock(), type, item))

    def _mark(self, reflector: _Reflector, *, stale: bool) -> None:
        with self._lock:
            (self._stale.add if stale else self._stale.discard)(reflector.resource.name)


class _Reflector:
    """What is known of one resource: enough to tell, after a gap, what happened in it."""

    def __init__(self, resource: Resource, items: Objects, version: str) -> None:
        self.resource = resource
        self.version: str | None = version
        self._known = {_uid(item): _tombstone(item) for item in items}

    def follow(self, event: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
        """Take in a watch event; a bookmark only moves the version on."""
        item = event.get("object") or {}
        self.version = (item.get("metadata") or {}).get("resourceVersion") or self.version
        type = event.get("type", "")
        if type not in ("ADDED", "MODIFIED", "DELETED"):
            return []
        if type == "DELETED":
            self._known.pop(_uid(item), None)
        else:
            self._known[_uid(item)] = _tombstone(item)
        return [(type, item)]

    def compare(self, items: Objects, version: str) -> list[tuple[str, dict[str, Any]]]:
        """Take in a new list: deletions first, so that a name's new owner comes after the old one left."""
        now = {_uid(item): item for item in items}
        changes = [("DELETED", last) for uid, last in self._known.items() if uid not in now]
        for uid, item in now.items():
            before = self._known.get(uid)
            if before is None:
                changes.append(("ADDED", item))
            elif before["metadata"].get("resourceVersion") != item["metadata"].get("resourceVersion"):
                changes.append(("MODIFIED", item))
        self._known = {uid: _tombstone(item) for uid, item in now.items()}
        self.version = version
        return changes


def _uid(item: dict[str, Any]) -> str:
    metadata = item.get("metadata") or {}
    return str(metadata.get("uid") or f"{metadata.get('namespace')}/{metadata.get('name')}")


def _tombstone(item: dict[str, Any]) -> dict[str, Any]:
    """An object's identity: whole objects of a large cluster would take a gigabyte to keep."""
    metadata = item.get("metadata") or {}
    kept = ("name", "namespace", "uid", "resourceVersion")
    return {
        "apiVersion": item.get("apiVersion", ""),
        "kind": item.get("kind", ""),
        "metadata": {key: metadata[key] for key in kept if key in metadata},
    }
