"""From the command line's connection flags to a cluster and its namespaces."""

from __future__ import annotations

import argparse
import re

from kubectl_netpolgen.cluster.api import Api
from kubectl_netpolgen.cluster.kubeconfig import Access
from kubectl_netpolgen.model.errors import UsageError

# RFC 1123 label, which a namespace's name is.
_NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


def access_from(arguments: argparse.Namespace) -> Access:
    """The flags that kubectl has too, as one value."""
    first = named_namespaces(arguments)[:1]
    return Access(
        kubeconfig=arguments.kubeconfig,
        context=arguments.context,
        cluster=arguments.cluster,
        user=arguments.user,
        server=arguments.server,
        namespace=first[0] if first else None,
        impersonate=arguments.as_user,
        impersonate_groups=tuple(arguments.as_group or ()),
        impersonate_uid=arguments.as_uid,
        request_timeout=arguments.request_timeout or None,
        tls_server_name=arguments.tls_server_name,
        insecure_skip_tls_verify=bool(arguments.insecure_skip_tls_verify),
    )


def named_namespaces(arguments: argparse.Namespace) -> tuple[str, ...]:
    """The namespaces of `-n a,b`, each once, in order; UsageError for what cannot be a name."""
    names = tuple(dict.fromkeys(name for name in (arguments.namespace or "").split(",") if name))
    for name in names:
        if not _NAMESPACE.fullmatch(name):
            raise UsageError(
                f"--namespace: {name!r} is no namespace's name", way_out="separate several by commas"
            )
    return names


def namespaces_from(arguments: argparse.Namespace, api: Api) -> tuple[str, ...]:
    """The namespaces that a command is about: the flag's, all of them, or the context's own."""
    named = named_namespaces(arguments)
    if getattr(arguments, "all_namespaces", False):
        if named:
            raise UsageError("-n and -A say different things", way_out="give one of them")
        items, _ = api.list("/api/v1/namespaces")
        return tuple(sorted(str(item["metadata"]["name"]) for item in items))
    return tuple(sorted(named)) or (api.namespace,)
