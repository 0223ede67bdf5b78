"""Documents of manifests to the objects that say who may talk to whom."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from kubectl_netpolgen.model.finding import Finding, Severity
from kubectl_netpolgen.model.manifests import Manifests, Origin, Template
from kubectl_netpolgen.model.objects import Namespace, Node, ObjectKey, Pod, Service, Workload
from kubectl_netpolgen.model.policy import NetworkPolicy
from kubectl_netpolgen.model.tiers import TierPolicy
from kubectl_netpolgen.semantics.objects import KubernetesObject, parse_object
from kubectl_netpolgen.semantics.tiers import TIER_KINDS, with_nodes
from kubectl_netpolgen.semantics.validation import doubts_of, faults_of

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Fault:
    """Something that the API server would refuse."""

    origin: Origin
    object: str
    """Kind, namespace and name, as far as they are there."""
    reason: str
    """The field, and what is wrong with it."""

    def __str__(self) -> str:
        return f"{self.origin.file}:{self.origin.line}: {self.object}: {self.reason}"


class Refused(ValueError):
    """Manifests that the API server would not take; `faults` are all of them."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("; ".join(map(str, faults)))
        self.faults = faults


class _Gathering:
    """Objects as they come."""

    def __init__(self) -> None:
        self.objects: list[KubernetesObject] = []
        self.templates: list[tuple[Workload, Template]] = []
        self.origins: dict[ObjectKey, Origin] = {}
        self.faults: list[Fault] = []
        self.findings: list[Finding] = []
        self._ignored: dict[str, Origin] = {}

    def take(self, document: object, origin: Origin) -> None:
        """Take one document, or each of a list."""
        if not isinstance(document, Mapping) or not isinstance(document.get("kind"), str):
            self.findings.append(
                Finding(
                    "not-an-object",
                    Severity.WARNING,
                    f"{origin.file}:{origin.line}",
                    "is no Kubernetes object: it has no kind, and was left out",
                )
            )
            return
        items = document.get("items")
        if document["kind"].endswith("List") and isinstance(items, list):
            for item in items:
                # lists of one kind may leave it out of their items
                kind = (
                    {"kind": document["kind"][: -len("List")]} if len(document["kind"]) > len("List") else {}
                )
                self.take({**kind, **item} if isinstance(item, Mapping) else item, origin)
            return
        self._take_one(document, origin)

    def _take_one(self, document: Document, origin: Origin) -> None:
        name = _name(document)
        reasons = tuple(faults_of(document))
        if reasons:
            self.faults.extend(Fault(origin, name, reason) for reason in reasons)
            return
        try:
            found = parse_object(document)
            template = _template(document, found) if isinstance(found, Workload) else None
        except ValueError as error:
            self.faults.append(Fault(origin, name, str(error)))
            return
        if found is None:
            self._ignored.setdefault(str(document["kind"]), origin)
            return
        key = _key(document)
        if key in self.origins:
            first = self.origins[key]
            reason = f"is there twice: first at {first.file}:{first.line}"
            self.faults.append(Fault(origin, name, reason))
            return
        for doubt in doubts_of(document):
            self.findings.append(
                Finding(
                    "manifest-doubtful",
                    Severity.WARNING,
                    f"{origin.file}:{origin.line}: {name}",
                    f"{doubt}; the API server would refuse that, and the rest is used",
                )
            )
        self.origins[key] = origin
        self.objects.append(found)
        if template is not None and isinstance(found, Workload):
            self.templates.append((found, template))

    def ignored(self) -> Iterator[Finding]:
        """One finding for each kind that says nothing about connections."""
        for kind, origin in sorted(self._ignored.items()):
            yield Finding(
                "kind-ignored",
                Severity.NOTE,
                kind,
                f"does not say who may connect to whom, and was left out ({origin.file}:{origin.line})",
            )


