"""Selectors say what apimachinery says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.model.selector import LabelSelector, Operator, Requirement, labels_selector

LABELS = st.dictionaries(st.sampled_from(["app", "tier", "x"]), st.sampled_from(["", "a", "b"]))


def expression(operator: Operator, *values: str) -> LabelSelector:
    """A selector of one expression on `app`."""
    return LabelSelector(match_expressions=(Requirement("app", operator, values),))


@pytest.mark.parametrize(
    ("selector", "labels", "matches"),
    [
        (expression(Operator.IN, "a", "b"), {"app": "a"}, True),
        (expression(Operator.IN, "a", "b"), {"app": "c"}, False),
        (expression(Operator.IN, "a", "b"), {}, False),
        (expression(Operator.NOT_IN, "a"), {"app": "b"}, True),
        (expression(Operator.NOT_IN, "a"), {"app": "a"}, False),
        (expression(Operator.NOT_IN, "a"), {}, True),
        (expression(Operator.EXISTS), {"app": ""}, True),
        (expression(Operator.EXISTS), {}, False),
        (expression(Operator.DOES_NOT_EXIST), {"app": ""}, False),
        (expression(Operator.DOES_NOT_EXIST), {"tier": "a"}, True),
    ],
)
def test_operators_follow_apimachinery(
    selector: LabelSelector, labels: dict[str, str], matches: bool
) -> None:
    assert selector.matches(labels) is matches


def test_empty_value_is_not_an_absent_key() -> None:
    assert labels_selector({"app": ""}).matches({"app": ""})
    assert not labels_selector({"app": ""}).matches({})


def test_labels_and_expressions_must_both_hold() -> None:
    selector = LabelSelector((("app", "a"),), (Requirement("tier", Operator.EXISTS),))
    assert selector.matches({"app": "a", "tier": "x"})
    assert not selector.matches({"app": "a"})
    assert not selector.matches({"tier": "x"})


@given(LABELS)
def test_empty_selector_matches_everything(labels: dict[str, str]) -> None:
    assert LabelSelector().empty
    assert LabelSelector().matches(labels)


@given(LABELS, LABELS)
def test_selector_of_labels_matches_exactly_their_supersets(
    wanted: dict[str, str], labels: dict[str, str]
) -> None:
    assert labels_selector(wanted).matches(labels) is (wanted.items() <= labels.items())


@given(LABELS)
def test_selector_does_not_depend_on_the_order_of_labels(labels: dict[str, str]) -> None:
    assert labels_selector(dict(reversed(labels.items()))) == labels_selector(labels)


@given(st.sampled_from(["app", "tier"]), st.lists(st.sampled_from(["a", "b"]), min_size=1).map(tuple), LABELS)
def test_each_operator_has_its_opposite(key: str, values: tuple[str, ...], labels: dict[str, str]) -> None:
    for operator, opposite, arguments in (
        (Operator.IN, Operator.NOT_IN, values),
        (Operator.EXISTS, Operator.DOES_NOT_EXIST, ()),
    ):
        assert Requirement(key, operator, arguments).matches(labels) is not Requirement(
            key, opposite, arguments
        ).matches(labels)
