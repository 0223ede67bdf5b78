"""`rbac`: print the Role that a capture needs, for an administrator to read and apply."""

from __future__ import annotations

import argparse
from dataclasses import dataclass

from kubectl_netpolgen.model.errors import ExitStatus
from kubectl_netpolgen.runs.ports import Environment


@dataclass(frozen=True)
class Options:
    """Where the Role is to apply."""

    namespaces: tuple[str, ...]
    """Empty for whichever namespace it is applied to."""
    cluster_wide: bool
    read_config: bool


def complete(arguments: argparse.Namespace, environment: Environment) -> Options:
    """Take the namespaces as named; no cluster is asked, since whoever needs this may not have one yet."""
    from kubectl_netpolgen.runs.connection import named_namespaces

    return Options(
        named_namespaces(arguments), cluster_wide=arguments.cluster_wide, read_config=arguments.read_config
    )


def validate(options: Options) -> None:
    """Names were checked when they were read."""


def run(options: Options, environment: Environment) -> ExitStatus:
    """Print YAML that `kubectl apply -f -` takes; how to bind it is conversation."""
    from kubectl_netpolgen.cluster.access import (
        CLUSTER_ROLE,
        CONFIGURATION_RIGHTS,
        ROLE,
        ROLE_RIGHTS,
        cluster_role,
        role,
    )
    from kubectl_netpolgen.documents.yaml_text import dump_documents

    rights = (*ROLE_RIGHTS, *(CONFIGURATION_RIGHTS if options.read_config else ()))
    documents = [role(namespace, rights) for namespace in options.namespaces or ("",)]
    if options.cluster_wide:
        documents.append(cluster_role())
    environment.stdout.write(dump_documents(documents))
    environment.say("# an administrator applies it with `kubectl apply -f -` and binds it:")
    for namespace in options.namespaces or ("NAMESPACE",):
        environment.say(f"# kubectl create rolebinding {ROLE} -n {namespace} --role={ROLE} --user=USER")
    if options.cluster_wide:
        environment.say(
            f"# kubectl create clusterrolebinding {CLUSTER_ROLE} --clusterrole={CLUSTER_ROLE} --user=USER"
        )
    return ExitStatus.DONE
