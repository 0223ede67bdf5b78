"""A decision is accept or drop, and names a peer only where a person did."""

from __future__ import annotations

import pytest

from kubectl_netpolgen.model.decision import Decision, Verdict


def test_decision_names_no_peer_by_itself() -> None:
    decision = Decision("0123456789ab", Verdict.ACCEPT)
    assert (decision.peer, decision.ports, decision.reason) == (None, (), "")


def test_verdicts_are_spelled_as_in_the_file() -> None:
    assert Verdict("accept") is Verdict.ACCEPT
    assert Verdict("drop") is Verdict.DROP
    with pytest.raises(ValueError):
        Verdict("maybe")
