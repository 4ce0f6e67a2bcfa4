"""What a labelled table says as a whole: shares, over time, by column, per account, examples."""

from __future__ import annotations

import heapq
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from classifier.batch.labelled import Row
from classifier.dates import find_date
from classifier.errors import InputError
from classifier.labels import VERDICTS

EXAMPLES = 3
MOST_ACCOUNTS = 25
MOST_CALLBACKS = 200
_LONGEST_EXAMPLE = 240
_ACCOUNTS = ("account", "account name", "company", "company name", "customer", "organization", "organisation")
_DATES = (
    "date",
    "activity date",
    "last activity",
    "created",
    "created date",
    "created at",
    "create date",
    "when",
)
_FORMATS = ("%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y", "%d %b %Y", "%b %d, %Y", "%Y/%m/%d")
_WANTED_DATES = 0.8


@dataclass(frozen=True, slots=True)
class Share:
    """A count, its share of a total, and the 95% interval of the share."""

    count: int
    total: int
    share: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Callback:
    """A row that names the date until which something checkable blocks."""

    day: date
    row: int
    account: str
    kind: str
    text: str


@dataclass(slots=True)
class TableSummary:
    """What `summarise` found.

    verdicts : rows of each verdict; `empty` rows have none.
    kinds : rows of each verdict and kind.
    by : for each column asked for, the verdicts of each of its values.
    months : verdicts of each month (``2026-03``), if there is a column of dates.
    accounts : stalls and their commonest kinds in accounts with several, the most first.
    callbacks : by date.
    examples : for each verdict and kind a few of the surest texts.
    """

    rows: int = 0
    empty: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    kinds: Counter[tuple[str, str]] = field(default_factory=Counter)
    by: dict[str, dict[str, Counter[str]]] = field(default_factory=dict)
    date_column: str | None = None
    months: dict[str, Counter[str]] = field(default_factory=dict)
    account_column: str | None = None
    accounts: list[tuple[str, int, str]] = field(default_factory=list)
    callbacks: list[Callback] = field(default_factory=list)
    examples: dict[tuple[str, str], list[str]] = field(default_factory=dict)

    @property
    def labelled(self) -> int:
        """Rows that have words in them."""
        return self.rows - self.empty

    def share(self, verdict: str) -> Share:
        """The share of a verdict among the rows that have words."""
        return wilson(self.verdicts[verdict], self.labelled)


def wilson(count: int, total: int) -> Share:
    """A share with its 95% score interval (Wilson 1927)."""
    if not total:
        return Share(0, 0, 0.0, 0.0, 1.0)
    z, p = 1.96, count / total
    middle = (p + z * z / (2 * total)) / (1 + z * z / total)
    half = z * math.sqrt(p * (1 - p) / total + z * z / (4 * total * total)) / (1 + z * z / total)
    return Share(count, total, p, max(0.0, middle - half), min(1.0, middle + half))


def find_by_name(header: Sequence[str], names: Sequence[str]) -> str | None:
    """The first column that has one of the `names`, whatever its case and punctuation."""
    plain = {" ".join(re.findall(r"[a-z]+", _spaced(name).lower())): name for name in header}
    return next((plain[name] for name in names if name in plain), None)


def _spaced(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)


def account_column(header: Sequence[str]) -> str | None:
    """The column that names the account, if its name says so."""
    return find_by_name(header, _ACCOUNTS)


def date_column(header: Sequence[str]) -> str | None:
    """The column of dates, if its name says so."""
    return find_by_name(header, _DATES)


def date_format(cells: Iterable[str], column: str) -> str | None:
    """The one format of dates that fits the cells; None if most cells are no dates.

    Raises
    ------
    InputError
        If two formats fit and tell different days (03/04/2025).
    """
    filled = [_day_part(cell) for cell in cells if cell.strip()]
    fits = {form: sum(_parse(cell, form) is not None for cell in filled) for form in _FORMATS}
    best = max(fits.values(), default=0)
    if not filled or best < _WANTED_DATES * len(filled):
        return None
    likely = [form for form, count in fits.items() if count == best]
    if any(
        [_parse(cell, form) for cell in filled] != [_parse(cell, likely[0]) for cell in filled]
        for form in likely
    ):
        raise InputError(
            f"the dates in column '{column}' can be read in two ways ({filled[0]}): write them as "
            "YYYY-MM-DD, or name another column with --date"
        )
    return likely[0]


