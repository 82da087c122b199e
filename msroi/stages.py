"""The commands that the DVC stages call: they read params.yaml and files, and write files."""

import json
import logging
import os
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from msroi.files import write_atomically

app = typer.Typer()

PARAMS = Path("params.yaml")
RAW, MODELS = Path("data/raw"), Path("models")
RESULTS, TRAINING = Path("reports/results"), Path("reports/training")
FINDINGS = Path("reports/findings")
PARTIAL = Path("reports/partial")  # no output of a stage: DVC deletes those before it runs one
NOTEBOOKS, EXECUTED = Path("notebooks"), Path("reports/notebooks")
FIGURES, TABLES = Path("reports/figures"), Path("reports/tables")
REPORT = Path("reports/report.pdf")


class StudyError(ValueError):
    """The study's parameters, or an earlier stage's files, are not as a stage needs them."""


@app.command()
def fetch(
    names: Annotated[list[str] | None, typer.Argument(help="Image sets, as --list names.")] = None,
    list_sets: Annotated[bool, typer.Option("--list", help="Show what can be fetched.")] = False,
) -> None:
    """Bring image sets to data/raw/<set>: made, linked from disk, or downloaded and checked.

    A copy on disk is used where datasets.<set>.path in params.yaml names one, or the environment
    variable MSROI_DATA a folder that holds it.
    """
    from msroi import datasets

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    if list_sets or not names:
        typer.echo(_listing(datasets.table()))
        return
    for name in names:
        if name in MADE:
            params = read_params()
            MADE[name](RAW / name, seed=params["seed"], **params["fetch"][name])
        else:
            path = (read_params().get("datasets") or {}).get(name, {}).get("path")
            datasets.fetch(name, RAW / name, source_path=path)


@app.command()
def train(
    head: Annotated[str, typer.Argument(help="cam or msroi.")],
    resume: Annotated[bool, typer.Option(help="Go on where a stopped run was.")] = False,
) -> None:
    """Train a head by the section `train` of params.yaml; writes models/<head>.safetensors.

    Over N processes, which split each batch and end in the same weights but for rounding:

    \b
      torchrun --nproc-per-node N --no-python msroi train HEAD
    """
    from msroi import datasets, parallel
    from msroi.model import save_checkpoint
    from msroi.recipe import Recipe, device_of
    from msroi.train import Trainer, load_examples

    params = read_params()
    section, seed = params["train"], params["seed"]
    recipe = Recipe(seed=seed, **_tuples(section["recipe"] | section["heads"][head]["recipe"]))
    with parallel.joined(device_of(recipe)):
        images = parallel.once(lambda: _images(section["data"], part="train"))
        if section["groups"]:
            images = datasets.merge(images, datasets.read_groups(section["groups"]))
        split = datasets.split(images, validation=section["validation"], seed=seed)
        sizes = {"train": section["stored"] or section["size"], "validation": section["size"]}
        parts = [load_examples(images.select(split[part]), sizes[part]) for part in split]
        trainer = Trainer(_network(head, images.classes, section, seed), recipe)
        state = MODELS / f"{head}.state.safetensors"
        _run_epochs(trainer, parts, state, resume=resume)
        if not parallel.first():
            return
    metadata = {key: section[key] for key in ("data", "size", "validation", "groups")}
    metadata |= {"seed": seed, "recipe": asdict(recipe), "result": trainer.history[-1]._asdict()}
    save_checkpoint(trainer.network, MODELS / f"{head}.safetensors", metadata)
    write_atomically(TRAINING / head / "split.json", _json(split))
    state.unlink()


def _run_epochs(trainer, parts, state: Path, *, resume: bool) -> None:
    """Run the epochs that are still to do; the first process keeps the state and the curves."""
    from dvclive import Live
    from safetensors.torch import load_file, save

    from msroi import parallel

    start = parallel.once(lambda: load_file(state) if resume and state.exists() else None)
    if start:
        trainer.restore(start)
    epochs = trainer.epochs(*parts)
    if not parallel.first():
        deque(epochs, maxlen=0)  # runs them all
        return
    state.parent.mkdir(exist_ok=True)
    curves = str(TRAINING / trainer.network.architecture.head)
    with Live(curves, resume=resume, save_dvc_exp=False, dvcyaml=None, report=None) as live:
        for epoch in epochs:
            write_atomically(state, save(trainer.state()))
            for name, value in epoch._asdict().items():
                live.log_metric(name, value)
            live.next_step()


