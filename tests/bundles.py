"""Small real bundles, written by the product's own writer from API documents and packets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from kubectl_netpolgen.bundle.layout import CaptureFile
from kubectl_netpolgen.bundle.writer import BundleWriter
from kubectl_netpolgen.model.bundle import Manifest, PodCapture, PodState
from kubectl_netpolgen.model.finding import Finding
from tests.factories import NOON, SECOND
from tests.packets.factories import Packet, a_pcap, dns_answer, dns_query, tcp_close, tcp_handshake

Document = dict[str, Any]
WEB, API, BATCH = "10.244.1.5", "10.244.1.6", "10.244.1.7"
SERVICE_ADDRESS, DNS_ADDRESS, OUTSIDE = "10.96.0.10", "10.96.0.53", "203.0.113.10"
RUN = "1a2b3c4d"


def pod_document(name: str, address: str, **changes: Any) -> Document:
    """A running pod of the Deployment named like the part before the last dash."""
    app = name.rpartition("-")[0] or name
    namespace = changes.pop("namespace", "shop")
    owner = deployment_document(app, namespace)["metadata"]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "uid": f"uid-{name}",
            "labels": changes.pop("labels", {"app": app}),
            "creationTimestamp": "2026-01-03T11:00:00Z",
            "ownerReferences": [{"kind": "Deployment", "name": app, "uid": owner["uid"], "controller": True}],
        },
        "spec": {"nodeName": "node-1", "containers": [], **changes.pop("spec", {})},
        "status": {"phase": "Running", "podIP": address, "hostIP": "172.18.0.2", **changes},
    }


def deployment_document(name: str, namespace: str = "shop") -> Document:
    """A Deployment that selects `app: NAME`."""
    labels = {"app": name}
    uid = f"uid-deployment-{name}" + ("" if namespace == "shop" else f"-{namespace}")
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace, "uid": uid},
        "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}}},
    }


def service_documents(name: str, address: str, pods: Mapping[str, str]) -> list[Document]:
    """A Service from 80 to 8080 and its slice; pods are addresses by UID."""
    metadata = {"name": name, "namespace": "shop"}
    endpoints = [
        {"addresses": [text], "targetRef": {"kind": "Pod", "uid": uid}} for uid, text in pods.items()
    ]
    return [
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": metadata,
            "spec": {
                "clusterIP": address,
                "selector": {"app": name},
                "ports": [{"port": 80, "targetPort": 8080}],
            },
        },
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {**metadata, "labels": {"kubernetes.io/service-name": name}},
            "endpoints": endpoints,
            "ports": [{"name": "", "port": 8080, "protocol": "TCP"}],
        },
    ]


def shop_documents() -> list[Document]:
    """web calls api through its Service; batch calls nobody."""
    names = {"web": WEB, "api": API, "batch": BATCH}
    return [
        *(deployment_document(name) for name in names),
        *(pod_document(f"{name}-1", address) for name, address in names.items()),
        *service_documents("api", SERVICE_ADDRESS, {"uid-api-1": API}),
    ]


def call(client: str, server: str, port: int, *, client_port: int = 40000, at: int = NOON) -> list[Packet]:
    """A whole connection; its initial sequence number is made of the client's port."""
    ends = (client, client_port, server, port)
    return [
        *tcp_handshake(*ends, isn=client_port * 7, time=at),
        *tcp_close(*ends, time=at + SECOND // 2),
    ]


def lookup(client: str, name: str, *addresses: str, at: int = NOON) -> list[Packet]:
    """A question and its answer."""
    ends: Any = {"client": client, "server": DNS_ADDRESS}
    return [dns_query(name, time=at, **ends), dns_answer(name, addresses, time=at + 1_000_000, **ends)]


def declaring_documents() -> list[Document]:
    """The shop, where batch has the URL of api in its environment, and an Ingress leads to web."""
    env = [{"name": "API_URL", "value": "http://batch:hunter2@api/orders"}]
    names = {item["metadata"]["name"]: item for item in shop_documents() if item["kind"] == "Pod"}
    names["batch-1"]["spec"]["containers"] = [{"name": "main", "env": env}]
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    return [
        *(item for item in shop_documents() if item["kind"] != "Pod"),
        *names.values(),
        *service_documents("web", "10.96.0.11", {"uid-web-1": WEB}),
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "Ingress",
            "metadata": {"name": "front", "namespace": "shop"},
            "spec": {"ingressClassName": "nginx", "defaultBackend": backend},
        },
    ]


def shop_captures() -> dict[str, Sequence[Packet] | bytes]:
    """What the shop's pods saw: one call inside, and one to the outside after a lookup."""
    return {
        "web-1": [
            *lookup(WEB, "api.example.test", OUTSIDE),
            *call(WEB, SERVICE_ADDRESS, 80),
            *call(WEB, OUTSIDE, 443, client_port=40001),
        ],
        "api-1": call(WEB, API, 8080),
        "batch-1": [],
    }


def sockets_text(*lines: str, nameserver: str = DNS_ADDRESS) -> str:
    """A sockets file with these rows of /proc/net/tcp."""
    seconds = NOON // SECOND
    return (
        f"#npg {seconds} tcp\n" + "".join(f"{line}\n" for line in lines) + f"#npg {seconds} resolv.conf\n"
        f"nameserver {nameserver}\n#npg {seconds} environment\nKUBERNETES_SERVICE_HOST=10.96.0.1\n"
        "KUBERNETES_SERVICE_PORT=443\n"
    )


def a_bundle(
    root: Path,
    *,
    objects: Iterable[Document] | None = None,
    events: Iterable[tuple[int, str, Document]] = (),
    captures: Mapping[str, Sequence[Packet] | bytes] | None = None,
    sockets: Mapping[str, str] | None = None,
    namespaces: tuple[str, ...] = ("shop",),
    pods: Sequence[PodCapture] | None = None,
    findings: tuple[Finding, ...] = (),
    decisions: str | None = None,
    read_config: bool = False,
) -> Path:
    """A bundle of the shop, or of what is given instead; captures and sockets by the pod's name."""
    writer = BundleWriter.create(root)
    if read_config:
        writer.read_configuration(namespaces)
    writer.objects(shop_documents() if objects is None else objects)
    for time, kind, item in events:
        writer.event(time=time, type=kind, object=item)
    captures = shop_captures() if captures is None else captures
    sockets = dict.fromkeys(captures, sockets_text()) if sockets is None else sockets
    for name, content in captures.items():
        path = writer.capture_path(f"uid-{name}", RUN, CaptureFile.PCAP)
        path.write_bytes(content if isinstance(content, bytes) else a_pcap(content))
    for name, text in sockets.items():
        path = writer.capture_path(f"uid-{name}", RUN, CaptureFile.SOCKETS)
        path.write_text(text, encoding="utf-8")
    if pods is None:
        pods = [
            PodCapture(f"uid-{name}", "shop", name, PodState.RELEASED, pcap=f"captures/uid-{name}/{RUN}.pcap")
            for name in captures
        ]
    if decisions is not None:
        writer.text("decisions.yaml", decisions)
    writer.manifest(
        Manifest(
            run=RUN,
            tool_version="0.1.0",
            namespaces=namespaces,
            context="dev",
            server="https://203.0.113.1:6443",
            started=NOON,
            ended=NOON + 60 * SECOND,
            duration=60.0,
            pods=tuple(pods),
            findings=findings,
        )
    )
    return writer.root
