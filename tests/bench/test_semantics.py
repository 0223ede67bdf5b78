"""What is measured is what is said: so many objects, lines, and distinct ones, half of them allowed."""

from __future__ import annotations

import json

import pytest

from bench.semantics import documents, flows, run
from kubectl_netpolgen.model.manifests import Origin
from kubectl_netpolgen.runs.verifying import Verifying
from kubectl_netpolgen.semantics.judge import Judge
from kubectl_netpolgen.semantics.manifests import gather
from kubectl_netpolgen.semantics.verdicts import Decision


@pytest.mark.parametrize("shape", ["many", "crowd"])
def test_flows_are_of_the_pods_and_policies_that_are_made(shape: str) -> None:
    made = ((item, Origin("made", 1)) for item in documents(shape, 40, 30))
    manifests = gather(made)
    assert (len(manifests.pods), len(manifests.policies)) == (40, 30)
    lines = list(flows(shape, 40, 30, 300, 100))
    assert len({json.dumps({**json.loads(line), "id": ""}) for line in lines}) <= 100
    judging = Verifying(Judge(manifests), where="made", brief=False)
    assert len(list(judging.texts(lines))) == 300
    assert judging.tally.count[Decision.ALLOWED] > 60
    assert judging.tally.count[Decision.DENIED] > 30


def test_run_measures_a_whole_process() -> None:
    took, peak, lines = run("many", 20, 20, 50, 20, True)
    assert lines == 50
    assert took > 0
    assert peak > 1
