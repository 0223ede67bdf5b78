"""What the API server refuses of a manifest, field by field.

By k8s.io/kubernetes pkg/apis/networking/validation and core/validation, and apimachinery's rules for names
and labels (pkg/util/validation): what it takes and never matches is no fault.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

_NAME = re.compile(r"(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?)\Z")
_SUBDOMAIN = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*\Z")
_LABEL = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?\Z")
_PORT_NAME = re.compile(r"(?=.*[a-z])[a-z0-9](?:[a-z0-9]|-(?=[a-z0-9]))*\Z")
_LONGEST, _LONGEST_PREFIX, _LONGEST_PORT_NAME = 63, 253, 15
_OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist")
_TYPES = ("Ingress", "Egress")

Document = Mapping[str, Any]


def faults_of(document: Document) -> Iterator[str]:
    """Each field that is wrong, with the reason, of an object of any kind."""
    metadata = document.get("metadata")
    if not isinstance(metadata, Mapping) or not isinstance(metadata.get("name"), str):
        yield "metadata.name: missing, or no text"
        return
    namespace = metadata.get("namespace")
    if namespace is not None and not (isinstance(namespace, str) and _is_label(namespace)):
        yield f"metadata.namespace: {namespace!r} is no name (RFC 1123)"
    yield from _labels(metadata.get("labels"), "metadata.labels")
    spec = document.get("spec")
    if document["kind"] == "NetworkPolicy":
        yield from _policy(spec)
    elif document["kind"] == "Pod":
        yield from _containers(spec, "spec")
    elif isinstance(spec, Mapping):
        yield from _workload(spec)


def doubts_of(document: Document) -> Iterator[str]:
    """What is refused too, and leaves no doubt about who may connect to whom: examples are full of it."""
    name = document["metadata"]["name"]
    if not _is_subdomain(name):
        yield f"metadata.name: {name!r} is no name (RFC 1123)"
    spec = document.get("spec")
    for part in (spec, *(template.get("spec") for template, _ in _templates(spec))):
        containers = part.get("containers") if isinstance(part, Mapping) else None
        for number, container in enumerate(_list(containers)):
            ports = container.get("ports") if isinstance(container, Mapping) else None
            for index, port in enumerate(_list(ports)):
                if isinstance(port, Mapping) and port.get("containerPort") is None:
                    yield f"containers[{number}].ports[{index}].containerPort: missing"


def _templates(spec: object) -> Iterator[tuple[Document, str]]:
    """The template of pods and where it stands; a CronJob's is within its Job's."""
    for names in (("template",), ("jobTemplate", "spec", "template")):
        found = spec
        for name in names:
            found = found.get(name) if isinstance(found, Mapping) else None
        if isinstance(found, Mapping):
            yield found, ".".join(("spec", *names))


def _workload(spec: Document) -> Iterator[str]:
    for template, where in _templates(spec):
        metadata = template.get("metadata")
        if isinstance(metadata, Mapping):
            yield from _labels(metadata.get("labels"), f"{where}.metadata.labels")
        yield from _containers(template.get("spec"), f"{where}.spec")


def _containers(spec: object, where: str) -> Iterator[str]:
    """Ports of containers; names of one pod are unique within a container only, as the API server has it."""
    if not isinstance(spec, Mapping):
        return
    for number, container in enumerate(_list(spec.get("containers"))):
        ports = container.get("ports") if isinstance(container, Mapping) else None
        seen = set()
        for index, port in enumerate(_list(ports)):
            field = f"{where}.containers[{number}].ports[{index}]"
            if not isinstance(port, Mapping):
                yield f"{field}: no object"
                continue
            if port.get("containerPort") is not None and not _is_port(port["containerPort"]):
                yield f"{field}.containerPort: {port.get('containerPort')!r} is not between 1 and 65535"
            name = port.get("name")
            if name:
                if not (isinstance(name, str) and _is_port_name(name)):
                    yield f"{field}.name: {name!r} is no port's name (RFC 6335)"
                elif name in seen:
                    yield f"{field}.name: {name!r} is there twice"
                seen.add(name)


def _policy(spec: object) -> Iterator[str]:
    if spec is None:
        return
    if not isinstance(spec, Mapping):
        yield "spec: no object"
        return
    yield from _selector(spec.get("podSelector"), "spec.podSelector")
    types = spec.get("policyTypes")
    for index, kind in enumerate(_list(types)):
        if kind not in _TYPES:
            yield f"spec.policyTypes[{index}]: {kind!r} is neither Ingress nor Egress"
    if len(_list(types)) > len(_TYPES):
        yield "spec.policyTypes: more than two"
    for direction, peers in (("ingress", "from"), ("egress", "to")):
        rules = spec.get(direction)
        if rules is not None and not isinstance(rules, list):
            yield f"spec.{direction}: no list"
        for index, rule in enumerate(_list(rules)):
            where = f"spec.{direction}[{index}]"
            if not isinstance(rule, Mapping):
                yield f"{where}: no object"
                continue
            for number, peer in enumerate(_list(rule.get(peers))):
                yield from _peer(peer, f"{where}.{peers}[{number}]")
            for number, port in enumerate(_list(rule.get("ports"))):
                yield from _port(port, f"{where}.ports[{number}]")


def _peer(peer: object, where: str) -> Iterator[str]:
    """Selectors; the forms that a peer may have, and its CIDRs, are the parser's to refuse."""
    if not isinstance(peer, Mapping):
        yield f"{where}: no object"
        return
    for name in ("podSelector", "namespaceSelector"):
        yield from _selector(peer.get(name), f"{where}.{name}")


