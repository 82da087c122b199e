"""Which part of a map is salient: that is said by the map's order, whatever its scale."""

import numpy as np

SALIENT_SHARE = 0.3  # of the area, where the map is largest


def salient_region(saliency: np.ndarray, share: float = SALIENT_SHARE) -> np.ndarray:
    """Find the salient pixels of a map, the `share` of them where it is largest.

    With q the (1 − share) quantile of the map's values they are those that are at least q, or,
    where q is the smallest value, those above it. So a drawn mask of 10% of the image is its own
    10%, one of 50% its own 50%, and a flat map has no salient pixel. Nothing depends on the map's
    scale: any increasing function of it has the same region.

    Deviation: the paper's PSNR-S covers "those regions our method has identified as
    salient", but from which saliency on? Here it is from that which 30% of the pixels reach.

    Parameters
    ----------
    saliency : float [H, W]
        Compared in float32. A map stored as 8 bits has ties, which are in or out together.
    share : float
        Above 0, below 1.

    Returns
    -------
    bool [H, W]
    """
    return reaches_share(saliency, saliency, share)


def reaches_share(values: np.ndarray, reference: np.ndarray, share: float) -> np.ndarray:
    """Find the values that would be in the `salient_region` of another map: bool, as `values`."""
    values, least = values.astype(np.float32, copy=False), np.float32(reference.min())
    bound = value_reached_by(reference, share)
    return values >= bound if bound > least else values > least


def value_reached_by(saliency: np.ndarray, share: float) -> np.float32:
    """Return the largest of a map's values that at least `share` of them reach.

    It is the quantile as one of the values themselves, never between two of them: so the values of
    an increasing function of the map are reached by the same pixels.
    """
    values = saliency.astype(np.float32, copy=False)
    return np.quantile(values, np.array(1 - share), method="higher")