def _day_part(cell: str) -> str:
    return re.split(r"[T\s]+(?=\d{1,2}:)", cell.strip())[0]


def _parse(cell: str, form: str) -> date | None:
    try:
        return datetime.strptime(cell, form).date()
    except ValueError:
        return None


def summarise(
    rows: Iterable[Row],
    *,
    by: Sequence[str] = (),
    dates: tuple[str, str] | None = None,
    account: str | None = None,
    today: date | None = None,
) -> TableSummary:
    """Go over a labelled table once.

    `dates` are the column of dates and their format; `account` is the column that names the account.
    """
    found = TableSummary(date_column=dates and dates[0], account_column=account)
    found.by = {column: defaultdict(Counter) for column in by}
    months: defaultdict[str, Counter[str]] = defaultdict(Counter)
    stalls: defaultdict[str, Counter[str]] = defaultdict(Counter)
    surest: defaultdict[tuple[str, str], list[tuple[float, str]]] = defaultdict(list)
    for row in rows:
        found.rows += 1
        verdict, kind = row.added["verdict"], row.added["kind"]
        if not verdict:
            found.empty += 1
            continue
        found.verdicts[verdict] += 1
        for column, values in found.by.items():
            values[row.cells.get(column, "").strip()][verdict] += 1
        day = _parse(_day_part(row.cells.get(dates[0], "")), dates[1]) if dates else None
        if day:
            months[f"{day:%Y-%m}"][verdict] += 1
        name = row.cells.get(account, "").strip() if account else ""
        if verdict == "stall" and name:
            stalls[name][kind] += 1
        if kind:
            found.kinds[verdict, kind] += 1
            _keep_surest(surest[verdict, kind], float(row.added["confidence"] or 0), row.text)
        if verdict == "objection" and "condition" in row.added["flags"].split(";"):
            named = find_date(row.text, day or today or date.today())
            if named:
                found.callbacks.append(Callback(named.day, row.number, name, kind, _shortened(row.text)))
    found.months = dict(sorted(months.items()))
    found.callbacks.sort(key=lambda each: (each.day, each.row))
    several = ((name, sum(kinds.values()), kinds.most_common(1)[0][0]) for name, kinds in stalls.items())
    found.accounts = heapq.nsmallest(
        MOST_ACCOUNTS, (each for each in several if each[1] > 1), key=lambda each: (-each[1], each[0])
    )
    found.examples = {
        key: [text for _, text in sorted(examples, reverse=True)] for key, examples in surest.items()
    }
    return found


def _keep_surest(examples: list[tuple[float, str]], confidence: float, text: str) -> None:
    """Keep the few surest texts, none twice."""
    entry = (confidence, _shortened(text))
    if len(examples) >= EXAMPLES and entry <= examples[0]:
        return
    if all(entry[1] != kept for _, kept in examples):
        (heapq.heappush if len(examples) < EXAMPLES else heapq.heappushpop)(examples, entry)


def _shortened(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= _LONGEST_EXAMPLE else words[: _LONGEST_EXAMPLE - 1] + "\u2026"


def top_values(values: dict[str, Counter[str]], most: int) -> list[tuple[str, Counter[str]]]:
    """The values with most rows, and the rest together as one."""
    ranked = sorted(values.items(), key=lambda item: (-sum(item[1].values()), item[0]))
    rest: Counter[str] = sum((counts for _, counts in ranked[most:]), Counter())
    others = [(f"{len(ranked) - most} others", rest)] if rest else []
    return [(name or "(empty)", counts) for name, counts in ranked[:most]] + others


def shares(counts: Counter[str]) -> list[float]:
    """The shares of the verdicts, in the order of `labels.VERDICTS`."""
    total = sum(counts.values()) or 1
    return [counts[verdict] / total for verdict in VERDICTS]
