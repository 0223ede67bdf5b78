"""The random sets: the same for the same seed, taken by the API server, and of every form."""

from __future__ import annotations

import json

import pytest

from kubectl_netpolgen.semantics.policies import parse_policy, policy_document
from kubectl_netpolgen.semantics.validation import faults_of
from tests.e2e.sets.policies import TEAMS, policy_set

NAMESPACES = {team: f"set-{team}" for team in TEAMS}


@pytest.mark.parametrize("seed", range(1, 201))
def test_every_set_is_one_that_the_api_server_takes(seed: int) -> None:
    found = policy_set(seed, NAMESPACES)
    assert found == policy_set(seed, NAMESPACES)
    assert 3 <= len(found) <= 7
    for document in found:
        assert list(faults_of(document)) == []
        assert parse_policy(policy_document(parse_policy(document))) == parse_policy(document)


def test_ten_sets_have_every_form() -> None:
    text = json.dumps([policy_set(seed, NAMESPACES) for seed in range(1, 11)])
    for word in (
        *("matchLabels", "In", "NotIn", "Exists", "DoesNotExist", "namespaceSelector", "except", "endPort"),
        *('"http"', '"dns"', "UDP", "0.0.0.0/0", "2001:db8::/64", "10.244.0.0/16", '"Egress"]'),
    ):
        assert word in text, word
