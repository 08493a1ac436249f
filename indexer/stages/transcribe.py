"""Writing down: what people say, where no subtitles tell it."""

from __future__ import annotations

from collections.abc import Sequence

from indexer.beside import Beside
from indexer.choices import Choices
from indexer.stages.listening import Heard, Listening
from indexer.studio import Studio
from indexer.words.cues import Cue
from indexer.words.tracks import Track, chosen, made_track
from indexer.words.transcribe import obstacle, transcriber_of, transcript
from indexer.workbench import Workbench, digest

UTTERANCE_S = 1.0
"""A title without a single voice that lasts this long has laughs, shouts and mistakes of the voice
finder; out of those a transcriber would make up words."""
SAID = "transcript"
"""The name of the table of cues."""


def transcribe(
    sound: Listening,
    beside: Beside,
    tracks: Sequence[Track],
    bench: Workbench,
    studio: Studio,
    *,
    choices: Choices,
) -> None:
    """Write down what is said, where that is wanted and nobody else has."""
    language = beside.metadata.get("language")
    wanted = _is_wanted(choices, tracks, bench, studio) and not sound.is_silent_film
    why_not = obstacle(studio.library.profile, language=language) if wanted else None
    inputs = digest("transcribe", wanted, why_not, language, bench.done["hear"])
    if bench.is_done("transcribe", inputs):
        return
    with bench.doing("transcribe", inputs) as notes:
        cues: tuple[Cue, ...] = ()
        if wanted:
            heard = sound.heard()
            speech = heard.speech or ()
            spoken = any(end_s - start_s >= UTTERANCE_S for start_s, end_s in speech)
            if spoken and why_not is None:
                cues = _written(heard, speech, language, studio, bench)
            elif spoken:
                notes.append(f"What is said in it was not written down: {why_not}.")
        bench.save_cues(SAID, cues)


def transcript_track(bench: Workbench) -> Track:
    """Return the track of what was written down."""
    return made_track("transcript", language=bench.facts.get("transcript_language"))


def _is_wanted(choices: Choices, tracks: Sequence[Track], bench: Workbench, studio: Studio) -> bool:
    if choices.transcribe != "auto":
        return choices.transcribe == "always"
    languages = studio.library.profile.text_languages
    return chosen(tracks, languages=languages) is None and not bench.cues("captions")


def _written(
    heard: Heard,
    speech: Sequence[tuple[float, float]],
    language: str | None,
    studio: Studio,
    bench: Workbench,
) -> tuple[Cue, ...]:
    transcriber = transcriber_of(studio.library.profile, language=language)
    known = transcriber.languages
    bench.facts["transcript_language"] = known[0] if len(known) == 1 else language
    return transcript(heard.recording, speech, transcriber, progress=studio.progress)
