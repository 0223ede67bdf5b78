"""Names and addresses under which pods reach Services (Kubernetes DNS specification)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from kubectl_netpolgen.model.mentions import BackendReference
from kubectl_netpolgen.model.network import Address, canonical_address
from kubectl_netpolgen.model.objects import Service
from kubectl_netpolgen.semantics.references import SCHEME_PORTS, Reference, find_references

# RFC 1123 label, which names of Services and namespaces are.
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_SUFFIX = "svc"
_SPELLED = re.compile(
    rf"(?P<service>{_LABEL.pattern})\.(?P<namespace>{_LABEL.pattern})\.{_SUFFIX}:(?P<port>[0-9]{{1,5}})"
)


class ServiceNames:
    """Tells which Service a host is, for pods of a namespace; grows as Services become known."""

    def __init__(self, services: Iterable[Service] = ()) -> None:
        self._services: dict[tuple[str, str], Service] = {}
        self._addresses: dict[Address, Service] = {}
        for service in services:
            self.learn(service)

    def learn(self, service: Service) -> None:
        """Know one Service more, or one in a newer form."""
        self._services[(service.namespace, service.name)] = service
        self._addresses.update(dict.fromkeys(service.addresses, service))

    def mentioned(
        self, text: str, *, name: str, namespace: str, beside: int | None = None
    ) -> tuple[BackendReference, ...]:
        """The Services' ports that a variable's or a file's text mentions, in the order of the text.

        Every name and every number of the answer is one that a Service has, so nothing else that the text
        holds can be learned from it. The exception are names that end in `.svc`, which only Services have:
        one of a namespace that may not be read is taken as it stands.
        """
        found = (self.resolve(item, namespace) for item in find_references(text, name=name, beside=beside))
        return tuple(dict.fromkeys(item for item in found if item is not None))

    def resolve(self, reference: Reference, namespace: str) -> BackendReference | None:
        """The Service's port that a reference means; None for another server, or one that is not certain."""
        named = self._named(reference.host, namespace)
        if named is None:
            return None
        wanted = reference.port or SCHEME_PORTS.get(reference.scheme)
        service = self._services.get(named)
        if service is None:
            wanted = wanted or reference.beside
            return BackendReference(*named, wanted) if wanted is not None else None
        numbers = [port.port for port in service.ports]
        if not service.addresses:
            # the name of a headless Service leads to its pods, and so to their own port
            numbers += [port.target_port for port in service.ports if isinstance(port.target_port, int)]
        if wanted is None and reference.beside in numbers:
            wanted = reference.beside
        if wanted is None and len(service.ports) == 1:
            wanted = numbers[0]
        return BackendReference(*named, wanted) if wanted is not None and wanted in numbers else None

    def _named(self, host: str, namespace: str) -> tuple[str, str] | None:
        """Namespace and name of the Service that a host is, for pods of this namespace."""
        address = _address(host)
        if address is not None:
            service = self._addresses.get(address)
            return None if service is None else (service.namespace, service.name)
        labels = host.split(".")
        for key in _readings(labels, namespace):
            if key in self._services:
                return key
        if _SUFFIX not in labels[2:4]:
            return None
        end = labels.index(_SUFFIX, 2)
        key = (labels[end - 1], labels[end - 2])
        return key if all(_LABEL.fullmatch(part) for part in key) else None


def _readings(labels: list[str], namespace: str) -> Iterator[tuple[str, str]]:
    """What a name may mean, in the order of a pod's search list; of a headless Service also one pod's."""
    if _SUFFIX in labels[2:4]:
        end = labels.index(_SUFFIX, 2)
        yield labels[end - 1], labels[end - 2]
    elif len(labels) == 1:
        yield namespace, labels[0]
    elif len(labels) == 2:
        yield labels[1], labels[0]
        yield namespace, labels[1]
    elif len(labels) == 3:
        yield labels[2], labels[1]


def _address(host: str) -> Address | None:
    try:
        return canonical_address(host)
    except ValueError:
        return None


def spelled(backend: BackendReference) -> str:
    """The one text that stands for a Service's port in a bundle."""
    return f"{backend.service}.{backend.namespace}.{_SUFFIX}:{backend.port}"


def parse_spelled(text: object) -> tuple[BackendReference, ...]:
    """What `spelled` wrote, several by spaces; other words, as in a value as it was, are passed over."""
    words = text.split(" ") if isinstance(text, str) else []
    found = [_SPELLED.fullmatch(word) for word in words]
    return tuple(
        BackendReference(match["namespace"], match["service"], int(match["port"]))
        for match in found
        if match is not None and 1 <= int(match["port"]) <= 65535
    )
