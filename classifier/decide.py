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
from classifier.scorer import FloatArray, Scorer
from classifier.text import Span, segments

IntArray = npt.NDArray[np.int64]
ObjectArray = npt.NDArray[np.object_]

SECONDARY_CONFIDENCE = 0.75
REASON_CONFIDENCE = 0.6
LONG_TEXT = 4
"""Segments from which on a text may drown the one that takes a stance."""
STANCE_ODDS = 2.0
"""Statements with a stance for one without, in training."""
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
    """What the model makes of each text, the whole batch scored at once."""
    cut = [segments(text) for text in texts]
    count = np.fromiter(map(len, cut), np.int64, len(cut))
    document = np.repeat(np.arange(len(texts)), count)
    spans = [span for own in cut for span in own]
    several = count[document] > 1  # a lone segment is the text
    pieces = [texts[d][a:b] for d, (a, b) in zip(document[several], compress(spans, several), strict=True)]
    logits = scorer.logits([*texts, *pieces])
    scored = scorer.calibrated(logits)
    stances = Stances(scored.classes.argmax(axis=1), scored.best_kinds(scorer.kinds), scored.classes)
    row = document.copy()
    row[several] = len(texts) + np.arange(len(pieces))
    parts = Segments(document, spans, stances.take(row))
    best = by_mixed_rule(in_long_texts(stances.take(np.arange(len(texts))), parts), parts)
    found = scored.flags[: len(texts)]
    own_flags = (compress(scorer.flags, has) if has.any() else () for has in found)
    labels = np.array(CLASSES, dtype=object)[best.classes]
    return Decisions(
        best,
        secondary_stances(best, parts),
        [flags_of(*each) for each in zip(own_flags, labels, best.kinds, strict=True)],
        parts,
        word_shares(scorer, texts, logits[: len(texts)]),
    )


def in_long_texts(whole: Stances, parts: Segments) -> Stances:
    """One stance among many sentences without any, which the whole text drowns.

    The model has learned on statements of which about two in three take a stance. In a long text
    that reads as `neither`, one segment in n is expected to, so the segments' odds are corrected
    for that (Saerens et al. 2002, "Adjusting the outputs of a classifier to new a priori
    probabilities"); the surest one stands for the text if it is still more likely than not.
    """
    document = parts.document
    n = np.bincount(document, minlength=len(whole.classes))[document]
    fits = (n >= LONG_TEXT) & (whole.classes[document] == _NEITHER) & (parts.stances.classes != _NEITHER)
    rows = np.flatnonzero(fits)
    p = parts.stances.confidence[rows]
    odds = p / np.maximum(1 - p, 1e-12) / ((n[rows] - 1) * STANCE_ODDS)
    corrected = np.zeros(len(document))
    corrected[rows] = odds / (1 + odds)
    surest = _surest(rows[corrected[rows] > 0.5], document, corrected)
    return _with_segments(whole, parts, surest, corrected[surest])


def _with_segments(whole: Stances, parts: Segments, surest: IntArray, p_own: FloatArray) -> Stances:
    """The stances of `whole`, but for the texts of the segments `surest`: there the segment's class
    has the probability `p_own`, and the other classes share the rest as before."""
    rows, own = parts.document[surest], parts.stances.classes[surest]
    classes, kinds, p = whole.classes.copy(), whole.kinds.copy(), whole.p.copy()
    classes[rows], kinds[rows] = own, parts.stances.kinds[surest]
    p[rows] *= ((1 - p_own) / (1 - p[rows, own]))[:, None]
    p[rows, own] = p_own
    return Stances(classes, kinds, p)


def by_mixed_rule(whole: Stances, parts: Segments) -> Stances:
    """The guide's mixed rule: a reason beside a delay makes the text an objection.

    Where the whole reads as a stall and a segment surely gives a reason, that segment's
    probability of an objection stands for the text, and the other classes share the rest as before.
    """
    reason = parts.stances.p[:, _OBJECTION]
    fits = (whole.classes[parts.document] == _STALL) & (reason >= REASON_CONFIDENCE)
    surest = _surest(np.flatnonzero(fits), parts.document, reason)
    return _with_segments(whole, parts, surest, reason[surest])


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
