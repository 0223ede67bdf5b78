"""What a flag is, and kubectl's own flags as every verb takes them."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Kind(str, Enum):
    """How a flag's text becomes a value."""

    TEXT = "text"
    SWITCH = "switch"
    """True or false; alone it means true, and `=false` takes it back."""
    CHOICE = "choice"
    NUMBER = "number"
    DURATION = "duration"
    REPEATED = "repeated"
    """May be given several times; each adds one text."""


class Flag(NamedTuple):
    """One flag: the parser, the help, the completion, plugin.yaml and the README are all made from it."""

    name: str
    help: str
    kind: Kind = Kind.TEXT
    short: str = ""
    metavar: str = ""
    default: str = ""
    """As it would be typed; empty for none."""
    choices: tuple[str, ...] = ()
    bare: str = ""
    """What the flag means without a value; empty where a value is demanded."""
    remembered: bool = False
    """Not given, it reads as None, since what was recorded before may hold another value than the default."""
    dest: str = ""
    """Attribute of the parsed arguments, where it is not the name with underscores."""

    @property
    def attribute(self) -> str:
        """The attribute of the parsed arguments that holds the value."""
        return self.dest or self.name.replace("-", "_")

    @property
    def alone(self) -> str:
        """The value that the flag has when none is attached; empty when the next word is its value."""
        return "true" if self.kind is Kind.SWITCH else self.bare

    @property
    def spellings(self) -> tuple[str, ...]:
        """`-n` and `--namespace`; a short flag alone also takes two dashes, as kubectl's `--v` does."""
        return (f"-{self.short}", f"--{self.name}") if self.short else (f"--{self.name}",)

    @property
    def placeholder(self) -> str:
        """What stands for the value in help: `NS`, `table|json`, nothing for a switch."""
        if self.kind is Kind.SWITCH:
            return ""
        return "|".join(self.choices) if self.choices else self.metavar or "VALUE"


NAMESPACE = Flag("namespace", "the namespace; several by comma", short="n", metavar="NS")
ALL_NAMESPACES = Flag("all-namespaces", "every namespace", Kind.SWITCH, short="A")
SELECTOR = Flag("selector", "only pods with these labels, as in kubectl get -l", short="l", metavar="LABELS")

COMMON_FLAGS = (
    NAMESPACE,
    Flag("context", "the kubeconfig context to use", metavar="NAME"),
    Flag("cluster", "the kubeconfig cluster to use", metavar="NAME"),
    Flag("user", "the kubeconfig user to use", metavar="NAME"),
    Flag("kubeconfig", "the kubeconfig file to use, instead of $KUBECONFIG", metavar="FILE"),
    Flag("server", "address and port of the API server", short="s", metavar="URL"),
    Flag("as", "act as this user", metavar="USER", dest="as_user"),
    Flag("as-group", "act as a member of this group; may be repeated", Kind.REPEATED, metavar="GROUP"),
    Flag("as-uid", "act with this UID", metavar="UID"),
    Flag("request-timeout", "how long one request may take; 0 for no limit", Kind.DURATION, metavar="TIME"),
    Flag("tls-server-name", "the name that the server's certificate must have", metavar="NAME"),
    Flag(
        "insecure-skip-tls-verify",
        "do not check the server's certificate; makes the connection unsafe",
        Kind.SWITCH,
    ),
    Flag("color", "colour in the output", Kind.CHOICE, choices=("auto", "always", "never"), default="auto"),
    Flag("no-color", "the same as --color=never", Kind.SWITCH),
    Flag(
        "v",
        "how much to tell about the program itself; 8 shows tracebacks",
        Kind.NUMBER,
        short="v",
        metavar="LEVEL",
        default="0",
        dest="verbosity",
    ),
)
"""Taken by every verb, before or after it."""

YES = Flag("yes", "do it without asking", Kind.SWITCH)
NO_HEADERS = Flag("no-headers", "leave the column headings out", Kind.SWITCH)


def output_flag(*formats: str) -> Flag:
    """`-o` with a verb's formats, the first of which is the default."""
    return Flag("output", "output format", Kind.CHOICE, short="o", choices=formats, default=formats[0])


def dry_run_flag(what: str) -> Flag:
    """`--dry-run` as kubectl has it: alone it means client."""
    return Flag(
        "dry-run",
        what,
        Kind.CHOICE,
        choices=("none", "client", "server"),
        default="none",
        bare="client",
    )
