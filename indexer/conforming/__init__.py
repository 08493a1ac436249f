"""A finished trailer laid back along its films, frame by frame.

    clip = encode_clip(path, encoders)
    seen = look_at(probe(path))
    segments = trace(clip, seen, origins_of(clip, library), library)

`indexer/aligning/` says which shots of which titles it may be cut from, from vectors alone. Here
pictures are compared: `small.py` makes them small, `blocks.py` says how alike two are whatever was
done to their light or laid over them, `framing.py` what part of the film's picture is shown,
`candidates.py` where to look, `lines.py` which frame of the film each frame of the trailer shows,
`labelling.py` which of all lines holds when, and `crossfades.py` where two hold at once.
"""
