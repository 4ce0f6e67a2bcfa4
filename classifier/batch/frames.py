"""Verdicts on the rows of a pandas frame."""

from __future__ import annotations

import pandas as pd

from classifier.batch.columns import added_columns, find_column
from classifier.batch.rows import RowLabeller, typed
from classifier.verdict import Model


def label_frame(model: Model, frame: pd.DataFrame, column: str, prefix: str) -> pd.DataFrame:
    """As `Model.predict_frame`."""
    header = [str(name) for name in frame.columns]
    names = added_columns(header, prefix)
    words = frame.iloc[:, find_column(header, column)]
    texts = words.where(words.notna(), "").astype(str).tolist()
    cells = [typed(each) for each in RowLabeller(model).cells(texts)]
    added = pd.DataFrame(cells, columns=names, index=frame.index)
    for name in (prefix + own for own in ("confidence", "p_stall", "p_objection", "p_neither")):
        added[name] = pd.to_numeric(added[name])
    return pd.concat([frame, added], axis=1)
