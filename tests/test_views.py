"""A text of several segments is judged by its likeliest segment and passage too, as held-out texts teach."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from classifier.decide import judge
from classifier.labels import CLASSES, KINDS, OTHER
from classifier.scorer import Probabilities
from classifier.text import segments
from classifier.training.cross_validation import Fold, together
from classifier.training.dataset import Dataset, shipped
from classifier.training.views import Divided, DividedScores, divided_texts, learned
from classifier.views import MOST_SEGMENTS, SHAPE, features, passages, the_whole_alone, weighed

FACTS = (
    "Site visit on Tuesday. Two floors, about forty people. They use tablets on the shop floor. "
    "Parking is round the back. The old system was put in nine years ago. Lunch is at twelve. "
    "Her daughter plays the cello. The lift was being serviced."
)


def test_passages_are_runs_of_three_segments() -> None:
    assert passages([(0, 3), (4, 6), (7, 9), (10, 12)]) == [(0, 9), (4, 12)]
    assert passages([(0, 3), (4, 6), (7, 9)]) == []


def test_a_view_is_told_by_its_likeliest_piece() -> None:
    whole = np.array([[0.2, 0.2, 0.6]])
    pieces = np.array([[0.1, 0.1, 0.8], [0.9, 0.05, 0.05], [0.3, 0.5, 0.2]])
    of_pieces = np.zeros(3, np.int64)
    found = features(whole, pieces, of_pieces, pieces[:1], of_pieces[:1])
    p = np.array([[0.2, 0.2, 0.6, 0.9, 0.5, 0.8, 0.1, 0.1, 0.8]])
    np.testing.assert_allclose(found, np.log(np.hstack([p, 1 - p])))


def test_a_text_without_passages_is_its_own() -> None:
    whole = np.array([[0.2, 0.2, 0.6], [0.5, 0.3, 0.2]])
    pieces = np.array([[0.1, 0.1, 0.8], [0.9, 0.05, 0.05], [0.3, 0.5, 0.2], [0.2, 0.5, 0.3]])
    found = features(whole, pieces, np.array([0, 0, 1, 1]), pieces[:1], np.array([1]))
    np.testing.assert_allclose(found[:, 6:9], np.log([[0.2, 0.2, 0.6], [0.1, 0.1, 0.8]]))


def test_by_the_whole_alone_a_text_keeps_its_probabilities() -> None:
    whole = np.array([[0.2, 0.1, 0.7], [0.5, 0.3, 0.2], [0.9999, 0.00009, 0.00001]])
    of_pieces = np.arange(3)
    views = features(whole, whole[::-1], of_pieces, whole, of_pieces)
    np.testing.assert_allclose(weighed(views, np.array([4, 30, 2]), the_whole_alone()), whole, atol=2e-3)


@pytest.mark.parametrize(
    "text",
    [
        "It's a lot of money, let me think.",
        "Let me think about it. It's more than we wanted to pay, that's all.",
        "We'll be in touch. My husband says we have no use for one.",
    ],
)
def test_a_reason_beside_a_delay_makes_an_objection(model, text: str) -> None:
    assert CLASSES[judge(model.scorer, [text]).best.classes[0]] == "objection"


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


def test_a_text_is_judged_the_same_alone_and_among_others(model) -> None:
    texts = [
        FACTS,
        "Not now",
        "Not now. Too dear.",
        "Hi. Not now. Too dear.",
        f"{FACTS} Not now.",
        "",
        "What?",
    ]
    together = judge(model.scorer, texts).best
    for number, text in enumerate(texts):
        alone = judge(model.scorer, [text]).best
        np.testing.assert_array_equal(alone.p[0], together.p[number])
        assert alone.kinds[0] == together.kinds[number]


def test_judging_a_batch_is_judging_each_text_by_its_views(model) -> None:
    data = shipped("test")
    texts = [text for text in data.texts if len(segments(text)) > 1][:200]
    found = judge(model.scorer, texts).best
    score = model.scorer.probabilities
    n_changed = 0
    for text, p, kind in zip(texts, found.p, found.kinds, strict=True):
        spans = segments(text)
        whole, parts = score([text]), score([text[a:b] for a, b in spans])
        larger = score([text[a:b] for a, b in passages(spans)]).classes
        of_part, of_larger = np.zeros(len(spans), np.int64), np.zeros(len(larger), np.int64)
        views = features(whole.classes, parts.classes, of_part, larger, of_larger)
        expected = weighed(views, np.array([len(spans)]), model.scorer.arrays.views)
        np.testing.assert_allclose(p, expected[0], atol=1e-6)
        old, new = whole.classes[0].argmax(), p.argmax()
        if old != new:
            n_changed += 1
            surest = parts.take(parts.classes[:, [new]].argmax(axis=0))
            assert kind == replace(surest, classes=np.eye(3)[[new]]).best_kinds(model.scorer.kinds)[0]
    assert n_changed > 0


def test_what_is_evaluated_is_what_predict_says(model) -> None:
    texts = [FACTS, f"{FACTS} It is too expensive.", "It's too dear. Let me think about it.", "Not now"]
    found = judge(model.scorer, texts).best
    for p, verdict in zip(found.p, model.predict(texts), strict=True):
        np.testing.assert_allclose(p, list(verdict.probabilities.values()))


def test_hundreds_of_facts_take_no_stance(model) -> None:
    verdict = model(" ".join([FACTS] * 75))
    assert verdict.verdict in ("neither", "unsure")
    assert len(verdict.segments) > 500


def test_a_text_of_thousands_of_segments_is_judged(model) -> None:
    verdict = model("\n".join(["ok"] * 5_000))
    assert len(verdict.segments) == 5_000


def test_a_longer_text_than_was_learned_from_is_weighed_like_the_longest() -> None:
    random = np.random.default_rng(0)
    views, coefficients = random.normal(size=(1, 18)), random.normal(size=SHAPE)
    longest = weighed(views, np.array([MOST_SEGMENTS]), coefficients)
    np.testing.assert_array_equal(weighed(views, np.array([9_999]), coefficients), longest)


@pytest.fixture(scope="module")
def statements() -> Dataset:
    data = shipped("test")
    return data.take(np.arange(0, len(data), 3))


def test_recombined_notes_are_labelled_by_the_statement_with_a_stance(statements: Dataset) -> None:
    found = divided_texts(statements, seed=0)
    n_written = len(found.row)
    assert n_written > 0
    label_of = dict(zip(statements.texts, statements.labels, strict=True))
    written = found.strings[:n_written]
    assert [label_of[text] for text in written] == [CLASSES[c] for c in found.classes[:n_written]]
    assert all(len(segments(text)) >= 2 for text in written)
    for note, c in zip(found.strings[n_written : n_written + 20], found.classes[n_written:], strict=False):
        inside = [label for text, label in label_of.items() if len(text) >= 15 and text in note]
        assert (CLASSES[c] in inside) if CLASSES[c] != "neither" else set(inside) <= {"neither"}


def test_what_is_learned_finds_what_the_whole_does_not_show() -> None:
    """Texts whose whole always reads as neither, and whose likeliest segment tells the class."""
    random = np.random.default_rng(0)
    classes = random.integers(3, size=300)
    whole = np.tile([0.05, 0.05, 0.9], (300, 1))
    told = np.where(np.arange(3) == classes[:, None], 0.9, 0.05)
    passage = random.dirichlet(np.ones(3), size=300)
    rows = np.arange(300)
    views = features(whole, told, rows, passage, rows)
    n_segments = random.integers(2, 30, size=300)
    scores = DividedScores(np.arange(200), classes, views, n_segments, np.full((300, 3), OTHER, object))
    coefficients = learned([scores], the_whole_alone())
    assert (weighed(views, n_segments, coefficients).argmax(axis=1) == classes).mean() > 0.99


def guessed(divided: Divided, seed: int = 0) -> DividedScores:
    """What a model says of divided texts that knows nothing."""
    random = np.random.default_rng(seed)
    n = len(divided.strings)
    p = Probabilities(
        random.dirichlet(np.ones(3), size=n), random.random((n, len(KINDS))), np.zeros((n, 0), bool)
    )
    return divided.scored(p, KINDS)


def test_few_texts_hardly_move_the_weights_they_set_out_from(statements: Dataset) -> None:
    few = divided_texts(statements.take(np.arange(40)), seed=0)
    assert len(few.classes) == len(few.row)
    away = np.abs(learned([guessed(few)], the_whole_alone()) - the_whole_alone()).max()
    assert 0 < away < 0.5


def test_a_fold_without_a_text_of_several_segments_teaches_nothing(statements: Dataset) -> None:
    single = statements.take(np.array([len(segments(text)) == 1 for text in statements.texts]))
    none = guessed(divided_texts(single.take(np.arange(20)), seed=0))
    assert len(none.classes) == 0
    np.testing.assert_array_equal(learned([none], the_whole_alone()), the_whole_alone())
    some = guessed(divided_texts(statements.take(np.arange(40)), seed=0))
    both = learned([none, some], the_whole_alone())
    np.testing.assert_allclose(both, learned([some], the_whole_alone()))


def test_recombined_notes_never_outweigh_what_somebody_wrote(statements: Dataset) -> None:
    scores = guessed(divided_texts(statements, seed=0))
    n_written = len(scores.row)
    assert n_written < 4 * (len(scores.classes) - n_written)
    np.testing.assert_allclose(scores.counts[n_written:].sum(), n_written / 4)
    np.testing.assert_array_equal(scores.counts[:n_written], 1)


def test_statements_with_a_signature_are_not_recombined(statements: Dataset) -> None:
    signed = replace(statements, texts=[f"{text}\n--\nDana, Acme" for text in statements.texts])
    found = divided_texts(signed, seed=0)
    assert len(found.classes) == len(found.row)


def test_without_kinds_notes_are_recombined_all_the_same(statements: Dataset) -> None:
    found = divided_texts(replace(statements, kinds=None), seed=0)
    assert len(found.classes) > len(found.row)
    assert set(found.classes[len(found.row) :]) == {0, 1, 2}


def test_held_out_texts_are_weighed_as_the_other_folds_teach(statements: Dataset) -> None:
    folds = []
    for rows in np.array_split(np.random.default_rng(0).permutation(len(statements)), 3):
        divided = divided_texts(statements.take(rows), seed=0)
        p = np.tile([0.1, 0.1, 0.8], (len(rows), 1))
        kinds = np.full(len(rows), "logistics", object)
        folds.append(Fold(rows, p, kinds, guessed(divided, seed=len(folds))))
    held_out = together(folds, with_kinds=True, prior=the_whole_alone())
    for own in folds:
        taught = learned([fold.divided for fold in folds if fold is not own], the_whole_alone())
        n = len(own.divided.row)
        expected = weighed(own.divided.features[:n], own.divided.n_segments[:n], taught)
        rows = own.rows[own.divided.row]
        np.testing.assert_allclose(held_out.p[rows], expected)
        for row, c, kinds in zip(rows, expected.argmax(axis=1), own.divided.kinds[:n], strict=True):
            assert held_out.kinds[row] == ("logistics" if CLASSES[c] == "neither" else kinds[c])
    several = np.concatenate([own.rows[own.divided.row] for own in folds])
    single = np.setdiff1d(np.arange(len(statements)), several)
    np.testing.assert_array_equal(held_out.p[single], np.tile([0.1, 0.1, 0.8], (len(single), 1)))
