"""What browsers play as it is: containers, codecs, pixel formats."""

from __future__ import annotations

from pathlib import Path

from indexer.manifest import Manifest

PLAYABLE: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    "mp4": (frozenset({"h264", "vp9", "av1"}), frozenset({"aac", "mp3", "opus", "flac"})),
    "webm": (frozenset({"vp8", "vp9", "av1"}), frozenset({"opus", "vorbis"})),
    "mp3": (frozenset(), frozenset({"mp3"})),
    "wav": (frozenset(), frozenset({"pcm_s16le", "pcm_u8", "pcm_f32le"})),
    "flac": (frozenset(), frozenset({"flac"})),
    "ogg": (frozenset(), frozenset({"opus", "vorbis", "flac"})),
    "aac": (frozenset(), frozenset({"aac"})),
}
"""Container -> the video and the audio codecs that Chromium and Firefox play from it."""

PLAYABLE_PIXELS = {
    "h264": frozenset({"yuv420p", "yuvj420p"}),
    "vp8": frozenset({"yuv420p"}),
    "vp9": frozenset({"yuv420p", "yuv420p10le"}),
    "av1": frozenset({"yuv420p", "yuv420p10le"}),
}

CODEC_OF_DECODER = {
    "libdav1d": "av1",
    "libaom-av1": "av1",
    "libvpx": "vp8",
    "libvpx-vp9": "vp9",
    "mp3float": "mp3",
    "libopus": "opus",
    "libvorbis": "vorbis",
}
"""A manifest names the decoder that read a stream; some are called other than their codec."""


def needs_proxy(manifest: Manifest) -> bool:
    """Return whether browsers cannot play a title's own file."""
    container = _container(manifest)
    if container is None:
        return True
    video_codecs, audio_codecs = PLAYABLE[container]
    video, audio = _codec(manifest.video_codec), _codec(manifest.audio_codec)
    plays_picture = video is None or (
        video in video_codecs and manifest.pixel_format in PLAYABLE_PIXELS[video]
    )
    return not (plays_picture and (audio is None or audio in audio_codecs))


def _container(manifest: Manifest) -> str | None:
    """Return which row of `PLAYABLE` a title's file belongs to."""
    formats = manifest.container.split(",")
    if "matroska" in formats:  # one demuxer for both; browsers promise to play only WebM
        return "webm" if Path(manifest.path).suffix.lower() == ".webm" else None
    return next((name for name in formats if name in PLAYABLE), None)


def _codec(decoder: str | None) -> str | None:
    return CODEC_OF_DECODER.get(decoder, decoder) if decoder else None
