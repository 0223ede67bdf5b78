"""Who had which address when, and which workload a pod belongs to."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from kubectl_netpolgen.model.declarations import DeclaringObject
from kubectl_netpolgen.model.network import Address, Protocol, address_order
from kubectl_netpolgen.model.objects import (
    ControlPlaneCalls,
    EndpointSlice,
    Namespace,
    Node,
    ObjectKey,
    Pod,
    Service,
    ServicePort,
    Workload,
)
from kubectl_netpolgen.model.policy import NetworkPolicy
from kubectl_netpolgen.model.tiers import TierPolicy
from kubectl_netpolgen.semantics.objects import KubernetesObject

# An address stays with a pod this long after the API said it was gone: the last packets of a closing
# connection, and the difference between two nodes' clocks. Nanoseconds.
SLACK = 2_000_000_000
_FOREVER = 2**63 - 1
# Closed connections stay in socket tables this long (TCP_TIMEWAIT_LEN, kernel include/net/tcp.h).
_TIME_WAIT = 60_000_000_000


@dataclass(frozen=True)
class ObjectEvent:
    """One change of one object."""

    time: int
    type: str
    """ADDED, MODIFIED or DELETED."""
    object: KubernetesObject


@dataclass(frozen=True)
class Tenancy:
    """From when to when a pod had an address; nanoseconds since the epoch."""

    start: int
    """When the pod was created: it has its address from some moment after that."""
    seen: int
    """When it was first seen with the address, 0 at the start of the run."""
    end: int
    uid: str
    finished: bool = False
    """True for a pod that had ended before the run: its address may be another's, whom we may not see."""


