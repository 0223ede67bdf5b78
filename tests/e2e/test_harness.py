"""The harness itself: it is only worth testing against if it behaves as a real cluster does."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from functools import partial

import pytest

from tests.e2e.pods import NODES, create, eventually, pod, ready
from tests.harness import layout, teardown
from tests.harness.__main__ import DOWN
from tests.harness.cluster import Harness
from tests.harness.kubectl import Kubectl, KubectlError
from tests.harness.target import Target

pytestmark = pytest.mark.harness_only

LOG_LINES = 30_000
UP_SECONDS = 60.0


def test_both_nodes_have_addresses_and_pod_ranges_of_both_families(kubectl: Kubectl) -> None:
    for number, node in enumerate(kubectl.json("get", "nodes")["items"], start=1):
        internal = [one["address"] for one in node["status"]["addresses"] if one["type"] == "InternalIP"]
        assert internal == [f"10.89.0.1{number}", f"fd00:10:89::1{number}"]
        assert node["spec"]["podCIDRs"] == [f"10.244.{number}.0/24", f"fd00:10:244:{number}::/64"]


def test_kubectl_and_server_are_of_the_same_version(kubectl: Kubectl) -> None:
    versions = kubectl.json("version")
    assert versions["clientVersion"]["gitVersion"] == versions["serverVersion"]["gitVersion"]


def test_logs_of_both_nodes_are_whole(cluster: Target, namespace: str) -> None:
    kubectl = cluster.kubectl
    script = f"seq 1 {LOG_LINES}; exec sleep infinity"
    create(kubectl, namespace, *(pod(node, "sh", "-c", script, node=node) for node in NODES))
    ready(kubectl, namespace, *NODES)
    for node in NODES:
        assert eventually(partial(_logs_whole, kubectl, namespace, node)), node
    # The kubelets sweep their log directories: each must find the pods of its own node alone.
    assert cluster.harness is not None
    for one in layout.nodes(len(NODES)):
        found = {
            path.name.split("_")[1] for path in cluster.harness.where.pod_logs(one).glob(f"{namespace}_*")
        }
        assert found == {one.name}


def _logs_whole(kubectl: Kubectl, namespace: str, name: str) -> bool:
    numbers = kubectl.run("-n", namespace, "logs", name).stdout.split()
    return numbers == [str(number) for number in range(1, LOG_LINES + 1)]


def test_the_products_default_image_is_there_and_needs_no_pull(kubectl: Kubectl, namespace: str) -> None:
    wanted = {"image": layout.PRODUCT_IMAGE, "imagePullPolicy": "IfNotPresent"}
    create(kubectl, namespace, *(pod(node, node=node, **wanted) for node in NODES))
    ready(kubectl, namespace, *NODES)
    for node in NODES:
        kubectl.exec(namespace, node, "tcpdump", "--version")


@pytest.mark.parametrize("level", ["baseline", "restricted"])
def test_pod_security_refuses_raw_sockets(kubectl: Kubectl, namespace: str, level: str) -> None:
    kubectl.run("label", "namespace", namespace, f"pod-security.kubernetes.io/enforce={level}")
    with pytest.raises(KubectlError, match="NET_RAW"):
        create(kubectl, namespace, pod("raw", securityContext={"capabilities": {"add": ["NET_RAW"]}}))


def test_the_user_dev_has_the_rights_that_a_test_binds_and_no_others(cluster: Target, namespace: str) -> None:
    assert cluster.dev_kubeconfig is not None
    dev = Kubectl(cluster.kubectl.binary, cluster.dev_kubeconfig)
    with pytest.raises(KubectlError, match="forbidden"):
        dev.run("-n", namespace, "get", "pods")
    in_namespace = ("-n", namespace, "create")
    cluster.kubectl.run(*in_namespace, "role", "reader", "--verb=list,get", "--resource=pods")
    cluster.kubectl.run(*in_namespace, "rolebinding", "reader", "--role=reader", "--user=dev")
    assert eventually(lambda: dev.run("-n", namespace, "get", "pods", check=False).returncode == 0)
    with pytest.raises(KubectlError, match="forbidden"):
        dev.run("-n", namespace, "get", "secrets")


def command_line(verb: str) -> list[str]:
    """The harness as make calls it."""
    return [sys.executable, "-m", "tests.harness", verb]


def harness(verb: str) -> subprocess.CompletedProcess[str]:
    """Call the harness and wait until it is done."""
    return subprocess.run(
        command_line(verb),
        cwd=layout.CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
        timeout=UP_SECONDS * 3,
    )


@pytest.mark.lifecycle
def test_down_leaves_nothing_and_a_killed_up_is_no_obstacle(cluster: Target) -> None:
    where = Harness().where
    export = f"export KUBECONFIG={where.admin_kubeconfig}\n"
    for _ in range(2):
        assert harness("down").returncode == 0
        assert not teardown.leftovers(where)
        assert not where.admin_kubeconfig.exists()
        assert harness("status").returncode == DOWN

    with subprocess.Popen(
        command_line("up"), cwd=layout.CHECKOUT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as interrupted:
        assert interrupted.stderr is not None
        # Nodes are half there by then.
        assert any("nodes registered" in line for line in interrupted.stderr)
        interrupted.kill()
    assert harness("status").returncode == DOWN

    started = time.monotonic()
    anew = harness("up")
    assert time.monotonic() - started < UP_SECONDS
    assert anew.stdout == export
    assert "removing what an earlier run left" in anew.stderr

    again = harness("up")
    assert again.stdout == export
    assert "up already" in again.stderr
    assert json.loads(cluster.kubectl.run("get", "--raw", "/version").stdout)["gitVersion"].startswith("v1.")
