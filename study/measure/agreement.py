"""How well a map agrees with what is known of a picture: where people looked, what is there."""

import numpy as np


def nss(saliency: np.ndarray, points: np.ndarray) -> float:
    """Normalized scanpath saliency: the map's mean at the fixations, in its standard deviations.

    Of a map [H, W] at points [N, 2], x and y in pixels, as `study.data.truths.points` gives them.
    Larger is better; 0 is chance, and what a flat map gets. Peters et al. 2005,
    doi:10.1016/j.visres.2005.03.019.
    """
    values = saliency.astype(np.float64)
    spread = values.std()
    if spread < 1e-12:
        return 0.0
    return float((values[_pixels(points)].mean() - values.mean()) / spread)


def auc_judd(saliency: np.ndarray, points: np.ndarray) -> float:
    """Area under the ROC curve of the map as a classifier of fixated pixels.

    A fixated pixel is a positive, every other one a negative (Judd et al. 2009,
    doi:10.1109/ICCV.2009.5459462). The area is the share of pairs in which the fixated pixel has
    the larger value, ties counted half: exact, where the authors' code breaks ties by noise. A
    pixel fixated twice counts twice. In [0, 1], larger is better; ½ is chance, and what a flat map
    gets. Arguments as those of `nss`.
    """
    pixels = _pixels(points)
    fixated = np.zeros(saliency.shape, bool)
    fixated[pixels] = True
    others = np.sort(saliency[~fixated])
    values = saliency[pixels]
    below = np.searchsorted(others, values, "left")
    not_above = np.searchsorted(others, values, "right")
    return float((below + not_above).mean() / (2 * len(others)))


def cc(saliency: np.ndarray, density: np.ndarray) -> float:
    """Pearson's correlation of a map with the density of fixations, both [H, W].

    Larger is better, 1 at most; a flat map has none, and gets 0. Bylinskii et al. 2019,
    doi:10.1109/TPAMI.2018.2815601, say what this measure, NSS and AUC each reward.
    """
    if np.ptp(saliency) == 0 or np.ptp(density) == 0:
        return 0.0
    return float(np.corrcoef(saliency.ravel(), density.ravel())[0, 1])


def average_precision(scores: np.ndarray, present: np.ndarray) -> float:
    """Mean over the positives of the precision at each one's rank (no interpolation).

    ``scores`` float [N] are those of one class, equal ones keep their order; ``present`` bool [N]
    says which examples are of it, one at least. In (0, 1], larger is better; the mean over classes
    is the mAP.
    """
    hits = present[np.argsort(-scores, kind="stable")]
    ranks = np.flatnonzero(hits) + 1
    return float((np.arange(1, len(ranks) + 1) / ranks).mean())


def _pixels(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The pixels that points lie in, as an index: rows, columns."""
    columns, rows = np.rint(points).astype(int).T
    return rows, columns
