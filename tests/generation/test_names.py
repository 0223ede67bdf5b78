"""Names of policies are valid, stable, and never one for two workloads."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.generation.names import DEFAULT_DENY, NAMESPACE_POLICY, label_policy_name, policy_name
from kubectl_netpolgen.model.objects import ObjectKey

LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
SUBDOMAIN = re.compile(rf"{LABEL}(\.{LABEL})*")
KINDS = (
    st.sampled_from(["Deployment", "StatefulSet", "Pod", "Rollout", "rollout", "ROLLOUT", "X-Y", ""])
    | st.text()
)
NAMES = st.text(st.sampled_from("ab-.AB_é/ "), max_size=12) | st.text(max_size=300) | st.just("x" * 253)
KEYS = st.builds(ObjectKey, KINDS, st.just("shop"), NAMES)


@pytest.mark.parametrize(
    ("kind", "name", "wanted"),
    [
        ("Deployment", "web", "netpolgen-allow-deployment-web"),
        ("StatefulSet", "db.v2", "netpolgen-allow-statefulset-db.v2"),
        ("CronJob", "nightly", "netpolgen-allow-cronjob-nightly"),
        ("Pod", "debug", "netpolgen-allow-pod-debug"),
    ],
)
def test_name_is_prefix_kind_and_name(kind: str, name: str, wanted: str) -> None:
    assert policy_name(ObjectKey(kind, "shop", name)) == wanted


@given(KEYS)
def test_every_name_is_a_subdomain_of_at_most_63_characters(key: ObjectKey) -> None:
    name = policy_name(key)
    assert len(name) <= 63
    assert SUBDOMAIN.fullmatch(name)


@given(KEYS, KEYS)
def test_two_workloads_never_meet_in_one_name(one: ObjectKey, two: ObjectKey) -> None:
    if one != two:
        assert policy_name(one) != policy_name(two)


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (("Deployment", "web"), ("StatefulSet", "web")),
        (("Rollout", "web"), ("RollOut", "web")),
        (("Rollout", "web"), ("ROLLOUT", "web")),
        (("X", "y-web"), ("X-Y", "web")),
        (("Deployment", "web"), ("Deployment", "Web")),
        (("Deployment", "web"), ("Deployment", "web-")),
        (("Deployment", "a.b"), ("Deployment", "a..b")),
        (("Deployment", "x" * 252 + "a"), ("Deployment", "x" * 252 + "b")),
    ],
)
def test_known_traps_do_not_meet(one: tuple[str, str], two: tuple[str, str]) -> None:
    assert policy_name(ObjectKey(one[0], "shop", one[1])) != policy_name(ObjectKey(two[0], "shop", two[1]))


@given(KEYS)
def test_deny_all_comes_after_every_other_in_the_order_of_file_names(key: ObjectKey) -> None:
    assert f"{policy_name(key)}.yaml" < f"{DEFAULT_DENY}.yaml"


def test_namespace_is_no_part_of_the_name() -> None:
    assert policy_name(ObjectKey("Pod", "a", "x")) == policy_name(ObjectKey("Pod", "b", "x"))


LABELS = st.tuples(st.text(st.sampled_from("aB./-_"), min_size=1, max_size=80), st.text(max_size=63))


@given(LABELS, LABELS, KEYS)
def test_policies_of_groups_have_names_of_their_own(
    one: tuple[str, str], two: tuple[str, str], key: ObjectKey
) -> None:
    name = label_policy_name(*one)
    assert len(name) <= 63
    assert SUBDOMAIN.fullmatch(name)
    assert name not in (NAMESPACE_POLICY, policy_name(key))
    assert policy_name(key) != NAMESPACE_POLICY
    assert (name == label_policy_name(*two)) is (one == two)
    assert f"{name}.yaml" < f"{DEFAULT_DENY}.yaml"


def test_labels_policy_shows_key_and_value() -> None:
    name = label_policy_name("app.kubernetes.io/part-of", "Shop_1")
    assert name.startswith("netpolgen-allow-label-part-of-shop-1-")
