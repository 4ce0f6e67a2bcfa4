"""What anyone would use without a model: the commonest class, and a list of keywords."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from classifier.labels import CLASSES

FloatArray = npt.NDArray[np.float64]

STALL_WORDS = re.compile(
    r"\b(think (about|it|on)|sleep on|mull|get back to you|not interested|all set|no thanks|later|"
    r"next (month|quarter|year|week)|not now|not right now|call me (back|in)|circle back|touch base|"
    r"send (me|over|us)|email me|some (info|information)|brochure|busy|bad time|in a meeting|swamped|"
    r"talk to my|speak (to|with) my|ask my|check with|run it by|discuss (it )?with|shop around|"
    r"other options|be in touch|leave it with (me|us)|look into it|no (reply|response)|ghosted)\b"
)
OBJECTION_WORDS = re.compile(
    r"\b(price|pricey|expensive|cost|costs|cheaper|dear|steep|budget|afford|money|don'?t need|no need|"
    r"not a priority|already (have|use|got|work)|happy with|contract|locked in|supplier|competitor|"
    r"doesn'?t (do|work|support|integrate|fit)|missing|trust|never heard|scam|burned|burnt|risk|risky|"
    r"security|worried|what if|training|migration|bandwidth|resources|legal|approval|procurement|"
    r"policy|sign[- ]?off|merger|moving|audit|terms|cancel|clause|commitment|lock-?in)\b"
)


def majority(train_labels: npt.NDArray[np.object_], n: int) -> FloatArray:
    """The share of each class in training, for each of `n` texts: (n, 3)."""
    shares = np.array([(train_labels == name).mean() for name in CLASSES])
    return np.tile(shares, (n, 1))


def keywords(texts: Sequence[str]) -> FloatArray:
    """An objection if a word names a reason, else a stall if a phrase puts off, else neither.

    Probabilities (n, 3) are 1 for the answer: a list of words has no doubts.
    """
    answers = np.zeros((len(texts), 3))
    for row, text in enumerate(texts):
        plain = text.lower().replace("\u2019", "'")
        reason, delay = OBJECTION_WORDS.search(plain), STALL_WORDS.search(plain)
        answers[row, 1 if reason else 0 if delay else 2] = 1.0
    return answers
