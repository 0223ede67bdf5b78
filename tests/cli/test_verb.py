from __future__ import annotations

from kubectl_netpolgen.cli.flags import COMMON_FLAGS, Flag
from kubectl_netpolgen.cli.verb import Operand, Verb


def test_a_verb_takes_its_own_flags_first_and_those_of_all() -> None:
    own = Flag("pods", "pods")
    assert Verb("x", "short", "Long.", (), flags=(own,)).all_flags == (own, *COMMON_FLAGS)


def test_an_operand_is_an_attribute_in_small_letters() -> None:
    assert Operand("BUNDLE", "a bundle").attribute == "bundle"
