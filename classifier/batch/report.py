"""The summary as one HTML file that needs nothing else, and the call-back list as CSV."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from classifier.batch.rows import safe_cell
from classifier.batch.summary import MOST_CALLBACKS, TableSummary, shares, top_values, wilson
from classifier.html import check_installed, svg, write_page
from classifier.labels import CLASSES, VERDICTS
from classifier.persistence import write_atomically

_MOST_VALUES = 12
_GREYS = ("#1f1f1f", "#6e6e6e", "#bdbdbd", "#ffffff")
_HATCHES = ("", "", "", "////")


def write_report(summary: TableSummary, path: Path, *, title: str) -> Path | None:
    """Write the page to `path`; the call-back list beside it, whose path is returned if there is one.

    Raises
    ------
    MissingExtra
        If the [report] extra is not installed.
    """
    check_installed()
    write_page(
        path,
        "summary",
        title=title,
        summary=summary,
        verdicts=[(name, summary.share(name)) for name in VERDICTS],
        overall=_bars([("all rows", summary.verdicts)]),
        kinds=[(name, _kinds(summary, name)) for name in CLASSES],
        columns=[
            (column, top := top_values(values, _MOST_VALUES), _bars(top))
            for column, values in summary.by.items()
        ],
        months=_lines(summary.months) if len(summary.months) > 1 else "",
        callbacks=summary.callbacks[:MOST_CALLBACKS],
        share_of=lambda counts, name: wilson(counts[name], sum(counts.values())),
        names=VERDICTS,
    )
    if not summary.callbacks:
        return None
    beside = path.with_suffix(".callbacks.csv")
    write_atomically(beside, _callbacks(summary).encode("utf-8-sig"))
    return beside


def _kinds(summary: TableSummary, verdict: str) -> list[tuple[str, Any, list[str]]]:
    """Kinds of a class with their share of its rows, the commonest first, and examples."""
    own = [(kind, n) for (name, kind), n in summary.kinds.most_common() if name == verdict]
    return [
        (kind, wilson(n, summary.verdicts[verdict]), summary.examples.get((verdict, kind), []))
        for kind, n in own
    ]


def _bars(rows: Sequence[tuple[str, Counter[str]]]) -> str:
    """Shares of the verdicts as stacked bars, a bar a row, as SVG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 0.7 + 0.36 * len(rows)), layout="constrained")
    axes = figure.subplots()
    left = [0.0] * len(rows)
    names = [f"{_cut(name)}  (n {sum(counts.values()):,})" for name, counts in rows]
    for place, verdict in enumerate(VERDICTS):
        widths = [shares(counts)[place] for _, counts in rows]
        axes.barh(
            range(len(rows)),
            widths,
            left=left,
            color=_GREYS[place],
            edgecolor="#1f1f1f",
            hatch=_HATCHES[place],
            label=verdict,
        )
        left = [a + b for a, b in zip(left, widths, strict=True)]
    axes.set_yticks(range(len(rows)), names)
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.xaxis.set_major_formatter(lambda x, _: f"{x:.0%}")
    axes.spines[["top", "right", "left"]].set_visible(False)
    figure.legend(loc="outside upper center", ncols=4, frameon=False)
    return svg(figure)


def _lines(months: dict[str, Counter[str]]) -> str:
    """Shares of the verdicts by month, as SVG; a dash pattern for each, so that greys are enough."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 2.8), layout="constrained")
    axes = figure.subplots()
    styles = (("-", "o"), ("--", "s"), (":", "^"), ("-.", "x"))
    for place, (verdict, (line, mark)) in enumerate(zip(VERDICTS, styles, strict=True)):
        values = [shares(counts)[place] for counts in months.values()]
        axes.plot(range(len(months)), values, line, marker=mark, color="#1f1f1f", label=verdict)
    step = max(1, len(months) // 8)
    axes.set_xticks(range(0, len(months), step), list(months)[::step], rotation=30, ha="right")
    axes.set_ylim(0, 1)
    axes.yaxis.set_major_formatter(lambda y, _: f"{y:.0%}")
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside upper center", ncols=4, frameon=False)
    return svg(figure)


def _cut(name: str) -> str:
    """A label that fits beside a bar; a dollar sign would start a formula."""
    return (name if len(name) <= 24 else name[:23] + "\u2026").replace("$", r"\$")


def _callbacks(summary: TableSummary) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(["date", "row", "account", "kind", "text"])
    for each in summary.callbacks:
        writer.writerow(
            [each.day.isoformat(), each.row, safe_cell(each.account), each.kind, safe_cell(each.text)]
        )
    return buffer.getvalue()
