"""The paper's claims are judged by what was measured, and by nothing else."""

import numpy as np
import pandas as pd
import pytest
from rungs import climbed

from msroi.metrics import METRICS, PAPERS
from study.statistics import cat2000, claims
from study.statistics.cat2000 import BEST, ONLY_LOSS, OUTDOOR, WORST, gap, with_outdoor
from study.statistics.fixations import of_fixations
from study.statistics.intervals import Interval
from study.statistics.ladder import ladder

PAPER = pd.DataFrame(
    [
        {"set": name, "method": method} | dict.fromkeys(PAPERS, 30.0) | values
        for name in claims.WHERE
        for method, values in {
            "Std JPEG": {},
            "Our model": dict.fromkeys(PAPERS, 30.12) | {"psnr_s": 35.25, "ssim": 30.0},
        }.items()
    ]
)


def results(mosaic, direct=1.0, categories=("",) * 6, metrics=METRICS):
    """Standard at 30 in all metrics, and the others above it by these gains, a little spread."""
    rows = []
    for number, category in enumerate(categories):
        gains = {"standard": 0.0, "mosaic": mosaic, "direct": direct}
        for method, gain in gains.items():
            gain = gain[category] if isinstance(gain, dict) else gain
            spread = 0.01 * (number % 3) if method != "standard" else 0
            row = {"image": f"{category}{number}", "category": category, "method": method}
            row |= {"width": 8 + number, "height": 8, "budget_bytes": 9}
            rows.append(row | dict.fromkeys(metrics, 30 + gain + spread))
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    ("gain", "gains", "keeps"),
    [
        (Interval(0.2, 0.1, 0.3), "reproduced", "reproduced"),
        (Interval(0.2, -0.1, 0.3), "not told apart", "reproduced"),
        (Interval(-0.2, -0.3, -0.1), "not reproduced", "not reproduced"),
    ],
)
def test_a_gain_is_clear_of_zero_and_what_is_kept_may_be_zero(gain, gains, keeps):
    assert claims.sided(gain) == gains
    assert claims.at_least(gain) == keeps


def test_claims_are_counted_in_the_verdicts_own_order():
    found = claims.counts(["not reproduced", "reproduced", "not reproduced"])
    assert list(found.items())[:2] == [("reproduced", 1), ("not reproduced", 2)]
    assert sum(found.values()) == 3 and list(found) == list(claims.VERDICTS)


def test_a_mosaic_that_gains_reproduces_every_row_of_table_1_and_one_that_loses_none():
    found = claims.of_table1(PAPER, results(0.5), images="six images", seed=1)
    assert {claim.verdict for claim in found} == {"reproduced"}
    assert found[0].paper == "+5.25 dB on Kodak"
    assert found[0].ours.startswith("+0.51 dB (+0.5")
    assert found[-1].ours == "6 of 6"
    told = {claim.claim for claim in found}  # what the paper keeps is claimed to be no less
    assert {"SSIM is no less than standard JPEG's", "PSNR is above standard JPEG's"} <= told
    found = claims.of_table1(PAPER, results(-0.5), images="six images", seed=1)
    assert {claim.verdict for claim in found} == {"not reproduced"}
    assert (found[-1].ours, found[-1].direct) == ("0 of 6", "6 of 6")
    assert "−0.49 dB" in found[1].ours


def test_table_1s_outdoor_rows_are_judged_by_those_images_of_cat2000_alone():
    gains = dict.fromkeys(OUTDOOR, 0.5) | {"Pattern": -9.0}
    table = results(gains, categories=[name for name in gains for _ in range(3)])
    found = cat2000.of_outdoors(PAPER, table, seed=1)
    assert [claim.verdict for claim in found] == ["reproduced"] * len(PAPERS)
    assert found[0].claim == "PSNR-S is above standard JPEG's, outdoors in CAT2000"
    assert (found[0].paper, found[0].ours) == ("+5.25 dB", "+0.51 dB (+0.50 to +0.52)")
    assert found[0].reason.startswith("mean over 6 images")
    others = table[table["category"] == "Pattern"]
    assert cat2000.of_outdoors(PAPER, others, seed=1) == []


def test_table_1s_large_image_is_judged_by_all_its_metrics_over_its_sizes():
    found = claims.of_large_image(PAPER, results(-0.5), seed=1)
    assert [claim.verdict for claim in found] == ["not reproduced"] * len(PAPERS)
    assert found[1].claim == "PSNR is above standard JPEG's, over sizes of a large image"
    assert found[1].reason.startswith("mean over 6 sizes, 13×8 pixels and smaller: their interval")


