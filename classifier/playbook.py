"""What to say next: responses for each class and kind, read from `playbook.toml`.

A team's own file may override any part of it; what it leaves out stays as it ships.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from functools import cache
from importlib import resources
from pathlib import Path

from classifier.errors import InputError
from classifier.labels import CLASS_OF, CLASSES, KINDS, OTHER, UNSURE
from classifier.suggest import did_you_mean

MIXED = "mixed"
OPT_OUT = "opt_out"
ENTRIES = (*KINDS, *CLASSES, UNSURE, MIXED)
"""Everything that `respond` can be asked for."""

NAMES = ("buyer", "seller", "product", "company")
"""Placeholders that can be filled: ``{buyer|there}`` is the buyer's name, or ``there`` without one."""

_PLACEHOLDER = re.compile(r"\{(\w*)(?:\|([^{}]*))?\}")
_LONGEST = {"call": 320, "email": 400, "chat": 240, "why": 240, "again": 240}
_LONGEST_LINE = 160
_MOST_STEPS = 4

Tables = Mapping[str, Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class Response:
    """A suggested response.

    aim, steps, ask, then, avoid : what to aim for, how, the question to put, the one after it, and
        what not to do.
    call, email, chat : a short example reply for each.
    why : the evidence behind it, with its source.
    again : what changes because the same stall has come before; empty the first time.
    """

    aim: str
    steps: tuple[str, ...]
    ask: str
    then: str
    avoid: str
    call: str
    email: str
    chat: str
    why: str
    again: str = ""

    def filled(self, names: Mapping[str, str]) -> Response:
        """With the placeholders filled from `names`, or by the words that stand in for them."""
        own = {field.name: getattr(self, field.name) for field in fields(self)}
        words = {name: _fill(value, names) for name, value in own.items() if isinstance(value, str)}
        return replace(self, steps=tuple(_fill(step, names) for step in self.steps), **words)


FIELDS = tuple(field.name for field in fields(Response))


class Playbook:
    """Responses by class and kind.

    Parameters
    ----------
    tables : mapping
        The whole playbook, as read from TOML.
    names : mapping, optional
        What to fill the placeholders with, by `NAMES`.
    """

    def __init__(self, tables: Tables, names: Mapping[str, str] | None = None) -> None:
        self._tables = tables
        self._names = dict(names or {})

    def with_names(self, names: Mapping[str, str]) -> Playbook:
        """The same playbook with placeholders filled from `names`.

        Raises
        ------
        InputError
            If a name is none of `NAMES`.
        """
        for name in names:
            if name not in NAMES:
                raise InputError(f"nothing is called '{name}' in the playbook{did_you_mean(name, NAMES)}")
        return Playbook(self._tables, names)

    def entry(self, name: str, *, history: int = 0) -> Response:
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
        return self.respond(CLASS_OF.get(name, name), name, history=history)

    def respond(
        self,
        verdict: str,
        kind: str | None,
        *,
        mixed: bool = False,
        opt_out: bool = False,
        history: int = 0,
    ) -> Response:
        """The response to a verdict: the kind's own, or its class's where the kind has none.

        An opt-out is only ever confirmed. `history` counts earlier stalls of this kind in the
        account: the second time the kind's own advice is added, from the third on that of stalls.
        """
        if opt_out:
            return self._response(self._tables["neither"][OPT_OUT])
        if mixed:
            return self._response(self._tables[MIXED])
        table = self._tables[verdict]
        own = table.get(kind or OTHER, table)
        repeated = (own, table)[min(history, 2) - 1] if history > 0 else None
        return self._response(own if isinstance(own, Mapping) else table, repeated)

    def _response(self, table: object, repeated: object = None) -> Response:
        assert isinstance(table, Mapping)
        words = {name: str(table.get(name, "")) for name in FIELDS if name not in ("steps", "again")}
        again = str(repeated.get("again", "")) if isinstance(repeated, Mapping) else ""
        return Response(steps=tuple(map(str, table["steps"])), again=again, **words).filled(self._names)


def shipped_text() -> str:
    """The playbook that ships with the package, as TOML."""
    return resources.files("classifier").joinpath("playbook.toml").read_text(encoding="utf-8")


def own_path() -> Path:
    """Where a team's own playbook is looked for: ``$STALLCHECK_PLAYBOOK``, or the user's settings."""
    from click import get_app_dir

    return Path(os.environ.get("STALLCHECK_PLAYBOOK") or Path(get_app_dir("stallcheck")) / "playbook.toml")


@cache
def default_playbook() -> Playbook:
    """The playbook that ships, with the team's own parts over it.

    Raises
    ------
    InputError
        If the team's own file is not a playbook.
    """
    shipped = tomllib.loads(shipped_text())
    path = own_path()
    return Playbook(_over(shipped, read_own(path)) if path.is_file() else shipped)


def read_own(path: Path) -> Tables:
    """A team's own file, checked.

    Raises
    ------
    InputError
        With the first fault: the file, the entry, what is wrong and how to mend it.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not readable ({error})") from error
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path}: not TOML: {str(error)[0].lower()}{str(error)[1:]}") from error
    for fault in _faults(tables):
        raise InputError(f"{path}: {fault}")
    return tables


def _faults(tables: Mapping[str, object]) -> Iterator[str]:
    """What is wrong with a playbook, table by table."""
    for name, table in tables.items():
        if name not in (*CLASSES, UNSURE, MIXED):
            home = f": kinds go under their class, [{CLASS_OF[name]}.{name}]" if name in CLASS_OF else ""
            yield f"unknown table [{name}]{home or did_you_mean(name, (*CLASSES, UNSURE, MIXED))}"
        elif not isinstance(table, Mapping):
            yield f"{name} is not a table: write [{name}]"
        else:
            for key, value in table.items():
                if not isinstance(value, Mapping):
                    yield from _field_faults(name, key, value)
                elif CLASS_OF.get(key) != name:
                    known = [kind for kind in KINDS if CLASS_OF[kind] == name]
                    yield f"unknown kind [{name}.{key}]{did_you_mean(key, known)} ({', '.join(known)})"
                else:
                    for own, cell in value.items():
                        yield from _field_faults(f"{name}.{key}", own, cell)


def _field_faults(table: str, name: str, value: object) -> Iterator[str]:
    if name not in FIELDS:
        yield f"[{table}] has an unknown field '{name}'{did_you_mean(name, FIELDS)} ({', '.join(FIELDS)})"
        return
    given = value if isinstance(value, list) else [value]
    lines = [line for line in given if isinstance(line, str)]
    if (name == "steps") != isinstance(value, list) or len(lines) < len(given):
        yield f"[{table}] {name} is to be {'a list of texts' if name == 'steps' else 'a text in quotes'}"
        return
    if not lines or not all(line.strip() for line in lines):
        yield f"[{table}] {name} is missing its words: leave the field out to keep ours"
    if len(lines) > _MOST_STEPS:
        yield f"[{table}] {name} has {len(lines)} entries, more than fit a screen: at most {_MOST_STEPS}"
    longest = _LONGEST.get(name, _LONGEST_LINE)
    for line in lines:
        if len(line) > longest:
            yield f"[{table}] {name} has {len(line)} characters, too long for a screen: at most {longest}"
        for match in _PLACEHOLDER.finditer(line):
            if match[1] not in NAMES:
                near = did_you_mean(match[1], NAMES)
                yield f"[{table}] {name} has an unknown placeholder {match[0]}{near} ({', '.join(NAMES)})"


def _over(shipped: Tables, own: Tables) -> Tables:
    """`own` laid over `shipped`, field by field."""
    merged: dict[str, dict[str, object]] = {name: dict(table) for name, table in shipped.items()}
    for name, table in own.items():
        for key, value in table.items():
            before = merged[name].get(key)
            if isinstance(value, Mapping) and isinstance(before, Mapping):
                merged[name][key] = {**before, **value}
            elif isinstance(value, Mapping):
                plain = {own: cell for own, cell in merged[name].items() if not isinstance(cell, Mapping)}
                merged[name][key] = {**plain, **value}
            else:
                merged[name][key] = value
    return merged


def _fill(words: str, names: Mapping[str, str]) -> str:
    """`words` with the placeholders filled; what stays empty leaves no gap behind."""
    filled = _PLACEHOLDER.sub(lambda match: names.get(match[1]) or match[2] or "", words)
    return re.sub(r" +([,.!?])", r"\1", re.sub(r"  +", " ", filled)).strip()
