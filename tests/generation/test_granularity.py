"""Words for who shares a policy, and labels by which nothing can be grouped."""

from __future__ import annotations

import pytest

from kubectl_netpolgen.generation.granularity import PER_WORKLOAD, Granularity, Per, parse_granularity


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("workload", PER_WORKLOAD),
        ("namespace", Granularity(Per.NAMESPACE)),
        ("label=app", Granularity(Per.LABEL, "app")),
        ("label=app.kubernetes.io/part-of", Granularity(Per.LABEL, "app.kubernetes.io/part-of")),
    ],
)
def test_words_come_back_as_they_were_written(text: str, wanted: Granularity) -> None:
    assert parse_granularity(text) == wanted
    assert str(wanted) == text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("pod", "none of"),
        ("namespace=shop", "none of"),
        ("label", "none of"),
        ("label=", "no key of a label"),
        ("label=a b", "no key of a label"),
        ("label=/app", "no key of a label"),
        ("label=Example.com/app", "no key of a label"),
        (f"label={'x' * 64}", "no key of a label"),
        (f"label={'x' * 254}/app", "no key of a label"),
        ("label=pod-template-hash", "another one for every roll-out"),
        ("label=topology.kubernetes.io/zone", "another one for every roll-out"),
    ],
)
def test_what_groups_nothing_is_refused(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse_granularity(text)