def test_cat2000s_outdoor_photographs_stand_by_themselves_beside_the_whole_and_no_others():
    table = results(0.5, categories=(*OUTDOOR, "Pattern"))
    titles = {"CAT2000": table, "Miniature of CAT2000": table}
    sets = with_outdoor(titles)
    assert list(sets) == ["CAT2000", "CAT2000, outdoors alone", "Miniature of CAT2000"]
    assert set(sets["CAT2000, outdoors alone"]["category"]) == set(OUTDOOR)
    assert list(with_outdoor({"CAT2000": table[table["category"] == "Pattern"]})) == ["CAT2000"]


@pytest.mark.parametrize(("gain", "expected"), [(5.0, "reproduced"), (3.0, "not reproduced")])
def test_five_decibels_are_five_decibels(gain, expected):
    assert claims.of_salient_gain(results(gain), images="", seed=1).verdict == expected


CATEGORIES = (*BEST, *WORST, ONLY_LOSS)
AS_CLAIMED = dict.fromkeys(BEST, 1.0) | dict.fromkeys(WORST, 0.1) | {ONLY_LOSS: -0.5}


def by_category(gains, *, real=True):
    """What is said of categories, six images each, that have these gains."""
    rows = results(gains, categories=[name for name in gains for _ in range(6)])
    return cat2000.of_categories(rows, real=real, seed=1)


@pytest.mark.parametrize(("real", "expected"), [(True, "reproduced"), (False, claims.UNTESTED)])
def test_categories_are_judged_on_the_real_set_alone(real, expected):
    order, loss = by_category(AS_CLAIMED, real=real)
    assert order.verdict == loss.verdict == expected
    assert loss.ours == "1 of 8 lose, Pattern −0.49 dB (−0.50 to −0.48)"


def test_where_all_categories_lose_none_gains_most():
    order, loss = by_category({name: gain - 2 for name, gain in AS_CLAIMED.items()})
    assert order.verdict == loss.verdict == "not reproduced"
    assert order.ours.startswith("−0.99 dB (−0.99 to −0.99) there, +0.90 dB (+0.89")
    assert loss.ours.startswith("8 of 8 lose")


def test_what_gains_most_is_clear_of_what_gains_least():
    level = dict.fromkeys(CATEGORIES, 1.0) | {ONLY_LOSS: -0.5}
    order, _ = by_category(level)
    assert order.verdict == "not told apart"  # a gain, and no more than elsewhere
    order, _ = by_category(level | dict.fromkeys(WORST, 2.0))
    assert order.verdict == "not reproduced"


def test_a_category_whose_loss_is_not_told_apart_leaves_the_only_loss_open():
    _, loss = by_category(AS_CLAIMED | {"LineDrawing": -0.01})
    assert loss.verdict == "not told apart"
    _, loss = by_category(AS_CLAIMED | {ONLY_LOSS: 0.5})
    assert loss.verdict == "not reproduced"


def test_a_part_of_the_categories_is_no_test_of_a_claim_on_others():
    order, loss = by_category({"Art": 1.0, "Object": 1.0})
    assert order.verdict == loss.verdict == claims.UNTESTED
    assert loss.reason == "CAT2000, without Pattern"


def test_the_gap_of_a_single_image_has_no_interval():
    mean, low, high = gap(np.array([1.0]), np.array([0.0, 0.5]), seed=1)
    assert mean == 0.75 and np.isnan([low, high]).all()


def test_one_lost_size_is_one_too_many():
    table = results(0.5)
    assert claims.of_sizes(table).verdict == "reproduced"
    lost = (table["method"] == "mosaic") & (table["width"] == 9)
    table.loc[lost, "psnr_hvs"] = 29.0
    claim = claims.of_sizes(table)
    assert (claim.verdict, claim.ours) == ("not reproduced", "5 of 6 sizes")


def test_heads_are_compared_on_scenes_of_several_objects_alone():
    rows = [
        {"scene": f"{count}-{number}", "objects": count, "map": name, "found": found}
        for count in (1, 3, 4)
        for number in range(5)
        for name, found in (("MS-ROI", count > 1), ("CAM", count == 1 or number == 0))
    ]
    heads = "this study’s own heads, trained on Caltech-256"
    claim = claims.of_heads(pd.DataFrame(rows), several=[3, 4], heads=heads, seed=1)
    assert claim.verdict == "reproduced"
    assert claim.ours.startswith("+80 points")
    assert f"10 scenes of 3 to 4, by {heads};" in claim.reason


