# SPDX-License-Identifier: Apache-2.0
"""Several processes that train alike and average their weights, one thread each.

On shared cores this loses far less time than a reduction of gradients at every step, where the
slowest process sets the pace; and one process with several threads is slower than either.
"""

import contextlib
import os
import signal
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import nn

from .errors import TrainingError

CAUSE = "cause"


class Company:
    """This process among those that train together."""

    def __init__(self, rank: int = 0, size: int = 1):
        self.rank = rank
        self.size = size

    def together(self) -> None:
        if self.size > 1:
            dist.barrier()

    @torch.no_grad()
    def average(self, parameters: list[nn.Parameter]) -> None:
        if self.size == 1:
            return
        flat = torch.cat([p.reshape(-1) for p in parameters])
        dist.all_reduce(flat)
        flat /= self.size
        at = 0
        for p in parameters:
            p.copy_(flat[at : at + p.numel()].view_as(p))
            at += p.numel()

    def any(self, flag: bool) -> bool:
        """Whether any process says so."""
        if self.size == 1:
            return flag
        value = torch.tensor([float(flag)])
        dist.all_reduce(value)
        return value.item() > 0


class StopSignal:
    """Ctrl-C and SIGTERM end a run at its next save, not in the middle of a step."""

    def __init__(self):
        self.asked = False

    def __enter__(self) -> "StopSignal":
        self.before = {s: signal.signal(s, self._ask) for s in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *_) -> None:
        for number, handler in self.before.items():
            signal.signal(number, handler)

    def _ask(self, *_) -> None:
        self.asked = True


def run(size: int, work: Callable[[Company], None]) -> None:
    """Runs `work` in so many processes; returns when all are done.

    Raises:
        TrainingError: when one of them failed; the others are ended
    """
    if size == 1:
        work(Company())
        return
    with tempfile.TemporaryDirectory() as folder:
        context = mp.spawn(_member, (size, folder, work), nprocs=size, join=False)
        with _Forwarded(context):  # a signal to this process alone would orphan them
            try:
                while not context.join():
                    pass
            except (mp.ProcessExitedException, mp.ProcessRaisedException) as e:
                cause = Path(folder) / CAUSE
                why = cause.read_text() if cause.is_file() else f"process {e.error_index} died: {e}"
                raise TrainingError(
                    f"{why}; expected {size} processes to finish; correct the cause, then run the"
                    " same command to go on"
                ) from e


class _Forwarded:
    def __init__(self, context: mp.ProcessContext):
        self.context = context

    def __enter__(self) -> None:
        def forward(number, _):
            for process in self.context.processes:
                if process.is_alive():
                    os.kill(process.pid, number)

        self.before = {s: signal.signal(s, forward) for s in (signal.SIGINT, signal.SIGTERM)}

    def __exit__(self, *_) -> None:
        for number, handler in self.before.items():
            signal.signal(number, handler)


def _member(rank: int, size: int, folder: str, work: Callable[[Company], None]) -> None:
    meeting = f"file://{Path(folder) / 'meeting'}"
    dist.init_process_group("gloo", init_method=meeting, rank=rank, world_size=size)
    try:
        work(Company(rank, size))
    except Exception as e:
        # The first one; those that waited for it lose their connection and fail after it.
        with contextlib.suppress(FileExistsError), (Path(folder) / CAUSE).open("x") as cause:
            cause.write(f"process {rank} failed: {e}")
            if not isinstance(e, TrainingError):
                traceback.print_exc()
        raise SystemExit(1) from e
    dist.destroy_process_group()
