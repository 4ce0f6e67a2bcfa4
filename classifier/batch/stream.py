"""Line-based files through the labeller: block by block, on several cores, with a journal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import BinaryIO

from classifier.batch.delimited import cells_to_lines
from classifier.batch.journal import Journal, Progress
from classifier.batch.lines import Block, Encoding, LabelledBlock, LineFormat, Reject, read_blocks
from classifier.batch.rows import RowLabeller, Summary
from classifier.errors import InputError
from classifier.verdict import Model, load

_FOR_SEVERAL_WORKERS = 4 << 20  # bytes; below this, starting workers takes longer than they save
_WAITING_BLOCKS = "2*n_jobs"


@dataclass(frozen=True, slots=True)
class Source:
    """A line-based file to label: its encoding and format, and the text that replaces its header.

    `header_end` is the offset in bytes of what follows the header, `header_lines` its lines.
    """

    path: Path
    encoding: Encoding
    format: LineFormat
    header: str
    header_end: int
    header_lines: int


def label_lines(
    source: Source,
    model: Model,
    out: BinaryIO,
    rejects: BinaryIO,
    state: Progress,
    *,
    jobs: int,
    keep: Callable[[Progress], None] = lambda state: None,
) -> None:
    """Label what `state` says is left of `source`; update `state` and `keep` it after each block."""
    if not state.written:
        state.written = out.write(source.encoding.mark + source.encoding.encode(source.header))
        state.end, state.line = source.header_end, source.header_lines
    summary = Summary.from_dict(state.summary) if state.summary else Summary()
    blocks = read_blocks(
        source.path,
        source.encoding,
        source.format.whole,
        start=state.end,
        line=state.line + 1,
        row=state.row + 1,
    )
    for block, found in _labelled(source, model, blocks, jobs):
        summary.merge(found.summary)
        state.written += out.write(source.encoding.encode(found.text))
        if found.rejects:
            state.rejected += rejects.write(_reject_lines(found.rejects, heading=not state.set_aside))
            state.set_aside += len(found.rejects)
        out.flush()
        rejects.flush()
        state.end = block.end
        state.line += block.n_lines
        state.row += block.n_records
        state.summary = summary.to_dict()
        keep(state)
    state.complete = True
    state.summary = summary.to_dict()
    keep(state)


def label_with_journal(
    source: Source,
    target: Path,
    model: Model,
    identity: dict[str, object],
    *,
    resume: bool,
    jobs: int,
    progress: Callable[[Progress], None] = lambda state: None,
    warn: Callable[[str], None] = lambda message: None,
) -> Progress:
    """Label `source` into `target`, in hidden files first; leave a journal if that is cut off.

    Raises
    ------
    InputError
        If the run to go on with was on another input, or with another model or other options.
    """
    journal = Journal(target)
    before = journal.read()
    if resume and before and before.identity != identity:
        different = sorted(key for key in identity if before.identity.get(key) != identity[key])
        raise InputError(
            f"the run to resume differs in its {', '.join(different)}: leave out --resume to start anew"
        )
    if before and not resume:
        warn(f"a run that was cut off after {before.row:,} rows is started anew (--resume goes on with it)")
    if not resume or before is None or not journal.holds(before):
        journal.discard()
        before = None
    state = before or Progress(identity)
    if state.complete:
        journal.finish()
        return state

    def keep(state: Progress) -> None:
        journal.write(state)
        progress(state)

    with ExitStack() as stack:
        out = stack.enter_context(_open_at(journal.part, state.written))
        rejects = stack.enter_context(_open_at(journal.rejects_part, state.rejected))
        label_lines(source, model, out, rejects, state, jobs=jobs, keep=keep)
    journal.finish()
    return state


def _open_at(path: Path, size: int) -> BinaryIO:
    """The file, cut to `size` bytes and open for more."""
    stream = path.open("r+b" if path.exists() else "w+b")
    stream.truncate(size)
    stream.seek(size)
    return stream


def _reject_lines(rejects: Iterable[Reject], *, heading: bool) -> bytes:
    rows = [("row", "line", "reason", "text")] if heading else []
    rows += [(str(r.row), str(r.line), r.reason, r.raw) for r in rejects]
    text = "".join(line + "\n" for line in cells_to_lines(rows, ","))
    return text.encode("utf-8", "backslashreplace")


def _labelled(
    source: Source, model: Model, blocks: Iterable[Block], jobs: int
) -> Iterator[tuple[Block, LabelledBlock]]:
    """Each block, without its lines, and what it became, in order."""
    if jobs == 1 or model.folder is None or source.path.stat().st_size < _FOR_SEVERAL_WORKERS:
        labeller = RowLabeller(model)
        for block in blocks:
            yield replace(block, lines=[]), source.format.label(block, labeller)
        return
    from joblib import Parallel, delayed

    pool = Parallel(jobs, return_as="generator", pre_dispatch=_WAITING_BLOCKS, batch_size=1)
    work = delayed(_label_in_worker)
    yield from pool(work(source.format, block, model.folder, model.threshold) for block in blocks)


def _label_in_worker(
    layout: LineFormat, block: Block, folder: Path, threshold: float
) -> tuple[Block, LabelledBlock]:
    return replace(block, lines=[]), layout.label(block, _labeller(folder, threshold))


@cache
def _labeller(folder: Path, threshold: float) -> RowLabeller:
    """The labeller of this process: the model is read once."""
    model = load(folder)
    model.threshold = threshold
    return RowLabeller(model)
