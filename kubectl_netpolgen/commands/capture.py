"""`capture`: watch the traffic of pods for a while and write the policies that allow exactly that."""

from __future__ import annotations

import argparse
import secrets
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType

from kubectl_netpolgen.bundle.layout import bundle_name
from kubectl_netpolgen.bundle.options import write_options
from kubectl_netpolgen.bundle.writer import BundleWriter
from kubectl_netpolgen.cluster.agent import AgentLimits
from kubectl_netpolgen.cluster.api import Api
from kubectl_netpolgen.cluster.attach import DEFAULT_IMAGE
from kubectl_netpolgen.cluster.kubeconfig import connect
from kubectl_netpolgen.cluster.preflight import LEFT_OUT, Preflight, preflight
from kubectl_netpolgen.generation.options import GenerationOptions
from kubectl_netpolgen.model.bundle import Manifest, PodCapture
from kubectl_netpolgen.model.errors import (
    BundleError,
    ExitStatus,
    NothingCaptured,
    UsageError,
)
from kubectl_netpolgen.output.preflight import CapturePlan, preflight_text
from kubectl_netpolgen.output.progress import open_progress
from kubectl_netpolgen.runs.asked import asked_options, given_words
from kubectl_netpolgen.runs.confirmation import demand_yes
from kubectl_netpolgen.runs.connection import access_from, namespaces_from
from kubectl_netpolgen.runs.derive import derive
from kubectl_netpolgen.runs.installed import installed_version
from kubectl_netpolgen.runs.ports import Environment
from kubectl_netpolgen.runs.publish import Format, publish, say_how_to_apply, show
from kubectl_netpolgen.runs.record import Recording, RecordingBroken, RecordOptions, record
from kubectl_netpolgen.runs.work_tree import committable_in

IMAGE_VARIABLE = "NETPOLGEN_IMAGE"
_MIN_DURATION = 1.0
_MAX_DURATION = 24 * 3600.0


@dataclass(frozen=True)
class Options:
    """What to capture, for how long, and what to make of it."""

    arguments: argparse.Namespace
    """For the connection flags, which `runs.connection` reads."""
    selector: str
    duration: float
    image: str
    bundle: Path | None
    lease: float
    linger: float
    confirmed: bool
    dry_run: bool
    format: Format
    headers: bool
    read_config: bool
    generation: GenerationOptions


def complete(arguments: argparse.Namespace, environment: Environment) -> Options:
    """Options from the parsed command line; the image also from NETPOLGEN_IMAGE."""
    return Options(
        arguments=arguments,
        selector=arguments.selector or "",
        duration=arguments.duration,
        image=arguments.image or environment.variables.get(IMAGE_VARIABLE) or DEFAULT_IMAGE,
        bundle=environment.directory / arguments.bundle if arguments.bundle else None,
        lease=arguments.lease,
        linger=arguments.linger,
        confirmed=arguments.yes,
        dry_run=arguments.dry_run != "none",
        format=Format(arguments.output),
        headers=not arguments.no_headers,
        read_config=arguments.read_config,
        generation=asked_options(given_words(arguments)),
    )


def validate(options: Options) -> None:
    """Refuse what cannot be before anything is touched."""
    if not _MIN_DURATION <= options.duration <= _MAX_DURATION:
        raise UsageError("--duration: must be from 1s to 24h", way_out="for longer, capture several times")
    if options.lease < 60:
        raise UsageError(
            "--lease: must be at least 60s", way_out="it is renewed by every pull, about each 20s"
        )
    if options.linger < 10:
        raise UsageError(
            "--linger: must be at least 10s", way_out="collecting after the end takes its time too"
        )
    bundle = options.bundle
    if bundle is not None and bundle.exists() and (not bundle.is_dir() or any(bundle.iterdir())):
        raise UsageError(
            f"--bundle: {bundle} exists and is not an empty directory", way_out="name another directory"
        )


