"""What a study will take, stage by stage, before it starts: `python -m study cost`."""

import time
from collections.abc import Callable, Mapping
from contextlib import redirect_stderr
from dataclasses import replace
from functools import cache, partial
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import numpy as np
import typer
from tqdm import tqdm

from study.params import RAW, heads_in, read_params
from study.stages.evaluate import methods_of

Params = Mapping[str, Any]

SIDES = 192, 512  # pixels of the squares that evaluations are measured on
ENOUGH = 2.0  # seconds of training steps, of which no larger batch is tried
# Seconds of a stage beside its work, of a notebook and of the article, on two cores: by
# benchmarks/cost.py
START, NOTEBOOK, REPORT = 5.0, 10.0, 10.0


def cost(
    study: Annotated[str, typer.Argument(help="Of conf/study/; none: params.yaml as it is.")] = "",
    settings: Annotated[
        list[str] | None, typer.Option("--set", "-S", help="As of `dvc exp run -S`.")
    ] = None,
) -> None:
    """Tell what each stage of a study will take on this machine, from a minute's measurement.

    Nothing is fetched or written, and params.yaml stays as it is. Image sets that are not in
    data/raw yet are taken to be whole, heads that are not trained yet are measured untrained.
    Fetching is left out.
    """
    import joblib

    from study.measure.cost import spelt

    params = composed(study, settings or []) if study or settings else read_params()
    with TemporaryDirectory() as scratch:
        stages = Estimates(params, Path(scratch)).stages()
        rows = {name: seconds() for name, seconds in tqdm(stages.items(), "measure", unit="stage")}
    for stage, seconds in rows.items():
        typer.echo(f"{stage:<28}{spelt(seconds):>12}")
    typer.echo(
        f"{'all, on ' + str(joblib.cpu_count()) + ' cores':<28}{spelt(sum(rows.values())):>12}"
    )


def composed(study: str, settings: list[str]) -> dict[str, Any]:
    """A study's parameters as `dvc exp run -S study=…` composes them, without writing any."""
    import yaml
    from dvc.utils.hydra import compose_and_dump

    chosen = ([f"study={study}"] if study else []) + settings
    with TemporaryDirectory() as folder:
        target = Path(folder, "params.yaml")
        compose_and_dump(target, str(Path("conf").resolve()), None, "config", "", chosen)
        return yaml.safe_load(target.read_text())


