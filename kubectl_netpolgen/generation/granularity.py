"""For how many workloads a policy speaks: one, those with an equal label, or all of a namespace."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from kubectl_netpolgen.generation.selectors import stable_labels

# Qualified names (apimachinery util/validation IsQualifiedName, IsDNS1123Subdomain).
_NAME = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_PREFIX = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LONGEST_PREFIX = 253


class Per(str, Enum):
    """What one policy is for."""

    WORKLOAD = "workload"
    NAMESPACE = "namespace"
    LABEL = "label"


@dataclass(frozen=True)
class Granularity:
    """What one policy is for, and by which label workloads are grouped."""

    per: Per = Per.WORKLOAD
    key: str = ""
    """The label's key; of `Per.LABEL` alone."""

    def __str__(self) -> str:
        """As it is written on the command line."""
        return f"{self.per.value}={self.key}" if self.key else self.per.value


PER_WORKLOAD = Granularity()


def parse_granularity(text: str) -> Granularity:
    """`workload`, `namespace` or `label=KEY`; ValueError for another word or a key that no label can have."""
    word, equals, key = text.partition("=")
    if word == Per.LABEL.value and equals:
        _check_key(key)
        return Granularity(Per.LABEL, key)
    if equals or word not in (Per.WORKLOAD.value, Per.NAMESPACE.value):
        raise ValueError(f'"{text}" is none of workload, namespace, label=KEY')
    return Granularity(Per(word))


def _check_key(key: str) -> None:
    prefix, slash, name = key.rpartition("/")
    good = _NAME.fullmatch(name) and (not slash or _PREFIX.fullmatch(prefix))
    if not good or len(prefix) > _LONGEST_PREFIX:
        raise ValueError(f'"{key}" is no key of a label')
    if not stable_labels({key: ""}):
        raise ValueError(f'the label "{key}" is another one for every roll-out, run or place')