def run(options: Options, environment: Environment) -> ExitStatus:
    """Preflight, record, derive, write, show."""
    environment.say("looking at the cluster ...")
    started = environment.now()
    with connect(access_from(options.arguments), environment.variables) as api:
        namespaces = namespaces_from(options.arguments, api)
        checked = preflight(api, namespaces, options.selector, configuration=options.read_config)
        checked.demand_rights()
        root = options.bundle or environment.directory / bundle_name(namespaces, started)
        environment.stderr.write(_plan_text(options, api, checked, root, colour=environment.stderr_colour))
        _warn_of_git(root, environment)
        if options.dry_run:
            return ExitStatus.DONE
        if not options.confirmed:
            demand_yes(
                "Go on?",
                environment,
                alone="a capture changes the pods' specs for good, and nobody is here to say yes",
                way_out="add --yes",
            )
        manifest = Manifest(
            run=secrets.token_hex(4),
            tool_version=installed_version(),
            namespaces=namespaces,
            context=api.context,
            server=api.server,
            started=started,
            ended=0,
            duration=options.duration,
            arguments={
                "selector": options.selector,
                "image": options.image,
                **({"read-config": "true"} if options.read_config else {}),
            },
        )
        writer = BundleWriter.create(root)
        writer.manifest(manifest)
        write_options(writer, options.generation)
        try:
            recording, interrupted = _record(options, api, writer, manifest, environment)
        except RecordingBroken as error:
            # the summary is small and may still fit; without it the captures that arrived are readable too
            with suppress(BundleError):
                writer.manifest(_summed(manifest, error.recording, checked))
            raise
    manifest = _summed(manifest, recording, checked)
    writer.manifest(manifest)
    try:
        status = _make(options, writer, manifest, environment)
    except NothingCaptured as error:
        if not interrupted:
            raise
        # whoever left before anything arrived knows why, and needs no way out
        environment.say(error.message)
        return ExitStatus.INTERRUPTED
    return ExitStatus.INTERRUPTED if interrupted else status


def _summed(manifest: Manifest, recording: Recording, checked: Preflight) -> Manifest:
    return replace(
        manifest,
        ended=recording.ended,
        pods=recording.pods,
        readable=tuple(sorted(recording.readable)),
        findings=(
            *(finding for finding in checked.findings if finding.code != LEFT_OUT),
            *recording.findings,
        ),
    )


def _make(options: Options, writer: BundleWriter, manifest: Manifest, environment: Environment) -> ExitStatus:
    """What `analyse` would do with the bundle, right away."""
    if not any(pod.pcap or pod.sockets for pod in manifest.pods):
        raise NothingCaptured(
            f"nothing was captured in {', '.join(manifest.namespaces)}: {_reasons(manifest.pods)}",
            way_out=f"{writer.root} tells pod by pod; `kubectl netpolgen doctor` checks what a capture needs",
        )
    derived = derive(writer.root, options.generation)
    published = publish(derived)
    writer.session(time=environment.now(), state="run-written", run=manifest.run)
    status = show(derived, published, format=options.format, headers=options.headers, environment=environment)
    say_how_to_apply(published, environment)
    return status


def _plan_text(options: Options, api: Api, checked: Preflight, root: Path, *, colour: bool) -> str:
    plan = CapturePlan(
        context=api.context,
        server=api.server,
        server_version=checked.server_version,
        namespaces=checked.namespaces,
        pods=checked.pods,
        image=options.image,
        capabilities=("NET_RAW",) if options.image == DEFAULT_IMAGE else ("NET_RAW", "SETGID", "SETUID"),
        duration=options.duration,
        bundle=str(root),
        skipped=checked.skipped,
    )
    return preflight_text(plan, checked.findings, colour=colour)


def _warn_of_git(root: Path, environment: Environment) -> None:
    """A bundle holds traffic, and what was committed and pushed once is hard to take back."""
    top = committable_in(root)
    if top is not None:
        environment.say(
            f"warning: {root} lies in the git work tree {top}, and a bundle holds traffic; "
            "add it to .gitignore, or name a directory elsewhere with --bundle"
        )


def _record(
    options: Options, api: Api, writer: BundleWriter, manifest: Manifest, environment: Environment
) -> tuple[Recording, bool]:
    """Record with ^C as `stop and collect`, and twice as `leave at once`."""
    stop, abandon = threading.Event(), threading.Event()
    with (
        open_progress(
            environment.stderr,
            terminal=environment.stderr_is_terminal,
            colour=environment.stderr_colour,
        ) as progress,
        _interrupts(stop, abandon, environment),
    ):
        recording = record(
            api,
            RecordOptions(
                namespaces=manifest.namespaces,
                selector=options.selector,
                duration=options.duration,
                image=options.image,
                limits=AgentLimits(lease=int(options.lease), linger=int(options.linger)),
                configuration=options.read_config,
            ),
            writer,
            view=progress,
            clock=environment.now,
            run=manifest.run,
            stop=stop,
            abandon=abandon,
        )
    return recording, stop.is_set()


@contextmanager
def _interrupts(stop: threading.Event, abandon: threading.Event, environment: Environment) -> Iterator[None]:
    """SIGINT and SIGTERM set `stop`, the next one `abandon`; what was there before comes back afterwards."""

    def interrupted(number: int, frame: FrameType | None) -> None:
        if stop.is_set():
            abandon.set()
            return
        stop.set()
        environment.say("stopping and collecting; interrupt again to leave at once")

    before = {number: signal.signal(number, interrupted) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _reasons(pods: Sequence[PodCapture]) -> str:
    reasons = sorted({f"{pod.namespace}/{pod.name}: {pod.reason or pod.state.value}" for pod in pods})
    if not reasons:
        return "no pods"
    return "; ".join(reasons[:5]) + (f"; and {len(reasons) - 5} more" if len(reasons) > 5 else "")
