"""A validating webhook that one namespace's marked objects alone are shown to."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.e2e.wide.workloads import WEBHOOK, Places
from tests.harness.kubectl import Kubectl
from tests.harness.pki import Authority, Certificate

ASKED = {"netpolgen.example.test/asked": "yes"}


def issue_certificate(kubectl: Kubectl, authority: Authority, places: Places, directory: Path) -> None:
    """Put a certificate for the webhook's Service where its pod can mount it."""
    wanted = Certificate(WEBHOOK, WEBHOOK, names=(f"DNS:{WEBHOOK}.{places.storage}.svc",))
    certificate, key = authority.issue(wanted, directory)
    kubectl.run(
        *("-n", places.storage, "create", "secret", "tls", WEBHOOK), f"--cert={certificate}", f"--key={key}"
    )


@contextmanager
def webhook(kubectl: Kubectl, authority: Authority, places: Places) -> Iterator[None]:
    """Register the webhook for as long as this is open."""
    configuration = _configuration(places, authority.certificate.read_bytes())
    kubectl.apply(configuration)
    try:
        yield
    finally:
        kubectl.run("delete", configuration["kind"], configuration["metadata"]["name"], check=False)


def ask(kubectl: Kubectl, places: Places, name: str) -> None:
    """Create an object that the API server must ask the webhook about, and fails to create without it."""
    kubectl.apply(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": name, "namespace": places.ordering, "labels": ASKED},
        }
    )


def _configuration(places: Places, authority: bytes) -> dict[str, Any]:
    """Describe the registration: it touches nothing but marked config maps of one namespace."""
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]}
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": places.storage},
        "webhooks": [
            {
                "name": "admission.example.test",
                "admissionReviewVersions": ["v1"],
                "sideEffects": "None",
                "failurePolicy": "Fail",
                "timeoutSeconds": 5,
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": places.ordering}},
                "objectSelector": {"matchLabels": ASKED},
                "rules": [rule],
                "clientConfig": {
                    "service": {"namespace": places.storage, "name": WEBHOOK},
                    "caBundle": base64.b64encode(authority).decode(),
                },
            }
        ],
    }
