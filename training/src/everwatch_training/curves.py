# SPDX-License-Identifier: Apache-2.0
"""The curves of a run as pictures: one for each stage."""

from collections import defaultdict
from pathlib import Path

from .errors import TrainingError
from .state import atomically, records

PANELS = (
    ("loss", lambda name: name == "loss" or name.startswith("loss/")),
    ("turns right", lambda name: "/turns/" in name),
    ("seen right", lambda name: name.startswith("cells/right/") and "/no " not in name),
    ("decided right", lambda name: "/right/" in name and not name.startswith("cells/")),
)
MOST_LINES = 14  # of a panel: those that are worst at the end


def draw(log: Path, out: Path) -> list[Path]:
    """Pictures of all stages in a log, into a folder.

    Raises:
        TrainingError: when there is no log
    """
    if not log.is_file():
        raise TrainingError(f"there is no {log}; expected a run's log.jsonl; train first")
    stages = defaultdict(list)
    for record in records(log):
        stages[record["stage"], record["kind"]].append(record)
    out.mkdir(parents=True, exist_ok=True)
    pictures = []
    for (index, kind), lines in sorted(stages.items()):
        path = out / f"{index}-{kind}.png"
        _picture(kind, lines, path)
        pictures.append(path)
    return pictures


def _picture(kind: str, records: list[dict], path: Path) -> None:
    from matplotlib.figure import Figure

    names = sorted({name for record in records for name in record})
    panels = [(title, [n for n in names if wanted(n)]) for title, wanted in PANELS]
    panels = [(title, lines) for title, lines in panels if lines]
    figure = Figure(figsize=(6 * len(panels), 4), layout="constrained")
    for axes, (title, lines) in zip(
        figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True
    ):
        last = {n: next(r[n] for r in reversed(records) if n in r) for n in lines}
        if title != "loss":
            lines = sorted(lines, key=last.get)[:MOST_LINES]
        for name in lines:
            points = [(r["step"], r[name]) for r in records if name in r]
            axes.plot(*zip(*points, strict=True), linewidth=1, label=name)
        axes.set(title=f"{kind}: {title}", xlabel="step")
        if title == "loss":
            axes.set_yscale("log")
        else:
            axes.set_ylim(0, 1.02)
        axes.legend(fontsize=6)
        axes.grid(alpha=0.3)
    atomically(path, lambda part: figure.savefig(part, dpi=100, format="png"))
