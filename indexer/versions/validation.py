"""A version put through its gates: is it whole, is it sane, is it worth having.

A gate looks at the version beside the one in use and tells what it found; a finding that fails
keeps the version out. A further one is a function added to `GATES`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from indexer.assembly import title_sequence
from indexer.learning import SEED
from indexer.library import Library
from indexer.progress import Progress, silent
from indexer.versions.gate import Finding, Gate, Verdict
from indexer.versions.ledger import keep_record, now, record_of, whole_state
from indexer.versions.soundness import every_title_is_there, vectors_are_sound
from qdrant.errors import CannotRunNow

if TYPE_CHECKING:
    from indexer.context.evaluation import Evaluation

SHOTS_IN_MEMORY = 200_000
"""Of 2,304 numbers: 1.8 GB."""


def context_earns_its_place(
    version: Library, in_use: Library, *, progress: Progress
) -> Iterator[Finding]:
    """Compare the context model's loss on held-out shots with that of the neighbours' mean.

    A model that loses is kept out of the ranking, which costs something only where the model in
    use wins: then it fails.
    """
    if version.checkpoint_id() is None:
        verdict: Verdict = "fail" if in_use.checkpoint_id() is not None else "ok"
        yield Finding("context", verdict, "It has no context model.")
        return
    try:
        found = _evaluated(version)
    except CannotRunNow as error:  # damaged, or of another program's
        yield Finding("context", "fail", str(error))
        return
    whole = " (whole titles)" if found.held_out == "titles" else ""
    told = (
        f"Masked-shot loss on {found.num_held_out} held-out shots{whole} {found.loss:.3f}, the "
        f"mean of the neighbours {found.control_loss:.3f}"
    )
    if found.worthy:
        yield Finding("context", "ok", f"{told}.")
    elif _is_worthy(in_use):
        yield Finding("context", "fail", f"{told}: it loses, and the model in use wins.")
    else:
        yield Finding("context", "warn", f"{told}: the ranking does without it.")


def vectors_keep_step(
    version: Library, in_use: Library, *, progress: Progress
) -> Iterator[Finding]:
    """Look whether vectors are of the very shots they are filed under."""
    from indexer.probes.alignment import shots_are_in_step

    yield from shots_are_in_step(version, in_use, progress=progress)


def probes_keep_up(version: Library, in_use: Library, *, progress: Progress) -> Iterator[Finding]:
    """Put the tasks that the library keeps labels of to both versions."""
    from indexer.probes.gate import probes_hold

    yield from probes_hold(version, in_use, progress=progress)


GATES: Sequence[Gate] = (
    every_title_is_there,
    vectors_are_sound,
    context_earns_its_place,
    vectors_keep_step,
    probes_keep_up,
)


def validate(
    version: Library,
    in_use: Library,
    *,
    gates: Sequence[Gate] = GATES,
    progress: Progress = silent,
) -> list[Finding]:
    """Put a version through the gates, up to one it fails at, and write down whether it passed.

    What it passed with is kept: with other titles or another context model it has to pass again.
    Raises `CannotRunNow` where the library cannot be written.
    """
    state = whole_state(version)
    findings: list[Finding] = []
    passed = True
    for gate in gates:
        findings += gate(version, in_use, progress=progress)
        passed = all(finding.verdict != "fail" for finding in findings)
        if not passed:
            break
    record = replace(record_of(version), findings=tuple(asdict(f) for f in findings))
    record = replace(
        record, validated_at=now() if passed else "", validated_state=state if passed else ""
    )
    keep_record(version, record)
    return findings


def _evaluated(version: Library) -> Evaluation:
    """Return how the context model does on held-out shots, as the library is now.

    Of a library too large to be held in memory: how it did when it was trained.
    """
    from indexer.context.checkpoint import load_checkpoint
    from indexer.context.evaluation import evaluate, hold_out

    checkpoint = load_checkpoint(version.context_folder)
    titles = version.in_use()
    if sum(manifest.num_shots for manifest in titles) > SHOTS_IN_MEMORY:
        return checkpoint.metrics.evaluation
    sequences = [
        title_sequence(version, m.title_id, m.spaces, num_shots=m.num_shots) for m in titles
    ]
    return evaluate(checkpoint.model, sequences, hold_out(sequences, seed=SEED))


def _is_worthy(library: Library) -> bool:
    from indexer.context.checkpoint import load_checkpoint

    try:
        return load_checkpoint(library.context_folder).metrics.worthy
    except CannotRunNow:  # there is none, or none that can be used
        return False
