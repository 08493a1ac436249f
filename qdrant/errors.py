"""The errors Trimbin raises, all the way down.

TrimbinError
├── UsageError             the request itself is wrong                      exit 2
│   └── ProfileMismatch    a library is bound to another profile
├── InputError             one file cannot be taken; the others can         exit 1
└── CannotRunNow           right request, wrong moment or machine           exit 3
    ├── LibraryOwned       a living process holds the shard: silent, or sole writer
    ├── WeightsUnavailable a model's weights cannot be had here
    ├── ConsentNeeded      dialogue would leave the machine unasked
    └── StoreUnavailable   the store is down, unwritable or full
        └── OwnerGone      the process we read through went away: open the store again

A message is one sentence for a person: what happened, to which file, and the way out.
"""

from __future__ import annotations


class TrimbinError(Exception):
    """The root of every error a person is meant to read."""

    exit_code = 3


class UsageError(TrimbinError):
    """The request itself is wrong: an unknown profile, an impossible value."""

    exit_code = 2


class ProfileMismatch(UsageError):
    """A library is bound to one profile and was asked to work with another."""


class InputError(TrimbinError):
    """One input cannot be taken. A folder's other files go on."""

    exit_code = 1


class CannotRunNow(TrimbinError):
    """The request is right, but this machine, disk or moment cannot serve it."""

    exit_code = 3


class LibraryOwned(CannotRunNow):
    """A living process owns the shard: it does not answer, or we asked to write past it."""


class WeightsUnavailable(CannotRunNow):
    """The weights of a model can be had neither from disk nor from where they live."""


class ConsentNeeded(CannotRunNow):
    """Dialogue would be sent to another machine and nobody has agreed to that yet."""


class StoreUnavailable(CannotRunNow):
    """The store cannot be opened, reached, read or written."""


class OwnerGone(StoreUnavailable):
    """The process whose loopback address we read through went away; open the store again."""
