"""Who was behind a Service, and when."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from kubectl_netpolgen.analysis.timeline import SLACK, Timeline
from kubectl_netpolgen.model.network import Address, Protocol
from kubectl_netpolgen.model.objects import Service, ServicePort, SliceEndpoint


class Backend(NamedTuple):
    """A pod's address and its port after translation."""

    address: Address
    port: int
    time: int = 0
    """When to ask who had the address: a backend may be younger than the flow that came to reach it."""
    pod_uid: str = ""
    """The pod on a node's network that the Service's own endpoint names: its address is the node's."""


class Behind(NamedTuple):
    """The endpoints of a Service's port at a time, sorted, and their addresses and ports alone."""

    backends: tuple[Backend, ...]
    ends: frozenset[tuple[Address, int]]


_NOBODY = Behind((), frozenset())


class Listed(NamedTuple):
    """All endpoints of one port of a Service."""

    endpoints: tuple[tuple[SliceEndpoint, Address, int], ...]
    steady: Behind | None
    """The same for whoever came while all of them were there, if each address was one pod's all along."""
    youngest: int
    """When the youngest of them was there."""
    gone: int
    """When the first of them was gone."""


class Endpoints:
    """Finds endpoints; most Services have the same ones for the whole of a run, which is found out once."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._listed: dict[tuple[str, str, str, Protocol], Listed] = {}

    def between(
        self, service: Service, port: ServicePort | None, protocol: Protocol, first: int, last: int
    ) -> Behind:
        """The Service's endpoints that were there between two times."""
        if port is None:
            return _NOBODY
        listed = self.listed(service, port, protocol)
        if listed.steady is not None and listed.youngest <= first and first <= listed.gone:
            return listed.steady
        return _behind(
            Backend(address, number, time, self._on_node(endpoint))
            for endpoint, address, number in listed.endpoints
            if (time := self._time_of(endpoint, address, first, last)) is not None
        )

    def listed(self, service: Service, port: ServicePort, protocol: Protocol) -> Listed:
        """All that were endpoints at any time of the run."""
        asked = (service.namespace, service.name, port.name, protocol)
        known = self._listed.get(asked)
        if known is None:
            known = self._listed[asked] = self._list(service, port.name, protocol)
        return known

    def _list(self, service: Service, name: str, protocol: Protocol) -> Listed:
        endpoints = tuple(
            (endpoint, address, number)
            for item in self._timeline.slices_of(service)
            for port, kind, number in item.ports
            if port == name and kind is protocol
            for endpoint in item.endpoints
            for address in endpoint.addresses
        )
        stays = [self._stay(endpoint, address) for endpoint, address, _ in endpoints]
        known = [stay for stay in stays if stay is not None]
        if not known or len(known) < len(stays):
            return Listed(endpoints, None, 0, 0)
        backends = (
            Backend(address, number, stay[0])
            for (_, address, number), stay in zip(endpoints, known, strict=True)
        )
        return Listed(
            endpoints,
            _behind(backends),
            youngest=max(start for start, _ in known),
            gone=min(end for _, end in known),
        )

    def _stay(self, endpoint: SliceEndpoint, address: Address) -> tuple[int, int] | None:
        """From when to when an endpoint had its address, where that was nobody else's at any time."""
        stay = self._timeline.only_tenancy(address)
        pod = self._timeline.pods.get(endpoint.pod_uid)
        if stay is None or pod is None or pod.host_network or stay.uid != pod.uid:
            return None
        return max(stay.start, pod.created), stay.end

    def _on_node(self, endpoint: SliceEndpoint) -> str:
        pod = self._timeline.pods.get(endpoint.pod_uid)
        return pod.uid if pod is not None and pod.host_network else ""

    def _time_of(self, endpoint: SliceEndpoint, address: Address, first: int, last: int) -> int | None:
        """When an endpoint had its address, None when its pod was gone, not there yet, or replaced."""
        pod = self._timeline.pods.get(endpoint.pod_uid)
        if pod is None or pod.host_network:
            return first
        time = max(first, pod.created)
        tenant = self._timeline.pod_at(address, time)
        if time > last + SLACK or tenant is None or tenant.uid != pod.uid:
            return None
        return time


def _behind(backends: Iterable[Backend]) -> Behind:
    found = tuple(sorted(set(backends)))
    return Behind(found, frozenset((backend.address, backend.port) for backend in found))
