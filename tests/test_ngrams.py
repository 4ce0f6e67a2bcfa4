"""The batch hashing agrees with a slow, obvious version, and folding works character by character."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier import ngrams
from classifier.ngrams import CHAR_SIZES, WordTable, fold, tokenize, word_grams


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Let me think about it.", b"let me think about it"),
        ("I don\u2019t know", b"i dont know"),
        ("I don't know", b"i dont know"),
        ("20% over, \u00a35k?!", b"00 % over $ 0k ? !"),
        ("re-think / N/I", b"re think n i"),
        ("\u201cquoted\u201d \u2014 dash", b"quoted dash"),
        ("", b""),
        ("...", b""),
    ],
    ids=["words", "curly apostrophe", "apostrophe", "marks", "joined", "quotes and dash", "empty", "dots"],
)
def test_folding(text: str, tokens: bytes) -> None:
    assert b" ".join(fold(text).split()) == tokens


@given(st.lists(st.text(), max_size=6))
def test_a_batch_tokenizes_as_its_texts_one_by_one(texts: list[str]) -> None:
    table = WordTable()
    batch = tokenize(texts, table)
    words = {number: word for word, number in table.items()}
    for i, text in enumerate(texts):
        own = [words[n] for n in batch.words[batch.document == i]]
        assert own == fold(text.replace(ngrams.SEPARATOR, " ")).split()


@given(st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=5))
def test_words_have_all_their_character_ngrams(words: list[bytes]) -> None:
    grams = word_grams(words)
    for number, word in enumerate(words):
        padded = b" " + word[: ngrams.MAX_WORD_BYTES] + b" "
        expected = {(at, size) for size in CHAR_SIZES for at in range(len(padded) - size + 1)}
        own = grams.char_word == number
        found = set(zip(grams.char_start[own].tolist(), grams.char_size[own].tolist(), strict=True))
        assert found == expected


def test_equal_ngrams_hash_equal_wherever_they_stand() -> None:
    grams = word_grams([b"price", b"pricey", b"overprice"])
    ric = [
        grams.char_hash[(grams.char_word == w) & (grams.char_start == at) & (grams.char_size == 3)][0]
        for w, at in ((0, 2), (1, 2), (2, 6))
    ]
    assert len(set(map(int, ric))) == 1


def test_word_order_changes_the_hash_of_a_pair() -> None:
    a, b = word_grams([b"not", b"now"]).word_hash
    assert ngrams.pair_hash(np.array([a, b]), 1) != ngrams.pair_hash(np.array([b, a]), 1)


def test_a_pair_over_one_word_is_one_over_two_but_no_pair_of_neighbours() -> None:
    a, b, c = word_grams([b"not", b"right", b"now"]).word_hash
    neighbours = ngrams.pair_hash(np.array([a, b]), 1)
    over_one, over_two = ngrams.pair_hash(np.array([a, c, b]), 2), ngrams.pair_hash(np.array([a, c, c, b]), 3)
    assert over_one == over_two
    assert over_one != neighbours


def test_every_pair_of_a_text_is_hashed() -> None:
    words = b"we will not do it now".split()
    own = word_grams(words).word_hash
    expected = set()
    for gap in ngrams.GAPS:
        for first, second in zip(own, own[gap:], strict=False):
            between = [first] * (gap - 1)
            expected.add(int(ngrams.pair_hash(np.array([first, *between, second]), gap)[0]))
    found = ngrams.occurrences([b" ".join(words).decode(), "and then"])
    of_pairs = found.hashes[found.of_words & (found.documents == 0)]
    assert {int(each) for each in of_pairs} - {int(each) for each in own} == expected


def test_pairs_reach_over_one_word_or_two_and_not_into_the_next_text() -> None:
    document = np.array([0, 0, 0, 0, 1, 1])
    assert [ngrams.pairs(document, gap).tolist() for gap in ngrams.GAPS] == [[0, 1, 2, 4], [0, 1], [0]]