def _port(port: object, where: str) -> Iterator[str]:
    if not isinstance(port, Mapping):
        yield f"{where}: no object"
        return
    protocol = port.get("protocol")
    if protocol is not None and protocol not in ("TCP", "UDP", "SCTP"):
        yield f"{where}.protocol: {protocol!r} is none of TCP, UDP and SCTP"
    number = port.get("port")
    if isinstance(number, str) and not _is_port_name(number):
        yield f"{where}.port: {number!r} is no port's name (RFC 6335)"
    if number is None and port.get("endPort") is not None:
        yield f"{where}.endPort: needs a port"


def _selector(selector: object, where: str) -> Iterator[str]:
    if selector is None:
        return
    if not isinstance(selector, Mapping):
        yield f"{where}: no object"
        return
    yield from _labels(selector.get("matchLabels"), f"{where}.matchLabels")
    for index, item in enumerate(_list(selector.get("matchExpressions"))):
        field = f"{where}.matchExpressions[{index}]"
        if not isinstance(item, Mapping):
            yield f"{field}: no object"
            continue
        if not isinstance(item.get("key"), str) or not is_label_key(item["key"]):
            yield f"{field}.key: {item.get('key')!r} is no label's key"
        operator, values = item.get("operator"), _list(item.get("values"))
        if operator not in _OPERATORS:
            yield f"{field}.operator: {operator!r} is none of {', '.join(_OPERATORS)}"
        elif operator in ("In", "NotIn") and not values:
            yield f"{field}.values: {operator} needs some"
        elif operator in ("Exists", "DoesNotExist") and values:
            yield f"{field}.values: {operator} takes none"
        for value in values:
            if not isinstance(value, str) or not is_label_value(value):
                yield f"{field}.values: {value!r} is no label's value"


def _labels(labels: object, where: str) -> Iterator[str]:
    if labels is None:
        return
    if not isinstance(labels, Mapping):
        yield f"{where}: no object"
        return
    for key, value in labels.items():
        if not isinstance(key, str) or not is_label_key(key):
            yield f"{where}: {key!r} is no label's key"
        if not isinstance(value, str):
            yield f"{where}.{key}: {value!r} is no text; quote it"
        elif not is_label_value(value):
            yield f"{where}.{key}: {value!r} is no label's value"


@lru_cache(maxsize=1 << 14)
def is_label_key(text: str) -> bool:
    """An optional DNS subdomain and a slash, then a name of at most 63 characters."""
    prefix, slash, name = text.rpartition("/")
    if slash and not _is_subdomain(prefix):
        return False
    return len(name) <= _LONGEST and _NAME.match(name) is not None


@lru_cache(maxsize=1 << 16)
def is_label_value(text: str) -> bool:
    """Nothing, or a name of at most 63 characters."""
    return not text or (len(text) <= _LONGEST and _NAME.match(text) is not None)


def _is_subdomain(text: str) -> bool:
    return len(text) <= _LONGEST_PREFIX and _SUBDOMAIN.match(text) is not None


def _is_label(text: str) -> bool:
    return len(text) <= _LONGEST and _LABEL.match(text) is not None


def _is_port_name(text: str) -> bool:
    return len(text) <= _LONGEST_PORT_NAME and _PORT_NAME.match(text) is not None


def _is_port(number: object) -> bool:
    return isinstance(number, int) and not isinstance(number, bool) and 1 <= number <= 65535


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
