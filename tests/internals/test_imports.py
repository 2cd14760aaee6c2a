"""What composes a config loads no TensorFlow: each library's private names stand in modules of their own."""

from __future__ import annotations

import subprocess
import sys

LIGHT = ("hydra_loading", "hydra_command", "private_names", "tensorflow_quietly")


def test_what_a_config_needs_loads_nothing_heavy() -> None:
    lines = "\n".join(f"import dltrain.internals.{name}" for name in LIGHT)
    code = f"import sys\n{lines}\nprint({{'tensorflow', 'keras', 'numpy', 'optuna'}} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
