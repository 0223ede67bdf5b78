"""Classes of pods, and the sets of them that selectors select."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.model.network import Protocol
from kubectl_netpolgen.model.policy import IPBlock
from kubectl_netpolgen.model.selector import LabelSelector, labels_selector
from kubectl_netpolgen.semantics.address_atoms import AddressAtoms
from kubectl_netpolgen.semantics.evaluation import METADATA_NAME
from kubectl_netpolgen.semantics.members import Classes, Member, Selecting, numbers_of
from tests.factories import a_port, address
from tests.semantics.factories import KEYS, VALUES, selectors

MEMBERS = st.lists(
    st.builds(
        Member,
        st.sampled_from(["shop", "other"]),
        st.dictionaries(KEYS, VALUES, max_size=3),
        host_network=st.sampled_from([False, False, True]),
    ),
    max_size=8,
)
NAMESPACES = st.fixed_dictionaries({"shop": st.dictionaries(KEYS, VALUES, max_size=2)})


@given(MEMBERS, NAMESPACES, st.lists(selectors(), max_size=4))
def test_selectors_select_the_classes_of_the_pods_that_they_match(
    members: list[Member], namespaces: dict[str, dict[str, str]], asked: list[LabelSelector]
) -> None:
    classes = Classes(members, namespaces, Selecting(asked, ()), AddressAtoms(()))
    labels = {name: {METADATA_NAME: name, **namespaces.get(name, {})} for name in ("shop", "other")}
    assert sum(classes.sizes) == len(members) == len(classes.of)
    for selector in asked:
        chosen = set(numbers_of(classes.selected(selector)))
        spaces = set(numbers_of(classes.in_namespaces(selector)))
        for member, number in zip(members, classes.of, strict=True):
            assert (number in chosen) is (not member.host_network and selector.matches(member.labels))
            assert (number in spaces) is selector.matches(labels[member.namespace])
            assert number in set(numbers_of(classes.in_namespace(member.namespace)))


def classes_of(*members: Member, keys: tuple[str, ...] = ("app",), names: tuple[str, ...] = ()) -> list[int]:
    atoms = AddressAtoms([IPBlock("10.244.1.0/24")])
    asked = Selecting([labels_selector({key: "x"}) for key in keys], names)
    return Classes(members, {}, asked, atoms).of


def test_only_what_is_asked_about_tells_pods_apart() -> None:
    web = Member("shop", {"app": "web", "hash": "1"})
    assert classes_of(web, Member("shop", {"app": "web", "hash": "2"})) == [0, 0]
    assert classes_of(web, Member("other", {"app": "web"}), Member("shop", {})) == [0, 1, 2]
    assert classes_of(web, Member("shop", {"app": "web"}, host_network=True)) == [0, 1]


def test_ports_tell_pods_apart_by_the_names_that_are_asked_about() -> None:
    http, other = (Member("shop", {}, (a_port(number, "http"),)) for number in (80, 8080))
    udp = Member("shop", {}, (a_port(80, "http", Protocol.UDP),))
    assert classes_of(http, other, udp) == [0, 0, 0]
    assert classes_of(http, other, udp, names=("http",)) == [0, 1, 2]
    assert classes_of(http, other, names=("dns",)) == [0, 0]


def test_addresses_tell_pods_apart_by_the_bounds_of_blocks() -> None:
    near, beside, far = (
        Member("shop", {}, address=address(f"10.244.{text}")) for text in ("1.1", "1.2", "2.1")
    )
    assert classes_of(near, beside, far) == [0, 0, 1]
    atoms = AddressAtoms([IPBlock("10.244.1.0/24")])
    asked = Selecting((), ())
    apart = Classes([near, far], {}, asked, atoms)
    assert set(numbers_of(apart.at(atoms.mask(IPBlock("10.244.1.0/24"))))) == {0}
    together = Classes([near, far], {}, asked, atoms, pods_have_addresses=False)
    assert (together.of, together.at(atoms.all)) == ([0, 0], 0)
    host = Member("shop", {}, host_network=True, address=address("10.244.1.9"))
    assert Classes([host], {}, asked, atoms, pods_have_addresses=False).at(atoms.all) == 1


@given(st.sets(st.integers(0, 300)))
def test_mask_and_numbers_are_inverse(numbers: set[int]) -> None:
    classes = Classes(
        [Member("shop", {"app": str(n)}) for n in range(301)],
        {},
        Selecting([labels_selector({"app": "1"})], ()),
        AddressAtoms(()),
    )
    assert list(numbers_of(classes.mask(numbers))) == sorted(numbers)
    assert list(numbers_of(0)) == []
