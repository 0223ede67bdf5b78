"""Whom an answer names, and which members stand for it."""

from __future__ import annotations

from kubectl_netpolgen.model.manifests import Manifests, Template
from kubectl_netpolgen.model.objects import ObjectKey
from kubectl_netpolgen.semantics.members import Member
from kubectl_netpolgen.semantics.subjects import cast_of
from tests.factories import a_pod, a_port, address

WEB = ObjectKey("Deployment", "shop", "web")
API = ObjectKey("StatefulSet", "shop", "api")
ONE, TWO, BARE = a_pod("web-1", "10.244.1.5"), a_pod("web-2", "10.244.1.6"), a_pod("bare", "10.244.1.7")
MANIFESTS = Manifests(
    pods=(TWO, BARE, ONE),
    owners={ONE.uid: WEB, TWO.uid: WEB},
    templates=(
        Template(WEB, {"app": "web"}),
        Template(API, {"app": "api"}, (a_port(),), host_network=True),
    ),
)


def test_workload_is_its_pods_or_its_template_where_there_is_none() -> None:
    cast = cast_of(MANIFESTS)
    assert [(item.key, len(item.members)) for item in cast.subjects] == [(API, 1), (BARE.key, 1), (WEB, 2)]
    (api,) = (cast.members[number] for number in cast.subjects[0].members)
    assert api == Member("shop", {"app": "api"}, (a_port(),), host_network=True)
    assert {cast.members[number].address for number in cast.subjects[2].members} == {
        "10.244.1.5",
        "10.244.1.6",
    }


def test_pods_stand_for_themselves_when_they_are_asked_for() -> None:
    names = [(item.key.kind, item.key.name) for item in cast_of(MANIFESTS, per_pod=True).subjects]
    assert names == [("StatefulSet", "api"), ("Pod", "bare"), ("Pod", "web-1"), ("Pod", "web-2")]


def test_pod_of_both_families_is_a_member_at_each_address_and_one_without_is_one() -> None:
    both, none = a_pod("both", "10.244.1.8", "fd00::8"), a_pod("none", addresses=())
    cast = cast_of(Manifests(pods=(both, none)))
    assert [[cast.members[n].address for n in item.members] for item in cast.subjects] == [
        [address("10.244.1.8"), address("fd00::8")],
        [None],
    ]


def test_subjects_are_sorted_by_namespace_name_and_kind() -> None:
    keys = [ObjectKey("Job", "b", "a"), ObjectKey("Pod", "a", "b"), ObjectKey("Deployment", "a", "b")]
    cast = cast_of(Manifests(templates=tuple(Template(key) for key in keys)))
    assert [item.key for item in cast.subjects] == [keys[2], keys[1], keys[0]]
