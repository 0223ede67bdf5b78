"""The harness itself: it is only worth testing against if it behaves as a real cluster does."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.harness import layout, teardown
from tests.harness.__main__ import DOWN
from tests.harness.cluster import Harness
from tests.harness.kubectl import Kubectl, KubectlError
from tests.harness.pki import Certificate
from tests.harness.target import Target

pytestmark = pytest.mark.harness_only

Manifest = dict[str, Any]
NODES = ("node1", "node2")
WEB_PORT = 8080
CURL_TIMED_OUT = 28
LOG_LINES = 30_000
UP_SECONDS = 60.0


def pod(name: str, *command: str, node: str | None = None, **container: Any) -> Manifest:
    """A pod of the toolbox that runs one command, on a certain node if given."""
    main = {
        "name": "main",
        "image": layout.TOOLBOX_IMAGE,
        "imagePullPolicy": "Never",
        "command": list(command or ("sleep", "infinity")),
        **container,
    }
    spec: Manifest = {"containers": [main], "terminationGracePeriodSeconds": 0}
    if node is not None:
        spec["nodeName"] = node
    metadata = {"name": name, "labels": {"app": name}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def web_pod(name: str, node: str | None = None) -> Manifest:
    """A web server whose readiness the kubelet asks over HTTP every second."""
    probe = {"httpGet": {"path": "/", "port": WEB_PORT}, "periodSeconds": 1, "failureThreshold": 2}
    # `::` takes both families.
    command = ("python3", "-m", "http.server", "--bind", "::", "--directory", "/srv", str(WEB_PORT))
    return pod(name, *command, node=node, readinessProbe=probe)


def create(kubectl: Kubectl, namespace: str, *manifests: Manifest) -> None:
    """Create objects in a namespace."""
    kubectl.apply(*({**one, "metadata": {**one["metadata"], "namespace": namespace}} for one in manifests))


def ready(kubectl: Kubectl, namespace: str, *names: str) -> None:
    """Wait until these pods are ready."""
    pods = (f"pod/{name}" for name in names)
    kubectl.wait("-n", namespace, *pods, "--for=condition=Ready")


def curl(kubectl: Kubectl, namespace: str, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Ask for a page from inside a pod."""
    return kubectl.exec(namespace, name, "curl", "-sS", "--max-time", "3", *arguments, check=False)


def addresses(kubectl: Kubectl, namespace: str, name: str) -> list[str]:
    """A pod's addresses as they stand in a URL, IPv4 first."""
    status = kubectl.json("-n", namespace, "get", "pod", name)["status"]
    found = [one["ip"] for one in status["podIPs"]]
    return [f"[{address}]" if ":" in address else address for address in found]


def _answers(kubectl: Kubectl, namespace: str, name: str, url: str) -> bool:
    return curl(kubectl, namespace, name, url).returncode == 0


def _times_out(kubectl: Kubectl, namespace: str, name: str, url: str) -> bool:
    return curl(kubectl, namespace, name, url).returncode == CURL_TIMED_OUT


def _logs_whole(kubectl: Kubectl, namespace: str, name: str) -> bool:
    numbers = kubectl.run("-n", namespace, "logs", name).stdout.split()
    return numbers == [str(number) for number in range(1, LOG_LINES + 1)]


def eventually(holds: Callable[[], bool], seconds: float = 30.0) -> bool:
    """Whether something becomes true in time; policies take seconds to reach every node."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.5)
    return True


@pytest.fixture
def kubectl(cluster: Target) -> Kubectl:
    """The administrator's kubectl."""
    return cluster.kubectl


@pytest.fixture
def pods(kubectl: Kubectl, namespace: str) -> Iterator[tuple[str, ...]]:
    """One idle pod on each node, named after it."""
    create(kubectl, namespace, *(pod(node, node=node) for node in NODES))
    ready(kubectl, namespace, *NODES)
    yield NODES


def test_both_nodes_have_addresses_and_pod_ranges_of_both_families(kubectl: Kubectl) -> None:
    for number, node in enumerate(kubectl.json("get", "nodes")["items"], start=1):
        internal = [one["address"] for one in node["status"]["addresses"] if one["type"] == "InternalIP"]
        assert internal == [f"10.89.0.1{number}", f"fd00:10:89::1{number}"]
        assert node["spec"]["podCIDRs"] == [f"10.244.{number}.0/24", f"fd00:10:244:{number}::/64"]


