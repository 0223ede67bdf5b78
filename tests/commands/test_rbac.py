"""The Role is printed without a cluster, and applies as it is."""

from __future__ import annotations

import pytest

from kubectl_netpolgen.commands import rbac
from kubectl_netpolgen.documents.yaml_text import load_documents
from kubectl_netpolgen.model.errors import ExitStatus, UsageError
from tests.cli.factories import Heard, an_environment
from tests.commands.arguments import parsed


def printed(**given: object) -> Heard:
    heard = Heard(an_environment())
    options = rbac.complete(
        parsed(**{"cluster_wide": False, "read_config": False, **given}), heard.environment
    )
    rbac.validate(options)
    assert rbac.run(options, heard.environment) is ExitStatus.DONE
    return heard


def test_one_role_a_namespace() -> None:
    documents = load_documents(printed(namespace="shop,pay").stdout)
    assert [(one["kind"], one["metadata"]["namespace"]) for one in documents] == [
        ("Role", "shop"),
        ("Role", "pay"),
    ]


def test_without_a_namespace_the_role_goes_where_it_is_applied() -> None:
    (document,) = load_documents(printed().stdout)
    assert "namespace" not in document["metadata"]


def test_cluster_wide_adds_a_cluster_role_that_only_reads() -> None:
    documents = load_documents(printed(namespace="shop", cluster_wide=True).stdout)
    assert [one["kind"] for one in documents] == ["Role", "ClusterRole"]
    assert {verb for rule in documents[1]["rules"] for verb in rule["verbs"]} == {"get", "list", "watch"}


def test_how_to_bind_it_is_conversation() -> None:
    heard = printed(namespace="shop")
    assert "rolebinding" not in heard.stdout.lower()
    assert "kubectl create rolebinding netpolgen-capture -n shop --role=netpolgen-capture" in heard.stderr


def test_the_same_bytes_every_time() -> None:
    assert printed(namespace="shop").stdout == printed(namespace="shop").stdout


def test_what_cannot_be_a_namespace_is_refused() -> None:
    with pytest.raises(UsageError, match="no namespace's name"):
        printed(namespace="../shop")


@pytest.mark.parametrize("asked", [False, True])
def test_config_maps_are_asked_for_only_with_the_flag_that_needs_them(asked: bool) -> None:
    (document,) = load_documents(printed(namespace="shop", read_config=asked).stdout)
    verbs = [rule["verbs"] for rule in document["rules"] if "configmaps" in rule["resources"]]
    assert verbs == ([["list"]] if asked else [])
    assert not any("secrets" in rule["resources"] for rule in document["rules"])
