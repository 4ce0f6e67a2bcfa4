"""A long text is judged by its likeliest sentence and passage too, weighed as held-out texts teach."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from classifier.decide import judge
from classifier.labels import CLASSES
from classifier.long_texts import MOST_SEGMENTS, N_COEFFICIENTS, features, passages, weighed
from classifier.text import segments
from classifier.training.cross_validation import Fold, together
from classifier.training.dataset import Dataset, shipped
from classifier.training.long_texts import LongScores, learned, long_texts_of

FACTS = (
    "Site visit on Tuesday. Two floors, about forty people. They use tablets on the shop floor. "
    "Parking is round the back. The old system was put in nine years ago. Lunch is at twelve. "
    "Her daughter plays the cello. The lift was being serviced."
)


def test_passages_are_runs_of_three_segments() -> None:
    assert passages([(0, 3), (4, 6), (7, 9), (10, 12)]) == [(0, 9), (4, 12)]


def test_a_view_is_the_log_odds_of_its_likeliest_piece() -> None:
    whole = np.array([[0.2, 0.2, 0.6]])
    pieces = np.array([[0.1, 0.1, 0.8], [0.9, 0.05, 0.05], [0.3, 0.5, 0.2]])
    of_pieces = np.zeros(3, np.int64)
    found = features(whole, pieces, of_pieces, pieces[:1], of_pieces[:1])
    assert found.shape == (1, 2, 3)
    np.testing.assert_allclose(found[0, :, 0], np.log(0.2 / 0.6))
    np.testing.assert_allclose(found[0, :, 1], [np.log(0.9 / 0.1), np.log(0.5 / 0.5)])
    np.testing.assert_allclose(found[0, :, 2], np.log(0.1 / 0.9))


def test_with_the_whole_alone_a_long_text_keeps_its_probabilities() -> None:
    whole = np.array([[0.2, 0.1, 0.7], [0.5, 0.3, 0.2]])
    of_pieces = np.arange(2)
    views = features(whole, whole, of_pieces, whole, of_pieces)
    alone = np.zeros(N_COEFFICIENTS)
    alone[0] = 1
    np.testing.assert_allclose(weighed(views, np.array([4, 30]), alone), whole)


@pytest.mark.parametrize(
    ("stance", "verdict"),
    [("She wants to think about it.", "stall"), ("She says it is too expensive.", "objection")],
)
def test_one_stance_among_facts_is_found(model, stance: str, verdict: str) -> None:
    sentences = FACTS.split(". ")
    for place in (0, 4, len(sentences)):
        note = ". ".join([*sentences[:place], stance.rstrip("."), *sentences[place:]])
        found = judge(model.scorer, [note]).best
        assert CLASSES[found.classes[0]] == verdict, note
        np.testing.assert_allclose(found.p.sum(), 1)


def test_facts_alone_take_no_stance(model) -> None:
    assert CLASSES[judge(model.scorer, [FACTS]).best.classes[0]] == "neither"


def test_a_long_text_is_judged_the_same_alone_and_among_others(model) -> None:
    texts = [FACTS, "Not now", f"{FACTS} She wants to think about it.", "What does it cost?"]
    together = judge(model.scorer, texts).best
    for number, text in enumerate(texts):
        alone = judge(model.scorer, [text]).best
        np.testing.assert_allclose(alone.p[0], together.p[number], atol=1e-6)
        assert alone.kinds[0] == together.kinds[number]


def test_what_is_evaluated_is_what_predict_says(model) -> None:
    texts = [FACTS, f"{FACTS} It is too expensive.", "It's too dear. Let me think about it.", "Not now"]
    found = judge(model.scorer, texts).best
    for p, verdict in zip(found.p, model.predict(texts), strict=True):
        np.testing.assert_allclose(p, list(verdict.probabilities.values()))


def test_a_text_of_thousands_of_segments_is_judged(model) -> None:
    verdict = model("\n".join(["ok"] * 5_000))
    assert verdict.probabilities["neither"] > 0.5
    assert len(verdict.segments) == 5_000


def test_a_longer_text_than_was_learned_from_is_weighed_like_the_longest() -> None:
    views = np.random.default_rng(0).normal(size=(1, 2, 3))
    coefficients = np.linspace(-0.5, 0.5, N_COEFFICIENTS)
    longest = weighed(views, np.array([MOST_SEGMENTS]), coefficients)
    np.testing.assert_array_equal(weighed(views, np.array([9_999]), coefficients), longest)


@pytest.fixture(scope="module")
def statements() -> Dataset:
    data = shipped("test")
    return data.take(np.arange(0, len(data), 3))


def test_recombined_notes_are_labelled_by_the_statement_with_a_stance(statements: Dataset) -> None:
    found = long_texts_of(statements, seed=0)
    n_written = len(found.row)
    assert n_written > 0
    label_of = dict(zip(statements.texts, statements.labels, strict=True))
    written = found.strings[:n_written]
    assert [label_of[text] for text in written] == [CLASSES[c] for c in found.classes[:n_written]]
    assert all(len(segments(text)) >= 4 for text in written)
    for note, c in zip(found.strings[n_written : n_written + 20], found.classes[n_written:], strict=False):
        inside = [label for text, label in label_of.items() if len(text) >= 15 and text in note]
        assert (CLASSES[c] in inside) if CLASSES[c] != "neither" else set(inside) <= {"neither"}


def test_what_is_learned_finds_what_the_whole_does_not_show() -> None:
    """Texts whose whole always reads as neither, and whose likeliest segment tells the class."""
    random = np.random.default_rng(0)
    classes = random.integers(3, size=300)
    segment = np.where(np.arange(3)[:2] == classes[:, None], 3.0, -3.0)
    views = np.stack([np.full((300, 2), -2.0), segment, random.normal(size=(300, 2))], axis=2)
    n_segments = random.integers(4, 30, size=300)
    scores = LongScores(np.arange(100), classes, views, n_segments)
    coefficients = learned([scores])
    assert coefficients is not None
    assert (weighed(views, n_segments, coefficients).argmax(axis=1) == classes).mean() > 0.99


def test_statements_with_a_signature_are_not_recombined(statements: Dataset) -> None:
    signed = replace(statements, texts=[f"{text}\n--\nDana, Acme" for text in statements.texts])
    found = long_texts_of(signed, seed=0)
    assert len(found.classes) == len(found.row)


def test_without_kinds_notes_are_recombined_all_the_same(statements: Dataset) -> None:
    found = long_texts_of(replace(statements, kinds=None), seed=0)
    assert len(found.classes) > len(found.row)
    assert set(found.classes[len(found.row) :]) == {0, 1, 2}


def test_held_out_long_texts_are_weighed_as_the_other_folds_teach(statements: Dataset) -> None:
    folds = []
    for rows in np.array_split(np.random.default_rng(0).permutation(len(statements)), 3):
        long = long_texts_of(statements.take(rows), seed=0)
        p = np.full((len(rows), 3), 1 / 3)
        random = np.random.default_rng(len(folds))
        scores = long.scored(random.dirichlet(np.ones(3), size=len(long.strings)))
        folds.append(Fold(rows, p, statements.kinds[rows], scores))
    held_out = together(folds, with_kinds=True)
    for own in folds:
        taught = learned([fold.long for fold in folds if fold is not own])
        n = len(own.long.row)
        expected = weighed(own.long.features[:n], own.long.n_segments[:n], taught)
        np.testing.assert_allclose(held_out.p[own.rows[own.long.row]], expected)
    short = np.setdiff1d(np.arange(len(statements)), [row for own in folds for row in own.rows[own.long.row]])
    np.testing.assert_array_equal(held_out.p[short], 1 / 3)


def test_nothing_is_learned_where_no_note_could_be_recombined(statements: Dataset) -> None:
    few = long_texts_of(statements.take(np.arange(40)), seed=0)
    assert len(few.classes) == len(few.row)
    assert learned([few.scored(np.full((len(few.strings), 3), 1 / 3))]) is None