def _network(head: str, classes, section: Mapping[str, Any], seed: int):
    """A head's network before its training, with the features that it starts from."""
    import torch

    from msroi.model import Architecture, Network
    from msroi.pretrained import initialise

    options = section["heads"][head]
    torch.manual_seed(seed)
    shape = section["architecture"] | options["architecture"]
    network = Network(Architecture(classes=classes, head=head, **_tuples(shape)))
    if not Path(options["features"]).is_dir():  # a folder: from nothing but its data
        initialise(network, options["features"])
    return network


@app.command()
def evaluate(name: Annotated[str, typer.Argument(help="An image set in data/raw.")]) -> None:
    """Encode a set by every method at equal bytes; writes reports/results/<set>.csv and .json.

    All cores work on it, or the Dask cluster whose scheduler the environment variable MSROI_DASK
    names (tcp://host:8786). Rows are kept in reports/partial/<set>.jsonl as they come: a run that
    was cut off goes on from there.

    Broken images are named at the end. With broken: stop in params.yaml the exit code is 2, and
    there is no table until they are mended or removed, which takes their time alone; with
    broken: skip the table does without them.
    """
    from msroi import encoder, evaluation
    from msroi.journal import Journal

    logging.basicConfig(format="%(message)s")
    logging.getLogger("msroi").setLevel(logging.INFO)
    params = read_params()
    encoder.check_methods(params["evaluate"]["methods"])
    section, journal = params["evaluate"], Journal(PARTIAL / f"{name}.jsonl")
    images = _listed(name, part="test")
    result = evaluation.evaluate(
        images,
        _mapper(),
        methods=section["methods"],
        quality=section["quality"],
        scheduler=os.environ.get("MSROI_DASK", ""),
        journal=journal,
    )
    _tell_broken(result.broken, len(images), params["broken"])
    _write_results(name, result.table)
    journal.remove()


@app.command()
def scale() -> None:
    """Encode one image at many sizes (Figure 4); writes reports/results/scale.csv and .json."""
    from msroi import encoder, evaluation

    params = read_params()
    section, options = params["scale"], params["evaluate"]
    encoder.check_methods(options["methods"])
    name, image = _large_image(section, params["seed"])
    sizes = evaluation.sizes(image.shape[:2], count=section["count"], smallest=section["smallest"])
    table = evaluation.evaluate_sizes(
        (evaluation.resize(image, size) for size in sizes),
        _mapper(),
        name,
        methods=options["methods"],
        quality=options["quality"],
    )
    _write_results("scale", table)


@app.command()
def find(
    name: Annotated[str, typer.Argument(help="An image set in data/raw.")],
    to: Annotated[Path, typer.Option(help="Folder of the tables' folder.")] = FINDINGS,
) -> None:
    """Measure what each head finds in a set; writes reports/findings/<set>/heads.csv.

    By what is known of the set's images: top-1 accuracy and average precision by class, on the
    images that training held out; agreement with the fixations; or the share of objects found.
    """
    import pandas as pd

    from msroi.model import load_model

    section = read_params()["findings"][name]
    models = {title: load_model(path) for title, path in section["heads"].items()}
    images = _images(name, part="test")
    folder = to / name
    folder.mkdir(parents=True, exist_ok=True)
    table = pd.DataFrame(_findings_of(images)(images, models))
    write_atomically(folder / "heads.csv", _csv(table))
    if "settings" in section:
        table = pd.DataFrame(_by_setting(images, models["MS-ROI"], **section["settings"]))
        write_atomically(folder / "settings.csv", _csv(table))


