"""What the API takes and gives, for its validation and its documentation."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from classifier.text import MAX_CHARACTERS

MOST_TEXTS = 1_000
Words = Annotated[str, Field(max_length=MAX_CHARACTERS)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Texts(_Strict):
    """Texts to be read."""

    texts: list[Words] = Field(min_length=1, max_length=MOST_TEXTS, examples=[["Let me think about it"]])
    history: int = Field(0, ge=0, le=1_000, description="Earlier stalls of the same kind in the account.")
    names: dict[str, Annotated[str, Field(max_length=200)]] = Field(
        default_factory=dict, description="Fills placeholders: buyer, seller, product, company."
    )


class Verdicts(BaseModel):
    """A verdict for each text: the objects of ``stallcheck predict --json``."""

    verdicts: list[dict[str, Any]]


class Correction(_Strict):
    """The right label of a text."""

    text: Words = Field(min_length=1, examples=["Let me think about it"])
    label: str = Field(examples=["stall"])
    kind: str = Field("", examples=["think_it_over"])
    said: str = Field("", max_length=20, description="What the model had said.")


class Recorded(BaseModel):
    """Where a correction went."""

    path: str


class Columns(_Strict):
    """Which columns hold the buyer's words; guessed when there are none."""

    columns: list[str] = Field(default_factory=list, max_length=20, examples=[["Notes"]])
    sheet: str | None = None


class Preview(BaseModel):
    """A file that was taken in: its columns, the one that is guessed, and its first rows."""

    id: str
    name: str
    columns: list[str]
    guess: str | None
    rows: list[list[str]]


class State(BaseModel):
    """How far a file is: ``waiting``, ``working``, ``done`` or ``failed``."""

    id: str
    state: str
    rows: int
    share: float | None
    summary: dict[str, Any] | None
    set_aside: int
    error: str | None


class Problem(BaseModel):
    """What was wrong, and how to mend it."""

    error: str
