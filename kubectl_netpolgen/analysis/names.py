"""DNS names for addresses, from the answers in the pods' own captures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kubectl_netpolgen.model.flow import NameAnswer
from kubectl_netpolgen.model.network import Address

# A name under one of these is the cluster's own, and says nothing about an address outside it.
_CLUSTER_SUFFIXES = (".cluster.local", ".svc")
MAX_NAMES = 16


class Names:
    """Which names a pod had asked for when it was given an address."""

    def __init__(self, answers: Mapping[str, Iterable[NameAnswer]]) -> None:
        self._names: dict[tuple[str, Address], set[str]] = {}
        for uid, items in answers.items():
            for item in items:
                if not item.name.endswith(_CLUSTER_SUFFIXES):
                    self._names.setdefault((uid, item.address), set()).add(item.name)

    def of(self, pod_uid: str, address: Address) -> tuple[str, ...]:
        """Names of an address by one pod's own lookups, sorted, at most 16."""
        return tuple(sorted(self._names.get((pod_uid, address), ())))[:MAX_NAMES]
