"""options.json: how the policies of a bundle were asked for last, so that they can be made again.

Its own file, because bundle.json says what was recorded and is never written again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kubectl_netpolgen.bundle import layout
from kubectl_netpolgen.bundle.writer import BundleWriter
from kubectl_netpolgen.documents.json_text import NotJson, dump_json, load_json
from kubectl_netpolgen.generation.options import GenerationOptions, Word, options_of, words_of
from kubectl_netpolgen.model.errors import BundleError

_KIND = "GenerationOptions"
_LARGEST = 1024 * 1024
_CAPITAL = re.compile(r"[A-Z]")


def write_options(writer: BundleWriter, options: GenerationOptions) -> None:
    """Record every option, defaults too: a later version may have others."""
    words = {_camel(name): _plain(word) for name, word in words_of(options).items()}
    document = {"apiVersion": "netpolgen/v1", "kind": _KIND, "options": words}
    writer.text(layout.OPTIONS, dump_json(document))


def read_options(root: Path) -> Mapping[str, Word]:
    """The options recorded in a bundle, none where it has no such file.

    BundleError for what cannot be understood: policies made without an option would be others in silence.
    """
    path = root / layout.OPTIONS
    try:
        if path.exists() and not path.is_file():
            # a pipe would be waited for without end
            raise BundleError(f"{path}: is no regular file", way_out="move it out of the bundle")
        with path.open("rb") as stream:
            content = stream.read(_LARGEST + 1)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise BundleError(
            f"{path}: cannot be read: {error.strerror}", way_out="check its permissions"
        ) from error
    try:
        if len(content) > _LARGEST:
            raise ValueError(f"larger than {_LARGEST} bytes")
        words = _words(load_json(content.decode("utf-8")))
        options_of(words)
    except (NotJson, ValueError) as error:
        raise BundleError(
            f"{path}: not understood: {error}",
            way_out="remove it and give the flags anew; or, if a later version wrote it, upgrade this one",
        ) from error
    return words


def _words(document: Any) -> dict[str, Word]:
    if not isinstance(document, Mapping) or document.get("kind") != _KIND:
        raise ValueError(f"its kind is not {_KIND}")
    options = document.get("options")
    if not isinstance(options, Mapping):
        raise ValueError("has no options")
    return {_snake(str(name)): _word(value) for name, value in options.items()}


def _word(value: Any) -> Word:
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    if isinstance(value, (str, int)):
        return value
    raise ValueError(f"{value!r} is the value of no option")


def _plain(word: Word) -> Any:
    return list(word) if isinstance(word, tuple) else word


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(part.capitalize() for part in others)


def _snake(name: str) -> str:
    return _CAPITAL.sub(lambda match: f"_{match[0].lower()}", name)
