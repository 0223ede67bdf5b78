"""What the certificates and the token file say, and one real signature."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path

from tests.components import needs
from tests.harness import layout, pki
from tests.harness.pki import Certificate, User

NODES = layout.nodes(2)


def test_a_subject_names_the_group_before_the_user() -> None:
    assert (
        Certificate("n", "system:node:node1", "system:nodes").subject()
        == "/O=system:nodes/CN=system:node:node1"
    )
    assert Certificate("n", "front-proxy-client").subject() == "/CN=front-proxy-client"


def test_names_go_into_the_extensions() -> None:
    extensions = Certificate("n", "n", names=("DNS:a.test", "IP:2001:db8::1")).extensions()
    assert "subjectAltName=DNS:a.test,IP:2001:db8::1\n" in extensions
    assert "subjectAltName" not in Certificate("n", "n").extensions()


def test_every_node_and_every_host_outside_gets_a_certificate() -> None:
    files = {one.file: one for one in pki.cluster_certificates(NODES)}
    assert {"apiserver", "kubelet-client", "node1", "node2", "api.example.test", "cdn.example.test"} <= set(
        files
    )
    assert f"IP:{layout.API_SERVICE}" in files["apiserver"].names
    assert files["node2"].organisation == "system:nodes"


def test_only_the_administrator_and_the_nodes_have_groups() -> None:
    groups = {user.key: user.group for user in pki.cluster_users(NODES)}
    assert groups["admin"] == "system:masters"
    assert groups["dev"] is None
    assert groups["node1"] == groups["node2"] == "system:nodes"


def test_the_token_file_quotes_groups() -> None:
    users = [User("admin", "admin", "system:masters"), User("dev", "dev")]
    lines = pki.token_lines(users, {"admin": "t1", "dev": "t2"})
    assert lines == 't1,admin,admin,"system:masters"\nt2,dev,dev\n'


@needs("openssl")
def test_an_issued_certificate_is_signed_names_its_host_and_loads(tmp_path: Path) -> None:
    authority = pki.Authority(tmp_path)
    authority.create()
    certificate, key = authority.issue(
        Certificate("api.example.test", "api", names=("DNS:api.example.test",))
    )
    assert certificate.name == "api.example.test.crt"
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
    checked = subprocess.run(
        [
            "openssl",
            "verify",
            "-CAfile",
            authority.certificate,
            "-verify_hostname",
            "api.example.test",
            certificate,
        ],
        capture_output=True,
        check=False,
    )
    assert checked.returncode == 0
    assert tmp_path.stat().st_mode & 0o777 == 0o700