def test_kubectl_and_server_are_of_the_same_version(kubectl: Kubectl) -> None:
    versions = kubectl.json("version")
    assert versions["clientVersion"]["gitVersion"] == versions["serverVersion"]["gitVersion"]


def test_a_default_deny_blocks_pods_but_never_the_kubelets_probes(kubectl: Kubectl, namespace: str) -> None:
    create(kubectl, namespace, *(web_pod(f"web-{node}", node) for node in NODES))
    create(kubectl, namespace, *(pod(f"client-{node}", node=node) for node in NODES))
    ready(kubectl, namespace, *(f"{kind}-{node}" for kind in ("web", "client") for node in NODES))
    paths = [
        (f"client-{client}", f"http://{address}:{WEB_PORT}/")
        for client in NODES
        for server in NODES
        for address in addresses(kubectl, namespace, f"web-{server}")
    ]
    assert [curl(kubectl, namespace, *path).returncode for path in paths] == [0] * len(paths)

    deny = {"podSelector": {}, "policyTypes": ["Ingress"]}
    policy = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "spec": deny}
    create(kubectl, namespace, {**policy, "metadata": {"name": "default-deny"}})

    with ThreadPoolExecutor(len(paths)) as pool:
        denied = [pool.submit(eventually, partial(_times_out, kubectl, namespace, *path)) for path in paths]
    assert all(one.result() for one in denied), paths
    # New pods pass their first probe, and the old ones have passed every one since.
    create(kubectl, namespace, *(web_pod(f"late-{node}", node) for node in NODES))
    ready(kubectl, namespace, *(f"late-{node}" for node in NODES))
    denied_since = time.monotonic()
    while time.monotonic() - denied_since < 5:
        for item in kubectl.json("-n", namespace, "get", "pods")["items"]:
            states = {one["type"]: one["status"] for one in item["status"]["conditions"]}
            assert states["Ready"] == "True", item["metadata"]["name"]
        time.sleep(1)


def test_a_dual_stack_service_answers_on_both_of_its_addresses(
    kubectl: Kubectl, namespace: str, pods: tuple[str, ...]
) -> None:
    create(kubectl, namespace, web_pod("web", NODES[0]))
    service = {
        "selector": {"app": "web"},
        "ports": [{"port": WEB_PORT}],
        "ipFamilyPolicy": "RequireDualStack",
    }
    create(
        kubectl,
        namespace,
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": service},
    )
    ready(kubectl, namespace, "web")
    four, six = kubectl.json("-n", namespace, "get", "service", "web")["spec"]["clusterIPs"]
    for host in (four, f"[{six}]", f"web.{namespace}.svc.cluster.local"):
        for client in pods:
            url = f"http://{host}:{WEB_PORT}/"
            assert eventually(partial(_answers, kubectl, namespace, client, url)), url


WEBHOOK = """
import http.server, json, ssl
class Refusal(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        asked = review["request"]
        answer = {"uid": asked["uid"], "allowed": asked["name"] != "refused"}
        answer["status"] = {"message": "seen by the webhook"}
        body = json.dumps({**review, "request": None, "response": answer}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
server = http.server.ThreadingHTTPServer(("", 8443), Refusal)
tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
tls.load_cert_chain("/tls/tls.crt", "/tls/tls.key")
server.socket = tls.wrap_socket(server.socket, server_side=True)
server.serve_forever()
"""


@pytest.fixture
def webhook(cluster: Target, namespace: str, tmp_path: Path) -> Iterator[str]:
    """A validating webhook behind a ClusterIP, asked about config maps of this namespace alone."""
    assert cluster.harness is not None
    kubectl, authority = cluster.kubectl, cluster.harness.authority
    wanted = Certificate("webhook", "webhook", names=(f"DNS:webhook.{namespace}.svc",))
    certificate, key = authority.issue(wanted, tmp_path)
    kubectl.run(
        *("-n", namespace, "create", "secret", "tls", "webhook"), f"--cert={certificate}", f"--key={key}"
    )
    server = pod(
        *("webhook", "python3", "-c", WEBHOOK),
        node=NODES[1],
        volumeMounts=[{"name": "tls", "mountPath": "/tls"}],
        readinessProbe={"tcpSocket": {"port": 8443}, "periodSeconds": 1},
    )
    server["spec"]["volumes"] = [{"name": "tls", "secret": {"secretName": "webhook"}}]
    service = {"selector": {"app": "webhook"}, "ports": [{"port": 443, "targetPort": 8443}]}
    create(
        *(kubectl, namespace, server),
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "webhook"}, "spec": service},
    )
    ready(kubectl, namespace, "webhook")
    bundle = kubectl.json("-n", namespace, "get", "configmap", "kube-root-ca.crt")["data"]["ca.crt"]
    kubectl.apply(webhook_configuration(namespace, bundle))
    yield namespace
    kubectl.run("delete", "validatingwebhookconfiguration", namespace)


