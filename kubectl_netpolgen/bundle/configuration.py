"""What a bundle may hold of configuration, and only where a person asked for it to be read.

Variables and entries keep their names, and of their values nothing but the Services that these mention.
References to Secrets are left out altogether.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kubectl_netpolgen.bundle.shapes import as_list, as_map
from kubectl_netpolgen.model.objects import Service
from kubectl_netpolgen.semantics.objects import parse_object
from kubectl_netpolgen.semantics.references import port_beside
from kubectl_netpolgen.semantics.service_names import ServiceNames, spelled


class Configuration:
    """Cuts the configuration of some namespaces' pods down to the Services that are mentioned in it."""

    def __init__(self, namespaces: Iterable[str]) -> None:
        self._namespaces = frozenset(namespaces)
        self._names = ServiceNames()

    def learn(self, document: Mapping[str, Any]) -> None:
        """Know a Service, before what mentions it is cut down; other kinds are passed over."""
        if document.get("kind") != "Service":
            return
        try:
            parsed = parse_object(document)
        except ValueError:
            return  # a Service that cannot be understood is one that nothing is known to mention
        if isinstance(parsed, Service):
            self._names.learn(parsed)

    def add_to_pod(self, reduced: dict[str, Any], pod: Mapping[str, Any]) -> None:
        """Add to a pod's reduced spec what its own says of its configuration."""
        namespace = str(as_map(pod.get("metadata")).get("namespace") or "default")
        if namespace not in self._namespaces:
            return
        spec = as_map(pod.get("spec"))
        for group in ("initContainers", "containers"):
            for container, whole in zip(reduced.get(group, ()), spec.get(group) or (), strict=True):
                env = self._variables(as_list(as_map(whole).get("env")), namespace)
                sources = [
                    {"configMapRef": {"name": str(name)}}
                    for source in as_list(as_map(whole).get("envFrom"))
                    if (name := as_map(as_map(source).get("configMapRef")).get("name"))
                ]
                container.update({"env": env} if env else {}, **({"envFrom": sources} if sources else {}))
        volumes = [item for volume in as_list(spec.get("volumes")) for item in _volumes(as_map(volume))]
        if volumes:
            reduced["volumes"] = volumes

    def _variables(self, variables: list[Any], namespace: str) -> list[dict[str, Any]]:
        kept: list[dict[str, Any]] = []
        together = {str(item.get("name")).lower(): item.get("value") for item in map(as_map, variables)}
        for variable in map(as_map, variables):
            name, value = variable.get("name"), variable.get("value")
            if not isinstance(name, str):
                continue
            reference = as_map(as_map(variable.get("valueFrom")).get("configMapKeyRef"))
            if isinstance(value, str):
                text = self._mentioned(name, value, namespace, together)
                kept += [{"name": name, "value": text}] if text else []
            elif reference.get("name") and reference.get("key"):
                short = {key: str(reference[key]) for key in ("name", "key")}
                kept.append({"name": name, "valueFrom": {"configMapKeyRef": short}})
        return kept

    def config_map(self, item: Mapping[str, Any]) -> dict[str, Any] | None:
        """The entries of a ConfigMap that mention Services; None when none does, or nobody asked."""
        namespace = str(as_map(item.get("metadata")).get("namespace") or "default")
        if namespace not in self._namespaces:
            return None
        data = {key: value for key, value in as_map(item.get("data")).items() if isinstance(key, str)}
        together = {key.lower(): value for key, value in data.items()}
        entries = {
            key: text
            for key, value in data.items()
            if isinstance(value, str) and (text := self._mentioned(key, value, namespace, together))
        }
        return {"data": entries} if entries else None

    def _mentioned(self, name: str, value: str, namespace: str, together: Mapping[str, Any]) -> str:
        beside = port_beside(name, together)
        found = self._names.mentioned(value, name=name, namespace=namespace, beside=beside)
        return " ".join(spelled(backend) for backend in found)


def _volumes(volume: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Its ConfigMaps, those inside a projected volume as if each were a volume."""
    sources = [volume, *map(as_map, as_list(as_map(volume.get("projected")).get("sources")))]
    return [
        {"name": str(volume.get("name", "")), "configMap": {"name": str(name)}}
        for source in sources
        if (name := as_map(source.get("configMap")).get("name"))
    ]