class Timeline:
    """The cluster's objects over the time of a run.

    Built once from the objects at the start and every event after; asked with an address and a time, because
    addresses are handed on.
    """

    def __init__(
        self,
        objects: Iterable[KubernetesObject],
        events: Iterable[ObjectEvent] = (),
        *,
        started: int = 0,
    ) -> None:
        self._started = started
        self.pods: dict[str, Pod] = {}
        self.present: set[str] = set()
        """UIDs of the pods that were not gone by the end."""
        self.namespaces: dict[str, Namespace] = {}
        self.nodes: dict[str, Node] = {}
        self._services: dict[tuple[str, str], Service] = {}
        self._services_at: dict[Address, dict[tuple[str, str], Service]] = {}
        self._slices: dict[tuple[str, str], EndpointSlice] = {}
        self._calls: dict[ObjectKey, ControlPlaneCalls] = {}
        self._tiers: dict[ObjectKey, TierPolicy] = {}
        self._declaring: dict[ObjectKey, DeclaringObject] = {}
        self._policies: dict[tuple[str, str], NetworkPolicy] = {}
        self._workloads: dict[str, Workload] = {}
        self._tenancies: dict[Address, list[Tenancy]] = {}
        for item in objects:
            self._apply(item, 0)
        for event in sorted(events, key=lambda event: event.time):
            if event.type == "DELETED":
                self._remove(event.object, event.time)
            else:
                self._apply(event.object, event.time)
        self._workloads_by_key = {workload.key: workload for workload in self._workloads.values()}
        self.handed_on = frozenset(
            address
            for address, tenancies in self._tenancies.items()
            if len(tenancies) > 1 or tenancies[0].seen or tenancies[0].end != _FOREVER
        )
        """Addresses that were not one pod's from the start of the run to its end."""
        self._node_by_address = self._index_nodes()
        self._slices_by_service: dict[tuple[str, str], tuple[EndpointSlice, ...]] = {}
        for key in sorted(self._slices):
            owner = key[0], self._slices[key].service
            self._slices_by_service[owner] = (*self._slices_by_service.get(owner, ()), self._slices[key])
        self._owners: dict[str, Workload] = {}
        self._pod_ranges = tuple(
            ipaddress.ip_network(text, strict=False)
            for node in self.nodes.values()
            for text in node.pod_ranges
        )
        self._pods_by_owner: dict[ObjectKey, list[Pod]] = {}
        for pod in sorted(self.pods.values(), key=lambda pod: (pod.name, pod.uid)):
            self._pods_by_owner.setdefault(self.top_owner(pod).key, []).append(pod)

    def _apply(self, item: KubernetesObject, time: int) -> None:
        if isinstance(item, Pod):
            self._place(item, time)
        elif isinstance(item, Service):
            self._services[(item.namespace, item.name)] = item
            # by every address it had: one that was made anew in the run explains packets to both
            for address in item.addresses:
                self._services_at.setdefault(address, {})[(item.namespace, item.name)] = item
        elif isinstance(item, EndpointSlice):
            known = self._slices.get((item.namespace, item.name))
            if known is not None and not item.endpoints and not item.ports:
                # a slice that lost its last endpoint has no ports either
                item = replace(item, ports=known.ports)
            # endpoints that left during the run still explain packets that went to them
            kept = known.endpoints if known is not None and known.ports == item.ports else ()
            merged = tuple(dict.fromkeys(item.endpoints + kept))
            self._slices[(item.namespace, item.name)] = replace(item, endpoints=merged)
        elif isinstance(item, Namespace):
            self.namespaces[item.name] = item
        elif isinstance(item, Node):
            self.nodes[item.name] = item
        elif isinstance(item, NetworkPolicy):
            self._policies[(item.namespace, item.name)] = item
        elif isinstance(item, ControlPlaneCalls):
            self._calls[item.key] = item
        elif isinstance(item, TierPolicy):
            self._tiers[item.key] = item
        elif isinstance(item, DeclaringObject):
            self._declaring[item.key] = item
        else:
            self._workloads[item.uid or str(item.key)] = item

    def _remove(self, item: KubernetesObject, time: int) -> None:
        if isinstance(item, Pod):
            if item.uid not in self.pods:
                self._place(item, time)
            self._leave(item.uid, time)
            self.present.discard(item.uid)
        elif isinstance(item, NetworkPolicy):
            self._policies.pop((item.namespace, item.name), None)
        elif isinstance(item, DeclaringObject):
            self._declaring.pop(item.key, None)
        # Services, slices, owners: what was there during the run explains traffic of the run

    def _place(self, pod: Pod, time: int) -> None:
        known = self.pods.get(pod.uid)
        if known is not None and not pod.addresses:
            pod = replace(pod, addresses=known.addresses)
        if known is not None and known.addresses != pod.addresses:
            # a new sandbox of the same pod has new addresses
            self._leave(pod.uid, time)
        self.pods[pod.uid] = pod
        self.present.add(pod.uid)
        if pod.finished:
            self._leave(pod.uid, time)
            if known is None:
                self._remember(pod)
            return
        if pod.host_network:
            return
        for address in pod.addresses:
            tenancies = self._tenancies.setdefault(address, [])
            mine = [tenancy for tenancy in tenancies if tenancy.uid == pod.uid]
            if not mine or mine[-1].end != _FOREVER:
                start = mine[-1].end if mine else pod.created
                tenancies.append(Tenancy(start, time, _FOREVER, pod.uid))

    def _remember(self, pod: Pod) -> None:
        """A pod that had ended before the run explains connections that socket tables list for a minute."""
        for address in () if pod.host_network else pod.addresses:
            end = self._started + _TIME_WAIT
            tenancy = Tenancy(pod.created, 0, end, pod.uid, finished=True)
            self._tenancies.setdefault(address, []).append(tenancy)

    def _leave(self, uid: str, time: int) -> None:
        known = self.pods.get(uid)
        for address in known.addresses if known is not None else ():
            tenancies = self._tenancies.get(address, [])
            for index, tenancy in enumerate(tenancies):
                if tenancy.uid == uid and tenancy.end > time:
                    tenancies[index] = replace(tenancy, end=time)

    def _index_nodes(self) -> dict[Address, str]:
        index = {
            address: pod.node for pod in self.pods.values() if pod.node for address in pod.host_addresses
        }
        index.update({address: node.name for node in self.nodes.values() for address in node.addresses})
        return index

    def pod_at(self, address: Address, time: int) -> Pod | None:
        """The pod that had the address then; one that had it exactly then before one that nearly did.

        Between the creation of a pod and the moment it was seen with its address, a former tenant that is
        still there may have it: then the former one has.
        """
        tenancies = self._tenancies.get(address, ())
        if len(tenancies) == 1:
            (only,) = tenancies
            fits = only.start - SLACK <= time <= only.end + SLACK
            return self.pods[only.uid] if fits else None
        for slack in (0, SLACK):
            fitting = [item for item in tenancies if item.start - slack <= time <= item.end + slack]
            if fitting:
                best = max(fitting, key=lambda item: _claim(item, time))
                return self.pods[best.uid]
        return None

    def only_tenancy(self, address: Address) -> Tenancy | None:
        """The time of the only pod that had the address, None when several had it or none."""
        tenancies = self._tenancies.get(address, ())
        return tenancies[0] if len(tenancies) == 1 else None

    def own_addresses(self, uid: str) -> tuple[Address, ...]:
        """A pod's own addresses, whatever the clocks of its node and of the API server say."""
        pod = self.pods.get(uid)
        return pod.addresses if pod is not None and not pod.host_network else ()

    def held(self, uid: str, address: Address, time: int) -> bool:
        """True for an address that a pod has, or had then: a new sandbox of it has another."""
        return address in self.own_addresses(uid) or self.tenant(address, time) == uid

    def tenant(self, address: Address, time: int) -> str:
        """The UID of the pod that had the address then, empty when none had."""
        pod = self.pod_at(address, time)
        return pod.uid if pod is not None else ""

    def services_at(self, address: Address) -> tuple[Service, ...]:
        """The Services that have this cluster, external or load-balancer address, by namespace and name.

        Several share one where an external or load-balancer address is a node's, or is shared on purpose.
        """
        found = self._services_at.get(address, {})
        return tuple(found[key] for key in sorted(found))

    def service(self, namespace: str, name: str) -> Service | None:
        """A Service by name."""
        return self._services.get((namespace, name))

    @property
    def services(self) -> tuple[Service, ...]:
        """All Services, by namespace and name."""
        return tuple(self._services[key] for key in sorted(self._services))

    @property
    def policies(self) -> tuple[NetworkPolicy, ...]:
        """The policies in the cluster at the end, by namespace and name."""
        return tuple(self._policies[key] for key in sorted(self._policies))

    @property
    def control_plane_calls(self) -> tuple[ControlPlaneCalls, ...]:
        """What the API server itself calls, by kind and name."""
        return tuple(self._calls[key] for key in sorted(self._calls))

    @property
    def tier_policies(self) -> tuple[TierPolicy, ...]:
        """Policies of administrators' tiers, by kind and name."""
        return tuple(self._tiers[key] for key in sorted(self._tiers))

    @property
    def declaring(self) -> tuple[DeclaringObject, ...]:
        """What declares edges at the end, by kind, namespace and name."""
        return tuple(self._declaring[key] for key in sorted(self._declaring))

    @property
    def workloads(self) -> tuple[Workload, ...]:
        """Every owner known, by kind, namespace and name."""
        return tuple(self._workloads_by_key[key] for key in sorted(self._workloads_by_key))

    def workload(self, key: ObjectKey) -> Workload | None:
        """An owner by kind, namespace and name."""
        return self._workloads_by_key.get(key)

    def node_port(self, port: int, protocol: Protocol) -> tuple[Service, ServicePort] | None:
        """The Service port behind a node port."""
        for service in self.services:
            for item in service.ports:
                if item.node_port == port and item.protocol is protocol:
                    return service, item
        return None

    def node_at(self, address: Address) -> str | None:
        """The node that has this address."""
        return self._node_by_address.get(address)

    def node_addresses(self, name: str) -> tuple[Address, ...]:
        """Every address of a node that its own object or its pods' statuses name, IPv4 first."""
        node = self.nodes.get(name)
        found = set(node.addresses) if node is not None else set()
        for pod in self.pods.values():
            if pod.node == name:
                found.update(pod.host_addresses)
        return tuple(sorted(found, key=address_order))

    @property
    def sees_all_pods(self) -> bool:
        """True when the pods of every namespace could be read, so that nobody else has a pod's address."""
        return self._started > 0

    def in_pod_range(self, address: Address) -> bool:
        """True for an address out of a range that a node was given for its pods."""
        parsed = ipaddress.ip_address(address)
        return any(parsed in network for network in self._pod_ranges)

    def slices_of(self, service: Service) -> tuple[EndpointSlice, ...]:
        """The EndpointSlices of a Service, by name."""
        return self._slices_by_service.get((service.namespace, service.name), ())

    def top_owner(self, pod: Pod) -> Workload:
        """The top of the owner chain, or the last owner known; a pod without one is its own workload."""
        known = self._owners.get(pod.uid)
        if known is None:
            known = self._owners[pod.uid] = self._climb(pod)
        return known

    def _climb(self, pod: Pod) -> Workload:
        reference = pod.owner
        current: Workload | None = None
        seen: set[str] = set()
        while reference is not None and reference.uid not in seen and reference.kind != "Node":
            seen.add(reference.uid)
            found = self._workloads.get(reference.uid)
            if found is None:
                key = ObjectKey(reference.kind, pod.namespace, reference.name)
                current = self._workloads_by_key.get(key) or Workload(uid=reference.uid, key=key)
                break
            current, reference = found, found.owner
        if current is not None:
            return current
        return Workload(uid=pod.uid, key=pod.key, template_labels=pod.labels)

    @cached_property
    def selectable(self) -> Mapping[tuple[str, frozenset[tuple[str, str]]], tuple[Pod, ...]]:
        """The pods that policies select at the end of the run, by namespace and labels."""
        found: dict[tuple[str, frozenset[tuple[str, str]]], list[Pod]] = {}
        for uid in sorted(self.present):
            pod = self.pods[uid]
            if not pod.finished and not pod.host_network:
                found.setdefault((pod.namespace, frozenset(pod.labels.items())), []).append(pod)
        return {kind: tuple(pods) for kind, pods in found.items()}

    def pods_of(self, key: ObjectKey) -> tuple[Pod, ...]:
        """Every pod seen of a workload, by name."""
        return tuple(self._pods_by_owner.get(key, ()))


def _claim(item: Tenancy, time: int) -> tuple[bool, bool, int, int, str]:
    """How good a tenancy is, the best being the largest: alive, seen by then, the youngest."""
    return (not item.finished, item.seen <= time, item.start, item.seen, item.uid)
