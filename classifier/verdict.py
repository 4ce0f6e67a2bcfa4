"""Probabilities, segments and evidence -> the verdict on one text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import compress
from pathlib import Path

import numpy as np

from classifier.errors import InputError
from classifier.evidence import Evidence, evidence_against, evidence_for, word_shares
from classifier.flags import flags_of
from classifier.labels import CLASSES, UNSURE
from classifier.persistence import Card, default_model, load_scorer
from classifier.playbook import Playbook, Response, default_playbook
from classifier.scorer import FloatArray, Probabilities, Scorer
from classifier.text import MAX_CHARACTERS, segments

SCHEMA = 1
DEFAULT_THRESHOLD = 0.6
SECONDARY_CONFIDENCE = 0.75
REASON_CONFIDENCE = 0.6
_WORDS_FOR_CONFIDENCE = (
    (0.95, "almost certainly"),
    (0.85, "very likely"),
    (0.7, "likely"),
    (0.0, "a toss-up"),
)


@dataclass(frozen=True, slots=True)
class Stance:
    """A class, its kind and the probability of the class."""

    verdict: str
    kind: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Segment:
    """A sentence or clause of the text, by character offsets, with its own probabilities."""

    start: int
    end: int
    verdict: str
    kind: str
    probabilities: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the words show: the contract's object (`to_dict`), the same from every interface.

    `verdict` is a class or ``unsure``; `kind` is None when unsure; `probabilities` are the
    model's, before any abstention; `evidence` and `segments` point into `text` by character.
    """

    text: str
    verdict: str
    kind: str | None
    confidence: float
    probabilities: Mapping[str, float]
    secondary: Stance | None
    flags: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    segments: tuple[Segment, ...]
    response: Response
    model: Mapping[str, str]

    @property
    def mixed(self) -> bool:
        """Whether the text takes a second stance."""
        return self.secondary is not None

    def confidence_in_words(self) -> str:
        """``very likely`` and the like."""
        return next(word for least, word in _WORDS_FOR_CONFIDENCE if self.confidence >= least)

    def to_dict(self) -> dict[str, object]:
        """The contract's JSON object."""
        return {
            "schema": SCHEMA,
            "text": self.text,
            "verdict": self.verdict,
            "kind": self.kind,
            "confidence": self.confidence,
            "probabilities": dict(self.probabilities),
            "secondary": asdict(self.secondary) if self.secondary else None,
            "flags": list(self.flags),
            "evidence": [span.to_dict() for span in self.evidence],
            "segments": [asdict(segment) for segment in self.segments],
            "response": asdict(self.response) | {"steps": list(self.response.steps)},
            "model": dict(self.model),
        }


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict without the text and the response: `best` is the stance before any abstention."""

    best: Stance
    verdict: str
    kind: str | None
    probabilities: Mapping[str, float]
    secondary: Stance | None
    flags: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    segments: tuple[Segment, ...]


class Model:
    """A trained model ready to give verdicts.

    Parameters
    ----------
    scorer : Scorer
    card : dict
        The model's `card.json`.
    playbook : Playbook, optional
        Where responses come from; the one that ships with the package by default.
    """

    def __init__(self, scorer: Scorer, card: Card, playbook: Playbook | None = None) -> None:
        self.scorer = scorer
        self.card = card
        self.playbook = playbook or default_playbook()
        self.threshold = float(card.get("unsure", {}).get("threshold", DEFAULT_THRESHOLD))

    def predict(self, texts: Iterable[str]) -> list[Verdict]:
        """A verdict for each text.

        Raises
        ------
        InputError
            If a text is empty, holds no letters or digits, or is longer than 20,000 characters.
        """
        texts = list(texts)
        for number, text in enumerate(texts, 1):
            check_text(text, f"text {number}" if len(texts) > 1 else "the text")
        model = {"name": str(self.card["name"]), "sha256": str(self.card["sha256"])}
        return [
            Verdict(
                text=text,
                verdict=decision.verdict,
                kind=decision.kind,
                confidence=decision.best.confidence,
                probabilities=decision.probabilities,
                secondary=decision.secondary,
                flags=decision.flags,
                evidence=decision.evidence,
                segments=decision.segments,
                response=self.playbook.respond(
                    decision.verdict, decision.kind, mixed=decision.secondary is not None
                ),
                model=model,
            )
            for text, decision in zip(texts, self.decide(texts, against=True), strict=True)
        ]

    def predict_one(self, text: str) -> Verdict:
        """The verdict on one text."""
        return self.predict([text])[0]

    def decide(self, texts: Sequence[str], *, against: bool = False) -> list[Decision]:
        """What the model makes of each text, the whole batch scored at once.

        With `against`, the evidence includes the strongest span for another class.
        """
        cut = [segments(text) for text in texts]
        several = [spans if len(spans) > 1 else [] for spans in cut]  # a lone segment is the text
        pieces = [text[a:b] for text, spans in zip(texts, several, strict=True) for a, b in spans]
        logits = self.scorer.logits([*texts, *pieces])
        scored = self.scorer.calibrated(logits)
        stances, p = self._stances(scored), _by_class(scored)
        wholes, after = [], len(texts)
        for i, spans in enumerate(cut):
            rows = range(after, after + len(several[i])) if several[i] else [i] * len(spans)
            after += len(several[i])
            parts = tuple(
                Segment(start, end, stances[row].verdict, stances[row].kind, p[row])
                for (start, end), row in zip(spans, rows, strict=True)
            )
            flags = compress(self.scorer.flags, scored.flags[i])
            wholes.append(self._decision(by_mixed_rule(stances[i], p[i], parts), parts, flags))
        return self._with_evidence(texts, wholes, logits[: len(texts)], against)

    def _stances(self, scored: Probabilities) -> list[Stance]:
        """The best class of each row, its best kind and its probability."""
        classes = scored.classes.argmax(axis=1).tolist()
        kinds = scored.best_kinds(self.scorer.kinds)
        confidence = scored.classes.max(axis=1).tolist()
        return [Stance(CLASSES[c], kind, p) for c, kind, p in zip(classes, kinds, confidence, strict=True)]

    def _decision(
        self, ruled: tuple[Stance, Mapping[str, float]], parts: tuple[Segment, ...], flags: Iterable[str]
    ) -> Decision:
        """Abstain where the model is not sure enough, else keep the best class and kind."""
        best, probabilities = ruled
        unsure = best.confidence < self.threshold
        return Decision(
            best=best,
            verdict=UNSURE if unsure else best.verdict,
            kind=None if unsure else best.kind,
            probabilities=probabilities,
            secondary=None if unsure else secondary_stance(best, parts),
            flags=flags_of(flags, best.verdict, best.kind),
            evidence=(),
            segments=parts,
        )

    def _with_evidence(
        self, texts: Sequence[str], decisions: list[Decision], logits: FloatArray, against: bool
    ) -> list[Decision]:
        """The decisions with the spans that speak for each, and perhaps the strongest one against."""
        classes = np.array([CLASSES.index(decision.best.verdict) for decision in decisions], np.int64)
        shares = word_shares(self.scorer, texts, logits)
        found = evidence_for(texts, shares, classes)
        if against:
            for own, other in zip(found, evidence_against(texts, shares, classes), strict=True):
                if other and all(other.end <= span.start or other.start >= span.end for span in own):
                    own.append(other)
        return [
            replace(decision, evidence=tuple(own)) for decision, own in zip(decisions, found, strict=True)
        ]


def load(folder: str | Path | None = None) -> Model:
    """The model in `folder`, or the one that ships with the package.

    Raises
    ------
    ModelError
        If the folder is missing, damaged, tampered with or of a newer schema.
    """
    arrays, card = load_scorer(Path(folder) if folder else default_model())
    return Model(Scorer(arrays), card)


def check_text(text: str, name: str = "the text") -> None:
    """Refuse what can't be a statement: nothing, no letter or digit, binary, or far too long."""
    if not text.strip():
        raise InputError(f"{name} is empty: give the buyer's words")
    if "\x00" in text:
        raise InputError(f"{name} holds binary data: give plain text")
    if not any(map(str.isalnum, text)):
        raise InputError(f"{name} has no letters or digits: give the buyer's words")
    if len(text) > MAX_CHARACTERS:
        raise InputError(
            f"{name} has {len(text):,} characters, more than the {MAX_CHARACTERS:,} of one "
            "statement: paste the part that matters, or use 'stallcheck label' for a file of many"
        )


