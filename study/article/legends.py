"""Captions of the article's own, where a table beside a figure says the numbers already."""

from collections.abc import Mapping

import pandas as pd

from study.article.captions import CAPTIONS
from study.article.sentences import Params, Tables, photographs

FIGURES = (  # in the article's order; each has a table of the same name
    "verdict",
    "figure1_closeup",
    "table1_quality",
    "table2_intervals",
    "ablations",
    "independent_test",
    "rate_distortion",
    "figure2_cam_vs_msroi",
    "figure3_maps",
    "model_what_it_finds",
    "figure4_size_scaling",
    "figure5_categories",
)
AT_EQUAL_BYTES = "against the standard JPEG of the same image, at no more bytes"


def legends(tables: Tables, params: Params) -> dict[str, str]:
    """Captions of all figures, by name, and of all tables."""
    own = _of_figures(tables, photographs(params)) | _of_tables(tables)
    return own | {name: CAPTIONS[name](tables[name]) for name in FIGURES if name not in own}


def _of_figures(tables: Tables, title: str) -> dict[str, str]:
    variants, rates = tables["ablations"], tables["rate_distortion"]
    known = tables["model_what_it_finds"].set_index("map")
    return {
        "verdict": (
            "The gains over standard JPEG that the paper's Table 1 claims on Kodak, those of its "
            f"encoder (mosaic) on {title}, and those of direct on the same, with 95% intervals."
        ),
        "table1_quality": (
            "Every image of our sets: each dot is its difference from its standard JPEG, each bar "
            "the mean of a method; of every metric the methods stand in the legend's order. Above "
            "zero is better than standard."
        ),
        "table2_intervals": (
            f"Mean differences {AT_EQUAL_BYTES}, and their 95% intervals over images, by the "
            "metrics in decibels. Right of zero is better than standard."
        ),
        "ablations": (
            f"{variants['method'].nunique()} variants of both encoders on "
            f"{variants['images'].max()} photographs {AT_EQUAL_BYTES} (1% more where it says so): "
            "mean differences and 95% intervals."
        ),
        "independent_test": (
            "Error where it matters, by a judge that knows no map, at equal bytes. Left, gains "
            "over standard JPEG; right, direct less each other method; means and 95% intervals."
        ),
        "rate_distortion": (
            f"Rate and quality, means over {rates['images'].max()} photographs at the bytes of "
            "several qualities of the standard JPEG."
        ),
        "model_what_it_finds": (
            "Above, photographs and their maps. Below, top-1 accuracy on images held out while "
            f"the released heads learned (in the end MS-ROI {known.loc['MS-ROI', 'top-1']:.1%}, "
            f"CAM {known.loc['CAM', 'top-1']:.1%}); agreement with human fixations on "
            f"{known['images'].iloc[0]} photographs, NSS; and the same by rule and by the short "
            "side that the network sees."
        ),
    }


def _of_tables(tables: Mapping[str, pd.DataFrame]) -> dict[str, str]:
    return {
        "claims": (
            "The paper's claims beside what was found: ours is the paper's own method as run here, "
            "direct this project's encoder, which has no part in the verdict; in brackets 95% "
            "intervals."
        ),
        "quality": (
            "Means over images, the paper's Table 1 above and ours below. Within a set every "
            "method has at most the bytes of the standard JPEG of each image."
        ),
        "intervals": (
            f"Mean differences {AT_EQUAL_BYTES}, in dB or the index's own unit, and below each its "
            "95% interval over images. Bold is clear of zero."
        ),
        "rates": (
            "Bytes at equal quality (BD-rate, per cent; fewer is better), means over "
            f"{tables['rate_distortion']['images'].max()} photographs and below each its 95% "
            "interval. Bold is clear of zero."
        ),
        "independent": (
            "Direct less each other method by judges that know no map, in dB, and below each "
            "difference its 95% interval over images. Bold is clear of zero."
        ),
        "images": "What was measured on how many images of what.",
        "deviations": (
            "Where the paper leaves something open or cannot be meant as it is printed, and what "
            "is done here. Each is also a note at the code."
        ),
        "parameters": "Parameters of the study, by their place in params.yaml.",
    }
