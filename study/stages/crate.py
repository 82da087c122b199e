"""What a run made, packed for a referee: `python -m study crate`."""

import platform
from collections.abc import Iterable, Mapping
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer

from msroi.files import write_atomically
from study import provenance
from study.params import PARAMS, StudyError, as_json, places_of, read_params

WORKFLOW, LOCK, VERSIONS = Path("dvc.yaml"), Path("dvc.lock"), Path("constraints.txt")
CITATION = Path("CITATION.cff")
BESIDE = {  # what a reader of the results needs besides, and what each is
    PARAMS: "Parameters of the study",
    LOCK: "What each stage read and made, by checksum",
    VERSIONS: "Exact versions of the libraries",
    CITATION: "How to cite the software",
    Path("codecheck.yml"): "What a referee makes anew (CODECHECK)",
    Path("README.md"): "How to run the study",
    Path("LICENSE"): "Licence of the software",
}
PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
LICENCES = "https://spdx.org/licenses/"
FORMATS = {
    "": "text/plain",
    ".cff": "application/yaml",
    ".csv": "text/csv",
    ".html": "text/html",
    ".ipynb": "application/x-ipynb+json",
    ".json": "application/json",
    ".lock": "application/yaml",
    ".md": "text/markdown",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".txt": "text/plain",
    ".tsv": "text/tab-separated-values",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
}


def crate(
    to: Annotated[
        Path | None, typer.Option(help="The crate; crate.zip beside the article unless given.")
    ] = None,
) -> None:
    """Pack the results, parameters, lock and provenance of the last run as an RO-Crate.

    Its metadata, ro-crate-metadata.json, say of every stage of dvc.yaml which of the packed files
    it read and which it made (Process Run Crate 0.5, RO-Crate 1.1). What the stages made under
    reports/ must be what dvc.lock records; else it is named, and no crate is written.
    """
    from dvc.repo import Repo

    params = read_params()
    reports = places_of(params).article.parent
    to = to or reports / "crate.zip"
    with Repo() as repo:
        made = {stage: _made_by(stage, reports) for stage in repo.index.stages}
    runs = {stage: (_read_by(stage, reports), files) for stage, files in made.items() if files}
    packed = _described(params)
    kept = {path for read, made in runs.values() for path in (*read, *made)} - set(BESIDE)
    files = {path: _with_file(packed, path) for path in (*BESIDE, *sorted(kept))}
    workflow = _with_workflow(packed, needs=files[VERSIONS])
    for stage, (read, made) in runs.items():
        _with_run(packed, workflow, stage, [files[p] for p in read], [files[p] for p in made])
    with TemporaryDirectory() as folder:
        packed.write_zip(Path(folder) / to.name)
        write_atomically(to, (Path(folder) / to.name).read_bytes())
    typer.echo(f"{to}: {len(files)} files, the runs of {len(runs)} stages")


def _made_by(stage, reports: Path) -> list[Path]:
    """Its files in the study's reports; StudyError where dvc.lock records others."""
    outs = _lying_in(reports, stage.outs)
    for out in outs:
        if not Path(out.def_path).exists():
            raise StudyError(f"{out.def_path} is not here: `dvc repro` makes it")
        if out.status():
            raise StudyError(f"{out.def_path} is not what {LOCK} records: run `dvc repro` first")
    return _files_of(outs)


def _read_by(stage, reports: Path) -> list[Path]:
    """Of what a stage read the parameters, the notebook, and what other stages made."""
    notebooks = [dep for dep in stage.deps if dep.def_path.endswith(".ipynb")]
    return [PARAMS, *_files_of(notebooks), *_files_of(_lying_in(reports, stage.deps))]


def _lying_in(folder: Path, places: Iterable) -> list:
    return [place for place in places if Path(place.def_path).is_relative_to(folder)]


def _files_of(places: Iterable) -> list[Path]:
    """The files that dependencies or outcomes of a stage are, or that lie in their folders."""
    paths = [Path(place.def_path) for place in places]
    return [
        file
        for path in paths
        for file in (sorted(path.rglob("*")) if path.is_dir() else [path])
        if file.is_file()
    ]


def _described(params: Mapping[str, Any]):
    """A crate without files: what it is, whose, under which licence, and by which profile."""
    import yaml
    from rocrate.rocrate import ROCrate

    cited = yaml.safe_load(CITATION.read_text(encoding="utf-8"))
    packed, licence = ROCrate(version="1.1"), cited["license"]
    packed.name = f"{cited['title']}: study {params['study']}, seed {params['seed']}"
    packed.description = (
        f"Results, tables, figures, notebooks and article of the study “{params['study']}”, with "
        "the parameters, the lock and the versions that they were made by."
    )
    packed.license = _with(packed, LICENCES + licence, "CreativeWork", name=licence)
    authors = [
        _with(packed, f"#author-{number}", "Organization", name=name)
        for number, name in enumerate(provenance.authors(cited), 1)
    ]
    packed.publisher = packed.root_dataset["author"] = _one_or_more(authors)
    told = {"name": "Process Run Crate", "version": PROFILE.rpartition("/")[2]}
    packed.root_dataset["conformsTo"] = _with(packed, PROFILE, "CreativeWork", **told)
    return packed


def _with(packed, place: str, kind: str, **properties: Any):
    """Add what is no file: an entity of that kind."""
    from rocrate.model import ContextEntity

    return packed.add(ContextEntity(packed, place, {"@type": kind, **properties}))


def _one_or_more(entities: list):
    """The list, or what is alone in it, as RO-Crate would have it."""
    return entities[0] if len(entities) == 1 else entities


def _with_file(packed, path: Path):
    """Add a file at its own place, and say what it is."""
    kind = FORMATS.get(path.suffix, "application/octet-stream")
    told = {"name": BESIDE.get(path, path.stem), "encodingFormat": kind}
    return packed.add_file(path, path.as_posix(), properties=told, record_size=True)


def _with_workflow(packed, needs):
    """Add dvc.yaml, the program of all runs, and the commit, the machine and the Python."""
    told = {"name": "The pipeline, run by DVC", "encodingFormat": FORMATS[WORKFLOW.suffix]}
    told |= {"@type": ["File", "SoftwareSourceCode"], "version": provenance.commit()}
    workflow = packed.add_file(WORKFLOW, WORKFLOW.as_posix(), properties=told)
    workflow["programmingLanguage"] = _with(packed, "#dvc", "ComputerLanguage", name="DVC")
    workflow["softwareRequirements"] = needs
    packed.root_dataset["mainEntity"] = workflow
    facts = {
        "commit": provenance.commit(),
        "packed on": provenance.machine(),
        "python": platform.python_version(),
    }
    about = packed.add_file(
        StringIO(as_json(facts).decode()),
        "provenance.json",
        properties={"name": "Commit, machine and Python", "encodingFormat": FORMATS[".json"]},
    )
    about["about"] = workflow
    return workflow


def _with_run(packed, workflow, stage, read: list, made: list) -> None:
    """Add the run of a stage: an action that made files of others."""
    name = stage.addressing.rpartition(":")[2]
    told = {"name": f"dvc repro {name}: {stage.cmd}", "description": stage.desc or stage.cmd}
    read, made = map(_one_or_more, (read, made))
    action = packed.add_action(workflow, f"#{name}", object=read, result=made, properties=told)
    packed.root_dataset.append_to("mentions", action)
