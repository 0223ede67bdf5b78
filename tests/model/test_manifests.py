"""What was read of manifests: nothing is there unless somebody put it there."""

from __future__ import annotations

from kubectl_netpolgen.model.manifests import Manifests, Origin, Template
from kubectl_netpolgen.model.objects import ObjectKey


def test_nothing_read_is_nothing_there() -> None:
    empty = Manifests()
    assert (empty.pods, empty.policies, dict(empty.owners), dict(empty.origins)) == ((), (), {}, {})


def test_template_is_of_a_workload_and_origin_is_a_place_in_a_file() -> None:
    template = Template(ObjectKey("Deployment", "shop", "web"))
    assert (dict(template.labels), template.ports, template.host_network) == ({}, (), False)
    assert Origin("shop.yaml", 3) < Origin("shop.yaml", 12)
