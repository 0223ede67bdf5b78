"""Words to a command to an exit status; the only place that ends the program."""

from __future__ import annotations

import argparse
import gc
import importlib
import os
import sys
from collections.abc import Callable, MutableMapping, Sequence
from typing import Any, NoReturn, Protocol

from kubectl_netpolgen.cli.environment import Environment
from kubectl_netpolgen.cli.parser import HelpRequest, Invocation, parse, program_name
from kubectl_netpolgen.cli.verb import Verb
from kubectl_netpolgen.model.errors import ExitStatus, NetpolgenError

TRACEBACK_LEVEL = 8
"""The -v from which errors show where they came from; kubectl shows requests from there too."""


class Command(Protocol):
    """What a module of `commands` offers; the options are its own dataclass."""

    def complete(self, arguments: argparse.Namespace, environment: Environment) -> Any:
        """Arguments to options, with what the environment says where the person said nothing."""

    def validate(self, options: Any) -> None:
        """Raise UsageError for options that cannot be; pure."""

    def run(self, options: Any, environment: Environment) -> ExitStatus:
        """Do it."""


Load = Callable[[Verb], Command]


def load_command(verb: Verb) -> Command:
    """Import the verb's module, and so what it needs, only now that it is asked for."""
    command: Command = importlib.import_module(f"kubectl_netpolgen.commands.{verb.name}")
    return command


def load_for_good(verb: Verb) -> Command:
    """The same in a process of our own: what was imported stays, so the collector of cycles need not see it.

    Neither while it comes, nor whenever it runs later, nor at the end, where looking through everything
    would take as long as a small capture.
    """
    gc.disable()
    try:
        command = load_command(verb)
    finally:
        gc.enable()
    gc.freeze()
    return command


def main(argv: Sequence[str], environment: Environment, *, load: Load = load_command) -> int:
    """Run the words (the program's own name first) and return the exit status; never raises, never exits."""
    verbosity = 0
    try:
        program, words = program_name(argv[0]), list(argv[1:])
        if words[:1] == ["__complete"]:
            return _complete_words(words[1:], environment)
        request = parse(words, program=program)
        if isinstance(request, HelpRequest):
            return _help(request, program, environment)
        verbosity = request.arguments.verbosity
        return _run(request, environment, load)
    except BrokenPipeError:
        # the reader of our output has left; telling it so has no reader either
        return int(ExitStatus.ERROR)
    except (Exception, KeyboardInterrupt) as error:
        lines = _lines_about(error, verbosity=verbosity)
        if verbosity >= TRACEBACK_LEVEL:
            import traceback

            lines = [*"".join(traceback.format_exception(error)).splitlines(), *lines]
        _say_all(lines, environment)
        return int(_status_of(error))


def _status_of(error: BaseException) -> ExitStatus:
    if isinstance(error, NetpolgenError):
        return error.status
    return ExitStatus.INTERRUPTED if isinstance(error, KeyboardInterrupt) else ExitStatus.ERROR


def _lines_about(error: BaseException, *, verbosity: int) -> list[str]:
    """The one line about an error and its way out; what nobody foresaw points at the traceback."""
    if isinstance(error, NetpolgenError):
        return [f"error: {error.message}", *(f"  {line}" for line in error.way_out.splitlines())]
    if isinstance(error, KeyboardInterrupt):
        return ["interrupted"]
    if isinstance(error, OSError):
        where = f": {error.filename}" if error.filename else ""
        return [f"error: {error.strerror or error}{where}"]
    again = "" if verbosity >= TRACEBACK_LEVEL else f"; run again with -v={TRACEBACK_LEVEL} for the traceback"
    return [f"error: internal error: {type(error).__name__}: {error}{again}"]


def _run(invocation: Invocation, environment: Environment, load: Load) -> int:
    arguments = invocation.arguments
    environment = environment.with_colour("never" if arguments.no_color else arguments.color)
    command = load(invocation.verb)
    options = command.complete(arguments, environment)
    command.validate(options)
    status = command.run(options, environment)
    environment.stdout.flush()
    return int(status)


def _help(request: HelpRequest, program: str, environment: Environment) -> int:
    from kubectl_netpolgen.cli.help import program_help, short_help, verb_help

    if request.verb is not None:
        text = verb_help(request.verb, program, width=environment.width)
    elif request.short:
        text = short_help(program)
    else:
        text = program_help(program, width=environment.width)
    environment.stdout.write(text)
    environment.stdout.flush()
    return int(ExitStatus.DONE)


def _complete_words(words: Sequence[str], environment: Environment) -> int:
    from kubectl_netpolgen.cli.completion import answer

    environment.stdout.write(answer(words))
    environment.stdout.flush()
    return int(ExitStatus.DONE)


def _say_all(lines: Sequence[str], environment: Environment) -> None:
    try:
        for line in lines:
            environment.say(line)
    except OSError:
        # stderr is gone too; the exit status still speaks
        return


def restore_library_path(variables: MutableMapping[str, str], *, frozen: bool) -> None:
    """Undo what PyInstaller's boot loader does to LD_LIBRARY_PATH, which would break every child process.

    kubectl, tshark, dot and the kubeconfig's exec plugins must find the system's libraries, not the
    bundle's. https://pyinstaller.org/en/stable/runtime-information.html
    """
    if not frozen:
        return
    original = variables.pop("LD_LIBRARY_PATH_ORIG", None)
    if original is None:
        variables.pop("LD_LIBRARY_PATH", None)
    else:
        variables["LD_LIBRARY_PATH"] = original


def run() -> NoReturn:
    """The console script."""
    restore_library_path(os.environ, frozen=getattr(sys, "frozen", False))
    status = main(sys.argv, Environment.from_process(), load=load_for_good)
    try:
        # none at all where the caller closed it (`>&-`)
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        # what is still buffered can go nowhere; without this the interpreter tries again and exits with 120
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(status)