@pytest.mark.parametrize(
    ("signed", "positive", "verdicts"),
    [
        (0.5, 0.0, ["reproduced", "not told apart"]),
        (0.0, -0.5, ["not told apart", "not reproduced"]),
    ],
)
def test_the_trial_judges_each_sign_by_itself_and_images_of_several_objects_alone(
    signed, positive, verdicts
):
    gain = {"signed": signed, "positive": positive}
    rows = [
        {
            "features": features,
            "weights": weights,
            "head": head,
            "image": f"{n}",
            "objects": n % 3 + 1,
        }
        | {"found": 0.5 + (gain[weights] if n % 3 else -gain[weights]) * (head == "msroi")}
        for features in ("imagenet", "caltech101")
        for weights in gain
        for head in ("msroi", "cam")
        for n in range(9)
    ]
    found = claims.of_trial(pd.DataFrame(rows), title="COCO", seed=1)
    assert [claim.verdict for claim in found] == verdicts
    assert found[0].ours.startswith(f"{100 * signed:+.0f} points")
    assert "6 photographs of 2 or more (COCO)" in found[0].reason


def speed(least, most, *, machine="a CPU, 2 cores"):
    """What is said where maps were recorded between these paces on a CPU of two cores."""
    what = {"what": "maps by ONNX Runtime, 224×224", "machine": "a CPU, 2 cores"}
    paces = {"least": least, "median": (least + most) / 2, "most": most}
    return claims.of_speed(pd.DataFrame([what | paces]), machine=machine)


@pytest.mark.parametrize(
    ("least", "most", "expected"),
    [
        (100.0, 140.0, "reproduced"),
        (80.0, 100.0, "not told apart"),
        (50.0, 80.0, "not reproduced"),
    ],
)
def test_speed_is_judged_by_what_was_measured_on_this_machine(least, most, expected):
    claim = speed(least, most)
    assert claim.verdict == expected
    assert claim.ours == f"{(least + most) / 2:.0f}/s ({least:.0f} to {most:.0f})"
    assert claim.reason.startswith("a CPU, 2 cores, ")


def test_speed_of_another_machine_is_told_but_not_judged():
    claim = speed(100.0, 140.0, machine="another CPU")
    assert (claim.ours, claim.verdict) == ("120/s (100 to 140)", claims.UNTESTED)
    assert claim.reason == "recorded on a CPU, 2 cores, and not on this machine"


def test_claimed_and_found_stand_side_by_side():
    gains = claims.claimed_and_found(PAPER, results(-0.5), seed=1)
    psnr = gains[gains["metric"] == "psnr"].set_index("method")["mean"]
    assert psnr.index.tolist() == ["paper", "mosaic", "direct"]
    np.testing.assert_allclose(psnr, [0.12, -0.49, 1.01])
    score = gains[gains["metric"] == "ssimulacra2"].set_index("method")["mean"]
    np.testing.assert_allclose(score, [np.nan, -0.49, 1.01])  # the paper has none


def on_a_ladder(**sets):
    """What is said of fixations by sets of these gains: the map's (`direct`) and the truth's."""
    rungs = {
        name: climbed(metric, direct=own, direct_oracle=truth)
        for name, (metric, own, truth) in sets.items()
    }
    return of_fixations(ladder(rungs, seed=1))


def test_fixations_are_compared_with_a_map_where_they_are_known_and_bound_it_where_objects_are():
    looked, seen = on_a_ladder(
        people=("psnr_fix", [1.0, 2.0], [2.0, 4.0]), things=("psnr_objects", [1.0, 2.0], [2.0, 4.0])
    )
    assert looked.verdict == "not reproduced"
    assert looked.ours == "people −1.50 dB (−2.00 to −1.00)"
    assert seen.verdict == "not told apart"
    assert seen.ours == "things from −2.00 dB to +2.00 dB"
    assert "no set has both" in seen.reason


def test_a_map_that_beats_the_truth_itself_beats_any_fixations_within_the_bounds():
    looked, seen = on_a_ladder(things=("psnr_objects", [3.0, 3.5], [2.0, 2.5]))
    assert (seen.verdict, seen.ours) == ("reproduced", "things from +1.00 dB to +3.50 dB")
    assert (looked.verdict, looked.ours) == (claims.UNTESTED, "")
    assert looked.reason == "this study has no set with fixations"


def test_sets_that_do_not_agree_leave_a_claim_open():
    good, bad = ("psnr_fix", [2.0, 3.0], [1.0, 1.5]), ("psnr_fix", [1.0, 1.5], [2.0, 3.0])
    looked, _ = on_a_ladder(one=good, other=bad)
    assert looked.verdict == "not told apart"


def test_what_the_paper_never_measured_is_no_claim_of_it():
    table = results(0.5)
    before = claims.of_table1(PAPER, table, images="", seed=1)
    table.loc[table["method"] == "mosaic", "ssimulacra2"] = -50.0
    assert claims.of_table1(PAPER, table, images="", seed=1) == before
    assert len(before) == len(PAPERS) + 1
