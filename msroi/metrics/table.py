"""What every table, figure, caption and command knows of a metric; larger is better by all."""

from typing import NamedTuple


class Metric(NamedTuple):
    """How a metric is called and shown.

    Attributes
    ----------
    label : str
        Its name in print.
    unit : str
        ``"dB"``, or ``""`` for an index.
    digits : int
        How many are shown after the point.
    """

    label: str
    unit: str
    digits: int


# Of two images, in the order of the paper's Table 1. PSNR-S needs a map.
METRICS = {
    "psnr_s": Metric("PSNR-S", "dB", 2),
    "psnr": Metric("PSNR", "dB", 2),
    "psnr_hvs": Metric("PSNR-HVS", "dB", 2),
    "psnr_hvsm": Metric("PSNR-HVS-M", "dB", 2),
    "ssim": Metric("SSIM", "", 3),
    "ms_ssim": Metric("MS-SSIM", "", 3),
    "vifp": Metric("VIFP", "", 3),
}
# `psnr_weighted` by what is known of an image and no map has met: fixations, or objects
JUDGES = {
    "psnr_fix": Metric("PSNR at fixations", "dB", 2),
    "psnr_objects": Metric("PSNR on objects", "dB", 2),
}
ALL = METRICS | JUDGES
DECIBELS = tuple(key for key, metric in METRICS.items() if metric.unit == "dB")
INDICES = tuple(key for key, metric in METRICS.items() if metric.unit == "")
