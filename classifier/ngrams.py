"""Texts -> hashed word and character n-grams, a whole batch at once, with NumPy alone.

A text is folded to lower-case tokens; a token is a word, a number (digits become 0) or one of
the marks ``? ! $ %``. Its n-grams are the words, pairs of words up to three places apart and the byte
n-grams inside each padded word. The n-grams inside a word depend on the word alone, so
they are hashed once for each distinct word and remembered (`WordTable`), not once for each text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

UIntArray = npt.NDArray[np.uint32]
IntArray = npt.NDArray[np.int64]

CHAR_SIZES = (2, 3, 4, 5)
GAPS = (1, 2, 3)
"""How far apart the two words of a pair may stand (skip-grams: Guthrie et al. 2006, "A closer look at
skip-gram modelling")."""
MAX_WORD_BYTES = 32
SEPARATOR = "\x1e"

_MARKS = b"?!$%"
_SPECIAL = {
    **dict.fromkeys("\u2018\u2019\u201a\u201b\u02bc\u00b4\u2032", "'"),
    **dict.fromkeys("\u00a3\u20ac\u20b9\u00a5\u20a6", "$"),
    **dict.fromkeys("\u00a0\u2009\u202f\u200b\ufeff\u00ad\u2028\u2029", " "),
    **dict.fromkeys("\u201c\u201d\u201e\u00ab\u00bb\u2013\u2014\u2015\u2026\u2022\u00b7\u00bf\u00a1", " "),
}
_HASH_PRIME = np.uint32(0x01000193)
_MIX_A, _MIX_B = np.uint32(0x85EBCA6B), np.uint32(0xC2B2AE35)
_WORD_SALT, _CHAR_SALT = np.uint32(0x9E3779B9), np.uint32(0x51ED2701)
_PAIR_SALTS = {1: np.uint32(0x7F4A7C15), 2: np.uint32(0x2545F491), 3: np.uint32(0x2545F491)}
"""A pair with one word left out and a pair with two are one n-gram."""


def _ascii_table() -> bytes:
    """What each byte becomes: letters and marks stay, digits become 0, the rest a space."""
    table = bytearray(b" " * 128 + bytes(range(128, 256)))
    for byte in b"abcdefghijklmnopqrstuvwxyz" + _MARKS + SEPARATOR.encode():
        table[byte] = byte
    for byte in b"0123456789":
        table[byte] = ord("0")
    return bytes(table)


_TABLE = _ascii_table()


def fold(text: str) -> bytes:
    """Lower-case tokens of `text` with white space between them.

    Every character folds on its own, so folding a joined batch, or a text character by
    character, gives the same bytes as folding text by text.
    """
    if not text.isascii():
        for special, plain in _SPECIAL.items():
            if special in text:
                text = text.replace(special, plain)
    folded = text.casefold().encode("utf-8", "surrogatepass").translate(_TABLE, b"'")
    for mark in (*_MARKS, ord(SEPARATOR)):
        one = bytes((mark,))
        if one in folded:
            folded = folded.replace(one, b" %b " % one)
    return folded


def _mix(h: UIntArray) -> UIntArray:
    """Spread the bits of `h` (the finaliser of MurmurHash3, Appleby 2011)."""
    h = (h ^ (h >> np.uint32(16))) * _MIX_A
    h = (h ^ (h >> np.uint32(13))) * _MIX_B
    return h ^ (h >> np.uint32(16))


def _char_salt(size: int) -> np.uint32:
    return np.uint32(int(_CHAR_SALT) * size & 0xFFFFFFFF)


@dataclass(frozen=True, slots=True)
class WordGrams:
    """N-grams of a list of words: the word itself and the byte n-grams inside it.

    `word_hash` is (n_words,); `char_hash` and `char_word` are (n_grams,): a gram's hash and the
    index of its word; `char_start` and `char_size` give its place, in bytes, in the word padded
    with one space on each side.
    """

    word_hash: UIntArray
    char_hash: UIntArray
    char_word: IntArray
    char_start: IntArray
    char_size: IntArray


def word_grams(words: Sequence[bytes]) -> WordGrams:
    """Hash each word and every byte n-gram inside it, all words in one buffer."""
    padded = [b" %b " % word[:MAX_WORD_BYTES] for word in words]
    buffer = np.frombuffer(b"".join(padded), dtype=np.uint8).astype(np.uint32)  # (n_bytes,)
    lengths = np.fromiter(map(len, padded), np.int64, len(padded))
    ends = np.cumsum(lengths)
    starts = ends - lengths
    owner = np.repeat(np.arange(len(padded)), lengths)  # (n_bytes,) byte -> word
    room = ends[owner] - np.arange(len(buffer))  # bytes left in the word from here on

    place = np.arange(len(buffer)) - starts[owner]
    powers = np.cumprod(np.full(MAX_WORD_BYTES + 2, _HASH_PRIME, np.uint32), dtype=np.uint32)
    word_hash = (np.add.reduceat(buffer * powers[place], starts) if padded else buffer[:0]).astype(np.uint32)

    hashes, owners, begins, sizes = [], [], [], []
    rolling = buffer.copy()
    for size in range(2, max(CHAR_SIZES) + 1):
        # h_n[i] = h_{n-1}[i] * prime + byte[i + n - 1], for all i at once
        rolling = rolling[:-1] * _HASH_PRIME + buffer[size - 1 :]
        inside = np.flatnonzero(room[: len(rolling)] >= size)
        hashes.append(_mix(rolling[inside] ^ _char_salt(size)))
        owners.append(owner[inside])
        begins.append(place[inside])
        sizes.append(np.full(len(inside), size))
    return WordGrams(
        word_hash=_mix(word_hash ^ _WORD_SALT),
        char_hash=np.concatenate(hashes),
        char_word=np.concatenate(owners),
        char_start=np.concatenate(begins),
        char_size=np.concatenate(sizes),
    )


def pair_hash(words: UIntArray, gap: int) -> UIntArray:
    """Hashes of the pairs of words `gap` places apart, (n_words - gap,), from the words' hashes.

    The k-th begins with word k, whatever text the two stand in.
    """
    return _mix(words[:-gap] * _HASH_PRIME + (words[gap:] ^ _PAIR_SALTS[gap]))


class WordTable(dict[bytes, int]):
    """Distinct words met so far, each with a number; new ones wait in `fresh`."""

    def __init__(self) -> None:
        super().__init__({SEPARATOR.encode(): 0})
        self.fresh: list[bytes] = []

    def __missing__(self, word: bytes) -> int:
        number = self[word] = len(self)
        self.fresh.append(word)
        return number

    def take_fresh(self) -> list[bytes]:
        """The words numbered since the last call, in the order of their numbers."""
        fresh, self.fresh = self.fresh, []
        return fresh


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens of a batch as word numbers: `words` (n_tokens,), `document` (n_tokens,) of each
    token, and the number of texts."""

    words: IntArray
    document: IntArray
    n_documents: int


def tokenize(texts: Sequence[str], table: WordTable) -> Tokens:
    """Fold and split a batch at once; every token becomes its number in `table`."""
    joined = SEPARATOR.join(texts)
    if joined.count(SEPARATOR) != max(len(texts) - 1, 0):
        joined = SEPARATOR.join(text.replace(SEPARATOR, " ") for text in texts)
    split = fold(joined).split()
    numbers = np.fromiter(map(table.__getitem__, split), np.int64, len(split))
    is_break = numbers == 0
    document = np.cumsum(is_break)
    keep = ~is_break
    return Tokens(numbers[keep], document[keep], len(texts))


def pairs(document: IntArray, gap: int) -> IntArray:
    """Places i where tokens i and i + gap stand in one document."""
    return np.flatnonzero(document[:-gap] == document[gap:])


@dataclass(frozen=True, slots=True)
class Occurrences:
    """Every n-gram of every text, all (n_occurrences,): its hash, its text, and whether it is one
    of whole words or one of characters inside a word."""

    hashes: UIntArray
    documents: IntArray
    of_words: npt.NDArray[np.bool_]


def occurrences(texts: Sequence[str]) -> Occurrences:
    """Every n-gram of every text.

    The plain way, one entry an occurrence; the scorer takes a shorter one to the same sums.
    """
    table = WordTable()
    tokens = tokenize(texts, table)
    grams = word_grams(table.take_fresh())
    words = tokens.words - 1  # number 0 is the separator
    word_hash = grams.word_hash[words]

    per_word = np.bincount(grams.char_word, minlength=len(grams.word_hash))
    by_word = np.argsort(grams.char_word, kind="stable")
    first = np.cumsum(per_word) - per_word
    repeats = per_word[words]  # char n-grams of each token
    token = np.repeat(np.arange(len(words)), repeats)
    nth = np.arange(len(token)) - np.repeat(np.cumsum(repeats) - repeats, repeats)
    char_hash = grams.char_hash[by_word[first[words[token]] + nth]]

    starts = [pairs(tokens.document, gap) for gap in GAPS]
    of_pairs = [pair_hash(word_hash, gap)[at] for gap, at in zip(GAPS, starts, strict=True)]
    hashes = [word_hash, *of_pairs, char_hash]
    documents = [tokens.document, *(tokens.document[at] for at in (*starts, token))]
    of_words = np.arange(sum(map(len, hashes))) < sum(map(len, hashes[:-1]))
    return Occurrences(np.concatenate(hashes), np.concatenate(documents), of_words)
