# SPDX-License-Identifier: Apache-2.0
import json
from dataclasses import replace

import pytest
import torch

from conftest import SHIPPED, TINY
from everwatch_training import cli, evaluation, export
from everwatch_training.grammar import Grammar
from everwatch_training.recipe import Gate
from everwatch_training.start import read
from everwatch_training.state import RunFolder

STAGE = '[[stages]]\nkind = "align"\nsteps = 2\nbatch = 1\nlearning_rate = 1e-3\n'


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run of two steps through the command line, exported."""
    folder = tmp_path_factory.mktemp("trained")
    (folder / "tiny.toml").write_text(TINY + STAGE)
    words = ["--recipe", folder / "tiny.toml", "--out", folder / "run", "--export", folder / "m"]
    assert cli.main(["train", *map(str, words), "--quiet"]) == 0
    return folder


def test_an_exported_folder_has_the_files_and_names_of_the_shipped_one(trained):
    assert {f.name for f in (trained / "m").iterdir()} == {f.name for f in SHIPPED.iterdir()}
    for name in ("config.json", "preprocessor_config.json", "streaming.json"):
        ours, shipped = (json.loads((f / name).read_text()) for f in (trained / "m", SHIPPED))
        assert ours.keys() == shipped.keys(), name
    from safetensors import safe_open

    with (
        safe_open(trained / "m/model.safetensors", "pt") as ours,
        safe_open(SHIPPED / "model.safetensors", "pt") as shipped,
    ):
        kinds = [
            {k.replace(".0.", ".N.").replace(".1.", ".N.") for k in f.keys()}  # noqa: SIM118
            for f in (ours, shipped)
        ]
        assert kinds[0] <= kinds[1]
        assert {ours.get_tensor(k).dtype for k in ours.keys()} == {torch.bfloat16}  # noqa: SIM118


def test_what_is_exported_is_the_newest_state_in_bf16(trained):
    run = RunFolder(trained / "run")
    state = run.load(run.point(), 0)["model"]
    found = read(trained / "m").state_dict()
    for name, weight in state.items():
        assert torch.equal(found[name], weight.to(torch.bfloat16).float()), name
    grammar = Grammar.load(trained / "m")
    assert grammar.text(" A red bus") == Grammar.load(trained / "m").text(" A red bus")
    assert len(grammar.text(" A red bus")) == 3


def test_a_run_that_began_with_a_folder_keeps_its_configuration_and_tokenizer(tmp_path):
    text = f"""
    name = "more"
    seed = 1
    start = "{SHIPPED}"
    precision = "bf16-weights"
    recompute = true
    average_every = 1
    log_every = 1
    save_every = 1
    [streaming]
    text_window = 100
    [[stages]]
    kind = "sft"
    steps = 1
    batch = 1
    learning_rate = 1e-3
    captions_every = 1
    captions = 1
    drill_every = 1
    drill = 1
    curriculum = [{{ start = 0.0, seconds = 4, text_window = 48 }}]
    """
    (tmp_path / "more.toml").write_text(text)
    out = tmp_path / "m"
    words = ["--recipe", tmp_path / "more.toml", "--out", tmp_path / "r", "--export", out]
    assert cli.main(["train", *map(str, words), "--quiet"]) == 0
    for name in ("config.json", "tokenizer.json", "generation_config.json"):
        assert (out / name).read_text() == (SHIPPED / name).read_text()
    before, after = (json.loads((f / "streaming.json").read_text()) for f in (SHIPPED, out))
    assert after["temperature"] == before["temperature"]
    assert (after["text_window"], after["max_pixels"]) == (100, 38416)
    old, new = read(SHIPPED).state_dict(), read(out).state_dict()
    assert sum(not torch.equal(old[name], new[name]) for name in old) > len(old) // 2


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["--processes", "0"], "0 processes on cpu; expected one"),
        (["--processes", "2", "--device", "cuda"], "2 processes on cuda; expected one on a GPU"),
        (["--device", "cuda:77"], "there is no cuda:77: "),
        (["--seed", "9"], "holds a run of recipe"),
        (["--export", "m"], "m exists; expected a new folder"),
    ],
)
def test_what_cannot_run_is_told_before_anything_is_written(trained, words, problem, capsys):
    recipe = (trained / "run/recipe.json").read_text()
    words = [str(trained / "m") if word == "m" else word for word in words]
    out = ["--recipe", str(trained / "tiny.toml"), "--out", str(trained / "run")]
    assert cli.main(["train", *out, *words]) == 1
    assert problem in capsys.readouterr().err
    assert (trained / "run/recipe.json").read_text() == recipe


def test_an_export_never_overwrites_and_needs_a_run(trained, tmp_path, capsys):
    out = str(trained / "run")
    assert cli.main(["export", "--out", out, "--export", str(trained / "m")]) == 1
    assert "m exists; expected a new folder" in capsys.readouterr().err
    assert cli.main(["export", "--out", str(tmp_path), "--export", str(tmp_path / "m")]) == 1
    assert "expected the folder of a run" in capsys.readouterr().err
    assert cli.main(["export", "--out", out, "--export", str(tmp_path / "m")]) == 0
    assert {f.name for f in tmp_path.iterdir()} == {"m"}


def test_a_failed_export_leaves_nothing_behind(trained, tmp_path, monkeypatch):
    def fails(*_):
        raise OSError("disk full")

    monkeypatch.setattr(export, "_streaming", fails)
    with pytest.raises(OSError, match="disk full"):
        cli.main(["export", "--out", str(trained / "run"), "--export", str(tmp_path / "m")])
    assert not list(tmp_path.iterdir())


def test_curves_are_drawn_for_each_stage(trained, capsys):
    assert (trained / "run/curves/0-align.png").stat().st_size > 10_000
    with (trained / "run/log.jsonl").open("a") as log:
        log.write('{"stage": 0, "ki')  # a run that is under way, or was killed
    assert cli.main(["curves", "--out", str(trained / "run")]) == 0
    assert "0-align.png" in capsys.readouterr().out


def test_a_checkpoint_that_says_nothing_right_does_not_pass_a_gate(trained, capsys):
    gate = Gate(["road", "door"], 1, 20, True, 0.5, 0.0, number_given=0.5)
    assert evaluation.gate(str(trained / "m"), gate) == 1
    told = capsys.readouterr().out
    assert "road: events_f1 is 0.0, the gate wants 0.5" in told
    assert "door: events_f1 is 0.0" in told and "number_given is" in told
    assert "silence is" not in told
    assert evaluation.gate(str(trained / "m"), replace(gate, events_f1=0.0, number_given=0.0)) == 0


def test_turns_and_decisions_are_judged_with_the_truth_before_them(trained):
    found = evaluation.taught(str(trained / "m"), "door", 2, plain=True)
    assert found["turns/silence"] == found["turns/events"] == 0.0  # of a random model
    assert {"right/turn>silence", "right/turn>A", "right/in>colour"} <= found.keys()
    assert found == evaluation.taught(str(trained / "m"), "door", 2, plain=True)
    assert found != evaluation.taught(str(trained / "m"), "road", 2, plain=True)


def test_seconds_are_counted_as_they_are_judged():
    from collections import Counter

    counts, last = Counter(), None
    said = [
        (
            " A red car number one enters from the left.",
            " A red car number one enters from the left.",
        ),
        ("", " The light turns red."),
        ("", ""),
        (" A red bus enters from the left.", " A red bus number two enters from the left."),
        (
            " A red car number two after a red one enters from the left.",
            " A red car enters from the left.",
        ),
        (" The light turns red.", " The light turns green."),
    ]
    for truth, answer in said:
        last = evaluation.count(counts, truth, answer, last)
    found = evaluation.scores(counts)
    assert found["events_f1"] == pytest.approx(2 * 3 / (4 + 5), abs=1e-4)
    assert found["silence"] == 0.5
    assert found["number_given"] == 0.5
    assert found["number_false"] == 1.0
    assert found["count_step"] == 1.0
