# SPDX-License-Identifier: Apache-2.0
"""What a run keeps on disk: written atomically, so that a kill at any time leaves a whole state."""

import contextlib
import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from .errors import TrainingError


def atomically(path: Path, write: Callable[[Path], None]) -> None:
    """Writes beside `path` and moves the finished file there."""
    part = path.with_name(path.name + ".part")
    write(part)
    with part.open("rb") as file:
        os.fsync(file.fileno())
    os.replace(part, path)


@dataclass(frozen=True)
class Point:
    """Where a run stands: the next step of a stage."""

    stage: int
    step: int
    processes: int
    recipe: str

    def file(self, rank: int) -> str:
        return f"state-{self.stage}-{self.step}.rank{rank}.pt"


class RunFolder:
    """`state.json` names the newest whole state; the files of each process lie beside it."""

    def __init__(self, folder: Path):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def log(self) -> Path:
        return self.folder / "log.jsonl"

    def point(self) -> Point | None:
        """None: nothing was saved yet."""
        path = self.folder / "state.json"
        return Point(**json.loads(path.read_text())) if path.is_file() else None

    def require(self, recipe: str, processes: int) -> Point | None:
        """The point to go on from.

        Raises:
            TrainingError: when the folder holds the run of another recipe
        """
        point = self.point()
        if point and (point.recipe, point.processes) != (recipe, processes):
            raise TrainingError(
                f"{self.folder} holds a run of recipe {point.recipe} with {point.processes}"
                f" processes, this one is {recipe} with {processes}; expected the same, so that"
                " the run goes on exactly; name another --out or use the same settings"
            )
        return point

    def load(self, point: Point, rank: int) -> dict:
        path = self.folder / point.file(rank)
        try:
            return torch.load(path, map_location="cpu", weights_only=True)
        except (OSError, RuntimeError, EOFError) as e:
            raise TrainingError(
                f"{path} cannot be read: {e}; expected the state that state.json names; restore"
                " the file or start a new run in another folder"
            ) from e

    def save(self, point: Point, rank: int, state: dict, together: Callable[[], None]) -> None:
        """Called by all processes at the same step; `together` waits for all of them."""
        atomically(self.folder / point.file(rank), lambda path: torch.save(state, path))
        together()
        if rank == 0:
            pointer = json.dumps(asdict(point))
            atomically(self.folder / "state.json", lambda path: path.write_text(pointer))
            keep = {point.file(r) for r in range(point.processes)}
            for old in self.folder.glob("state-*.pt*"):
                if old.name not in keep:
                    old.unlink()
        together()

    def cut_log(self, point: Point | None) -> None:
        """Drops the lines of steps that will be done again."""
        if not self.log.is_file():
            return
        at = (point.stage, point.step) if point else (0, 0)
        kept = [r for r in records(self.log) if (r["stage"], r["step"]) <= at]
        text = "".join(json.dumps(record) + "\n" for record in kept)
        atomically(self.log, lambda path: path.write_text(text))


def records(log: Path) -> list[dict]:
    """The lines of a log; one that a kill broke off is no line."""
    found = []
    for line in log.read_text().splitlines():
        with contextlib.suppress(json.JSONDecodeError):
            found.append(json.loads(line))
    return found