@app.command()
def release() -> None:
    """Copy models/<head>.safetensors into the package in half precision (`make weights`).

    Its metadata say all that training recorded, every epoch's figures, the digest of the split
    and the commit.
    """
    import hashlib
    import subprocess

    import pandas as pd

    from msroi.model import WEIGHTS, load_model, save_checkpoint

    commit = subprocess.check_output(["git", "rev-parse", "HEAD"], text=True).strip()
    for head in ("cam", "msroi"):
        network = load_model(MODELS / f"{head}.safetensors")
        curves = sorted((TRAINING / head / "plots/metrics").glob("*.tsv"))
        epochs = pd.concat(
            [pd.read_csv(path, sep="\t", index_col="step") for path in curves], axis=1
        )
        split = (TRAINING / head / "split.json").read_bytes()
        metadata = network.metadata | {
            "epochs": epochs.round(6).to_dict("list"),
            "split_sha256": hashlib.sha256(split).hexdigest(),
            "commit": commit,
        }
        save_checkpoint(network.half(), WEIGHTS / f"{head}.safetensors", metadata)


@app.command()
def notebook(name: Annotated[str, typer.Argument(help="A notebook of notebooks/.")]) -> None:
    """Run a notebook with its parameters; writes it as .ipynb, .html and .pdf to reports/notebooks.

    Its parameters are those of notebook.<name> in params.yaml, and whole sections of it where the
    notebook has a parameter of that name. The notebook itself saves its figure to reports/figures
    and its table to reports/tables.
    """
    from msroi.report import notebooks

    for folder in (EXECUTED, FIGURES, TABLES):
        folder.mkdir(parents=True, exist_ok=True)
    params, source = read_params(), NOTEBOOKS / f"{name}.ipynb"
    shared = {key: params[key] for key in notebooks.parameters_of(source) if key in params}
    executed = notebooks.execute(source, shared | params["notebook"][name])
    notebooks.write_all(executed, EXECUTED / name)


@app.command()
def report() -> None:
    """Typeset the report from the notebooks' figures and tables; writes reports/report.pdf."""
    import pandas as pd

    from msroi.report import article
    from msroi.report.captions import CAPTIONS

    params = read_params()
    tables = {name: pd.read_csv(TABLES / f"{name}.csv") for name in CAPTIONS}
    run = {"study": params["study"], "seed": params["seed"]}
    content = article.content(tables, run)
    pdf = article.typeset(content, [FIGURES / f"{name}.png" for name in CAPTIONS])
    write_atomically(REPORT, pdf)


def read_params(path: Path = PARAMS) -> dict[str, Any]:
    """The study's parameters; StudyError where there is no such file."""
    import yaml

    try:
        return yaml.safe_load(path.read_text())
    except OSError:
        raise StudyError(
            f"{path} is not here: run the stage commands in the repository's root"
        ) from None


def _images(name: str, *, part: str):
    """An image set in data/raw, decoded once to be sure; of the scenes one part."""
    from msroi import datasets

    return datasets.intact(_listed(name, part=part), broken=read_params()["broken"])


def _listed(name: str, *, part: str):
    from msroi import datasets

    images = datasets.load(name, RAW / name, subset=part if name == "scenes" else "")
    typer.echo(images.summary())
    return images


def _mapper():
    """image → saliency map, by the section `saliency` of params.yaml."""
    from msroi import evaluation

    return evaluation.mapper(**read_params()["saliency"])


def _tell_broken(broken: Mapping[str, str], images: int, policy: str) -> None:
    """Name broken images on stderr; StudyError unless there are others, and params skip these."""
    if not broken:
        return
    if policy == "skip" and len(broken) < images:
        for damage in broken.values():
            typer.echo(f"left out {damage}", err=True)
        return
    raise StudyError(
        f"{len(broken)} of {images} images cannot be evaluated ({'; '.join(broken.values())}): "
        "mend or remove them and run again (the others' rows are kept), or set broken: skip"
    )


def _findings_of(images):
    """What can be measured on a set: by its labels, its fixations, or its masks."""
    if images.classes and images[0].mask is None:
        return _classified
    return _looked_at if images[0].fixations is not None else _objects


