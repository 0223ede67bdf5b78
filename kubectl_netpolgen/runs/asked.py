"""How the policies are wanted: by the flags given now, else as the bundle says they were wanted before."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path

from kubectl_netpolgen.bundle.options import read_options
from kubectl_netpolgen.generation.options import DEFAULTS, GenerationOptions, Word, options_of
from kubectl_netpolgen.model.errors import UsageError
from kubectl_netpolgen.runs.ports import Environment


def given_words(arguments: argparse.Namespace) -> Mapping[str, Word]:
    """The options that were given as flags, and no others."""
    found: dict[str, Word] = {}
    for name in DEFAULTS:
        value = getattr(arguments, name, None)
        if value is not None:
            found[name] = tuple(value) if isinstance(value, list) else value
    return found


def asked_options(words: Mapping[str, Word]) -> GenerationOptions:
    """The options of these words; UsageError when one makes no sense."""
    try:
        return options_of(words)
    except ValueError as error:
        raise UsageError(str(error), way_out="see --help for what it takes") from error


def options_for(root: Path, given: Mapping[str, Word], environment: Environment) -> GenerationOptions:
    """The flags given over what the bundle recorded; what was taken from the bundle is said."""
    recorded = {name: word for name, word in read_options(root).items() if name not in given}
    taken = [text for name, word in recorded.items() for text in _flags(name, word)]
    if taken:
        environment.say(f"as recorded in the bundle: {' '.join(taken)} (a flag given here replaces its own)")
    return asked_options({**recorded, **given})


def _flags(name: str, word: Word) -> Iterator[str]:
    """The option as it would be typed; nothing for a default."""
    if word == DEFAULTS[name]:
        return
    flag = f"--{name.replace('_', '-')}"
    if word is True:
        yield flag
    else:
        values = word if isinstance(word, tuple) else (str(word).lower() if word is False else str(word),)
        yield from (f"{flag}={shlex.quote(value)}" for value in values)
