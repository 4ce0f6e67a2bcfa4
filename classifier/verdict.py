"""Probabilities, segments and evidence -> the verdict on one text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from classifier.dates import find_date
from classifier.decide import Decisions, Stances, decide
from classifier.errors import InputError
from classifier.evidence import Evidence
from classifier.labels import CLASSES, UNSURE
from classifier.persistence import Card, load_scorer, model_folder
from classifier.playbook import Playbook, Response, default_playbook
from classifier.registry import model_in_service
from classifier.scorer import Scorer
from classifier.text import MAX_CHARACTERS

if TYPE_CHECKING:
    import pandas as pd

SCHEMA = 1
DEFAULT_THRESHOLD = 0.6
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
    `condition_date` is the date that the words name for the flag ``condition``.
    """

    text: str
    verdict: str
    kind: str | None
    confidence: float
    probabilities: Mapping[str, float]
    secondary: Stance | None
    flags: tuple[str, ...]
    condition_date: date | None
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
            "condition_date": self.condition_date.isoformat() if self.condition_date else None,
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
    folder : Path, optional
        Where the model was read from, for workers that are to read it too.
    """

    def __init__(
        self,
        scorer: Scorer,
        card: Card,
        playbook: Playbook | None = None,
        folder: Path | None = None,
    ) -> None:
        self.scorer = scorer
        self.folder = folder
        self.card = card
        self.playbook = playbook or default_playbook()
        self.threshold = float(card.get("unsure", {}).get("threshold", DEFAULT_THRESHOLD))

    def aim_at(self, precision: float) -> None:
        """Answer so that about this share of the answers is right, and call the rest unsure.

        Raises
        ------
        InputError
            If the model's card has no threshold for that precision.
        """
        thresholds: dict[str, float] = self.card.get("unsure", {}).get("thresholds", {})
        if str(precision) not in thresholds:
            known = f"{min(thresholds)} to {max(thresholds)} in steps of 0.01" if thresholds else "none"
            raise InputError(f"no threshold for a precision of {precision}: this model has {known}")
        self.threshold = thresholds[str(precision)]

    def predict(self, texts: Iterable[str], *, history: int = 0) -> list[Verdict]:
        """A verdict for each text; `history` counts earlier stalls of the same kind in the account.

        Raises
        ------
        InputError
            If a text is empty, holds no letters or digits, or is longer than 20,000 characters.
        """
        texts = list(texts)
        for number, text in enumerate(texts, 1):
            check_text(text, f"text {number}" if len(texts) > 1 else "the text")
        found = decide(self.scorer, texts)
        evidence = found.evidence(texts)
        confidence = found.best.confidence.tolist()
        probabilities = _by_class(found.best)
        parts = _segments(found, len(texts))
        return [
            self._verdict(
                text, found, i, confidence[i], probabilities[i], tuple(evidence[i]), parts[i], history
            )
            for i, text in enumerate(texts)
        ]

    def __call__(self, text: str, *, history: int = 0) -> Verdict:
        """The verdict on one text."""
        return self.predict([text], history=history)[0]

    def predict_one(self, text: str) -> Verdict:
        """The verdict on one text."""
        return self(text)

    def predict_frame(self, frame: pd.DataFrame, column: str = "text", prefix: str = "") -> pd.DataFrame:
        """`frame` with the verdict on the words in `column`, a row each.

        The added columns are those of ``stallcheck label``: verdict, kind, confidence, p_stall,
        p_objection, p_neither, secondary, flags, evidence, review; numbers are floats. `prefix` is
        put before their names. Rows without words get empty cells and the review ``empty``.

        Raises
        ------
        InputError
            If `column` is not in the frame, or if an added column would have the name of another.
        """
        from classifier.batch.frames import label_frame

        return label_frame(self, frame, column, prefix)

    def _verdict(
        self,
        text: str,
        found: Decisions,
        i: int,
        confidence: float,
        probabilities: dict[str, float],
        evidence: tuple[Evidence, ...],
        parts: tuple[Segment, ...],
        history: int,
    ) -> Verdict:
        """The verdict on text `i`: abstain where the model is not sure enough."""
        unsure = confidence < self.threshold
        verdict = UNSURE if unsure else CLASSES[found.best.classes[i]]
        kind = None if unsure else found.best.kinds[i]
        secondary = None if unsure or found.secondary[i] < 0 else _stance(found, int(found.secondary[i]))
        named = find_date(text, date.today()) if "condition" in found.flags[i] else None
        return Verdict(
            text=text,
            verdict=verdict,
            kind=kind,
            confidence=confidence,
            probabilities=probabilities,
            secondary=secondary,
            flags=found.flags[i],
            condition_date=named.day if named else None,
            evidence=evidence,
            segments=parts,
            response=self.playbook.respond(
                verdict,
                kind,
                mixed=secondary is not None,
                opt_out="opt_out" in found.flags[i],
                history=history,
            ),
            model={"name": str(self.card["name"]), "sha256": str(self.card["sha256"])},
        )


def load(folder: str | Path | None = None, *, target_precision: float | None = None) -> Model:
    """The model in `folder`, or the one in service (`classifier.registry`): the shipped one at first.

    With `target_precision` it abstains as `Model.aim_at` says, else as it was trained to.

    Raises
    ------
    ModelError
        If the folder is missing, damaged, tampered with or of another schema.
    InputError
        If the model has no threshold for the target precision.
    """
    folder = model_folder(folder) if folder else model_in_service()
    scorer, card = load_scorer(folder)
    model = Model(scorer, card, folder=folder)
    if target_precision is not None:
        model.aim_at(target_precision)
    return model


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


def _by_class(stances: Stances) -> list[dict[str, float]]:
    """Probabilities of each row by the name of the class."""
    return [dict(zip(CLASSES, row, strict=True)) for row in stances.p.tolist()]


def _stance(found: Decisions, segment: int) -> Stance:
    """The stance of a segment."""
    stances = found.segments.stances
    place = int(stances.classes[segment])
    return Stance(CLASSES[place], stances.kinds[segment], float(stances.p[segment, place]))


def _segments(found: Decisions, n: int) -> list[tuple[Segment, ...]]:
    """The segments of each of `n` texts."""
    parts = found.segments
    own: list[list[Segment]] = [[] for _ in range(n)]
    probabilities = _by_class(parts.stances)
    for row, (document, (start, end)) in enumerate(zip(parts.document.tolist(), parts.spans, strict=True)):
        verdict = CLASSES[parts.stances.classes[row]]
        own[document].append(Segment(start, end, verdict, parts.stances.kinds[row], probabilities[row]))
    return [tuple(each) for each in own]