def _classified(images, models):

    from msroi import datasets, findings
    from msroi.train import load_examples, predict

    for title, model in models.items():
        told = model.metadata
        held_out = datasets.split(images, validation=told["validation"], seed=told["seed"])
        examples = load_examples(images.select(held_out["validation"]), told["size"])
        logits = predict(model, examples.images).numpy()
        table = findings.classification(examples.labels, logits, images.classes)
        mean = table["average_precision"].mean()
        typer.echo(f"{title}: top-1 {findings.top_1(table):.2%}, mAP {mean:.3f}")
        yield from table.assign(head=title).to_dict("records")


def _looked_at(images, models):
    from tqdm import tqdm

    from msroi import findings

    return findings.fixation_agreement(tqdm(images), _maps_of(models))


def _by_setting(images, model, *, every: int, rules: Mapping[str, Any], short_sides: list[int]):
    """How MS-ROI's maps of every n-th image agree with fixations, by rule and by scale."""
    from tqdm import tqdm

    from msroi import findings
    from msroi.saliency import saliency_map

    some = images.select(item.name for item in images.items[::every])
    for side in tqdm(short_sides, desc="short sides", unit="side"):
        seen = partial(saliency_map, model=model, short_sides=(side,))
        maps = {rule: partial(seen, **options) for rule, options in rules.items()}
        for row in findings.fixation_agreement(some, maps):
            yield row | {"short_side": side}


def _objects(images, models):
    import numpy as np
    from PIL import Image

    from msroi import findings
    from msroi.images import read_image

    scenes = ((i.name, read_image(i.path).pixels, np.array(Image.open(i.mask))) for i in images)
    return findings.objects_found(scenes, _maps_of(models))


def _maps_of(models):
    """The heads' maps by the section `saliency` of params.yaml, and the controls."""
    from msroi import saliency

    settings = {key: v for key, v in read_params()["saliency"].items() if key != "checkpoint"}
    maps = {name: partial(saliency.saliency_map, model=m, **settings) for name, m in models.items()}
    features = models["MS-ROI"]
    controls = {"energy": partial(saliency.energy_map, model=features)}
    return maps | controls | {"centre prior": saliency.centre_prior, "flat": saliency.flat_map}


def _large_image(section: Mapping[str, Any], seed: int):
    """The image that is scaled: a file of the user's, or a scene of the size asked for."""
    from msroi import scenes
    from msroi.images import read_image

    if section["image"]:
        return Path(section["image"]).stem, read_image(section["image"]).pixels
    height, width = section["size"]
    scene = scenes.render(height, width, objects=section["objects"], seed=seed)
    return f"scene of {len(section['objects'])} objects", scene.image


def _write_results(name: str, table) -> None:
    from msroi import study

    RESULTS.mkdir(parents=True, exist_ok=True)
    write_atomically(RESULTS / f"{name}.csv", _csv(table))
    write_atomically(RESULTS / f"{name}.json", _json(study.summary(table)))


def _make_sample(folder: Path, *, seed: int) -> None:
    from msroi import sample

    sample.write_photographs(folder)  # nothing random in it


def _make_categories(folder: Path, **options: Any) -> None:
    from msroi import sample

    sample.write_categories(folder, **_tuples(options))


def _make_scenes(folder: Path, **options: Any) -> None:
    from msroi import scenes

    scenes.write_set(folder, **_tuples(options))


MADE = {"sample": _make_sample, "categories": _make_categories, "scenes": _make_scenes}


def _tuples(options: Mapping[str, Any]) -> dict[str, Any]:
    return {k: tuple(v) if isinstance(v, list) else v for k, v in options.items()}


def _csv(table) -> bytes:
    return table.to_csv(index=False, float_format="%.6f", lineterminator="\n").encode()


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=2) + "\n").encode()


def _listing(rows: list[dict[str, object]]) -> str:
    import pandas as pd

    return pd.DataFrame(rows).to_string(index=False)
