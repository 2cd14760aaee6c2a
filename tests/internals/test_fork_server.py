from __future__ import annotations

import os
import subprocess
import sys

import pytest

# In a process of its own, whose imports and workers are no other test's.
PROGRAM = """
from dltrain.internals import fork_server
fork_server.end()
assert not fork_server.runs()
assert fork_server.begin(["json"]) and fork_server.runs()
assert not fork_server.begin(["json"])
fork_server.end()
assert not fork_server.runs()
assert fork_server.begin(["json"])
fork_server.end()
print("ended")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no process is forked here")
def test_the_process_begins_once_and_ends_during_its_imports() -> None:
    found = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60, check=False)
    assert found.stdout == "ended\n", found.stderr
