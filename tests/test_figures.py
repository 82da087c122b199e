"""Figures draw what the table says, on the axes that they are given."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from kodak import composed

from msroi.encoder import METHODS
from study.show import figures


@pytest.fixture
def ax():
    with matplotlib.rc_context(figures.STYLE):
        fig, ax = plt.subplots()
        yield ax
        fig.canvas.draw()
        plt.close(fig)


def paired(**columns):
    rows = len(columns["psnr_hvs"])
    base = {"image": [f"i{n}" for n in range(rows)], "category": "", "width": 100, "height": 100}
    return pd.DataFrame(base | {"method": "mosaic"} | columns)


def test_categories_are_sorted_best_first_and_say_how_many_images_they_have(ax):
    table = pd.DataFrame({"category": ["bad", "good", "middle"], "mean": [-1.0, 2.0, 0.5]})
    table = table.assign(method="mosaic", images=3, low=table["mean"] - 1, high=table["mean"] + 2)
    figures.categories(table, ax, xlabel="dB")
    named = [label.get_text() for label in ax.get_yticklabels()]
    assert named == ["good (3)", "middle (3)", "bad (3)"]
    (bars,) = ax.containers
    np.testing.assert_allclose(bars.lines[0].get_xydata(), [[-1, 2], [2, 0], [0.5, 1]])
    np.testing.assert_allclose(bars.lines[2][0].get_segments()[0][:, 0], [-2, 1])


def test_the_size_curve_is_over_megapixels(ax):
    figures.size_curve(paired(psnr_hvs=[-1.0, -0.5], width=[1000, 2000], height=[1000, 1000]), ax)
    np.testing.assert_allclose(ax.lines[0].get_xydata(), [[1, -1], [2, -0.5]])


def test_sizes_over_less_than_a_decade_or_over_many_are_told_by_a_few_plain_numbers(ax):
    for widths in ([100, 700], [200, 73000]):
        ax.clear()
        figures.size_curve(paired(psnr_hvs=[0.0, 1.0], width=widths, height=[1000, 1000]), ax)
        ax.figure.canvas.draw()
        ticks = [*ax.xaxis.get_ticklabels(which="both")]
        texts = [label.get_text() for label in ticks if label.get_text()]
        assert 2 <= len(texts) <= 9
        assert all(float(text) > 0 for text in texts)


def test_every_method_and_every_row_of_the_main_table_has_a_look_of_its_own():
    rows = composed("kodak")["evaluate"]["methods"]
    assert set(figures.METHOD_STYLES) >= {*METHODS, *rows["main"], *rows["by_map"]}
    looks = {tuple(look.values()) for look in figures.METHOD_STYLES.values()}
    assert len(looks) == len(figures.METHOD_STYLES)
    for methods in (rows["main"], rows["by_map"]):
        markers = [figures.METHOD_STYLES[method]["marker"] for method in methods]
        assert len(set(markers)) == len(markers)
    colours = [figures.METHOD_STYLES[method]["color"] for method in rows["main"]]
    assert len(set(colours)) == len(colours)


def test_an_effect_is_a_dot_with_its_interval(ax):
    rows = [("direct", "direct", 1.0, 0.5, 2.0), ("mosaic 80/100", "mosaic", -2.0, -3.0, -1.5)]
    table = pd.DataFrame(rows, columns=["method", "encoder", "mean", "low", "high"])
    figures.effects(table, ax, label="method", xlabel="dB")
    assert [label.get_text() for label in ax.get_yticklabels()] == ["direct", "mosaic 80/100"]
    bars = [container.lines[2][0].get_segments()[0] for container in ax.containers]
    np.testing.assert_allclose(bars, [[[0.5, 0], [2, 0]], [[-3, 1], [-1.5, 1]]])
    assert ax.get_ylim() == (1.5, -0.5)  # the first above
    drawn = [container.lines[0].get_color() for container in ax.containers]
    assert drawn == [figures.METHOD_STYLES[name]["color"] for name in table["encoder"]]


def test_a_curve_a_method_runs_over_the_rate(ax):
    table = pd.DataFrame(
        {"method": ["standard", "standard", "direct"], "rate_bpp": [0.2, 0.4, 0.3]}
        | {"psnr": [30.0, 33.0, 32.0]}
    )
    figures.rate_distortion(table, ax)
    assert [line.get_label() for line in ax.lines] == ["standard", "direct"]
    assert ax.lines[0].get_xydata().tolist() == [[0.2, 30.0], [0.4, 33.0]]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("rate, bits per pixel", "PSNR, dB")
    figures.rate_distortion(table.rename(columns={"psnr": "ssimulacra2"}), ax, metric="ssimulacra2")
    assert ax.get_ylabel() == "SSIMULACRA2"  # which has no unit


def test_maps_share_one_scale_and_a_block_shows_its_numbers_and_no_negative_zero(ax):
    figures.show_map(ax, np.full((4, 6), 0.25))
    assert ax.images[0].get_clim() == (0, 1)
    values = np.full((8, 8), -0.2)
    values[0, 1] = -26
    figures.show_block(ax, values)
    assert [text.get_text() for text in ax.texts[:3]] == ["0", "-26", "0"]


def test_differences_draw_a_dot_an_image_and_a_mean_for_each_metric(ax):
    table = paired(psnr_hvs=[-1.0, 3.0], psnr=[0.0, 1.0])
    figures.differences(table, ax, metrics=("psnr", "psnr_hvs"), unit="dB")
    assert [label.get_text() for label in ax.get_xticklabels()] == ["PSNR", "PSNR-\nHVS"]
    dots = np.concatenate([collection.get_offsets()[:, 1] for collection in ax.collections])
    assert sorted(dots) == [-1, 0, 1, 3]
    means = [line.get_ydata() for line in ax.lines if line.get_marker() == "_"]
    np.testing.assert_allclose(means[0], [0.5, 1.0])
    assert "dB" in ax.get_ylabel()


def test_shares_are_bars_from_nothing_to_all(ax):
    share = pd.DataFrame({"CAM": [0.5, 0.25], "MS-ROI": [0.75, 1.0]}, index=[1, 2])
    figures.share_found(share, ax)
    assert ax.get_ylim() == (0, 1)
    assert [bar.get_height() for bar in ax.patches] == [0.5, 0.25, 0.75, 1.0]
