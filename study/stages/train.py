"""A head, trained: `python -m study train`."""

from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, replace
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any

import typer

from msroi.files import write_atomically
from study.params import RAW, as_json, entry, places_of, read_params


def train(
    name: Annotated[str, typer.Argument(help="One of train.heads, such as cam or msroi.")],
    resume: Annotated[bool, typer.Option(help="Go on where a stopped run was.")] = False,
) -> None:
    """Train a head by the section `train` of params.yaml; writes models/<name>.onnx.

    Beside it models/<name>.safetensors is the same for torch; another may start from its features.
    The decoded images are kept in partial/<set>.<part>.<checksum>.npy for the next head, and may be
    removed at any time: they are made again.

    Over N processes, which split each batch and end in the same weights but for rounding:

    \b
      torchrun --nproc-per-node N -m study train NAME
    """
    from msroi.model import find_device, save_checkpoint
    from study.data import classes, sets
    from study.training import parallel
    from study.training.examples import load_examples
    from study.training.export import export
    from study.training.recipe import recipe_of, settings_of
    from study.training.trainer import Trainer

    params = read_params()
    seed, places = params["seed"], places_of(params)
    entry(params["train"]["heads"], "train.heads", name)
    section = settings_of(name, params["train"])
    recipe = recipe_of(name, params["train"], seed=seed)
    with parallel.joined(find_device(recipe.device)):
        every = sets.load(section["data"], RAW / section["data"], subset="train")
        if parallel.first():
            typer.echo(every.summary())
        images = parallel.once(lambda: sets.intact(every, broken=params["broken"]))
        if section["groups"]:
            images = classes.merge(images, classes.read_groups(section["groups"]))
        split = classes.split(images, validation=section["validation"], seed=seed)
        sizes = {"train": section["stored"] or section["size"], "validation": section["size"]}
        sets_of = {part: images.select(names) for part, names in split.items()}
        if section.get("background"):
            nothing = sets.intact(classes.background(every), broken=params["broken"])
            sets_of["train"] = replace(images, items=sets_of["train"].items + nothing.items)
        parts = [
            load_examples(own, sizes[part], file=places.partial / f"{every.name}.{part}")
            for part, own in sets_of.items()
        ]
        trainer = Trainer(_network(name, images.classes, params), recipe)
        state = places.models / f"{name}.state.safetensors"
        _run_epochs(trainer, parts, state, places.training / name, resume=resume)
        if not parallel.first():
            return
    history = [epoch._asdict() for epoch in trainer.history]
    metadata = {key: section[key] for key in ("data", "size", "stored", "validation", "groups")}
    metadata |= {"seed": seed, "recipe": asdict(recipe), "epochs": history, "result": history[-1]}
    metadata |= {"split_sha256": sha256(as_json(split)).hexdigest()}
    save_checkpoint(trainer.network, places.models / f"{name}.safetensors", metadata)
    trainer.network.metadata = metadata
    export([trainer.network.cpu()], places.models / f"{name}.onnx")
    broken = [str(path.relative_to(every.root)) for path in images.strays.get("broken", ())]
    told = split | ({"skipped": broken} if broken else {})
    write_atomically(places.training / name / "split.json", as_json(told))
    state.unlink()


def _run_epochs(trainer, parts, state: Path, curves: Path, *, resume: bool) -> None:
    """Run the epochs that are still to do; the first process keeps the state and the curves."""
    from dvclive import Live
    from safetensors.torch import load_file, save

    from study.training import parallel

    start = parallel.once(lambda: load_file(state) if resume and state.exists() else None)
    if start:
        trainer.restore(start)
    epochs = trainer.epochs(*parts)
    if not parallel.first():
        deque(epochs, maxlen=0)  # runs them all
        return
    state.parent.mkdir(parents=True, exist_ok=True)
    with Live(str(curves), resume=resume, save_dvc_exp=False, dvcyaml=None, report=None) as live:
        for epoch in epochs:
            write_atomically(state, save(trainer.state()))
            for name, value in epoch._asdict().items():
                live.log_metric(name, value)
            live.next_step()


def _network(name: str, classes, params: Mapping[str, Any]):
    """A head's network before its training, with the features that it starts from."""
    import torch

    from msroi.model import Network
    from study.training.pretrained import initialise
    from study.training.recipe import architecture_of

    torch.manual_seed(params["seed"])
    network = Network(architecture_of(name, params["train"], classes=classes))
    features = params["train"]["heads"][name]["features"]
    if not Path(features).is_dir():  # a folder: from nothing but its data
        initialise(network, features)
    return network
