"""The corpus keeps what its card promises."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pandas as pd
import pytest

from classifier.labels import CLASS_OF, CLASSES, FLAGS, KINDS, KINDS_OF

ROOT = Path(__file__).parent.parent
CHANNELS = {"call", "asr", "email", "chat", "voicemail", "note", "lost_reason"}

DEVICES = {
    *("negation", "contrast", "conditional", "reported", "past_or_resolved", "question"),
    *("hedged", "polite", "topic_decoy", "date_decoy", "person_decoy"),
}


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    return pd.read_csv(ROOT / "data" / "statements.csv", dtype=str, keep_default_na=False)


def test_labels_kinds_and_flags_are_the_guides(rows: pd.DataFrame) -> None:
    assert set(rows.label) == set(CLASSES)
    assert set(rows.kind) == set(KINDS)
    assert (rows.kind.map(CLASS_OF) == rows.label).all()
    assert set(rows.secondary) <= {"", *KINDS_OF["stall"], *KINDS_OF["objection"]}
    assert {flag for cell in rows["flags"] for flag in cell.split(";") if flag} <= set(FLAGS)
    assert set(rows.channel) == CHANNELS


def test_there_is_enough_of_each_class(rows: pd.DataFrame) -> None:
    assert rows.label.value_counts().min() >= 400


def test_every_statement_was_read_twice(rows: pd.DataFrame) -> None:
    assert (rows.label_1 != "").all()
    assert (rows.label_2 != "").all()
    assert (rows.kind_2.map(CLASS_OF) == rows.label_2).all()


def test_ids_are_unique_and_texts_are_distinct(rows: pd.DataFrame) -> None:
    assert rows.id.is_unique
    assert not rows.text.map(lambda text: " ".join(re.findall(r"\w+", text.lower()))).duplicated().any()


def test_no_family_and_no_batch_straddles_the_parts(rows: pd.DataFrame) -> None:
    for column in ("family", "batch"):
        assert (rows.groupby(column).part.nunique() == 1).all()


def test_the_minimal_pairs_are_whole_and_apart_from_the_statements(rows: pd.DataFrame) -> None:
    pairs = pd.read_csv(ROOT / "data" / "contrast.csv", dtype=str, keep_default_na=False)
    assert pairs.device.nunique() == len(DEVICES)
    assert set(pairs.device) == DEVICES
    assert (pairs.groupby("family").label.nunique() > 1).mean() > 0.95
    assert (pairs.label_2 != "").all()
    for column in ("id", "family", "batch", "text"):
        assert not set(pairs[column]) & set(rows[column]), column


def test_the_guide_names_every_kind_and_flag() -> None:
    guide = (ROOT / "data" / "GUIDE.md").read_text(encoding="utf-8")
    assert all(name in guide for name in (*KINDS, *FLAGS))


def test_the_sample_export_is_as_a_user_would_have_it() -> None:
    raw = (ROOT / "data" / "samples" / "crm_export.csv").read_bytes().decode("utf-8-sig")
    export = pd.read_csv(ROOT / "data" / "samples" / "crm_export.csv", dtype=str, keep_default_na=False)
    assert len(export) >= 300
    assert len(export.columns) >= 12
    assert export["Record ID"].str.startswith("0").any()
    assert (export["Call Notes"] == "").any()
    assert export["Call Notes"].str.contains("\n").any()
    assert '""' in raw


def test_texts_unlike_anything_seen_are_never_a_confident_stall(model) -> None:
    with (ROOT / "data" / "unseen.csv").open(encoding="utf-8", newline="") as stream:
        texts = [row["text"] for row in csv.DictReader(stream) if any(map(str.isalnum, row["text"]))]
    verdicts = [verdict.verdict for verdict in model.predict(texts)]
    assert "stall" not in verdicts
    assert verdicts.count("objection") <= len(texts) / 10