def gather(documents: Iterable[tuple[object, Origin]], findings: Iterable[Finding] = ()) -> Manifests:
    """What documents say; Refused, with everything that is wrong, when the API server would not take them."""
    gathering = _Gathering()
    for document, origin in documents:
        gathering.take(document, origin)
    if gathering.faults:
        raise Refused(tuple(gathering.faults))
    objects = gathering.objects
    # copies of a manifest repeat its uid
    pods = [replace(item, uid=f"{item.namespace}/{item.name}") for item in objects if isinstance(item, Pod)]
    workloads = {item.key: item for item in objects if isinstance(item, Workload)}
    owners = {pod.uid: _top(pod, workloads) for pod in pods if _owned(pod)}
    nodes = tuple(item for item in objects if isinstance(item, Node))
    running = tuple(pod for pod in pods if not pod.finished)
    tops = [
        template
        for workload, template in gathering.templates
        if workload.owner is None or _owner_key(workload.key.namespace, workload) not in workloads
    ]
    return Manifests(
        namespaces=tuple(item for item in objects if isinstance(item, Namespace)),
        pods=running,
        owners={pod.uid: owners[pod.uid] for pod in running if pod.uid in owners},
        templates=(*tops, *_ended(pods, owners, {template.key for template in tops})),
        services=tuple(item for item in objects if isinstance(item, Service)),
        nodes=nodes,
        policies=tuple(item for item in objects if isinstance(item, NetworkPolicy)),
        tiers=tuple(with_nodes((item for item in objects if isinstance(item, TierPolicy)), nodes)),
        origins=gathering.origins,
        findings=(*findings, *gathering.findings, *gathering.ignored()),
    )


def _ended(pods: Iterable[Pod], owners: Mapping[str, ObjectKey], known: set[ObjectKey]) -> Iterator[Template]:
    """A workload's ended pods show what its next ones will be, where nothing else does."""
    for pod in pods:
        key = owners.get(pod.uid)
        if pod.finished and key is not None and key not in known:
            known.add(key)
            yield Template(key, pod.labels, pod.ports, pod.host_network)


_OF_THE_CLUSTER = frozenset({"Namespace", "Node", "APIService", *TIER_KINDS})


def _key(document: Document) -> ObjectKey:
    metadata = document["metadata"]
    return ObjectKey(str(document["kind"]), _namespace(document), str(metadata["name"]))


def _name(document: Document) -> str:
    metadata = document.get("metadata")
    found = metadata if isinstance(metadata, Mapping) else {}
    namespace = _namespace(document)
    return f"{document['kind']} {namespace}{'/' * bool(namespace)}{found.get('name')}"


def _namespace(document: Document) -> str:
    """`default` is what kubectl takes where none is named; what is of the whole cluster has none."""
    if document["kind"] in _OF_THE_CLUSTER:
        return ""
    metadata = document.get("metadata")
    return str((metadata.get("namespace") if isinstance(metadata, Mapping) else None) or "default")


def _template(document: Document, workload: Workload) -> Template | None:
    """The pods that a workload would make: spec.template, or a CronJob's further down."""
    spec = document["spec"]
    template = spec.get("template")
    if template is None and isinstance(spec.get("jobTemplate"), Mapping):
        template = (spec["jobTemplate"].get("spec") or {}).get("template")
    if not isinstance(template, Mapping) or not isinstance(template.get("spec"), Mapping):
        return None
    metadata = template.get("metadata") or {}
    pod = parse_object(
        {
            "kind": "Pod",
            "metadata": {**metadata, "name": workload.key.name, "namespace": workload.key.namespace},
            "spec": template["spec"],
        }
    )
    assert isinstance(pod, Pod)
    return Template(workload.key, pod.labels, pod.ports, pod.host_network)


def _owned(pod: Pod) -> bool:
    return pod.owner is not None and pod.owner.kind != "Node"


def _owner_key(namespace: str, item: Pod | Workload) -> ObjectKey | None:
    return ObjectKey(item.owner.kind, namespace, item.owner.name) if item.owner is not None else None


def _top(pod: Pod, workloads: Mapping[ObjectKey, Workload]) -> ObjectKey:
    """The top of the owner chain as far as the manifests have it."""
    key, seen = _owner_key(pod.namespace, pod), {pod.key}
    assert key is not None
    while key in workloads and key not in seen:
        seen.add(key)
        above = _owner_key(pod.namespace, workloads[key])
        if above is None:
            break
        key = above
    return key
