"""One image at many sizes: `python -m study scale`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from study.params import heads_in, places_of, read_params
from study.stages.evaluate import methods_of, write_results


def scale() -> None:
    """Encode one image at many sizes (Figure 4); writes results/scale.csv and .json."""
    from msroi.saliency import named_maps
    from study.measure import evaluation

    params = read_params()
    section, saliency = params["scale"], params["saliency"]
    methods = methods_of(params["evaluate"], "main")
    name, image = _large_image(section, params["seed"])
    sizes = evaluation.sizes(image.shape[:2], count=section["count"], smallest=section["smallest"])
    table = evaluation.evaluate_sizes(
        (evaluation.resize(image, size) for size in sizes),
        named_maps(heads_in(saliency["heads"]), **saliency["rule"]),
        name,
        methods=methods,
        qualities=[params["evaluate"]["quality"]],
    )
    write_results(places_of(params).results / "scale", table)


def _large_image(section: Mapping[str, Any], seed: int):
    """The image that is scaled: a file of the user's, or a scene of the size asked for."""
    from msroi.images import read_image
    from study.rendered import scenes

    if section["image"]:
        return Path(section["image"]).stem, read_image(section["image"]).pixels
    height, width = section["size"]
    scene = scenes.render(height, width, objects=section["objects"], seed=seed)
    return f"scene of {len(section['objects'])} objects", scene.image
