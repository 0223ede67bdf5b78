"""From kubectl's flags and files to a connection."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import urllib3

from kubectl_netpolgen.cluster.api import Api
from kubectl_netpolgen.cluster.credentials import Access, Kubeconfig, ServiceAccount, Source, explained
from kubectl_netpolgen.cluster.proxies import proxy_options
from kubectl_netpolgen.cluster.transport import Headers, Transport
from kubectl_netpolgen.model.errors import ClusterError

__all__ = ["Access", "connect"]

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")

# Watches hold a connection each; urllib3 logs a warning for every one beyond the pool's size.
_CONNECTIONS = 64


def connect(access: Access, variables: Mapping[str, str], *, service_account: Path = SERVICE_ACCOUNT) -> Api:
    """Open the way to the cluster without sending anything yet.

    Files are `--kubeconfig`, else those of $KUBECONFIG, else ~/.kube/config; the service account's
    directory counts only where none of these is there. Raises ClusterError that names file and context.
    """
    files = _kubeconfig_files(access, variables)
    if files:
        source: Source = Kubeconfig(files, access)
    elif access.kubeconfig is None and (service_account / "token").exists():
        source = ServiceAccount(service_account, variables)
    elif access.server:
        source = Source()
    else:
        looked = variables.get("KUBECONFIG") or str(Path(variables.get("HOME", "~"), ".kube", "config"))
        raise ClusterError(
            f"{looked}: no such kubeconfig", way_out="give one with --kubeconfig or KUBECONFIG, or log in"
        )
    return Api(
        lambda: _open_transport(source, access),
        context=source.context,
        namespace=access.namespace or source.namespace,
        request_timeout=access.request_timeout,
    )


def _kubeconfig_files(access: Access, variables: Mapping[str, str]) -> list[str]:
    home = variables.get("HOME", "")
    if access.kubeconfig is not None:
        path = Path(access.kubeconfig)
        if access.kubeconfig.startswith("~/") and home:
            path = Path(home, access.kubeconfig[2:])
        if not path.is_file():
            raise ClusterError(f"{path}: no such kubeconfig", way_out="check --kubeconfig")
        return [str(path)]
    listed = variables.get("KUBECONFIG", "")
    paths = listed.split(os.pathsep) if listed else [str(Path(home, ".kube", "config"))] if home else []
    return [path for path in dict.fromkeys(paths) if path and Path(path).is_file()]


def _open_transport(source: Source, access: Access) -> Transport:
    from kubernetes import client

    configuration = client.Configuration()
    configuration.connection_pool_maxsize = _CONNECTIONS
    with explained(source.name):
        source.load(configuration)
    if access.server:
        configuration.host = access.server if "://" in access.server else f"https://{access.server}"
    if access.tls_server_name:
        configuration.tls_server_name = access.tls_server_name
    if access.insecure_skip_tls_verify:
        configuration.verify_ssl = False
    if not configuration.verify_ssl:
        # Asked for in so many words; a warning with every request would drown the rest.
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    impersonation = _impersonation(source, access)

    def authorise() -> Headers:
        with explained(source.name):
            settings = configuration.auth_settings()
        return [
            *((entry["key"], entry["value"]) for entry in settings.values() if entry.get("value")),
            *impersonation,
        ]

    with explained(source.name):
        pool = client.ApiClient(configuration).rest_client.pool_manager
        pool.connection_pool_kw["ssl_context"] = _trust(configuration)
        return Transport(
            server=configuration.host.rstrip("/"),
            pool=pool,
            authorise=authorise,
            tls=_tls_options(configuration),
            proxy=proxy_options(configuration.proxy, no_proxy=configuration.no_proxy),
        )


def _impersonation(source: Source, access: Access) -> list[tuple[str, str]]:
    if not (access.impersonate or access.impersonate_groups or access.impersonate_uid):
        return source.impersonation()
    if not access.impersonate:
        raise ClusterError("--as-group and --as-uid need a user to go with", way_out="add --as USER")
    headers = [("Impersonate-User", access.impersonate)]
    headers += [("Impersonate-Group", group) for group in access.impersonate_groups]
    if access.impersonate_uid:
        headers.append(("Impersonate-Uid", access.impersonate_uid))
    return headers


def _trust(configuration: Any) -> ssl.SSLContext:
    """Verification as kubectl does it.

    From 3.13 on Python also demands what RFC 5280 demands of an authority's certificate (VERIFY_X509_STRICT),
    and many clusters' own authorities lack it; the signature and the name are checked all the same.
    """
    context = urllib3.util.ssl_.create_urllib3_context(
        cert_reqs=ssl.CERT_REQUIRED if configuration.verify_ssl else ssl.CERT_NONE
    )
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if configuration.verify_ssl and not configuration.ssl_ca_cert:
        context.load_default_certs()
    return context


def _tls_options(configuration: Any) -> dict[str, Any]:
    """The pool's trust and client certificate in websocket-client's words."""
    options: dict[str, Any] = {"cert_reqs": ssl.CERT_REQUIRED if configuration.verify_ssl else ssl.CERT_NONE}
    if not configuration.verify_ssl:
        options["check_hostname"] = False
    for name, value in (
        ("ca_certs", configuration.ssl_ca_cert),
        ("certfile", configuration.cert_file),
        ("keyfile", configuration.key_file),
        ("server_hostname", configuration.tls_server_name),
    ):
        if value:
            options[name] = value
    return options