class Estimates:
    """Seconds of each stage of a study; ``scratch`` is a folder for untrained networks."""

    def __init__(self, params: Params, scratch: Path) -> None:
        self.params, self.scratch = params, scratch
        self._evaluating = cache(self._evaluating)  # by methods and heads
        self._heads = cache(self._heads)

    def stages(self) -> dict[str, Callable[[], float]]:
        """A function for each stage, which measures and gives its seconds."""
        params = self.params
        found = {f"train@{name}": partial(self.training, name) for name in params["train"]["heads"]}
        found |= {
            f"evaluate@{name}": partial(self.evaluation, run)
            for name, run in params["evaluate"]["runs"].items()
        }
        found |= {"scale": self.scale} if params["scale"].get("count") else {}
        found |= {
            f"find@{name}": partial(self.finding, name, section)
            for name, section in params["findings"].items()
        }
        if notebooks := sum(map(len, params["notebook"].values())):
            found |= {
                f"{notebooks} notebooks": lambda: NOTEBOOK * notebooks,
                "report": lambda: REPORT,
            }
        return found

    def training(self, name: str) -> float:
        """Seconds per example and side × examples × epochs."""
        from study.training.recipe import crop_side, recipe_of, settings_of

        section = settings_of(name, self.params["train"])
        recipe = recipe_of(name, self.params["train"], seed=0)
        stored = section["stored"] or section["size"]
        sides = [crop_side(recipe, epoch) or stored for epoch in range(recipe.epochs)]
        step, check = _training_seconds(self._network(name), recipe, stored, section["size"])
        last = recipe.sides[-1] if recipe.sides else stored  # the one that is measured
        shown = sum((side / last) ** 2 for side in sides)
        images, held_out = self._examples(section)
        return START + images * shown * step + held_out * recipe.epochs * check

    def evaluation(self, run: Mapping[str, Any]) -> float:
        """Seconds per image, by its pixels × images × rates."""
        from study.measure.cost import megapixels

        found = megapixels(run["set"], self.params, root=RAW, only=run.get("images", ()))
        scale, rates = run.get("scale", 1), len(run.get("qualities", [0]))
        growth = self._evaluating(run["methods"], tuple(run["heads"].items()), -1)
        return START + rates * growth.of([pixels * scale**2 for pixels in found])

    def scale(self) -> float:
        """The same of one image at many sizes, one after the other."""
        from study.measure.evaluation import sizes

        section = self.params["scale"]
        if section["image"]:
            from msroi.images import read_pixels

            shape = read_pixels(section["image"]).shape[:2]
        else:
            shape = section["size"]
        every = sizes(tuple(shape), count=section["count"], smallest=section["smallest"])
        heads = tuple(self.params["saliency"]["heads"].items())
        growth = self._evaluating("main", heads, 1)
        return START + growth.of([height * width / 1e6 for height, width in every])

    def finding(self, name: str, section: Mapping[str, Any]) -> float:
        """Seconds per map pass × passes × images."""
        from msroi.network import HEADS, RELEASED
        from study.data.registry import source
        from study.measure.cost import TYPICAL, megapixels

        heads = self._heads(tuple(section.get("heads", dict.fromkeys(HEADS, RELEASED)).items()))
        images = len(megapixels(name, self.params, root=RAW))
        image = _photograph(*TYPICAL.get(name, SIDES))
        if not (source(name).fixations or source(name).objects or source(name).objects_in):
            held_out = images * self.params["train"]["validation"]
            return START + held_out * len(heads) * _pass_seconds(heads, image, sides=(224,))
        rule = self.params["saliency"]["rule"]
        seconds = START + images * _map_seconds(heads, image, **rule)
        if settings := section.get("settings"):
            rules = 2 + len(settings["top"])
            some = -(-images // settings["every"])
            each = [_pass_seconds(heads, image, sides=(side,)) for side in settings["short_sides"]]
            seconds += some * rules * sum(each)
        return seconds

    def _examples(self, section: Mapping[str, Any]) -> tuple[float, float]:
        """How many images a head learns from, and how many are held out."""
        from study.measure.cost import megapixels

        name = section["data"]
        made = (self.params["fetch"].get(name) or {}).get("train")
        images = made or len(megapixels(name, self.params, root=RAW))
        return images * (1 - section["validation"]), images * section["validation"]

    def _network(self, name: str):
        """A head's network, untrained, of as many classes as its set has."""
        from msroi.model import Network
        from study.data.registry import source
        from study.training.recipe import architecture_of

        train = self.params["train"]
        classes = tuple(map(str, range(source(train["data"]).classes or 10)))
        return Network(architecture_of(name, train, classes=classes))

    def _heads(self, heads: tuple[tuple[str, str], ...]) -> dict[str, tuple[Path, str]]:
        """As `heads_in`, with an untrained network in the place of a file that isn't there yet."""
        from study.training.export import export

        files = {}
        for head, file in heads:
            files[head] = file if Path(file).exists() else str(self.scratch / f"{head}.onnx")
            if not Path(files[head]).exists():
                network = self._network(head)
                network.metadata = {"size": self.params["train"]["size"]}
                export([network.eval()], files[head])
        return heads_in(files)

    def _evaluating(self, methods: str, heads: tuple[tuple[str, str], ...], jobs: int):
        """How the seconds of an image grow, in so many processes (joblib's way) that share them."""
        from msroi.saliency import named_maps
        from study.measure.cost import growth

        maps = named_maps(self._heads(heads), **self.params["saliency"]["rule"])
        rows = methods_of(self.params["evaluate"], methods)
        _evaluation_seconds(maps, rows, SIDES[0], jobs)  # compiles, loads, starts the workers
        found = [(side**2 / 1e6, _evaluation_seconds(maps, rows, side, jobs)) for side in SIDES]
        return growth(*found)


def _evaluation_seconds(maps, methods, side: int, jobs: int) -> float:
    """Seconds of wall clock for each image, of one image a worker at a time."""
    import joblib

    from study.measure.workers import over_cores

    images = [_photograph(side, side)] * joblib.effective_n_jobs(jobs)
    start = time.perf_counter()
    for _ in over_cores(_Evaluate(maps, methods), images, jobs=jobs):
        pass
    return (time.perf_counter() - start) / len(images)


class _Evaluate:
    """`evaluate_image` as a function of the image alone, which other processes can be sent."""

    def __init__(self, maps, methods) -> None:
        self.maps, self.methods = maps, methods

    def __call__(self, image: np.ndarray) -> None:
        from msroi.saliency import centre_prior
        from study.measure.evaluation import evaluate_image

        truths = {"psnr_fix": centre_prior(image)}
        evaluate_image(image, self.maps, methods=self.methods, truths=truths)


def _photograph(height: int, width: int) -> np.ndarray:
    """A photograph of scikit-image's, uint8 [H, W, 3]."""
    from PIL import Image
    from skimage.data import astronaut

    return np.array(Image.fromarray(astronaut()).resize((width, height)))


def _map_seconds(heads, image: np.ndarray, **rule: Any) -> float:
    """Seconds of every map of an image, and of what they find in it."""
    from msroi.saliency import named_maps
    from study.measure import findings

    maps = named_maps(heads, **rule)
    mask = np.indices(image.shape[:2]).sum(0) % 5 == 0
    for _ in range(2):  # the second is measured
        start = time.perf_counter()
        for draw in maps.values():
            drawn = draw(image)
            findings.auc(drawn, mask)
            findings.precision_recall(drawn, mask)
        seconds = time.perf_counter() - start
    return seconds


def _pass_seconds(heads, image: np.ndarray, *, sides: tuple[int, ...]) -> float:
    """Seconds of one map of MS-ROI's."""
    from msroi.saliency import OWN, network_map

    file, head = heads[OWN]
    draw = network_map(file, head=head, short_sides=sides)
    for _ in range(2):  # the second is measured
        start = time.perf_counter()
        draw(image)
        seconds = time.perf_counter() - start
    return seconds


def _training_seconds(network, recipe, stored: int, size: int) -> tuple[float, float]:
    """Seconds of an example in a step, and of one that is held out."""
    from study.training.trainer import Trainer, validate

    sides = (recipe.sides[-1],) if recipe.sides else ()
    for count in (8, recipe.batch_size):  # of a large network a small batch tells enough
        own = replace(recipe, epochs=2, batch_size=count, sides=sides, patience=0)
        trainer = Trainer(network, own)
        held_out = _examples(count, size)
        for _ in range(2):
            start = time.perf_counter()
            validate(trainer, held_out)
            check = time.perf_counter() - start
        with redirect_stderr(StringIO()):  # the trainer's own bar
            epochs = trainer.epochs(_examples(count, stored), held_out)
            warm, done = (time.perf_counter() for _ in epochs)
        step = max(0.0, done - warm - check)
        if step > ENOUGH:
            break
    return step / count, check / count


def _examples(count: int, side: int):
    from study.training.examples import Examples

    images = np.random.default_rng(0).integers(0, 256, (count, side, side, 3), np.uint8)
    return Examples(images, np.zeros(count, np.int64))
