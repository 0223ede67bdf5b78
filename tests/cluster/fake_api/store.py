"""The objects of a fake cluster and everything that happened to them, in order."""

from __future__ import annotations

import copy
import threading
import uuid
from dataclasses import dataclass
from typing import Any

from tests.cluster.fake_api.paths import CLUSTER_SCOPED, KINDS, Target

Object = dict[str, Any]

_GROUPS = {
    "EndpointSlice": "discovery.k8s.io/v1",
    "Deployment": "apps/v1",
    "ReplicaSet": "apps/v1",
    "StatefulSet": "apps/v1",
    "DaemonSet": "apps/v1",
    "Job": "batch/v1",
    "CronJob": "batch/v1",
    "NetworkPolicy": "networking.k8s.io/v1",
    "Ingress": "networking.k8s.io/v1",
}


@dataclass(frozen=True)
class Change:
    """One entry of the log: what a watch sends."""

    version: int
    type: str
    resource: str
    object: Object


class Store:
    """Objects by resource, namespace and name. Thread-safe; `changed` wakes the watches."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.version = 100
        self.oldest = 0
        """Watches from before this version are told 410."""
        self.log: list[Change] = []
        self._objects: dict[tuple[str, str, str], Object] = {}

    def put(self, kind: str, name: str, *, namespace: str = "", uid: str = "", **fields: Any) -> Object:
        """Create or replace an object; `metadata` among the fields is merged. Returns a copy."""
        resource = next(resource for resource, known in KINDS.items() if known == kind)
        key = (resource, namespace, name)
        with self.changed:
            before = self._objects.get(key)
            known_uid = before["metadata"]["uid"] if before else str(uuid.uuid4())
            metadata = {"name": name, "uid": uid or known_uid, **fields.pop("metadata", {})}
            if namespace and resource not in CLUSTER_SCOPED:
                metadata["namespace"] = namespace
            item = {"apiVersion": _GROUPS.get(kind, "v1"), "kind": kind, "metadata": metadata, **fields}
            return self._write(key, item, "MODIFIED" if before else "ADDED")

    def replace(self, item: Object) -> Object:
        """Write an object that was read before."""
        metadata = item["metadata"]
        resource = next(resource for resource, known in KINDS.items() if known == item["kind"])
        with self.changed:
            key = (resource, metadata.get("namespace", ""), metadata["name"])
            return self._write(key, copy.deepcopy(item), "MODIFIED" if key in self._objects else "ADDED")

    def delete(self, kind: str, name: str, *, namespace: str = "") -> None:
        """Remove an object."""
        resource = next(resource for resource, known in KINDS.items() if known == kind)
        with self.changed:
            item = self._objects.pop((resource, namespace, name))
            self._record("DELETED", resource, item)

    def read(self, target: Target) -> Object | None:
        """One object, a copy."""
        namespace = "" if target.resource in CLUSTER_SCOPED else target.namespace
        with self.changed:
            return copy.deepcopy(self._objects.get((target.resource, namespace, target.name)))

    def select(self, target: Target) -> list[Object]:
        """A collection, in order of names."""
        with self.changed:
            return [
                copy.deepcopy(item)
                for (resource, namespace, _), item in sorted(self._objects.items(), key=lambda pair: pair[0])
                if resource == target.resource and target.namespace in ("", namespace)
            ]

    def compact(self) -> None:
        """Forget the log, so that every watch from the past is told 410."""
        with self.changed:
            self.version += 1
            self.oldest = self.version
            self.log.clear()
            self.changed.notify_all()

    def bookmark(self) -> None:
        """Move on without a change; watches get a BOOKMARK."""
        with self.changed:
            self.version += 1
            self.log.append(Change(self.version, "BOOKMARK", "", {}))
            self.changed.notify_all()

    def _write(self, key: tuple[str, str, str], item: Object, type: str) -> Object:
        self._objects[key] = item
        self._record(type, key[0], item)
        return copy.deepcopy(item)

    def _record(self, type: str, resource: str, item: Object) -> None:
        self.version += 1
        item["metadata"]["resourceVersion"] = str(self.version)
        self.log.append(Change(self.version, type, resource, copy.deepcopy(item)))
        self.changed.notify_all()
