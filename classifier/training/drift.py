"""`drift`: do these texts look like the ones that a model learned from?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline

from classifier.decide import judge
from classifier.errors import InputError
from classifier.labels import CLASSES, UNSURE, VERDICTS
from classifier.training.dataset import shipped
from classifier.training.metrics import BOOTSTRAP_ROUNDS, Estimate
from classifier.training.promotion import read_held_out
from classifier.verdict import Model

FloatArray = npt.NDArray[np.float64]

LEAST_TEXTS = 30
MOST_TEXTS = 3_000
"""More are sampled: the interval is narrow enough by then."""
AUC_LIMIT = 0.8
"""Each of the first 25 writers of the shipped statements is told from the others at 0.42 to 0.68."""
UNSURE_LIMIT = 0.15
"""So much greater a share of unsure verdicts than in training is drift."""
MOST_WORDS = 12
_WORDS = r"(?u)\b\w[\w'’]*\b"


@dataclass(frozen=True, slots=True)
class Drift:
    """How the texts differ from the reference.

    n, reference : numbers of texts compared.
    auc : how well a classifier tells them from the reference, held out; 0.5 is not at all.
    unseen_words : share of their words that the reference lacks; `unseen_in_reference` is what one
        half of the reference lacks of the other.
    verdicts, reference_verdicts : shares of the verdicts; of the reference when held out.
    words : what tells the texts from the reference, the strongest first.
    """

    n: int
    reference: int
    auc: Estimate
    unseen_words: float
    unseen_in_reference: float
    verdicts: dict[str, float]
    reference_verdicts: dict[str, float]
    words: list[str]

    def reasons(self, auc_limit: float = AUC_LIMIT) -> list[str]:
        """Why this is drift, if it is."""
        found = []
        if self.auc.low > auc_limit:
            found.append(
                f"a classifier tells them from the training texts with an AUC of {self.auc.value:.2f}"
            )
        rise = self.verdicts[UNSURE] - self.reference_verdicts[UNSURE]
        if rise > UNSURE_LIMIT:
            found.append(f"{rise:.0%} more of them are unsure than of held-out training texts")
        return found

    def to_dict(self) -> dict[str, object]:
        """As plain JSON types."""
        return asdict(self)


def drift(
    texts: Sequence[str],
    reference: Sequence[str],
    reference_p: FloatArray,
    model: Model,
    *,
    seed: int = 0,
) -> Drift:
    """Compare `texts` with `reference`, which the model learned from.

    `reference_p` (m, 3) are held-out probabilities, as `reference_of` gives them.

    Raises
    ------
    InputError
        If there are fewer than 30 texts.
    """
    if len(texts) < LEAST_TEXTS:
        raise InputError(f"{len(texts)} texts can't show a drift: at least {LEAST_TEXTS} are wanted")
    random = np.random.default_rng(seed)
    own = [texts[i] for i in random.permutation(len(texts))[:MOST_TEXTS]]
    others = [reference[i] for i in random.permutation(len(reference))[:MOST_TEXTS]]
    is_own = np.repeat([1, 0], [len(own), len(others)])
    telling = make_pipeline(
        TfidfVectorizer(token_pattern=_WORDS, min_df=2, sublinear_tf=True),
        LogisticRegression(C=10.0, class_weight="balanced", max_iter=1_000),
    )
    both = [*own, *others]
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    p = cross_val_predict(telling, both, is_own, cv=folds, method="predict_proba")[:, 1]
    telling.fit(both, is_own)
    weights = telling[-1].coef_[0]
    names = telling[0].get_feature_names_out()
    half = len(others) // 2
    return Drift(
        n=len(texts),
        reference=len(reference),
        auc=_auc(is_own, p, random),
        unseen_words=_unseen(own, others[half:]),
        unseen_in_reference=_unseen(others[:half], others[half:]),
        verdicts=_shares(judge(model.scorer, own).best.p, model.threshold),
        reference_verdicts=_shares(reference_p, model.threshold),
        words=[str(names[i]) for i in np.argsort(-weights)[:MOST_WORDS]],
    )


def reference_of(model: Model) -> tuple[list[str], FloatArray]:
    """Texts that the model learned from, and probabilities (n, 3) that it gives when it did not
    learn: of its own held-out rows if the folder has them, else of the shipped test statements."""
    known = read_held_out(model.folder) if model.folder else None
    if known is not None:
        return known[0].texts, known[1]
    return shipped("train").texts, judge(model.scorer, shipped("test").texts).best.p


def _auc(is_own: npt.NDArray[np.int64], p: FloatArray, random: np.random.Generator) -> Estimate:
    """Area under the ROC curve, the interval by a bootstrap over the texts of each side."""
    sides = [np.flatnonzero(is_own == side) for side in (0, 1)]
    drawn = []
    for _ in range(BOOTSTRAP_ROUNDS // 5):
        rows = np.concatenate([random.choice(side, len(side)) for side in sides])
        drawn.append(roc_auc_score(is_own[rows], p[rows]))
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Estimate(float(roc_auc_score(is_own, p)), float(low), float(high))


def _unseen(texts: Sequence[str], known: Sequence[str]) -> float:
    """Share of the words of `texts` that `known` lacks."""
    counter = CountVectorizer(token_pattern=_WORDS)
    counts = counter.fit_transform(texts).sum(axis=0).A1
    vocabulary = set(CountVectorizer(token_pattern=_WORDS).fit(known).vocabulary_)
    new = np.array([word not in vocabulary for word in counter.get_feature_names_out()])
    return float(counts[new].sum() / counts.sum())


def _shares(p: FloatArray, threshold: float) -> dict[str, float]:
    """Shares of the verdicts that these probabilities give."""
    verdict = np.where(p.max(axis=1) < threshold, UNSURE, np.array(CLASSES)[p.argmax(axis=1)])
    return {name: float((verdict == name).mean()) for name in VERDICTS}
