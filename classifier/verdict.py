"""Probabilities, segments and evidence -> the verdict on one text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import compress
from pathlib import Path

from classifier.errors import InputError
from classifier.evidence import Evidence, contributions, spans_of
from classifier.flags import flags_of
from classifier.labels import CLASSES, OTHER, UNSURE
from classifier.persistence import Card, default_model, load_scorer
from classifier.playbook import Playbook, Response, default_playbook
from classifier.scorer import Probabilities, Scorer
from classifier.text import MAX_CHARACTERS, Span, segments

SCHEMA = 1
DEFAULT_THRESHOLD = 0.6
SECONDARY_CONFIDENCE = 0.75
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
        cut = [segments(text) for text in texts]
        pieces = [text[start:end] for text, spans in zip(texts, cut, strict=True) for start, end in spans]
        scored = self.scorer.probabilities([*texts, *pieces])
        verdicts = []
        first = len(texts)
        for i, (text, spans) in enumerate(zip(texts, cut, strict=True)):
            verdicts.append(self._verdict(text, spans, scored, i, first))
            first += len(spans)
        return verdicts

    def predict_one(self, text: str) -> Verdict:
        """The verdict on one text."""
        return self.predict([text])[0]

    def _verdict(
        self, text: str, spans: Sequence[Span], scored: Probabilities, row: int, first: int
    ) -> Verdict:
        """Put together the verdict on `text`, scored in `row`, its segments from row `first` on."""
        parts = tuple(self._segment(span, scored, first + n) for n, span in enumerate(spans))
        whole = self._stance(scored, row)
        unsure = whole.confidence < self.threshold
        secondary = None if unsure else secondary_stance(whole, parts)
        verdict = UNSURE if unsure else whole.verdict
        shares = contributions(self.scorer, text)
        return Verdict(
            text=text,
            verdict=verdict,
            kind=None if unsure else whole.kind,
            confidence=whole.confidence,
            probabilities=by_class(scored, row),
            secondary=secondary,
            flags=flags_of(compress(self.scorer.flags, scored.flags[row]), whole.verdict, whole.kind),
            evidence=tuple(spans_of(text, shares, whole.verdict)),
            segments=parts,
            response=self.playbook.respond(verdict, whole.kind, mixed=secondary is not None),
            model={"name": str(self.card["name"]), "sha256": str(self.card["sha256"])},
        )

    def _stance(self, scored: Probabilities, row: int) -> Stance:
        """The most probable class of a row and the most probable kind within it."""
        label = CLASSES[int(scored.classes[row].argmax())]
        columns = self.scorer.kind_columns.get(label)
        kind = OTHER
        if columns is not None:
            kind = self.scorer.kinds[columns.start + int(scored.kinds[row, columns].argmax())]
        return Stance(label, kind, float(scored.classes[row].max()))

    def _segment(self, span: Span, scored: Probabilities, row: int) -> Segment:
        own = self._stance(scored, row)
        return Segment(*span, own.verdict, own.kind, by_class(scored, row))


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


def by_class(scored: Probabilities, row: int) -> dict[str, float]:
    """Probabilities of one row by the name of the class."""
    return dict(zip(CLASSES, scored.classes[row].tolist(), strict=True))


def secondary_stance(whole: Stance, parts: Sequence[Segment]) -> Stance | None:
    """The surest stance of a segment that is neither the whole's own nor `neither`."""
    others = [
        Stance(part.verdict, part.kind, part.probabilities[part.verdict])
        for part in parts
        if part.verdict != "neither" and (part.verdict, part.kind) != (whole.verdict, whole.kind)
    ]
    others = [stance for stance in others if stance.confidence >= SECONDARY_CONFIDENCE]
    if whole.verdict == "neither" or len(parts) < 2:
        return None
    return max(others, key=lambda stance: stance.confidence, default=None)
