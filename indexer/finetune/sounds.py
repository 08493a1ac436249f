"""What the sounds of a user's own films share, taken as the centre of their vectors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from indexer.encoders.audio import Wav2Vec2Sound
from indexer.encoders.centre import centre_of, to_text
from indexer.encoders.protocol import Sound
from indexer.finetune.pairs import Pair
from indexer.finetune.pictures import span_of
from indexer.media.probe import probe
from indexer.profiles import Profile
from indexer.sound.recording import recording
from qdrant.errors import UsageError
from qdrant.schema import AUDIO

MOST_SOUNDS = 1000
"""A mean of so many moves no more."""


def centre_of_sounds(profile: Profile, pairs: Sequence[Pair], *, device: str) -> str:
    """Return the centre of the pairs' sounds as a profile holds it.

    Raises `UsageError` where the profile's sound encoder knows no centre, or nothing is heard.
    """
    spec = profile.encoders.get(AUDIO)
    if spec is None or spec.kind != "wav2vec2":
        raise UsageError(
            f"The profile {profile.name!r} has no wav2vec2 encoder, and no other takes a centre; "
            "go without `--centre-sound`."
        )
    sounds = list(_sounds(pairs))[:MOST_SOUNDS]
    encoder = Wav2Vec2Sound(spec, device=device)
    return to_text(centre_of(encoder.hear(sounds)))


def _sounds(pairs: Sequence[Pair]) -> Iterator[Sound]:
    """Yield the sound of every pair whose clip has any; silent stretches are passed over."""
    in_clips = sorted(pairs, key=lambda pair: pair.clip)
    for clip, of_clip in groupby(in_clips, key=lambda pair: pair.clip):
        media = probe(clip)
        if media.sound is None:
            continue
        with recording(media) as tape:
            for pair in of_clip:
                span = span_of(pair, media)
                if not tape.is_silent(*span):
                    yield tape.between(*span)
