"""Services as other objects name them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class BackendReference:
    """A Service's port as another object names it."""

    namespace: str
    service: str
    port: int | str
    """The Service's port number, or its name."""

    def __str__(self) -> str:
        return f"{self.service}.{self.namespace}:{self.port}"


@dataclass(frozen=True)
class Mention:
    """A Service that stands in a pod's environment, or in an entry of a ConfigMap."""

    field: str
    """The variable or the entry, as a person would look it up."""
    backend: BackendReference


@dataclass(frozen=True)
class ConfigMapUse:
    """One way in which a pod gets at a ConfigMap."""

    name: str
    key: str
    """The one entry that is used; empty for all of them."""
    field: str
