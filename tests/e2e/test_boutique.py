"""The whole promise on a real cluster: capture the shop, apply what was written, see exactly that allowed."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.e2e.boutique.edges import API_NAME, REFUSED_EDGE, all_edges
from tests.e2e.boutique.forbidden import CANARIES, ForbiddenPair, forbidden_pairs
from tests.e2e.boutique.leftovers import agents, privileges, wait_until_none_runs
from tests.e2e.boutique.product import Bundle, Finished, Item, Product, application_rows, edges_of
from tests.e2e.boutique.stage import Stage, attempt, in_parallel, temporary_namespace, wait_for_denial
from tests.e2e.boutique.workloads import OUTSIDER, boutique
from tests.harness.target import Target

DURATION = os.environ.get("NETPOLGEN_E2E_DURATION", "60s")
PODS = 14
DOCUMENTED = {"client", "server", "protocol", "port", "portName", "outcome"} | {
    *("confidence", "connections", "bytes", "first", "last", "evidence")
}
HELD_CALL = ("pricefeed", "redis-held")
REFUSED_CALL = (REFUSED_EDGE.client, "adservice-legacy")


@dataclass(frozen=True)
class Shop:
    """The application with its neighbour, and what one capture of it left behind."""

    cluster: Target
    stage: Stage
    elsewhere: Stage
    finished: Finished
    bundle: Bundle
    held_opened: int

    def items(self) -> list[Item]:
        """Return the rows that the application itself is responsible for."""
        return application_rows(self.finished.items())


@pytest.fixture(scope="module")
def shop(cluster: Target, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """Run the application until every edge has worked, then capture it once, for all tests of this module."""
    kubectl = cluster.kubectl
    with temporary_namespace(kubectl, "boutique") as name, temporary_namespace(kubectl, "outsider") as other:
        stage = Stage(kubectl, name, boutique(cluster.is_harness))
        elsewhere = Stage(kubectl, other, OUTSIDER)
        stage.deploy()
        elsewhere.deploy()
        stage.wait_for_calls(stage.calls() - {REFUSED_CALL})
        product = Product(kubectl, cluster.kubeconfig)
        bundle = Bundle(tmp_path_factory.mktemp("capture") / "bundle")
        where = ("-n", name, "--duration", DURATION, "--bundle", str(bundle.path))
        finished = product.run("capture", *where, "--default-deny", "--yes", "-o", "json").expect(0)
        held_opened = stage.scores()[HELD_CALL]["opened"]
        yield Shop(cluster, stage, elsewhere, finished, bundle, held_opened)


@dataclass(frozen=True)
class Enforced:
    """What the forbidden pairs said before and after the policies, and which calls then worked."""

    before: dict[ForbiddenPair, str]
    after: dict[ForbiddenPair, str]
    opened: dict[tuple[str, str], int]


@pytest.fixture(scope="module")
def enforced(shop: Shop) -> Enforced:
    """Apply the written policies and restart every pod, so that everything has to open anew under them."""
    stage, elsewhere = shop.stage, shop.elsewhere
    pairs = forbidden_pairs(shop.cluster.is_harness)
    before = attempt(pairs, stage, elsewhere)
    shop.cluster.kubectl.run("apply", "-n", stage.namespace, "-f", str(shop.bundle.path / "policies"))
    wait_for_denial(CANARIES, stage, elsewhere)
    stage.restart()
    stage.wait_for_calls(stage.calls() - {REFUSED_CALL})
    opened = {key: counts["opened"] for key, counts in stage.scores().items()}
    return Enforced(before, attempt(pairs, stage, elsewhere), opened)


def test_the_edges_are_exactly_those_of_the_application(shop: Shop) -> None:
    """None is missing, none is invented, none appears twice, and each has its server's real port."""
    found = edges_of(shop.finished.items(), shop.stage.namespace)

    assert found == sorted(all_edges(shop.cluster.is_harness))


def test_the_held_connection_is_older_than_the_capture(shop: Shop) -> None:
    """It worked before the capture and was never opened again, so its edge was found without a handshake."""
    assert shop.held_opened == 1


def test_name_resolution_and_probes_are_rows_of_their_own(shop: Shop) -> None:
    """Both happen in every cluster: they are shown, and said to be what they are."""
    rows = shop.finished.items()

    assert any(row["server"].get("role") == "dns" for row in rows)
    assert any(row.get("role") == "probe" for row in rows)


def test_an_edge_has_the_documented_shape(shop: Shop) -> None:
    """Scripts depend on these names, whatever the rest of the row may grow to."""
    for item in shop.items():
        assert set(item) >= DOCUMENTED
        assert item["confidence"] in ("high", "medium", "low")
        assert item["evidence"], f"no rule without evidence: {item}"


def test_an_external_peer_has_the_name_its_client_asked_for(shop: Shop) -> None:
    """Addresses outside mean nothing to a reader, the name in the DNS answer does."""
    if not shop.cluster.is_harness:
        pytest.skip("nobody plays the world outside this cluster")
    external = [item["server"] for item in shop.items() if item["server"]["kind"] == "External"]

    assert external and all(API_NAME in server["names"] for server in external)


