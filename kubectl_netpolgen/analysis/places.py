"""Addresses to endpoints and their ports' names, once for each address that was one pod's all along."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from kubectl_netpolgen.analysis.endpoints import Backend
from kubectl_netpolgen.analysis.identities import Identities
from kubectl_netpolgen.analysis.names import Names
from kubectl_netpolgen.analysis.timeline import SLACK
from kubectl_netpolgen.model.edge import Endpoint, EndpointKind
from kubectl_netpolgen.model.network import Address, Protocol
from kubectl_netpolgen.model.objects import Pod

Found = tuple[Endpoint, Pod | None]
"""Who it was, and the pod, where it is one."""


class Stay(NamedTuple):
    """Somebody at an address for a time that packets may deviate from a little."""

    start: int
    end: int
    found: Found


class Places:
    """Asks `Identities` with the names that the observer knew, and remembers what no time changes."""

    def __init__(self, identities: Identities, names: Names) -> None:
        self._identities = identities
        self._names = names
        self._stays: dict[Address, Stay] = {}
        self._port_names: dict[tuple[str, int, Protocol], str] = {}
        self._endpoints: dict[Endpoint, Endpoint] = {}

    def find(self, address: Address, time: int, observer: str) -> Found:
        """Who had the address then, as the pod `observer` saw it."""
        stay = self._stays.get(address)
        if stay is not None and stay.start <= time <= stay.end:
            return stay.found
        found = self._ask(address, time, observer)
        pod = found[1]
        only = self._identities.timeline.only_tenancy(address)
        if stay is None and only is not None and pod is not None and only.uid == pod.uid:
            self._stays[address] = Stay(only.start - SLACK, only.end + SLACK, found)
        return found

    def behind(self, backend: Backend, observer: str) -> Found:
        """Who a Service's backend is."""
        pod = self._identities.timeline.pods.get(backend.pod_uid)
        if pod is not None:
            return self._identities.of_pod(pod), pod
        return self.find(backend.address, backend.time, observer)

    def stay(self, address: Address) -> Stay | None:
        """The pod that alone had an address that was asked for before, and from when to when."""
        return self._stays.get(address)

    def _ask(self, address: Address, time: int, observer: str) -> Found:
        names = self._names.of(observer, address)
        end, pod = self._identities.resolve(address, time=time, observer=observer, names=names)
        if end.kind is EndpointKind.UNKNOWN:
            # a person who has to decide about a bare address is helped by any name of it
            end = replace(end, names=self._names.asked(observer, address))
        return self._endpoints.setdefault(end, end), pod

    def port_name(self, pod: Pod | None, port: int, protocol: Protocol) -> str:
        """What the pod calls its port; the first of several names, nothing where there is none."""
        if pod is None:
            return ""
        asked = (pod.uid, port, protocol)
        known = self._port_names.get(asked)
        if known is None:
            declared = (item for item in pod.ports if item.port == port and item.protocol is protocol)
            known = self._port_names[asked] = min((item.name for item in declared if item.name), default="")
        return known
