"""The n-grams of `classifier.ngrams` as a scikit-learn transformer."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from classifier import ngrams
from classifier.errors import InputError
from classifier.scorer import slots

FloatArray = npt.NDArray[np.float64]


def _one_for_each_slot(
    keys: ngrams.UIntArray, df: npt.NDArray[np.int64], min_df: int
) -> npt.NDArray[np.int64]:
    """Places of the keys to keep: frequent enough, and the most frequent of their slot.

    The scorer looks an n-gram up by its slot, so two kept ones must not share it; about one in a
    hundred is lost.
    """
    enough = np.flatnonzero(df >= min_df)
    by_slot = enough[np.lexsort((-df[enough], slots(keys[enough])))]
    first = np.unique(slots(keys[by_slot]), return_index=True)[1]
    return np.sort(by_slot[first])


class NgramVectorizer(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Hashed word and character n-grams, weighted by idf, scaled by the length of the text.

    The value of an n-gram is ``count * idf / sqrt(sum(count * idf ** 2))``, the sum running over
    the kept n-grams of the text. Where no n-gram repeats this is the usual L2 norm; it needs no
    sorting, so the scorer can follow it exactly.

    Parameters
    ----------
    min_df : int, default=2
        An n-gram is kept when it stands in at least so many texts.
    word_weight : float, default=2.0
        How much an n-gram of words counts against one of characters, of which a text has more.

    Attributes
    ----------
    keys_ : ndarray of shape (n_features,), uint32
        Sorted hashes of the kept n-grams.
    idf_ : ndarray of shape (n_features,)
        ``log((1 + n_texts) / (1 + df)) + 1`` of each, times `word_weight` for n-grams of words.
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "min_df": [Interval(Integral, 1, None, closed="left")],
        "word_weight": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(self, *, min_df: int = 2, word_weight: float = 2.0) -> None:
        self.min_df = min_df
        self.word_weight = word_weight

    def fit(self, texts: Sequence[str], y: object = None) -> NgramVectorizer:
        """Learn which n-grams to keep and their idf.

        Raises
        ------
        InputError
            If no n-gram stands in `min_df` texts.
        """
        self._validate_params()
        texts = list(texts)
        found = ngrams.occurrences(texts)
        together = np.unique(
            found.hashes.astype(np.uint64) << np.uint64(32) | found.documents.astype(np.uint64)
        )
        keys, df = np.unique((together >> np.uint64(32)).astype(np.uint32), return_counts=True)
        kept = _one_for_each_slot(keys, df, self.min_df)
        if not len(kept):
            raise InputError(f"no n-gram stands in {self.min_df} of the texts: more texts are wanted")
        self.keys_ = keys[kept]
        idf: FloatArray = np.log((1 + len(texts)) / (1 + df[kept])) + 1
        of_words = np.isin(self.keys_, found.hashes[found.of_words])
        self.idf_ = np.where(of_words, self.word_weight * idf, idf)
        return self

    def transform(self, texts: Sequence[str]) -> sp.csr_matrix:
        """Sparse matrix of shape (n_texts, n_features)."""
        check_is_fitted(self)
        texts = list(texts)
        found = ngrams.occurrences(texts)
        column = np.searchsorted(self.keys_, found.hashes)
        column[column == len(self.keys_)] = 0
        known = self.keys_[column] == found.hashes
        column, row = column[known], found.documents[known]
        squares = np.bincount(row, self.idf_[column] ** 2, minlength=len(texts))
        values = self.idf_[column] / np.sqrt(squares[row])
        return sp.coo_matrix((values, (row, column)), shape=(len(texts), len(self.keys_))).tocsr()

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        return tags