def test_the_evidence_of_every_edge_shows_its_packets(shop: Shop) -> None:
    """Tshark, which shares no code with the product, sees as many packets in the file as the edge claims."""
    tshark = shutil.which("tshark")
    assert tshark, "tshark is needed as an independent reader: install it"
    claims = [claim for item in shop.items() for claim in item["evidence"] if "filter" in claim]
    assert len(claims) >= len(all_edges(shop.cluster.is_harness)) - 1

    def count(claim: Item) -> int:
        file = shop.bundle.path / claim["file"]
        command = [tshark, "-n", "-r", str(file), "-Y", claim["filter"], "-T", "fields", "-e", "frame.number"]
        return len(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())

    seen = in_parallel(count, claims)

    assert seen == [claim["packets"] for claim in claims]
    assert min(seen) > 0


def test_every_pod_is_capturing_within_ten_seconds(shop: Shop) -> None:
    """What happens before the last pod captures is lost, so the start has to be quick."""
    capturing = {line.pod for line in shop.bundle.journal() if line.state == "capturing"}
    assert len(capturing) == PODS
    if shop.cluster.is_harness:
        assert shop.bundle.moment("run-all-capturing") - shop.finished.began < 10


def test_the_files_are_written_within_five_seconds_of_the_end(shop: Shop) -> None:
    """The captures were pulled while they grew, so that little is left to do."""
    assert shop.bundle.moment("run-written") - shop.bundle.moment("run-duration-over") < 5


def test_the_bundle_is_private(shop: Shop) -> None:
    """Packets may hold secrets: nobody else on the machine may read them."""
    everything = [shop.bundle.path, *shop.bundle.path.rglob("*")]
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in everything}

    assert {mode for path, mode in modes.items() if path.is_dir()} == {0o700}
    assert {mode for path, mode in modes.items() if path.is_file()} == {0o600}


def test_nothing_of_ours_runs_afterwards(shop: Shop) -> None:
    """Every agent ends by itself once its capture is collected, and had no more privileges than it needed."""
    wait_until_none_runs(shop.cluster.kubectl, shop.stage.namespace)
    attached = agents(shop.cluster.kubectl, shop.stage.namespace)

    assert len(attached) >= PODS
    for agent in attached:
        _, added = privileges(agent)
        assert added <= {"NET_RAW", "SETUID", "SETGID"}


def test_analyse_repeats_the_result_byte_for_byte_and_quickly(shop: Shop, tmp_path: Path) -> None:
    """The same captures give the same files, whatever the surroundings, without a cluster, in a second."""
    surroundings = (
        {"PYTHONHASHSEED": "1", "TZ": "Pacific/Kiritimati", "LC_ALL": "C"},
        {"PYTHONHASHSEED": "4242", "TZ": "America/St_Johns", "LC_ALL": "C.UTF-8"},
    )
    offline = Product(shop.cluster.kubectl, tmp_path / "no-kubeconfig")
    seconds = []
    for number, env in enumerate(surroundings):
        copy = Bundle(tmp_path / str(number))
        _copy_files(shop.bundle.path, copy.path, backwards=bool(number))
        finished = offline.analyse(copy, "--default-deny", env=env).expect(0)
        seconds.append(finished.seconds)

        assert copy.product_bytes() == shop.bundle.product_bytes()
    assert min(seconds) < 1


def test_the_policies_are_one_for_each_workload_and_the_default_deny_last(shop: Shop) -> None:
    """Kubectl applies in this order, so that nothing is closed before its exceptions are in place."""
    specs = [yaml.safe_load(file.read_text(encoding="utf-8"))["spec"] for file in shop.bundle.policies()]

    assert len(specs) == PODS + 1
    assert [spec["podSelector"] == {} for spec in specs] == [False] * PODS + [True]
    assert all(set(spec["policyTypes"]) == {"Ingress", "Egress"} for spec in specs)


def test_every_forbidden_pair_connected_before_the_policies(enforced: Enforced) -> None:
    """A pair that never connected would prove nothing by timing out."""
    assert len(enforced.before) >= 25
    assert {str(pair): said for pair, said in enforced.before.items() if said != "connected"} == {}


def test_every_edge_works_anew_under_the_policies(enforced: Enforced, shop: Shop) -> None:
    """Every call of the restarted pods succeeded, or the fixture had failed, the held one among them."""
    assert set(enforced.opened) >= shop.stage.calls() - {REFUSED_CALL}
    assert enforced.opened[HELD_CALL] >= 1


def test_every_forbidden_pair_times_out_under_the_policies(enforced: Enforced) -> None:
    """What nobody was seen doing is closed, over both families, in both directions and to the outside."""
    assert {str(pair): said for pair, said in enforced.after.items() if said != "timeout"} == {}


def test_the_application_stays_ready_under_the_policies(enforced: Enforced, shop: Shop) -> None:
    """A default deny must never cut off the kubelet's probes."""
    time.sleep(10)
    found = shop.cluster.kubectl.json("-n", shop.stage.namespace, "get", "deployments")["items"]

    assert {item["metadata"]["name"] for item in found if item["status"].get("readyReplicas") != 1} == set()


def _copy_files(source: Path, target: Path, *, backwards: bool) -> None:
    """Copy a bundle file by file, so that two copies can lie in their directories in different orders."""
    for file in sorted(source.rglob("*"), reverse=backwards):
        if file.is_file():
            copy = target / file.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            shutil.copy2(file, copy)
