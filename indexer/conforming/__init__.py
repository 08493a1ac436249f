"""A finished trailer laid back along its films, frame by frame.

    clip = encode_clip(path, encoders)
    reel = reel_of(probe(path))
    pieces = trace(clip, reel, origins_of(clip, library), library, progress=progress)

`indexer/aligning/` says which shots of which titles it may be cut from, from vectors alone. Here
pictures are compared: `small.py` makes them small, `blocks.py` says how alike two are whatever was
done to their light or laid over them, `framing.py` what part of the film's picture is shown,
`candidates.py` where to look, `lines.py` which frame of the film each frame of the trailer shows,
`best_way.py` which of all lines holds when, `edges.py` where pieces meet in the dark and
`crossfades.py` where two hold at once. `pieces.py` tells it all, `segment.py` what others get.
"""
