"""The harness's network: it must carry and block as a real cluster's does."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from tests.e2e.pods import (
    NODES,
    WEB_PORT,
    Manifest,
    addresses,
    answers,
    create,
    curl,
    eventually,
    pod,
    ready,
    times_out,
    web_pod,
)
from tests.harness.kubectl import Kubectl
from tests.harness.pki import Certificate
from tests.harness.target import Target

pytestmark = pytest.mark.harness_only


@pytest.fixture
def pods(kubectl: Kubectl, namespace: str) -> Iterator[tuple[str, ...]]:
    """One idle pod on each node, named after it."""
    create(kubectl, namespace, *(pod(node, node=node) for node in NODES))
    ready(kubectl, namespace, *NODES)
    yield NODES


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
        denied = [pool.submit(eventually, partial(times_out, kubectl, namespace, *path)) for path in paths]
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
            assert eventually(partial(answers, kubectl, namespace, client, url)), url


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
