from __future__ import annotations

import argparse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubectl_netpolgen.cli.parser import HelpRequest, Invocation, known_flags, parse, program_name, split_verb
from kubectl_netpolgen.cli.verbs import GENERATION, VERBS
from kubectl_netpolgen.model.errors import ExitStatus, UsageError


def arguments(words: str) -> argparse.Namespace:
    invocation = parse(words.split(), program="kubectl netpolgen")
    assert isinstance(invocation, Invocation)
    return invocation.arguments


def refusal(words: str) -> UsageError:
    with pytest.raises(UsageError) as caught:
        parse(words.split(), program="kubectl netpolgen")
    assert caught.value.status is ExitStatus.USAGE
    return caught.value


@pytest.mark.parametrize(
    ("path", "program"),
    [
        ("/home/ann/.krew/bin/kubectl-netpolgen", "kubectl netpolgen"),
        ("kubectl-netpolgen", "kubectl netpolgen"),
        ("/site-packages/kubectl_netpolgen/__main__.py", "kubectl-netpolgen"),
        ("", "kubectl-netpolgen"),
    ],
)
def test_usage_shows_the_words_that_were_typed(path: str, program: str) -> None:
    assert program_name(path) == program


@pytest.mark.parametrize(
    "words",
    ["-n shop capture", "capture -n shop", "--namespace=shop capture", "capture -nshop", "-n=shop capture"],
)
def test_kubectls_flags_stand_before_or_after_the_verb(words: str) -> None:
    assert arguments(words).namespace == "shop"


def test_the_last_of_a_flag_wins_across_the_verb() -> None:
    assert arguments("-n shop capture -n payments").namespace == "payments"
    assert arguments("--yes capture --yes=false").yes is False


def test_repeated_groups_add_up_across_the_verb() -> None:
    assert arguments("--as-group a capture --as-group b --as ann").as_group == ["a", "b"]
    assert arguments("capture").as_group == []


def test_a_verbs_own_flag_may_stand_before_it_too() -> None:
    assert arguments("--duration 5m capture").duration == 300
    assert arguments("-o json analyse b").bundle == "b"


def test_every_flag_reads_as_not_given_where_the_verb_lacks_it() -> None:
    for verb in VERBS:
        operands = "".join(f" {operand.choices[0] if operand.choices else 'x'}" for operand in verb.operands)
        given = arguments(verb.name + operands)
        for flag in known_flags():
            assert hasattr(given, flag.attribute), (verb.name, flag.name)
    given = arguments("version")
    assert (given.namespace, given.all_namespaces, given.selector, given.dry_run) == (None, False, None, None)


def test_the_defaults_of_capture() -> None:
    given = arguments("capture")
    assert (given.duration, given.lease, given.linger) == (60, 180, 900)
    assert (given.output, given.dry_run, given.color) == ("table", "none", "auto")
    assert (given.yes, given.image, given.bundle) == (False, None, None)
    assert (given.verbosity, given.request_timeout, given.as_user) == (0, None, None)


@pytest.mark.parametrize(
    ("words", "value"),
    [
        ("capture --dry-run", "client"),
        ("--dry-run capture", "client"),
        ("capture --dry-run=server", "server"),
        ("capture --dry-run=none", "none"),
        ("capture --dry-run -n shop", "client"),
    ],
)
def test_a_bare_dry_run_means_client(words: str, value: str) -> None:
    assert arguments(words).dry_run == value


def test_options_of_the_policies_read_as_not_given_since_a_bundle_may_hold_them() -> None:
    for words in ("capture", "analyse b"):
        given = arguments(words)
        assert {getattr(given, flag.attribute) for flag in GENERATION} == {None}
    given = arguments("analyse b --default-deny=false --exclude x --exclude y --per namespace")
    assert (given.default_deny, given.exclude, given.per) == (False, ["x", "y"], "namespace")


@pytest.mark.parametrize(
    "words",
    [
        "analyse b --per label app",
        "analyse --per label app b",
        "--per label app analyse b",
        "analyse --per=label app b",
        "analyse --per label=app b",
        "analyse --per=label=app b",
    ],
)
def test_label_and_its_key_are_one_word_or_two(words: str) -> None:
    given = arguments(words)
    assert (given.per, given.bundle) == ("label=app", "b")


@pytest.mark.parametrize("words", ["--per label", "--per label=", "--per pod", "--per label -o json"])
def test_granularity_that_is_none_is_refused(words: str) -> None:
    with pytest.raises(UsageError, match="is none of workload, namespace, label=KEY"):
        arguments(f"analyse b {words}")


def test_label_key_is_no_choice_of_other_flags() -> None:
    assert arguments("analyse --decisions label b").decisions == "label"


