"""A clip laid along a title, shot by shot: re-cuts, trailers, other versions.

    title = shots_of_title(library, manifest)
    alignment = align(shots_of_clip(clip), title, bands=library.profile.likeness)
    origins = origins_of(clip, library)  # or: which title is it cut from?

`worth.py` says what it is worth to take one shot for another, `paths.py` finds the way through the
title that is worth most, `confidence.py` how sure each step of it is, `stretches.py` joins steps
that follow one another, and `titles.py` asks a whole library.
"""
