"""Manifests of other projects, and the edges that a person reads out of them.

Each Deployment is given one pod; nothing of the policies is used.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kubectl_netpolgen.bundle.reader import read_bundle
from kubectl_netpolgen.documents.yaml_text import NotYaml, load_documents
from kubectl_netpolgen.model.objects import Workload
from tests.bundles import a_bundle
from tests.conformance.test_flows_of_others import FOLDER as CAPTURES
from tests.factories_declarations import declared_in, declared_words

FOLDER = CAPTURES.parent / "netpol-analyzer" / "manifests"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="the conformance folder is not there")

BOUTIQUE = """\
cartservice -> redis-cart 6379
checkoutservice -> cartservice 7070
checkoutservice -> currencyservice 7000
checkoutservice -> emailservice 8080
checkoutservice -> paymentservice 50051
checkoutservice -> productcatalogservice 3550
checkoutservice -> shippingservice 50051
frontend -> adservice 9555
frontend -> cartservice 7070
frontend -> checkoutservice 5050
frontend -> currencyservice 7000
frontend -> productcatalogservice 3550
frontend -> recommendationservice 8080
frontend -> shippingservice 50051
loadgenerator -> frontend 8080
recommendationservice -> productcatalogservice 3550
"""
SECURITY_DEMOS = """\
backend/checkout -> backend/notification 8080
backend/checkout -> backend/recommendation 8080
backend/checkout -> payments/gateway 8080
backend/recommendation -> backend/catalog 8080
backend/reports -> backend/catalog 8080
backend/reports -> backend/recommendation 8080
frontend/webapp -> backend/checkout 8080
frontend/webapp -> backend/recommendation 8080
frontend/webapp -> backend/reports 8080
frontend/webapp -> backend/shipping 8080
payments/gateway -> payments/mastercard-processor 8080
payments/gateway -> payments/visa-processor 8080
"""


def documents(name: str) -> list[dict[str, Any]]:
    """Every object of a folder, with a pod for each Deployment."""
    found: list[dict[str, Any]] = []
    for path in sorted((FOLDER / name).rglob("*.y*ml")):
        try:
            found += [item for item in load_documents(path.read_text()) if isinstance(item, dict)]
        except NotYaml:
            continue
    for item in found:
        item.setdefault("metadata", {}).setdefault("namespace", "default")
    return [*found, *pods(found)]


def pods(objects: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """As the controllers would make them."""
    owners = [item for item in objects if item.get("kind") == "Deployment"]
    for number, owner in enumerate(owners, 1):
        metadata, template = owner["metadata"], owner["spec"]["template"]
        metadata["uid"] = f"uid-{metadata['namespace']}-{metadata['name']}"
        reference = {
            "kind": "Deployment",
            "name": metadata["name"],
            "uid": metadata["uid"],
            "controller": True,
        }
        yield {
            "kind": "Pod",
            "metadata": {
                "name": f"{metadata['name']}-1",
                "namespace": metadata["namespace"],
                "uid": f"{metadata['uid']}-1",
                "labels": template["metadata"]["labels"],
                "ownerReferences": [{**reference, "controller": True}],
            },
            "spec": template["spec"],
            "status": {"phase": "Running", "podIP": f"10.244.1.{number}"},
        }


def declared(name: str, root: Path) -> list[str]:
    """What the manifests declare, read back from a bundle; probes and unknown clients left out."""
    objects = documents(name)
    namespaces = tuple(sorted({item["metadata"]["namespace"] for item in objects}))
    bundle = a_bundle(root, objects=objects, captures={}, namespaces=namespaces, read_config=True)
    recorded = read_bundle(bundle)
    # manifests of applications have kinds that say nothing of traffic
    assert {item.code for item in recorded.findings} <= {"objects-not-used"}
    captured = {item.key for item in recorded.objects if isinstance(item, Workload)}
    found = declared_in(recorded.objects, captured=captured)
    return [
        word.replace("/Deployment", "").removesuffix("/TCP")
        for word in declared_words(found)
        if word.endswith("/TCP")
    ]


def test_online_boutique_declares_every_edge_that_it_has(tmp_path: Path) -> None:
    found = "".join(f"{line}\n" for line in declared("onlineboutique_workloads", tmp_path / "bundle"))
    assert found.replace("default/", "") == BOUTIQUE


def test_addresses_in_config_maps_and_in_two_variables_lead_across_namespaces(tmp_path: Path) -> None:
    found = "".join(f"{line}\n" for line in declared("acs-security-demos", tmp_path / "bundle"))
    assert found == SECURITY_DEMOS