def _by_class(scored: Probabilities) -> list[dict[str, float]]:
    """Probabilities of each row by the name of the class."""
    return [dict(zip(CLASSES, row, strict=True)) for row in scored.classes.tolist()]


def by_mixed_rule(
    best: Stance, probabilities: Mapping[str, float], parts: Sequence[Segment]
) -> tuple[Stance, Mapping[str, float]]:
    """The guide's mixed rule: a reason beside a delay makes the text an objection.

    Where the whole reads as a stall and a segment surely gives a reason, that segment's
    probability of an objection stands for the text, and the other classes share the rest as before.
    """
    reason = max(parts, key=lambda part: part.probabilities["objection"], default=None)
    if best.verdict != "stall" or reason is None or reason.probabilities["objection"] < REASON_CONFIDENCE:
        return best, probabilities
    p = reason.probabilities["objection"]
    rest = (1 - p) / (1 - probabilities["objection"])
    ruled = {label: rest * share for label, share in probabilities.items()} | {"objection": p}
    return Stance("objection", reason.kind, p), ruled


def secondary_stance(whole: Stance, parts: Sequence[Segment]) -> Stance | None:
    """The surest stance of a segment that is neither the whole's own nor `neither`."""
    if whole.verdict == "neither" or len(parts) < 2:
        return None
    others = [
        Stance(part.verdict, part.kind, part.probabilities[part.verdict])
        for part in parts
        if part.verdict != "neither" and (part.verdict, part.kind) != (whole.verdict, whole.kind)
    ]
    sure = [stance for stance in others if stance.confidence >= SECONDARY_CONFIDENCE]
    return max(sure, key=lambda stance: stance.confidence, default=None)
