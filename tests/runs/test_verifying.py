"""Lines to items, one each, in their order; equal flows are judged once, and a bad line is named."""

from __future__ import annotations

import json

import pytest

from kubectl_netpolgen.model.errors import InvalidManifest
from kubectl_netpolgen.model.manifests import Manifests
from kubectl_netpolgen.model.policy import PolicyType
from kubectl_netpolgen.runs.verifying import Verifying
from kubectl_netpolgen.semantics.judge import Judge
from kubectl_netpolgen.semantics.verdicts import Decision
from tests.factories import a_pod, a_policy

DENY = a_policy("api", policy_types=(PolicyType.INGRESS,))
MANIFESTS = Manifests(pods=(a_pod("web-1"), a_pod("api-1", "10.244.1.6")), policies=(DENY,))
WEB, API = {"pod": "shop/web-1"}, {"pod": "shop/api-1"}


def a_line(source: object = WEB, destination: object = API, port: object = 80, **more: object) -> str:
    return json.dumps({**more, "source": source, "destination": destination, "protocol": "TCP", "port": port})


def verifying(*, brief: bool = True) -> Verifying:
    return Verifying(Judge(MANIFESTS, brief=brief), where="f", brief=brief)


def test_ids_are_as_given_or_the_lines_number() -> None:
    lines = [a_line(id='a"b'), "\n", a_line(API, WEB), a_line(id=7), a_line(id="é"), a_line(id=None)]
    found = [json.loads(text) for text in verifying().texts(lines)]
    assert found == [
        {"id": 'a"b', "verdict": "denied"},
        {"id": "3", "verdict": "allowed"},
        {"id": 7, "verdict": "denied"},
        {"id": "é", "verdict": "denied"},
        {"id": "6", "verdict": "denied"},
    ]


def test_equal_flows_have_equal_answers_and_unlike_ones_their_own() -> None:
    row = json.dumps({"client": "10.244.1.6", "server": "10.244.1.5", "protocol": "TCP", "serverPort": 80})
    lines = [a_line(), a_line(), a_line(API, WEB), row, row, a_line({"address": "10.244.1.5"})]
    judging = verifying(brief=False)
    found = [json.loads(text)["verdict"] for text in judging.texts(lines)]
    assert found == ["denied", "denied", "allowed", "allowed", "allowed", "denied"]
    assert judging.tally.count == {
        Decision.DENIED: 3,
        Decision.ALLOWED: 3,
        Decision.CNI_DEPENDENT: 0,
        Decision.UNRESOLVED: 0,
    }
    assert not judging.tally.all_allowed


def test_edges_verdict_carries_both_shapes() -> None:
    edge = {
        "id": "e-1",
        "client": {"kind": "Pod", "namespace": "shop", "name": "web-1"},
        "server": {"kind": "External", "address": "8.8.8.8"},
        "protocol": "TCP",
        "port": 443,
        "verdict": "spoofed",
    }
    for _ in range(2):
        (text,) = verifying(brief=False).texts([json.dumps(edge)])
        found = json.loads(text)
        assert list(found)[:4] == ["id", "verdict", "egress", "ingress"]
        assert (found["verdict"], found["client"], found["source"]) == ("allowed", edge["client"], WEB)
        assert found["destination"] == {"address": "8.8.8.8"}


def test_verdicts_are_those_of_the_texts() -> None:
    judging = verifying()
    found = [
        (item.name, item.verdict.decision) for item in judging.verdicts([a_line(), a_line(API, WEB, id=4)])
    ]
    assert found == [("1", Decision.DENIED), ("4", Decision.ALLOWED)]


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("{", "is no JSON"),
        ("[]", "is no object"),
        ("null", "is no object"),
        (a_line(port=True), "port: True"),
        (a_line(port=80.0), "port: 80.0"),
        (a_line({"pod": ["x"]}), "source: "),
        (a_line() + a_line(), "more than one value"),
        ('{"id": NaN}', "no JSON"),
    ],
)
def test_line_that_asks_nothing_is_named_whatever_was_asked_before(line: str, word: str) -> None:
    for judge in (verifying().texts, verifying().verdicts):
        with pytest.raises(InvalidManifest) as error:
            list(judge([a_line(port=1), a_line(), line]))
        assert error.value.message.startswith("f:3: ")
        assert word in error.value.message
