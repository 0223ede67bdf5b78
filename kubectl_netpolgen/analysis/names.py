"""Names for addresses, from DNS answers in the pods' own captures and from what clients called servers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kubectl_netpolgen.model.flow import NameAnswer, NameSource
from kubectl_netpolgen.model.network import Address

# A name under one of these is the cluster's own, and says nothing about an address outside it.
_CLUSTER_SUFFIXES = (".cluster.local", ".svc")
MAX_NAMES = 16


def _is_internal(name: str) -> bool:
    return name.endswith(_CLUSTER_SUFFIXES)


class Names:
    """Which names a pod had asked for when it was given an address."""

    def __init__(self, answers: Mapping[str, Iterable[NameAnswer]]) -> None:
        self._names: dict[tuple[str, Address], set[str]] = {}
        self._asked: dict[tuple[str, Address], set[str]] = {}
        for uid, items in answers.items():
            for item in items:
                if item.address is None or item.source is NameSource.HTTP:
                    # a request through a proxy names somebody else
                    continue
                self._asked.setdefault((uid, item.address), set()).add(item.name)
                # an ExternalName Service is asked for by its own name and answers with the outside's
                named = next((name for name in (item.name, *item.via) if not _is_internal(name)), None)
                if named is not None:
                    self._names.setdefault((uid, item.address), set()).add(named)

    def of(self, pod_uid: str, address: Address) -> tuple[str, ...]:
        """Names of an address by one pod's own lookups, sorted, at most 16."""
        return tuple(sorted(self._names.get((pod_uid, address), ())))[:MAX_NAMES]

    def asked(self, pod_uid: str, address: Address) -> tuple[str, ...]:
        """Every name under which a pod was given an address, the cluster's own included, at most 16."""
        return tuple(sorted(self._asked.get((pod_uid, address), ())))[:MAX_NAMES]
