"""Runs the experiments of the course at full size: how long each takes, and what its picture shows.

    python benchmarks/course.py [--only NAME …] [--keep DIR] [--pictures]

Each experiment is the command that docs/course/ tells for it, in a process of its own, after what its page has typed
before. Processor time is that of all processes. The figures of an experiment are those of its picture's description.
With --pictures the pictures that the pages show are written. Runs that stand in --keep already are not repeated.
Linux alone; `cifar10/test` of the data directory (DLTRAIN_DATA_DIR) holds CIFAR-10's test images in a folder a class.
"""

from __future__ import annotations

import argparse
import ctypes
import html
import json
import os
import re
import resource
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from dltrain.config.compose import Composer
from dltrain.data.storage import data_directory
from dltrain.verbs.course import chapters

ROOT = Path(__file__).parents[1]
PICTURES = ROOT / "docs" / "course_pictures"
SECTIONS = [section for chapter in chapters() for section in chapter.sections]
# The links to the pictures that the pages show.
SHOWN = {link for section in SECTIONS for _, link in section.pictures}
# The picture in plots/ that shows the point.
POINT = {
    "other_distribution": "scores_of_parts",
    "head_table": "answers",
    "checkpoints": "checkpoints",
    "decision_boundary": "decision_boundary",
    "fitted_curve": "decision_boundary",
    "course_mlp": "curve_loss",
    "tensorboard": "curve_loss",
    "one_or_many": "timeline",
    "calm_curve": "decision_boundary",
    "lines_and_curves": "decision_boundary",
    "distortions": "augmented_images",
    "importance_search": "order_of_importance",
    "batch_statistics": "batch_statistics",
    "coarse_to_fine_search": "tried",
    "steps": "paces",
    "dropout_masks": "dropout_masks",
    "dropout_rates": "over_setting",
    "stratify": "targets_of_parts",
    "head_for_amounts": "answers",
    "symmetry": "kernels",
    "l1_zeros": "kernels",
    "l2_weights": "weights",
    "bias_variance": "four_cases",
    "capacity": "over_setting",
    "normalization_noise": "over_setting",
    "normalization_or_dropout": "paces",
    "batch_normalization": "over_setting",
    "split_sizes": "over_setting",
    "initialization": "layer_spreads",
    "loss_averages": "batch_losses",
    "convergence": "limits",
    "learning_curve": "over_setting",
    "normalizations": "crossed",
    "cross_validation": "folds",
    "grid_search": "tried",
    "random_search": "tried",
    "bayesian_search": "tried",
    "gradient_check": "gradient_check",
    "digits_cnn": "confusion_matrix",
    "mnist_cnn": "confusion_matrix",
}
PR_SET_CHILD_SUBREAPER = 36  # of prctl(2): orphans become children of this process, which then counts their time
WANTED = {"digits_cnn": 0.985, "mnist_cnn": 0.98}  # accuracy on the test part


def commands() -> dict[str, list[str]]:
    """The command of each experiment on its page, by its name; before it those of what it needs."""
    found: dict[str, list[str]] = {}
    for section in SECTIONS:
        lines = section.commands
        for name, words in section.experiments.items():
            place = [shlex.split(line)[1:] for line in lines].index(words)
            found[name] = [*(line for line in lines[:place] if "experiment=" not in line), lines[place]]
    return found


def run(line: str, folder: Path) -> tuple[float, float]:
    """Wall and processor seconds of one command that is typed in a folder."""
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    if line.startswith("dltrain "):
        line = f"{shlex.quote(sys.executable)} -m {line}"
    status = subprocess.run(["bash", "-c", line], stdout=subprocess.DEVNULL, cwd=folder, check=False).returncode
    if status:
        raise SystemExit(f"{line} ended with {status}")
    wall = time.perf_counter() - began
    with suppress(ChildProcessError):
        while True:  # the workers of a sweep are children of a process that ends after the command
            os.wait()
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, usage.ru_utime + usage.ru_stime - before.ru_utime - before.ru_stime


def shown(directory: Path, name: str) -> tuple[Path, str]:
    """The picture of an experiment and its description; of a single run, its test accuracy as well."""
    picture = directory / "plots" / f"{POINT.get(name, 'side_by_side')}.svg"
    text = html.unescape(re.findall(r"<desc[^>]*>(.*?)</desc>", picture.read_text("utf-8"), re.DOTALL)[0])
    if name in WANTED:
        accuracy = json.loads((directory / "metrics.json").read_text())["test"]["accuracy"]
        text = f"test accuracy {accuracy:.4f}, wanted {WANTED[name]}. {text}"
    return picture, text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=sorted(commands()), default=sorted(commands()))
    parser.add_argument("--keep", type=Path, metavar="DIR", help="where the runs stand; default: nowhere")
    parser.add_argument("--pictures", action="store_true", help="write the pictures into docs/course_pictures/")
    given = parser.parse_args()
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    with tempfile.TemporaryDirectory() as temporary:
        Path(temporary, "cifar10").symlink_to(data_directory() / "cifar10")
        for name in given.only:
            directory = (given.keep or Path(temporary)).resolve() / name
            times = "before"
            if not directory.exists():
                *needed, own = commands()[name]
                for line in needed:
                    run(line, Path(temporary))
                words = shlex.split(own)[1:]
                sweep = "-m" in words or Composer().compose(words).search is not None
                where = f"hydra.{'sweep' if sweep else 'run'}.dir={shlex.quote(str(directory))}"
                wall, processor = run(f"{own} {where}", Path(temporary))
                times = f"{wall:.0f} s, {processor:.0f} s of processor time"
            picture, text = shown(directory, name)
            print(f"{name}: {times}\n  {text}", flush=True)
            if given.pictures and f"../course_pictures/{name}.svg" in SHOWN:
                PICTURES.mkdir(exist_ok=True)
                shutil.copyfile(picture, PICTURES / f"{name}.svg")


if __name__ == "__main__":
    main()
