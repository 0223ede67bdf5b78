"""Whom the end of a connection names: pods, a Service's pods, a node, somebody outside, or nobody known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from kubectl_netpolgen.model.manifests import Manifests
from kubectl_netpolgen.model.network import Address, canonical_address, is_group_address, is_loopback
from kubectl_netpolgen.model.objects import ObjectKey, Service
from kubectl_netpolgen.semantics.subjects import Cast


class EndKind(str, Enum):
    """What an end is to policies."""

    PODS = "pods"
    SERVICE = "service"
    NODE = "node"
    OUTSIDE = "outside"
    UNKNOWN = "unknown"


@dataclass(frozen=True, eq=False)
class End:
    """One end; the same object for the same words."""

    kind: EndKind
    members: tuple[int, ...] = ()
    """Of pods, or of the template of a workload without any: their numbers in the cast."""
    pod: str = ""
    """Namespace and name, where it is one pod."""
    address: Address | None = None
    """Where the end was named by an address, or is one."""
    node: str = ""
    service: Service | None = None
    reason: str = ""
    """Why it is unknown."""


class Ends:
    """Finds ends by the words that JSON and people use."""

    def __init__(self, manifests: Manifests, cast: Cast) -> None:
        """`cast` is that of pods one by one, with those of their node's network marked."""
        self._named: dict[str, End] = {}
        self._members = {subject.key: subject.members for subject in cast.subjects}
        self._cast = cast
        self.pods = {
            number: f"{subject.key.namespace}/{subject.key.name}"
            for subject in cast.subjects
            if subject.key.kind == "Pod"
            for number in subject.members
        }
        """The pod of each member; a template's is none."""
        self.families = [_family(member.address) for member in cast.members]
        """4 or 6 of each member; 0 where nobody knows its address yet."""
        self._owned: dict[ObjectKey, list[int]] = {}
        self.nodes: dict[str, str] = {}
        """The node of each pod."""
        self._hosts: dict[Address, str] = {
            item: node.name for node in manifests.nodes for item in node.addresses
        }
        self._at: dict[Address, list[int]] = {}
        for pod in manifests.pods:
            owner = manifests.owners.get(pod.uid)
            if owner is not None:
                self._owned.setdefault(owner, []).extend(self._members[pod.key])
            # without its name a node is still told from others by its address
            node = pod.node or next(iter(pod.host_addresses), "")
            self.nodes[f"{pod.namespace}/{pod.name}"] = node
            for address in pod.host_addresses:
                self._hosts.setdefault(address, node)
        for number, member in enumerate(cast.members):
            if member.address is not None:
                self._at.setdefault(member.address, []).append(number)
        self._services = {item: service for service in manifests.services for item in service.addresses}
        self._by_name: dict[str, list[ObjectKey]] = {}
        for key in (*self._members, *self._owned):
            self._by_name.setdefault(f"{key.namespace}/{key.name}", []).append(key)

    def pod(self, name: str) -> End:
        """By `namespace/name`."""
        known = self._named.get(name)
        if known is not None:
            return known
        namespace, _, own = name.partition("/")
        members = self._members.get(ObjectKey("Pod", namespace, own))
        if members is None:
            return End(EndKind.UNKNOWN, reason=f"the manifests have no pod {name}")
        # there are as many as pods, however many ask for them
        found = self._named[name] = End(EndKind.PODS, members, name)
        return found

    def workload(self, name: str) -> End:
        """By `namespace/Kind/name`."""
        namespace, _, rest = name.partition("/")
        kind, _, own = rest.partition("/")
        if kind == "Pod":
            return self.pod(f"{namespace}/{own}")
        key = ObjectKey(kind, namespace, own)
        members = tuple(self._owned.get(key, ())) or self._members.get(key, ())
        if not members:
            return End(EndKind.UNKNOWN, reason=f"the manifests have no workload {name}")
        return self.of_members(members)

    def address(self, text: str) -> End:
        """Whose an address is; one that is nobody's in the cluster is outside. ValueError for no address."""
        address = canonical_address(text)
        if is_loopback(address) or is_group_address(address):
            reason = f"{address} is no address of one peer, and NetworkPolicy says nothing on it"
            return End(EndKind.UNKNOWN, address=address, reason=reason)
        members = self._at.get(address, [])
        names = {self.pods[number] for number in members}
        if len(names) == 1:
            return End(EndKind.PODS, tuple(members), names.pop(), address)
        if address in self._hosts or (members and all(self._on_host(number) for number in members)):
            node = self._hosts.get(address) or self.nodes[self.pods[members[0]]]
            return End(EndKind.NODE, address=address, node=node)
        if members:
            reason = f"{address} is the address of several pods: {', '.join(sorted(names)[:5])}"
            return End(EndKind.UNKNOWN, address=address, reason=reason)
        service = self._services.get(address)
        if service is not None:
            return End(EndKind.SERVICE, address=address, service=service)
        return End(EndKind.OUTSIDE, address=address)

    def node(self, name: str) -> End:
        """A node by its name."""
        address = next((address for address, node in self._hosts.items() if node == name), None)
        if address is None:
            return End(EndKind.UNKNOWN, reason=f"the manifests have no address of node {name}")
        return End(EndKind.NODE, address=address, node=name)

    def spelled(self, text: str, *, namespace: str = "default") -> End:
        """As a person writes it: an address, NAME, NS/NAME, NS/KIND/NAME."""
        try:
            return self.address(text)
        except ValueError:
            words = text if "/" in text else f"{namespace}/{text}"
        if words.count("/") == 2:
            return self.workload(words)
        keys = self._by_name.get(words, [])
        if len(keys) == 1:
            return self.workload(f"{keys[0].namespace}/{keys[0].kind}/{keys[0].name}")
        if not keys:
            return End(EndKind.UNKNOWN, reason=f"the manifests have no pod or workload {words}")
        kinds = ", ".join(sorted(f"{key.namespace}/{key.kind}/{key.name}" for key in keys))
        return End(EndKind.UNKNOWN, reason=f"{words} is several: {kinds}")

    def behind(self, service: Service) -> tuple[int, ...]:
        """The members that a Service's selector selects; templates where there are no pods."""
        if not service.selector:
            return ()
        found = [
            number
            for number, member in enumerate(self._cast.members)
            if member.namespace == service.namespace and service.selector.items() <= member.labels.items()
        ]
        return tuple([number for number in found if number in self.pods] or found)

    def _on_host(self, number: int) -> bool:
        address = self._cast.members[number].address
        return self._cast.members[number].host_network or address in self._hosts

    def of_members(self, members: Iterable[int]) -> End:
        """Pods, or templates, by their numbers."""
        found = tuple(members)
        names = {self.pods.get(number, "") for number in found}
        return End(EndKind.PODS, found, names.pop() if len(names) == 1 else "")


def _family(address: Address | None) -> int:
    return 0 if address is None else 6 if ":" in address else 4


def endpoint_end(ends: Ends, item: Mapping[str, object]) -> End:
    """One of `{"pod"}`, `{"workload"}`, `{"address"}`; ValueError says what is wrong with it."""
    for key, find in (("pod", ends.pod), ("workload", ends.workload), ("address", ends.address)):
        text = item.get(key)
        if isinstance(text, str):
            return find(text)
    raise ValueError('an endpoint is {"pod": "NS/NAME"}, {"workload": "NS/KIND/NAME"} or {"address": "IP"}')
