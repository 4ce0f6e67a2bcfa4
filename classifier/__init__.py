"""Tell a buyer's stalls from genuine objections.

>>> import classifier
>>> model = classifier.load()
>>> model.predict_one("Let me think about it.").verdict
'stall'
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from classifier.errors import InputError, ModelError, StallcheckError
    from classifier.evidence import Evidence
    from classifier.playbook import Response
    from classifier.verdict import Model, Segment, Stance, Verdict, load

__all__ = [
    "Evidence",
    "InputError",
    "Model",
    "ModelError",
    "Response",
    "Segment",
    "StallcheckError",
    "Stance",
    "Verdict",
    "load",
]

__version__ = "0.1.0"

_HOME = {
    "Evidence": "evidence",
    "InputError": "errors",
    "ModelError": "errors",
    "Response": "playbook",
    "StallcheckError": "errors",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for, so that `--help` needs no NumPy."""
    if name not in __all__:
        raise AttributeError(f"module 'classifier' has no attribute '{name}'")
    from importlib import import_module

    return getattr(import_module(f"classifier.{_HOME.get(name, 'verdict')}"), name)
