"""`completion`: a shell's script, or the program by which kubectl completes the plugin's words."""

from __future__ import annotations

import argparse
import os
import shutil
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from kubectl_netpolgen.model.errors import ExitStatus, NetpolgenError
from kubectl_netpolgen.runs.ports import Environment

PLUGIN = "kubectl-netpolgen"
COMPLETER = "kubectl_complete-netpolgen"
"""The name that kubectl looks for on PATH (pkg/cmd/plugin/plugin_completion.go)."""

COMPLETER_SCRIPT = f"""\
#!/bin/sh
# kubectl (1.26 and later) runs this to complete the words after `kubectl netpolgen`.
exec {PLUGIN} __complete "$@"
"""

BASH = f"""\
# bash completion of {PLUGIN}
_kubectl_netpolgen() {{
    local IFS=$'\\n' line directive="" words=("${{COMP_WORDS[@]:1:COMP_CWORD}}")
    local lines=($({PLUGIN} __complete "${{words[@]}}" 2>/dev/null))
    COMPREPLY=()
    for line in "${{lines[@]}}"; do
        case "$line" in
            :*) directive="$line" ;;
            *) COMPREPLY+=("${{line%%$'\\t'*}}") ;;
        esac
    done
    case "$directive" in
        :0) COMPREPLY=($(compgen -f -- "${{words[@]: -1}}")) ;;
        :16) COMPREPLY=($(compgen -d -- "${{words[@]: -1}}")) ;;
    esac
}}
complete -o filenames -F _kubectl_netpolgen {PLUGIN}
"""

ZSH = f"""\
#compdef {PLUGIN}
# zsh completion of {PLUGIN}
_kubectl_netpolgen() {{
    local -a lines described
    local line directive=""
    lines=("${{(@f)$({PLUGIN} __complete "${{(@)words[2,CURRENT]}}" 2>/dev/null)}}")
    for line in $lines; do
        case "$line" in
            :*) directive="$line" ;;
            *) described+=("${{${{line%%$'\\t'*}}//:/\\\\:}}:${{line#*$'\\t'}}") ;;
        esac
    done
    case "$directive" in
        :0) _files ;;
        :16) _files -/ ;;
        *) _describe '{PLUGIN}' described ;;
    esac
}}
compdef _kubectl_netpolgen {PLUGIN}
"""

FISH = f"""\
# fish completion of {PLUGIN}
function __kubectl_netpolgen
    set -l words (commandline -opc)[2..-1] (commandline -ct)
    set -l lines ({PLUGIN} __complete $words 2>/dev/null)
    switch "$lines[-1]"
        case ':0'
            __fish_complete_path (commandline -ct)
        case ':16'
            __fish_complete_directories (commandline -ct)
        case '*'
            string match -v ':*' -- $lines
    end
end
complete -c {PLUGIN} -f -a '(__kubectl_netpolgen)'
"""


class Shell(str, Enum):
    """What the script is for."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"
    INSTALL = "install"
    """No shell: put the program that kubectl looks for next to the plugin."""


SCRIPTS = {Shell.BASH: BASH, Shell.ZSH: ZSH, Shell.FISH: FISH}


@dataclass(frozen=True)
class Options:
    """What was asked for, and where the plugin lies."""

    shell: Shell
    plugin: Path | None
    """As found on PATH, links not followed: krew's directory of links is the one on PATH."""


def complete(arguments: argparse.Namespace, environment: Environment) -> Options:
    """Look for the plugin on PATH, but only to install next to it."""
    shell = Shell(arguments.shell)
    if shell is not Shell.INSTALL:
        return Options(shell, None)
    found = shutil.which(PLUGIN, path=environment.variables.get("PATH", os.defpath))
    return Options(shell, environment.directory / found if found else None)


def validate(options: Options) -> None:
    """Refuse to install when kubectl would not find the plugin itself."""
    if options.shell is Shell.INSTALL and options.plugin is None:
        raise NetpolgenError(
            f"{PLUGIN} is not on PATH, so kubectl finds neither the plugin nor its completion",
            way_out="install the plugin first, or add its directory to PATH",
        )


def run(options: Options, environment: Environment) -> ExitStatus:
    """Print the script, or write the program."""
    if options.plugin is not None:
        environment.say(install(options.plugin.parent))
    else:
        environment.stdout.write(SCRIPTS[options.shell])
    return ExitStatus.DONE


def install(directory: Path) -> str:
    """Write the program into the directory and say what was done; a file that is there is never replaced.

    NetpolgenError when the directory cannot be written.
    """
    path = directory / COMPLETER
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(COMPLETER_SCRIPT)
        path.chmod(0o755)
    except FileExistsError:
        return f"{path} is there already and was left as it is"
    except OSError as error:
        raise NetpolgenError(
            f"cannot write {path}: {error.strerror}",
            way_out=f"write these lines to an executable file {COMPLETER} on PATH:\n{COMPLETER_SCRIPT}",
        ) from error
    return f"wrote {path}; kubectl 1.26 and later completes the words after `kubectl netpolgen` with it"