def test_the_word_after_a_bare_flag_is_not_its_value() -> None:
    given = arguments("analyse --default-deny netpolgen-shop")
    assert (given.default_deny, given.bundle) == (True, "netpolgen-shop")


@pytest.mark.parametrize("words", ["capture -v=8", "capture -v 8", "-v8 capture", "capture --v=8"])
def test_verbosity_in_kubectls_spellings(words: str) -> None:
    assert arguments(words).verbosity == 8


@pytest.mark.parametrize(("text", "seconds"), [("0", 0), ("1s", 1), ("2m", 120)])
def test_request_timeouts(text: str, seconds: float) -> None:
    assert arguments(f"capture --request-timeout {text}").request_timeout == seconds


def test_words_after_two_dashes_are_operands() -> None:
    assert arguments("analyse -- --odd-name").bundle == "--odd-name"
    assert arguments("analyse -- --yes").bundle == "--yes"


@pytest.mark.parametrize(
    ("words", "message", "way_out"),
    [
        ("captur", 'unknown command "captur"', 'did you mean "capture"?'),
        ("xyzzy", 'unknown command "xyzzy"', "see: kubectl netpolgen --help"),
        ("capture --dry-rum", "unknown flag: --dry-rum", 'did you mean "--dry-run"?'),
        ("capture --token=abc", "unknown flag: --token", "see: kubectl netpolgen capture --help"),
        ("rbac --dry-run", "unknown flag: --dry-run", "see: kubectl netpolgen rbac --help"),
        ("capture shop", 'capture: one word too many: "shop"', "see: kubectl netpolgen capture --help"),
        (
            "capture -o yaml",
            '-o/--output: "yaml" is none of table, json',
            "see: kubectl netpolgen capture --help",
        ),
        ("capture -n", "-n/--namespace: expected one argument", "see: kubectl netpolgen capture --help"),
        (
            "capture --yes=maybe",
            '--yes: "maybe" is neither true nor false',
            "see: kubectl netpolgen capture --help",
        ),
        ("capture -v=lots", '-v/--v: "lots" is no number', "see: kubectl netpolgen capture --help"),
        (
            "capture --duration 5x",
            '--duration: "5x" is no duration; write it like 60s, 5m or 1h30m',
            "see: kubectl netpolgen capture --help",
        ),
        ("-n shop", "no command given", "see: kubectl netpolgen --help"),
        (
            "analyse",
            "the following arguments are required: BUNDLE",
            "see: kubectl netpolgen analyse --help",
        ),
    ],
)
def test_words_that_make_no_sense_are_refused_with_a_way_out(words: str, message: str, way_out: str) -> None:
    error = refusal(words)
    assert (error.message, error.way_out) == (message, way_out)


def test_flags_are_never_abbreviated() -> None:
    assert refusal("capture --name shop").message == "unknown flag: --name"


@pytest.mark.parametrize(
    "words", ["capture -h", "capture --help", "--help capture", "help capture", "capture -n x -h"]
)
def test_help_of_a_verb_needs_nothing_else(words: str) -> None:
    request = parse(words.split(), program="p")
    assert isinstance(request, HelpRequest)
    assert request.verb is not None
    assert request.verb.name == "capture"


@pytest.mark.parametrize("words", ["--help", "-h", "help", "-n shop --help"])
def test_help_of_the_program(words: str) -> None:
    assert parse(words.split(), program="p") == HelpRequest(None)


def test_nothing_said_gets_the_short_help() -> None:
    assert parse([], program="p") == HelpRequest(None, short=True)


def test_the_version_flag_is_the_version_verb() -> None:
    request = parse(["--version"], program="p")
    assert isinstance(request, Invocation)
    assert (request.verb.name, request.arguments.output) == ("version", "text")


def test_the_verb_is_found_behind_flags_with_and_without_values() -> None:
    assert split_verb(["-A", "--context", "capture", "doctor"]) == ("doctor", ["-A", "--context", "capture"])
    assert split_verb(["--", "capture"]) == ("", ["--", "capture"])
    assert split_verb(["-n"]) == ("", ["-n"])


@given(
    st.lists(
        st.one_of(st.sampled_from(["capture", "-n", "--dry-run", "--", "-o", "help", "-"]), st.text()),
        max_size=6,
    )
)
def test_any_words_are_an_invocation_or_help_or_a_usage_error(words: list[str]) -> None:
    try:
        assert isinstance(parse(words, program="p"), (Invocation, HelpRequest))
    except UsageError as error:
        assert error.message


def test_an_operand_may_come_several_times_and_once_at_least() -> None:
    found = parse(["flows", "a.pcap", "-o", "json", "b", "-"], program="p")
    assert isinstance(found, Invocation)
    assert found.arguments.input == ["a.pcap", "b", "-"]
    with pytest.raises(UsageError, match=r"(?i)input"):
        parse(["flows"], program="p")
