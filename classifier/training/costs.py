"""What a stall taken for an objection costs against the reverse, and the threshold that costs least."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

from classifier.training.metrics import BOOTSTRAP_ROUNDS, Estimate, bootstrap_rows

FloatArray = npt.NDArray[np.float64]
ObjectArray = npt.NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class Costs:
    """Costs of telling stalls from objections, on texts that are one of the two.

    stall_as_objection, objection_as_stall : cost of one such mistake.
    usual : mean cost a text where the likelier of the two is answered.
    threshold : answer stall where p_stall / (p_stall + p_objection) is at least this; it is what
        calibrated probabilities call for (Elkan 2001), c(objection as stall) over the sum of both.
    chosen : mean cost a text at that threshold.
    saved : usual less chosen, its interval from a bootstrap over groups.
    """

    stall_as_objection: float
    objection_as_stall: float
    threshold: float
    usual: float
    chosen: float
    saved: Estimate

    def to_dict(self) -> dict[str, object]:
        """As plain JSON types."""
        return asdict(self)


def weigh(
    p: FloatArray,
    labels: ObjectArray,
    groups: ObjectArray,
    stall_as_objection: float,
    objection_as_stall: float,
    *,
    seed: int = 0,
) -> Costs:
    """The threshold for these costs and what it saves on probabilities `p` (n, 3)."""
    stance = labels != "neither"
    share = p[stance, 0] / np.maximum(p[stance, 0] + p[stance, 1], 1e-12)
    is_stall = labels[stance] == "stall"
    threshold = objection_as_stall / (stall_as_objection + objection_as_stall)

    def cost(answer_stall: npt.NDArray[np.bool_]) -> FloatArray:
        missed = np.where(is_stall & ~answer_stall, stall_as_objection, 0.0)
        found: FloatArray = missed + np.where(~is_stall & answer_stall, objection_as_stall, 0.0)
        return found

    usual, chosen = cost(share >= 0.5), cost(share >= threshold)
    saved = usual - chosen
    drawn = [saved[rows].mean() for rows in bootstrap_rows(groups[stance], BOOTSTRAP_ROUNDS, seed)]
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Costs(
        stall_as_objection,
        objection_as_stall,
        threshold,
        float(usual.mean()),
        float(chosen.mean()),
        Estimate(float(saved.mean()), float(low), float(high)),
    )
