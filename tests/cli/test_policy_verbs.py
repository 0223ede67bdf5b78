from __future__ import annotations

from kubectl_netpolgen.cli.policy_verbs import (
    CONNECTIVITY,
    FILENAME,
    HOSTNETWORK,
    IPBLOCK_PODS,
    STRICT,
    VERIFY,
)
from kubectl_netpolgen.cli.verbs import VERBS


def test_who_answers_from_policies_reads_them_and_asks_what_they_mean_in_one_way() -> None:
    for verb in (CONNECTIVITY, VERIFY):
        assert verb in VERBS
        assert {FILENAME, IPBLOCK_PODS, HOSTNETWORK, STRICT} <= set(verb.flags)
