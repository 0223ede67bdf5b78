"""Certificates and tokens of the cluster: one small authority, made anew at every `up`."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.harness import layout
from tests.harness.layout import Node
from tests.harness.processes import run

_DAYS = "30"
_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


@dataclass(frozen=True)
class Certificate:
    """What a certificate is to say.

    `names` are subject alternative names in openssl's form, such as `DNS:localhost` or `IP:10.0.0.1`.
    """

    file: str
    common_name: str
    organisation: str | None = None
    names: Sequence[str] = ()

    def subject(self) -> str:
        """The subject as openssl takes it."""
        organisation = f"/O={self.organisation}" if self.organisation else ""
        return f"{organisation}/CN={self.common_name}"

    def extensions(self) -> str:
        """The extension file for openssl."""
        lines = [
            "extendedKeyUsage=serverAuth,clientAuth",
            "subjectKeyIdentifier=hash",
            "authorityKeyIdentifier=keyid",
        ]
        if self.names:
            lines.append("subjectAltName=" + ",".join(self.names))
        return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class User:
    """A user of the API with a static token."""

    key: str
    name: str
    group: str | None = None


@dataclass(frozen=True)
class Authority:
    """The harness's certificate authority, in a directory of its own."""

    directory: Path

    @property
    def certificate(self) -> Path:
        """What clients trust."""
        return self.directory / "ca.crt"

    def create(self) -> None:
        """Make the authority's own key and certificate."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self.directory.chmod(0o700)
        run(
            *("openssl", "req", "-x509", *_NEW_KEY),
            *("-keyout", self.directory / "ca.key", "-out", self.certificate),
            *("-days", _DAYS, "-subj", "/CN=npg-harness"),
            # RFC 5280 demands it of an authority, and Python checks it from 3.13 on.
            *("-addext", "keyUsage=critical,keyCertSign,cRLSign"),
        )

    def issue(self, certificate: Certificate, directory: Path | None = None) -> tuple[Path, Path]:
        """Sign a certificate and return the paths of the certificate and its key.

        A test may ask for its own, for a webhook or a TLS server inside the cluster.
        """
        into = directory or self.directory
        # Not with_suffix: a host's name has dots of its own.
        signed, key, request, extensions = (
            into / f"{certificate.file}.{end}" for end in ("crt", "key", "csr", "ext")
        )
        extensions.write_text(certificate.extensions())
        run(
            *("openssl", "req", *_NEW_KEY, "-keyout", key, "-out", request),
            *("-subj", certificate.subject()),
        )
        # A serial number of its own for each: a shared serial file would race between two tests.
        run(
            *("openssl", "x509", "-req", "-in", request, "-out", signed, "-days", _DAYS),
            *("-CA", self.certificate, "-CAkey", self.directory / "ca.key"),
            *("-set_serial", f"0x{secrets.token_hex(8)}", "-extfile", extensions),
        )
        return signed, key


def cluster_certificates(nodes: Sequence[Node]) -> list[Certificate]:
    """Every certificate the cluster itself needs."""
    api_names = ("kubernetes", "kubernetes.default", "kubernetes.default.svc", "localhost")
    api_addresses = (layout.CONTROL_PLANE, layout.CONTROL_PLANE_V6, layout.API_SERVICE, "127.0.0.1")
    certificates = [
        Certificate(
            "apiserver",
            "kube-apiserver",
            names=[f"DNS:{name}" for name in api_names] + [f"IP:{address}" for address in api_addresses],
        ),
        Certificate("kubelet-client", "kube-apiserver-kubelet", "system:masters"),
        Certificate("front-proxy-client", "front-proxy-client"),
    ]
    certificates += [
        Certificate(
            node.name,
            f"system:node:{node.name}",
            "system:nodes",
            (f"DNS:{node.name}", f"IP:{node.address}", f"IP:{node.address_v6}"),
        )
        for node in nodes
    ]
    certificates += [
        Certificate(
            host.name, host.name, names=(f"DNS:{host.name}", f"IP:{host.address}", f"IP:{host.address_v6}")
        )
        for host in layout.WORLD_HOSTS
    ]
    return certificates


def cluster_users(nodes: Sequence[Node]) -> list[User]:
    """Every user with a token: people, control plane, nodes."""
    return [
        User("admin", "admin", "system:masters"),
        User("dev", "dev"),
        User("controller-manager", "system:kube-controller-manager"),
        User("scheduler", "system:kube-scheduler"),
        User("proxy", "system:kube-proxy"),
        *(User(node.name, f"system:node:{node.name}", "system:nodes") for node in nodes),
    ]


def token_lines(users: Sequence[User], tokens: dict[str, str]) -> str:
    """The API server's static token file."""
    lines = []
    for user in users:
        group = f',"{user.group}"' if user.group else ""
        lines.append(f"{tokens[user.key]},{user.name},{user.name}{group}\n")
    return "".join(lines)


def create(directory: Path, nodes: Sequence[Node]) -> dict[str, str]:
    """Make everything the cluster needs in `directory` and return the users' tokens by key."""
    authority = Authority(directory)
    authority.create()
    for certificate in cluster_certificates(nodes):
        authority.issue(certificate)
    run("openssl", "genrsa", "-out", directory / "service-accounts.key", "2048")
    run(
        *("openssl", "rsa", "-in", directory / "service-accounts.key"),
        *("-pubout", "-out", directory / "service-accounts.pub"),
    )
    users = cluster_users(nodes)
    tokens = {user.key: secrets.token_hex(16) for user in users}
    (directory / "tokens.csv").write_text(token_lines(users, tokens))
    return tokens
