"""Which pods belong to a run, as the watch tells of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from kubectl_netpolgen.cluster.api import Api
from kubectl_netpolgen.cluster.attach import skip_reason
from kubectl_netpolgen.runs.pod_session import PodSession


class Roster:
    """Pods by UID; a pod of the same name with another UID is another pod. Used by the run's loop alone."""

    def __init__(
        self, api: Api, namespaces: Sequence[str], selector: str, *, clock: Callable[[], int]
    ) -> None:
        self._api = api
        self._namespaces = frozenset(namespaces)
        self._selector = selector
        self._clock = clock
        self._sessions: dict[str, PodSession] = {}
        self._others: set[str] = set()
        self._nodes: dict[str, Mapping[str, Any]] = {}
        self.candidates: list[PodSession] = []
        """New pods of which nobody has asked the server yet whether the selector takes them."""

    def begin(self, objects: Sequence[Mapping[str, Any]]) -> None:
        """Take the pods that are there; raises ClusterError when the selector cannot be asked about."""
        chosen: set[str] | None = None
        if self._selector:
            chosen = set()
            for namespace in sorted(self._namespaces):
                found, _ = self._api.list(_pods(namespace), {"labelSelector": self._selector})
                chosen.update(_metadata(pod).get("uid", "") for pod in found)
        for item in objects:
            if item.get("kind") == "Node":
                self._nodes[_metadata(item).get("name", "")] = item
        for item in objects:
            if item.get("kind") == "Pod" and _metadata(item).get("namespace") in self._namespaces:
                uid = _metadata(item).get("uid", "")
                if chosen is None or uid in chosen:
                    running = (item.get("status") or {}).get("phase") == "Running"
                    self._add(PodSession(item, self._clock(), initial=running))
                else:
                    self._others.add(uid)

    def observe(self, type: str, item: Mapping[str, Any]) -> None:
        """Take one watch event."""
        metadata = _metadata(item)
        if item.get("kind") == "Node":
            self._nodes[metadata.get("name", "")] = item
        if item.get("kind") != "Pod" or metadata.get("namespace") not in self._namespaces:
            return
        uid = metadata.get("uid", "")
        session = self._sessions.get(uid)
        if session is not None:
            if item.get("status"):
                # A deletion that only a new list showed says no more than whom it was.
                session.pod = item
            session.deleting = session.deleting or bool(metadata.get("deletionTimestamp"))
            session.absent = session.absent or type == "DELETED"
        elif type != "DELETED" and uid not in self._others:
            session = PodSession(item, self._clock(), initial=False)
            if self._selector:
                self._others.add(uid)
                self.candidates.append(session)
            else:
                self._add(session)

    def matches(self, session: PodSession) -> bool:
        """Ask the server whether the selector takes a pod; raises ClusterError."""
        found, _ = self._api.list(
            _pods(session.namespace),
            {"labelSelector": self._selector, "fieldSelector": f"metadata.name={session.name}"},
        )
        return any(_metadata(pod).get("uid") == session.uid for pod in found)

    def admit(self, session: PodSession) -> None:
        """Take a candidate that the selector takes."""
        self._others.discard(session.uid)
        self._add(session)

    def sessions(self) -> tuple[PodSession, ...]:
        """All pods of the run, by namespace, name and UID."""
        return tuple(sorted(self._sessions.values(), key=lambda s: (s.namespace, s.name, s.uid)))

    def skip_reason(self, session: PodSession) -> str:
        """Why a pod is left out; empty when it is not."""
        node = self._nodes.get(str((session.pod.get("spec") or {}).get("nodeName", "")))
        return skip_reason(session.pod, node)

    def _add(self, session: PodSession) -> None:
        self._sessions[session.uid] = session


def _pods(namespace: str) -> str:
    return f"/api/v1/namespaces/{quote(namespace, safe='')}/pods"


def _metadata(item: Mapping[str, Any]) -> Mapping[str, Any]:
    return item.get("metadata") or {}
