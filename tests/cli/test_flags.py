from __future__ import annotations

import pytest

from kubectl_netpolgen.cli.flags import COMMON_FLAGS, Flag, Kind, dry_run_flag, output_flag


def test_the_attribute_is_the_name_unless_python_forbids_it() -> None:
    by_name = {flag.name: flag.attribute for flag in COMMON_FLAGS}
    assert by_name["request-timeout"] == "request_timeout"
    assert by_name["as"] == "as_user"
    assert by_name["as-group"] == "as_group"
    assert by_name["v"] == "verbosity"


def test_a_switch_alone_means_true_and_a_bare_dry_run_means_client() -> None:
    assert Flag("yes", "", Kind.SWITCH).alone == "true"
    assert dry_run_flag("").alone == "client"
    assert Flag("image", "").alone == ""


def test_spellings_put_the_short_one_first() -> None:
    assert Flag("namespace", "", short="n").spellings == ("-n", "--namespace")
    assert Flag("v", "", short="v").spellings == ("-v", "--v")
    assert Flag("image", "").spellings == ("--image",)


@pytest.mark.parametrize(
    ("flag", "placeholder"),
    [
        (Flag("yes", "", Kind.SWITCH), ""),
        (output_flag("table", "json"), "table|json"),
        (Flag("bundle", "", metavar="DIR"), "DIR"),
        (Flag("thing", ""), "VALUE"),
    ],
)
def test_placeholders_show_what_a_value_may_be(flag: Flag, placeholder: str) -> None:
    assert flag.placeholder == placeholder


def test_the_first_format_is_the_default() -> None:
    assert output_flag("text", "json", "yaml").default == "text"


def test_no_flag_asks_for_a_secret_on_the_command_line() -> None:
    assert not {flag.name for flag in COMMON_FLAGS} & {"token", "password", "username"}
