"""Errors whose message is meant for the person who made the call.

The command line prints the message on one line and exits with ``exit_code``.
"""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes of every command."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    SET_ASIDE = 3


class StallcheckError(Exception):
    """Base of all errors that carry a message for the user."""

    exit_code = Exit.FAILED


class InputError(StallcheckError):
    """The call or its input was wrong: says what, where, and how to mend it."""

    exit_code = Exit.USAGE


class ModelError(StallcheckError):
    """A model folder is missing, damaged, tampered with or of another schema."""

    exit_code = Exit.USAGE


class MissingExtra(StallcheckError):
    """An optional dependency is not installed: names the command that installs it."""

    exit_code = Exit.USAGE

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} needs the [{extra}] extra: pip install 'stallcheck[{extra}]'")
