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
from classifier.long_texts import LEAST_SEGMENTS, PASSAGE, features, passages, weighed
from classifier.scorer import FloatArray, Probabilities, Scorer
from classifier.text import Span, segments

IntArray = npt.NDArray[np.int64]
ObjectArray = npt.NDArray[np.object_]

SECONDARY_CONFIDENCE = 0.75
REASON_CONFIDENCE = 0.85
"""From here on a reason in a segment outweighs the delay that the whole reads as, as the guide wants. On
12,263 held-out texts that mended 48 and spoiled 30 at 0.9, 68 and 69 at 0.8, 95 and 138 at 0.6."""
_STALL, _OBJECTION, _NEITHER = (CLASSES.index(name) for name in ("stall", "objection", "neither"))


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
    several = count[document] > 1  # a lone segment is the text
    pieces = [texts[d][a:b] for d, (a, b) in zip(document[several], compress(spans, several), strict=True)]
    long = np.flatnonzero(count >= LEAST_SEGMENTS)
    larger = [texts[d][a:b] for d in long.tolist() for a, b in passages(cut[d])]
    logits = scorer.logits([*texts, *pieces, *larger])
    scored = scorer.calibrated(logits)
    row = document.copy()
    row[several] = n + np.arange(len(pieces))
    of_segments = scored.take(row)
    parts = Segments(document, spans, _stances(scorer, of_segments))
    whole = scored.take(np.arange(n))
    if len(long):
        of_long_texts = of_segments.take(np.flatnonzero(count[document] >= LEAST_SEGMENTS))
        by_passage = scored.classes[n + len(pieces) :]
        whole = _long_texts_weighed(scorer, whole, long, count, of_long_texts, by_passage)
    best = by_mixed_rule(_stances(scorer, whole), parts)
    own_flags = (compress(scorer.flags, has) if has.any() else () for has in whole.flags)
    labels = np.array(CLASSES, dtype=object)[best.classes]
    flags = [flags_of(*each) for each in zip(own_flags, labels, best.kinds, strict=True)]
    return Judged(best, flags, parts, logits[:n])


def _stances(scorer: Scorer, scored: Probabilities) -> Stances:
    return Stances(scored.classes.argmax(axis=1), scored.best_kinds(scorer.kinds), scored.classes)


def _long_texts_weighed(
    scorer: Scorer,
    whole: Probabilities,
    long: IntArray,
    count: IntArray,
    by_segment: Probabilities,
    by_passage: FloatArray,
) -> Probabilities:
    """`whole` (n,), with those of the texts `long` weighed against their segments and passages.

    `count` (n,) are the segments of each text; `by_segment` and `by_passage` hold only those of long texts.
    Where a text's class changes, its kind is that of the likeliest segment of its new class.
    """
    of_segment = np.repeat(np.arange(len(long)), count[long])
    of_passage = np.repeat(np.arange(len(long)), count[long] - (PASSAGE - 1))
    views = features(whole.classes[long], by_segment.classes, of_segment, by_passage, of_passage)
    p = weighed(views, count[long], scorer.arrays.long_texts)
    new = p.argmax(axis=1)
    changed = new != whole.classes[long].argmax(axis=1)
    p_new = by_segment.classes[np.arange(len(of_segment)), new[of_segment]]
    surest = _surest(np.flatnonzero(changed[of_segment]), of_segment, p_new)
    classes, kinds = whole.classes.copy(), whole.kinds.copy()
    classes[long] = p
    kinds[long[of_segment[surest]]] = by_segment.kinds[surest]
    return Probabilities(classes, kinds, whole.flags)


def by_mixed_rule(whole: Stances, parts: Segments) -> Stances:
    """The guide's mixed rule: a reason beside a delay makes the text an objection.

    Where the whole reads as a stall and a segment surely gives a reason, that segment's
    probability of an objection stands for the text, and the other classes share the rest as before. Long
    texts are left alone: there the segments have been weighed already.
    """
    reason = parts.stances.p[:, _OBJECTION]
    short = np.bincount(parts.document, minlength=len(whole.classes)) < LEAST_SEGMENTS
    fits = (whole.classes == _STALL)[parts.document] & short[parts.document] & (reason >= REASON_CONFIDENCE)
    surest = _surest(np.flatnonzero(fits), parts.document, reason)
    rows = parts.document[surest]
    classes, kinds, p = whole.classes.copy(), whole.kinds.copy(), whole.p.copy()
    classes[rows], kinds[rows] = _OBJECTION, parts.stances.kinds[surest]
    p[rows] *= ((1 - reason[surest]) / (1 - p[rows, _OBJECTION]))[:, None]
    p[rows, _OBJECTION] = reason[surest]
    return Stances(classes, kinds, p)


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
    surest = _surest(np.flatnonzero(fits), document, confidence)
    secondary = np.full(len(whole.classes), -1)
    secondary[document[surest]] = surest
    return secondary


def _surest(rows: IntArray, document: IntArray, confidence: FloatArray) -> IntArray:
    """Of the segments `rows`, the most confident one of each text; the first, if there are several."""
    order = rows[np.lexsort((-confidence[rows], document[rows]))]
    return order[np.unique(document[order], return_index=True)[1]]
