"""What composes a config loads no TensorFlow: each library's private names stand in modules of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

LIGHT = ("hydra_loading", "hydra_command", "private_names", "tensorflow_quietly")


def test_what_a_config_needs_loads_nothing_heavy() -> None:
    lines = "\n".join(f"import dltrain.internals.{name}" for name in LIGHT)
    code = f"import sys\n{lines}\nprint({{'tensorflow', 'keras', 'numpy', 'optuna'}} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


PICTURES_OF_KERAS = """
import sys
from dltrain.internals import tensorflow_quietly
tensorflow_quietly.load()
print({"matplotlib", "IPython"} & set(sys.modules))
import keras, numpy, pathlib
keras.visualization.plot_image_gallery(numpy.zeros((1, 4, 4, 3)), path="gallery.png")
print(pathlib.Path("gallery.png").exists(), type(sys.modules["matplotlib.pyplot"]).__name__)
"""


def test_keras_imports_what_draws_when_it_draws(tmp_path: Path) -> None:
    """A process of its own, since others of this one may have imported it."""
    paths = {"PYTHONPATH": ":".join(map(os.path.abspath, sys.path)), "MPLBACKEND": "agg"}
    words = [sys.executable, "-c", PICTURES_OF_KERAS]
    done = subprocess.run(words, capture_output=True, text=True, env=os.environ | paths, cwd=tmp_path)
    assert done.stdout.splitlines() == ["set()", "True module"], done.stderr
