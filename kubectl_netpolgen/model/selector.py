"""Label selectors and label sets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

Labels = Mapping[str, str]


class Operator(str, Enum):
    """The four operators of a Kubernetes LabelSelector (apimachinery meta/v1)."""

    IN = "In"
    NOT_IN = "NotIn"
    EXISTS = "Exists"
    DOES_NOT_EXIST = "DoesNotExist"


@dataclass(frozen=True)
class Requirement:
    """One entry of matchExpressions."""

    key: str
    operator: Operator
    values: tuple[str, ...] = ()

    def matches(self, labels: Labels) -> bool:
        """`NotIn` holds for an absent key too (apimachinery labels/selector.go)."""
        if self.operator is Operator.EXISTS:
            return self.key in labels
        if self.operator is Operator.DOES_NOT_EXIST:
            return self.key not in labels
        if self.operator is Operator.IN:
            return self.key in labels and labels[self.key] in self.values
        return labels.get(self.key) not in self.values if self.key in labels else True


@dataclass(frozen=True)
class LabelSelector:
    """matchLabels and matchExpressions, both of which must hold; empty matches everything."""

    match_labels: tuple[tuple[str, str], ...] = ()
    match_expressions: tuple[Requirement, ...] = ()

    def matches(self, labels: Labels) -> bool:
        """True when every label and every expression holds."""
        # a loop: `all` over a generator takes twice as long, and this is asked millions of times
        for key, value in self.match_labels:
            if labels.get(key) != value:
                return False
        return not self.match_expressions or all(item.matches(labels) for item in self.match_expressions)

    @property
    def empty(self) -> bool:
        """True for `{}`, which selects everything."""
        return not self.match_labels and not self.match_expressions


def labels_selector(labels: Labels) -> LabelSelector:
    """The selector that demands exactly these labels."""
    return LabelSelector(match_labels=tuple(sorted(labels.items())))
