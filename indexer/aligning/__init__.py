"""A clip laid along a title, shot by shot: re-cuts, trailers, other versions.

    alignment = align(shots_of_clip(clip), title_shots, bands=library.profile.footage)

`worth.py` says what it is worth to take one shot for another, `paths.py` finds the way through the
title that is worth most, `confidence.py` how sure each step of it is, `spans.py` joins steps that
follow one another, and `titles.py` asks a whole library which of its titles a clip is cut from.
"""
