"""Evidence is exact: shares add up to the score, spans slice the text."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier.decide import decide
from classifier.evidence import word_shares
from classifier.scorer import class_features

TEXTS = [
    "Let me think about it",
    "It's 20% over what we pay now, so give me a few days.",
    "Hi Tom,\n\nthe price is steep.\n\nKind regards,\nAnna\n\nOn Tue, Tom wrote:\n> buy now",
    "I don\u2019t   know \u2014 maybe later?",
]


def centred_scores(scorer, text: str) -> np.ndarray:
    class_weight, kind_weight = scorer.arrays.calibration[:2]
    by_class, by_kind = class_features(scorer.logits([text]), scorer.kinds)
    scores = (class_weight * by_class + kind_weight * by_kind)[0]
    return scores - scores.mean()


def test_shares_add_up_to_the_score(model) -> None:
    shares = word_shares(model.scorer, TEXTS, model.scorer.logits(TEXTS))
    for i, text in enumerate(TEXTS):
        change = centred_scores(model.scorer, text) - centred_scores(model.scorer, "")
        np.testing.assert_allclose(shares.shares[shares.document == i].sum(axis=0), change, atol=1e-3)


def test_quoted_mail_has_no_share(model) -> None:
    text = TEXTS[2]
    shares = word_shares(model.scorer, [text], model.scorer.logits([text]))
    words = shares.words
    assert words[:4] == ["Hi", "Tom,", "the", "price"]
    assert "Tue," not in words


@settings(deadline=None, max_examples=100)
@given(st.lists(st.text(max_size=120), min_size=1, max_size=5))
def test_a_batch_explains_as_its_texts_one_by_one(model, texts: list[str]) -> None:
    together = decide(model.scorer, texts)
    evidence = together.evidence(texts)
    for i, text in enumerate(texts):
        alone = decide(model.scorer, [text])
        assert [e.text for e in alone.evidence([text])[0]] == [e.text for e in evidence[i]]
        assert alone.best.confidence[0] == pytest.approx(together.best.confidence[i], abs=1e-6)


@settings(deadline=None, max_examples=150)
@given(st.text(min_size=1, max_size=300).filter(lambda text: any(map(str.isalnum, text))))
def test_spans_slice_the_text(model, text: str) -> None:
    if "\x00" in text:
        return
    verdict = model.predict_one(text)
    for span in (*verdict.evidence, *verdict.segments):
        assert 0 <= span.start < span.end <= len(text)
    for span in verdict.evidence:
        assert text[span.start : span.end] == span.text
        assert span.weight > 0


def test_the_deciding_words_are_found(model) -> None:
    verdict = model.predict_one("Thanks for your time today, but it's far too expensive for us.")
    assert verdict.verdict == "objection"
    assert "expensive" in " ".join(e.text for e in verdict.evidence if e.speaks_for == "objection")
