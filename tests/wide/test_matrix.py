"""What must be closed is worked out from the same workloads, and nothing that must stay open is among it."""

from __future__ import annotations

from tests.e2e.boutique.workloads import UNDECLARED_PORT
from tests.e2e.test_wide import CANARIES
from tests.e2e.wide.edges import OUTSIDE
from tests.e2e.wide.matrix import OPEN_TO_ALL, Attempt, forbidden, permitted
from tests.e2e.wide.workloads import Places, elsewhere, ordering, storage

PLACES = Places("ordering", "storage", "elsewhere")
CAPTURED = (*ordering(PLACES), *storage(PLACES))
FORBIDDEN = forbidden(CAPTURED, elsewhere(PLACES))
NAMES = {workload.name for workload in (*CAPTURED, *elsewhere(PLACES)) if not workload.rounds}


def test_no_edge_is_forbidden_and_every_canary_is() -> None:
    assert not FORBIDDEN & permitted()
    assert set(CANARIES) <= FORBIDDEN


def test_every_pair_of_workloads_is_tried_in_both_directions() -> None:
    nodes = {("hostagent", "elsewhere"), ("elsewhere", "hostagent")}
    tried = {(attempt.client, attempt.server) for attempt in FORBIDDEN}
    missing = {(client, server) for client in NAMES for server in NAMES if client != server} - tried
    # A pod and its own node always reach each other; two ends that nobody isolates are nobody's business.
    assert missing - nodes == {
        pair
        for pair in missing
        if "hostagent" in pair or pair in {("ledger", "auditor"), ("auditor", "ledger")}
    }
    assert ("hostagent", "web") in tried


def test_an_edge_opens_one_port_and_no_other_and_not_its_reverse() -> None:
    assert Attempt("web", "db", 5432) not in FORBIDDEN
    assert {Attempt("web", "db", UNDECLARED_PORT), Attempt("db", "web", UNDECLARED_PORT)} <= FORBIDDEN
    assert Attempt("db", "web", 8080) in FORBIDDEN
    assert Attempt("worker", OUTSIDE, 443) not in FORBIDDEN
    assert {Attempt("worker", OUTSIDE, 80), Attempt("web", OUTSIDE, 443)} <= FORBIDDEN


def test_a_port_that_is_open_to_all_is_closed_by_the_callers_own_policy_alone() -> None:
    for server, port in OPEN_TO_ALL:
        assert Attempt("auditor", server, port) not in FORBIDDEN
        assert Attempt("operator", server, port) in FORBIDDEN
