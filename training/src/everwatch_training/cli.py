# SPDX-License-Identifier: Apache-2.0
"""The command `everwatch-train`."""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import torch

from . import curves, evaluation, processes
from .errors import TrainingError
from .export import export
from .recipe import Recipe, Stage, Streaming, Videos, load, read
from .state import RunFolder
from .training import Settings, train


def main(arguments: Sequence[str] | None = None) -> int:
    """0: done; 1: not done, one line says why; 2: the command line was wrong."""
    options = _parser().parse_args(arguments)
    try:
        return options.run(options)
    except TrainingError as e:
        print(f"everwatch-train: {e}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="everwatch-train", description="Trains streaming models for Everwatch."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    command = commands.add_parser("train", help="train by a recipe; goes on where it was stopped")
    command.add_argument("--recipe", required=True, help="smoke, release or a TOML file")
    command.add_argument("--seed", type=int, help="instead of the recipe's")
    _run_options(command)
    command.set_defaults(run=_train)

    command = commands.add_parser("sft", help="fine-tune a model on a folder of videos with text")
    command.add_argument("--model", required=True, help="a Qwen2.5-VL folder to begin with")
    command.add_argument("--data", required=True, help="folder of videos and their *.jsonl")
    command.add_argument("--steps", type=int, required=True, help="updates of the weights")
    command.add_argument("--learning-rate", type=float, default=1e-5)
    command.add_argument("--batch", type=int, default=1, help="chunks computed at once")
    command.add_argument("--accumulate", type=int, default=1, help="batches of one update")
    command.add_argument("--clip", type=int, default=24, help="seconds of a chunk (W)")
    command.add_argument("--overlap", type=int, default=12, help="of two chunks (O)")
    command.add_argument("--fps", type=int, default=2)
    command.add_argument("--pixels", type=int, nargs=2, default=(78_400, 602_112))
    command.add_argument("--sink", type=int, default=512, help="tokens of text kept for ever")
    command.add_argument("--window", type=int, default=512, help="last tokens of text")
    command.add_argument("--train-tower", action="store_true", help="the vision tower learns too")
    command.add_argument("--recompute", action="store_true", help="gradient checkpointing")
    command.add_argument("--precision", choices=("f32", "bf16", "bf16-weights"), default="bf16")
    command.add_argument("--seed", type=int, default=1)
    _run_options(command)
    command.set_defaults(run=_sft)

    command = commands.add_parser("export", help="write the newest state of a run as a model")
    command.add_argument("--out", type=Path, required=True, help="the run's folder")
    command.add_argument("--export", type=Path, required=True, help="the new model folder")
    command.set_defaults(run=_export)

    command = commands.add_parser("evaluate", help="judge a checkpoint on streams it never saw")
    command.add_argument("--model", required=True, help="an exported folder")
    command.add_argument("--scene", choices=("road", "door"), default="road")
    command.add_argument("--seeds", type=int, default=2)
    command.add_argument("--seconds", type=int, default=300)
    command.add_argument("--plain", action="store_true", help="112x112, day, steady, 2 fps")
    command.add_argument(
        "--taught",
        type=int,
        default=0,
        metavar="CHUNKS",
        help="also with the truth before each turn",
    )
    command.add_argument("--gate", help="recipe whose gate must be passed, on its own streams")
    command.set_defaults(run=_evaluate)

    command = commands.add_parser("curves", help="draw the curves of a run again")
    command.add_argument("--out", type=Path, required=True, help="the run's folder")
    command.set_defaults(run=_curves)
    return parser


def _run_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--out", type=Path, required=True, help="folder of the run's state")
    command.add_argument("--export", type=Path, help="write the model here at the end")
    command.add_argument("--processes", type=int, default=1, help="each trains with one thread")
    command.add_argument("--device", default="cpu", help="cpu or cuda")
    command.add_argument(
        "--loaders", type=int, default=0, help="processes that paint scenes for a GPU"
    )
    command.add_argument("--stop-after", type=int, default=0, help="steps in all; 0: to the end")
    command.add_argument("--quiet", action="store_true", help="no line per log entry")


def _train(options) -> int:
    recipe = load(options.recipe)
    if options.seed is not None:
        recipe = replace(recipe, seed=options.seed)
    return _run(recipe, options)


def _sft(options) -> int:
    stage = Stage(
        kind="sft",
        steps=options.steps,
        batch=options.batch,
        learning_rate=options.learning_rate,
        warmup=max(1, round(0.03 * options.steps)),
        weight_decay=0.0,
        accumulate=options.accumulate,
    )
    recipe = Recipe(
        name="sft",
        seed=options.seed,
        stages=[stage],
        start=options.model,
        videos=Videos(options.data, options.clip, options.overlap),
        streaming=Streaming(
            *options.pixels, text_sink=options.sink, text_window=options.window, fps=options.fps
        ),
        precision=options.precision,
        train_tower=options.train_tower,
        recompute=options.recompute,
        average_every=1,
        log_every=min(20, options.steps),
        save_every=20,
    )
    return _run(recipe, options)


def _run(recipe: Recipe, options) -> int:
    if options.processes < 1 or (options.processes > 1 and options.device != "cpu"):
        raise TrainingError(
            f"{options.processes} processes on {options.device}; expected one on a GPU and one or"
            " more on CPUs; correct --processes"
        )
    try:
        torch.empty(0, device=options.device)
    except (RuntimeError, AssertionError) as e:  # the latter from a PyTorch without CUDA
        raise TrainingError(
            f"there is no {options.device}: {e}; expected a GPU and a PyTorch that was built for"
            " it; use --device cpu, or install both"
        ) from e
    folder = RunFolder(options.out)
    folder.require(recipe.digest, options.processes)
    if options.export and options.export.exists():
        raise TrainingError(
            f"{options.export} exists; expected a new folder; name another --export or remove it"
        )
    (options.out / "recipe.json").write_text(
        json.dumps(_without_none(asdict(recipe)), indent=1) + "\n"
    )
    settings = Settings(
        recipe,
        options.out,
        options.device,
        loaders=options.loaders,
        stop_after=options.stop_after,
        quiet=options.quiet,
    )
    processes.run(options.processes, partial(_work, settings))
    if folder.log.is_file():
        curves.draw(folder.log, options.out / "curves")
    point = folder.point()
    whole = point and (point.stage, point.step) == (len(recipe.stages) - 1, recipe.stages[-1].steps)
    if not whole:
        print("stopped; the same command goes on from here")
        return 0
    if options.export:
        export(recipe, options.out, options.export)
        print(f"wrote {options.export}")
    return 0


def _export(options) -> int:
    path = options.out / "recipe.json"
    if not path.is_file():
        raise TrainingError(f"there is no {path}; expected the folder of a run; correct --out")
    export(read(json.loads(path.read_text()), str(path)), options.out, options.export)
    print(f"wrote {options.export}")
    return 0


def _without_none(table: dict) -> dict:
    return {name: value for name, value in table.items() if value is not None}


def _work(settings: Settings, company: processes.Company) -> None:
    train(settings, company)


def _evaluate(options) -> int:
    if options.gate:
        recipe = load(options.gate)
        if recipe.gate is None:
            raise TrainingError(f"recipe {recipe.name} has no [gate]; expected one; add it")
        return evaluation.gate(options.model, recipe.gate)
    model, scene, plain = options.model, options.scene, options.plain
    if options.taught:
        print(json.dumps(evaluation.taught(model, scene, options.taught, plain), indent=1))
    print(json.dumps(evaluation.judge(model, scene, options.seeds, options.seconds, plain)))
    return 0


def _curves(options) -> int:
    for path in curves.draw(options.out / "log.jsonl", options.out / "curves"):
        print(path)
    return 0
