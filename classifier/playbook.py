"""What to say next: responses for each class and kind, read from `playbook.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from classifier.errors import InputError
from classifier.labels import CLASS_OF, CLASSES, KINDS, OTHER, UNSURE
from classifier.suggest import did_you_mean

MIXED = "mixed"
ENTRIES = (*KINDS, *CLASSES, UNSURE, MIXED)
"""Everything that `respond` can be asked for."""


@dataclass(frozen=True, slots=True)
class Response:
    """A suggested response: what to aim for, the steps, a question, the next one, what to avoid."""

    aim: str
    steps: tuple[str, ...]
    ask: str
    then: str
    avoid: str


class Playbook:
    """Responses by class and kind."""

    def __init__(self, tables: Mapping[str, Mapping[str, object]]) -> None:
        self._tables = tables

    def entry(self, name: str) -> Response:
        """The response for a kind, a class, ``unsure`` or ``mixed``.

        Raises
        ------
        InputError
            If `name` is none of `ENTRIES`; the nearest one is named.
        """
        name = name.strip().lower().replace(" ", "_").replace("-", "_")
        if name not in ENTRIES:
            raise InputError(
                f"'{name}' is not a kind in the playbook{did_you_mean(name, ENTRIES)} "
                "('stallcheck respond' lists them)"
            )
        return self.respond(CLASS_OF.get(name, name), name)

    def respond(self, verdict: str, kind: str | None, *, mixed: bool = False) -> Response:
        """The response to a verdict: the kind's own, or its class's where the kind has none."""
        if mixed:
            return _response(self._tables[MIXED])
        table = self._tables[verdict]
        own = table.get(kind or OTHER, table)
        return _response(own if isinstance(own, Mapping) else table)


def _response(table: Mapping[str, object]) -> Response:
    steps = table["steps"]
    assert isinstance(steps, list)
    aim, ask, then, avoid = (str(table[field]) for field in ("aim", "ask", "then", "avoid"))
    return Response(aim, tuple(map(str, steps)), ask, then, avoid)


@cache
def default_playbook() -> Playbook:
    """The playbook that ships with the package."""
    text = resources.files("classifier").joinpath("playbook.toml").read_text(encoding="utf-8")
    return Playbook(tomllib.loads(text))
