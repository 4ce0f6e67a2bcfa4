"""Scores of a batch of texts and of their segments -> what to say of each text, column by column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress

import numpy as np
import numpy.typing as npt

from classifier.evidence import (
    Evidence,
    WordShares,
    evidence_against,
    evidence_for,
    run_texts,
    strongest_runs,
    word_shares,
)
from classifier.flags import flags_of
from classifier.labels import CLASSES
from classifier.scorer import FloatArray, Probabilities, Scorer
from classifier.text import Span, segments
from classifier.views import LEAST_SEGMENTS, features, passages, weighed

IntArray = npt.NDArray[np.int64]
ObjectArray = npt.NDArray[np.object_]

SECONDARY_CONFIDENCE = 0.75
_NEITHER = CLASSES.index("neither")


@dataclass(frozen=True, slots=True)
class Stances:
    """The best class of each row (n,), the best kind of that class (n,), class probabilities (n, 3)."""

    classes: IntArray
    kinds: ObjectArray
    p: FloatArray

    @property
    def confidence(self) -> FloatArray:
        """The probability of each row's class, (n,)."""
        own: FloatArray = self.p[np.arange(len(self.p)), self.classes]
        return own

    def take(self, rows: IntArray) -> Stances:
        """The given rows."""
        return Stances(self.classes[rows], self.kinds[rows], self.p[rows])


@dataclass(frozen=True, slots=True)
class Segments:
    """The sentences or clauses of a batch: the text each stands in (ascending), its offsets, its stance."""

    document: IntArray
    spans: list[Span]
    stances: Stances


@dataclass(frozen=True, slots=True)
class Judged:
    """Texts as the model reads them, before any abstention.

    best : the stance of each text; flags : of each text; segments : of all texts; logits : of each text.
    """

    best: Stances
    flags: list[tuple[str, ...]]
    segments: Segments
    logits: FloatArray


@dataclass(frozen=True, slots=True)
class Decisions:
    """What the model makes of each text of a batch, before any abstention.

    best : the stance of each text.
    secondary : row of `segments` with a second stance, -1 where there is none; (n,).
    flags : of each text.
    segments : of all texts.
    shares : what each word added to the scores.
    """

    best: Stances
    secondary: IntArray
    flags: list[tuple[str, ...]]
    segments: Segments
    shares: WordShares

    def evidence_texts(self) -> list[list[str]]:
        """For each text the words that speak most for its class, the strongest first."""
        runs = strongest_runs(self.shares, self.best.classes, len(self.flags))
        return run_texts(self.shares, runs, len(self.flags))

    def evidence(self, texts: Sequence[str]) -> list[list[Evidence]]:
        """The spans that speak for each text's class, and perhaps the strongest one against it."""
        found = evidence_for(texts, self.shares, self.best.classes)
        against = evidence_against(texts, self.shares, self.best.classes)
        for own, other in zip(found, against, strict=True):
            if other and all(other.end <= span.start or other.start >= span.end for span in own):
                own.append(other)
        return found


def decide(scorer: Scorer, texts: Sequence[str]) -> Decisions:
    """What the model makes of each text, the whole batch scored at once, and why."""
    found = judge(scorer, texts)
    secondary = secondary_stances(found.best, found.segments)
    shares = word_shares(scorer, texts, found.logits)
    return Decisions(found.best, secondary, found.flags, found.segments, shares)


def judge(scorer: Scorer, texts: Sequence[str]) -> Judged:
    """What the model makes of each text, the whole batch scored at once."""
    n = len(texts)
    cut = [segments(text) for text in texts]
    count = np.fromiter(map(len, cut), np.int64, n)
    document = np.repeat(np.arange(n), count)
    spans = [span for own in cut for span in own]
    several = count[document] >= LEAST_SEGMENTS  # a lone segment is the text
    pieces = [texts[d][a:b] for d, (a, b) in zip(document[several], compress(spans, several), strict=True)]
    larger = [(d, texts[d][a:b]) for d, own in enumerate(cut) for a, b in passages(own)]
    logits = scorer.logits([*texts, *pieces, *(passage for _, passage in larger)])
    scored = scorer.calibrated(logits)
    row = document.copy()
    row[several] = n + np.arange(len(pieces))
    of_segments = scored.take(row)
    parts = Segments(document, spans, _stances(scorer, of_segments))
    whole = scored.take(np.arange(n))
    if pieces:
        by_segment = of_segments.take(np.flatnonzero(several))
        by_passage = scored.classes[n + len(pieces) :]
        of_passage = np.array([d for d, _ in larger], dtype=np.int64)
        whole = _views_weighed(scorer, whole, by_segment, document[several], by_passage, of_passage)
    best = _stances(scorer, whole)
    own_flags = (compress(scorer.flags, has) if has.any() else () for has in whole.flags)
    labels = np.array(CLASSES, dtype=object)[best.classes]
    flags = [flags_of(*each) for each in zip(own_flags, labels, best.kinds, strict=True)]
    return Judged(best, flags, parts, logits[:n])


def _stances(scorer: Scorer, scored: Probabilities) -> Stances:
    return Stances(scored.classes.argmax(axis=1), scored.best_kinds(scorer.kinds), scored.classes)


def _views_weighed(
    scorer: Scorer,
    whole: Probabilities,
    by_segment: Probabilities,
    of_segment: IntArray,
    by_passage: FloatArray,
    of_passage: IntArray,
) -> Probabilities:
    """`whole` (n,), those of texts of several segments weighed against their segments and passages.

    `by_segment` and `by_passage` hold only those of texts that have several, `of_segment` and `of_passage`
    the text of each. Where a text's class changes, its kind is that of the likeliest segment of its new
    class.
    """
    divided, of_segment, count = np.unique(of_segment, return_inverse=True, return_counts=True)
    of_passage = np.searchsorted(divided, of_passage)
    views = features(whole.classes[divided], by_segment.classes, of_segment, by_passage, of_passage)
    p = weighed(views, count, scorer.arrays.views)
    new = p.argmax(axis=1)
    changed = new != whole.classes[divided].argmax(axis=1)
    p_new = by_segment.classes[np.arange(len(of_segment)), new[of_segment]]
    surest = surest_segments(np.flatnonzero(changed[of_segment]), of_segment, p_new)
    classes, kinds = whole.classes.copy(), whole.kinds.copy()
    classes[divided] = p
    kinds[divided[of_segment[surest]]] = by_segment.kinds[surest]
    return Probabilities(classes, kinds, whole.flags)


def secondary_stances(whole: Stances, parts: Segments) -> IntArray:
    """For each text the surest segment with a stance that isn't the whole's own, else -1."""
    document, stances = parts.document, parts.stances
    confidence = stances.confidence
    fits = (
        (stances.classes != _NEITHER)
        & (whole.classes[document] != _NEITHER)
        & (confidence >= SECONDARY_CONFIDENCE)
        & ((stances.classes != whole.classes[document]) | (stances.kinds != whole.kinds[document]))
        & (np.bincount(document, minlength=len(whole.classes))[document] > 1)
    )
    surest = surest_segments(np.flatnonzero(fits), document, confidence)
    secondary = np.full(len(whole.classes), -1)
    secondary[document[surest]] = surest
    return secondary


def surest_segments(rows: IntArray, document: IntArray, confidence: FloatArray) -> IntArray:
    """Of the segments `rows`, the most confident one of each text; the first, if there are several."""
    order = rows[np.lexsort((-confidence[rows], document[rows]))]
    return order[np.unique(document[order], return_index=True)[1]]