def webhook_configuration(namespace: str, bundle: str) -> Manifest:
    """Sends new config maps of one namespace to the Service there, and refuses them if it is silent."""
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": namespace},
        "webhooks": [
            {
                "name": "webhook.example.test",
                "admissionReviewVersions": ["v1"],
                "sideEffects": "None",
                "failurePolicy": "Fail",
                "timeoutSeconds": 5,
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
                "rules": [
                    {
                        "apiGroups": [""],
                        "apiVersions": ["v1"],
                        "operations": ["CREATE"],
                        "resources": ["configmaps"],
                    }
                ],
                "clientConfig": {
                    "service": {"namespace": namespace, "name": "webhook"},
                    "caBundle": base64.b64encode(bundle.encode()).decode(),
                },
            }
        ],
    }


def test_the_api_server_reaches_a_webhook_behind_a_cluster_ip(kubectl: Kubectl, webhook: str) -> None:
    # A new webhook is asked from a second or so after it was created: until then nobody refuses.
    assert eventually(partial(_is_refused, kubectl, webhook))
    kubectl.run("-n", webhook, "create", "configmap", "welcome")


def _is_refused(kubectl: Kubectl, namespace: str) -> bool:
    tried = kubectl.run("-n", namespace, "create", "configmap", "refused", "--dry-run=server", check=False)
    return tried.returncode != 0 and "seen by the webhook" in tried.stderr


@pytest.mark.parametrize("node", NODES)
@pytest.mark.parametrize(
    ("family", "host"),
    [
        ("-4", "203.0.113.10"),
        ("-6", "[2001:db8::10]"),
        ("-4", "api.example.test"),
        ("-6", "api.example.test"),
        ("-4", "cdn.example.test"),
        ("-6", "cdn.example.test"),
    ],
)
def test_pods_reach_the_outside(
    kubectl: Kubectl, outside_clients: str, node: str, family: str, host: str
) -> None:
    plain = curl(kubectl, outside_clients, node, family, f"http://{host}/")
    secure = curl(kubectl, outside_clients, node, family, "--cacert", "/ca/ca.crt", f"https://{host}/")
    expected = "cdn.example.test\n" if host.startswith("cdn") else "api.example.test\n"
    assert (plain.stdout, secure.stdout) == (expected, expected), plain.stderr + secure.stderr


ECHO = """
import socket, sys
for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
    for family, address in ((socket.AF_INET, "203.0.113.20"), (socket.AF_INET6, "2001:db8::20")):
        with socket.socket(family, kind) as client:
            client.settimeout(3)
            client.connect((address, 9000))
            client.send(b"hello")
            assert client.recv(16) == b"hello", (kind, address)
"""


@pytest.mark.parametrize("node", NODES)
def test_the_outside_echoes_over_tcp_and_udp(kubectl: Kubectl, outside_clients: str, node: str) -> None:
    kubectl.exec(outside_clients, node, "python3", "-c", ECHO)


@pytest.fixture(scope="module")
def outside_clients(cluster: Target) -> Iterator[str]:
    """A namespace with a pod on each node that knows the harness's authority."""
    kubectl, name = cluster.kubectl, f"e2e-outside-{time.monotonic_ns() % 100_000}"
    kubectl.run("create", "namespace", name)
    kubectl.wait("-n", name, "--for=create", "serviceaccount/default", "configmap/kube-root-ca.crt")
    for node in NODES:
        client = pod(node, node=node, volumeMounts=[{"name": "ca", "mountPath": "/ca"}])
        client["spec"]["volumes"] = [{"name": "ca", "configMap": {"name": "kube-root-ca.crt"}}]
        create(kubectl, name, client)
    ready(kubectl, name, *NODES)
    yield name
    kubectl.run("delete", "namespace", name, "--wait=false")


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
