"""etcd, the API server, the controllers and the scheduler, in the machine's own network namespace."""

from __future__ import annotations

import ssl
import time
import urllib.error
import urllib.request
from pathlib import Path

from tests.harness import layout
from tests.harness.errors import HarnessError
from tests.harness.gobuild import Programs
from tests.harness.layout import Layout
from tests.harness.processes import Component

_ETCD = f"http://127.0.0.1:{layout.ETCD_PORT}"
_ETCD_PEER = f"http://127.0.0.1:{layout.ETCD_PEER_PORT}"


def etcd(where: Layout) -> Component:
    """The store, on ports that no other etcd of the machine uses."""
    return Component(
        "etcd",
        (
            *("etcd", "--data-dir", str(where.state / "etcd"), "--name", "default"),
            *("--listen-client-urls", _ETCD, "--advertise-client-urls", _ETCD),
            *("--listen-peer-urls", _ETCD_PEER, "--initial-advertise-peer-urls", _ETCD_PEER),
            *("--initial-cluster", f"default={_ETCD_PEER}"),
        ),
    )


def api_server(where: Layout, programs: Programs) -> Component:
    """The API server: Node and RBAC authorisation, static tokens, PodSecurity by default.

    It listens on the bridge alone, so that no other machine can reach it.
    """
    pki = where.pki
    return Component(
        "kube-apiserver",
        (
            str(programs["kube-apiserver"]),
            f"--etcd-servers={_ETCD}",
            f"--bind-address={layout.CONTROL_PLANE}",
            f"--secure-port={layout.API_PORT}",
            f"--advertise-address={layout.CONTROL_PLANE}",
            f"--service-cluster-ip-range={layout.SERVICE_RANGE},{layout.SERVICE_RANGE_V6}",
            f"--tls-cert-file={pki}/apiserver.crt",
            f"--tls-private-key-file={pki}/apiserver.key",
            f"--client-ca-file={pki}/ca.crt",
            f"--token-auth-file={pki}/tokens.csv",
            "--authorization-mode=Node,RBAC",
            f"--kubelet-client-certificate={pki}/kubelet-client.crt",
            f"--kubelet-client-key={pki}/kubelet-client.key",
            f"--kubelet-certificate-authority={pki}/ca.crt",
            "--kubelet-preferred-address-types=InternalIP",
            f"--service-account-key-file={pki}/service-accounts.pub",
            f"--service-account-signing-key-file={pki}/service-accounts.key",
            "--service-account-issuer=https://kubernetes.default.svc",
            "--allow-privileged=true",
            # The same authority signs kubelets: only this one name may speak for other users.
            f"--requestheader-client-ca-file={pki}/ca.crt",
            "--requestheader-allowed-names=front-proxy-client",
            "--requestheader-username-headers=X-Remote-User",
            "--requestheader-group-headers=X-Remote-Group",
            "--requestheader-extra-headers-prefix=X-Remote-Extra-",
            f"--proxy-client-cert-file={pki}/front-proxy-client.crt",
            f"--proxy-client-key-file={pki}/front-proxy-client.key",
        ),
    )


def _with_kubeconfig(program: Path, kubeconfig: Path) -> tuple[str, ...]:
    return (
        str(program),
        f"--kubeconfig={kubeconfig}",
        f"--authentication-kubeconfig={kubeconfig}",
        f"--authorization-kubeconfig={kubeconfig}",
        "--bind-address=127.0.0.1",
        "--leader-elect=false",
    )


def controller_manager(where: Layout, programs: Programs, kubeconfig: Path) -> Component:
    """The controllers."""
    return Component(
        "kube-controller-manager",
        (
            *_with_kubeconfig(programs["kube-controller-manager"], kubeconfig),
            f"--service-account-private-key-file={where.pki}/service-accounts.key",
            f"--root-ca-file={where.pki}/ca.crt",
            "--use-service-account-credentials=true",
        ),
    )


def scheduler(programs: Programs, kubeconfig: Path) -> Component:
    """The scheduler."""
    return Component("kube-scheduler", _with_kubeconfig(programs["kube-scheduler"], kubeconfig))


def api_is_ready(authority: Path, token: str, timeout: float = 2.0) -> bool:
    """Whether the API server says of itself that it is ready."""
    if not authority.is_file():
        return False
    request = urllib.request.Request(f"{layout.API_URL}/readyz", headers={"Authorization": f"Bearer {token}"})
    # The user's proxy variables are for the outside; this address is the machine itself.
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}),
        urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=str(authority))),
    )
    try:
        with opener.open(request, timeout=timeout) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def wait_until_ready(where: Layout, token: str, seconds: float = 60.0) -> None:
    """Wait until the API server answers; the error names its log."""
    deadline = time.monotonic() + seconds
    while not api_is_ready(where.pki / "ca.crt", token):
        if time.monotonic() > deadline:
            log = where.logs / "kube-apiserver.log"
            raise HarnessError(f"the API server is not ready after {seconds:.0f} s; see {log}")
        time.sleep(0.2)
