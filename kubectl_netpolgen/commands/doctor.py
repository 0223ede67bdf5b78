"""`doctor`: check what a capture needs, and touch nothing."""

from __future__ import annotations

import argparse
import shutil
from dataclasses import dataclass

from kubectl_netpolgen.cluster.access import METADATA_RIGHTS, missing_rights
from kubectl_netpolgen.cluster.api import Api
from kubectl_netpolgen.cluster.kubeconfig import connect
from kubectl_netpolgen.cluster.preflight import Preflight, preflight
from kubectl_netpolgen.model.errors import ExitStatus
from kubectl_netpolgen.model.finding import Finding, Severity
from kubectl_netpolgen.output.columns import plain_columns
from kubectl_netpolgen.output.findings import findings_text
from kubectl_netpolgen.output.quantities import count_text
from kubectl_netpolgen.runs.connection import access_from, namespaces_from
from kubectl_netpolgen.runs.ports import Environment


@dataclass(frozen=True)
class Options:
    """What would be captured."""

    arguments: argparse.Namespace
    """For the connection flags, which `runs.connection` reads."""
    selector: str


def complete(arguments: argparse.Namespace, environment: Environment) -> Options:
    """Options from the parsed command line."""
    return Options(arguments=arguments, selector=arguments.selector or "")


def validate(options: Options) -> None:
    """Nothing can be wrong that the cluster would not say."""


def run(options: Options, environment: Environment) -> ExitStatus:
    """One screen of what was found; 1 when a capture would fail."""
    with connect(access_from(options.arguments), environment.variables) as api:
        namespaces = namespaces_from(options.arguments, api)
        checked = preflight(api, namespaces, options.selector)
        findings = [*checked.findings, *_beyond(api)]
    dot = shutil.which("dot", path=environment.variables.get("PATH"))
    if dot is None:
        findings.append(
            Finding(
                "no-dot",
                Severity.NOTE,
                "this machine",
                "Graphviz is not installed, so graphs come as DOT text",
                "apt install graphviz, or brew install graphviz",
            )
        )
    environment.stdout.write(_screen(api, checked, dot))
    told = findings_text(findings, colour=environment.colour)
    environment.stdout.write(f"\n{told}" if told else "")
    failing = any(finding.severity is Severity.ERROR for finding in findings)
    environment.stdout.write(f"\n{'a capture would fail' if failing else 'ready to capture'}\n")
    return ExitStatus.ERROR if failing else ExitStatus.DONE


def _screen(api: Api, checked: Preflight, dot: str | None) -> str:
    rows = [
        ("context", api.context or "none"),
        ("server", f"{api.server} (Kubernetes {checked.server_version})"),
        *((f"namespace {name}", _pods(checked, name)) for name in checked.namespaces),
        ("graphs", dot or "DOT text only"),
    ]
    return plain_columns(("CHECK", "RESULT"), rows)


def _pods(checked: Preflight, namespace: str) -> str:
    count = checked.pods_by_namespace.get(namespace)
    return "its pods may not be listed" if count is None else f"{count_text(count, 'pod')} to capture"


def _beyond(api: Api) -> list[Finding]:
    """A note where peers outside the namespaces will be addresses instead of names."""
    lacking = missing_rights(api, [""], METADATA_RIGHTS)
    if not lacking:
        return []
    resources = ", ".join(dict.fromkeys(one.right.resource for one in lacking))
    return [
        Finding(
            "rights-beyond-the-namespace",
            Severity.NOTE,
            "the cluster",
            f"you may not read {resources} in all namespaces, so peers there may stay addresses",
            "`kubectl netpolgen rbac --cluster-wide` prints a ClusterRole that only reads",
        )
    ]
