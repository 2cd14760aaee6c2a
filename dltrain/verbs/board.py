"""Implements `dltrain board`, which shows runs and sweeps in a browser."""

from __future__ import annotations

import argparse
from pathlib import Path

from dltrain.base.distribution import install
from dltrain.base.errors import ConfigError
from dltrain.base.show import show
from dltrain.verbs import Verb, argument

DESCRIPTION = f"""\
Shows the runs and sweeps below a folder in a browser, while they are trained: a table of all, curves that grow, runs
side by side with a sentence on whether they differ by more than noise, and the jobs of sweeps (needs:
{install("serve")}).

It reads files and changes none, asks no other machine for anything, and listens on this machine alone unless --host
says otherwise. It asks nobody for a password.
"""
EXAMPLES = """\
examples:
  dltrain board
  dltrain board outputs --port 9000 --open

exit codes: 0 stopped by Ctrl-C, 2 usage error.
"""


def _run(given: argparse.Namespace) -> int:
    if not 0 <= given.port <= 65535:
        raise ConfigError(f"--port {given.port}: expected a port from 0 to 65535.")

    from dltrain.api.commands import terminating
    from dltrain.dashboard.serve import listen, make_server, open_browser

    server = make_server(given.folder, given.host)
    listening, url = listen(given.host, given.port)
    if given.open:
        open_browser(url)
    with terminating(), listening:
        show(f"board of {given.folder} on {url} (Ctrl-C stops)", flush=True)
        server.run(sockets=[listening])
    return 0


VERB = Verb(
    name="board",
    summary="Shows runs and sweeps in a browser, while they are trained.",
    description=DESCRIPTION,
    examples=EXAMPLES,
    arguments=(
        argument("folder", metavar="DIR", nargs="?", type=Path, default=Path("outputs"), help="default: outputs"),
        argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)"),
        argument("--port", type=int, default=8008, help="port to listen on; 0 takes a free one (default: %(default)s)"),
        argument("--open", action="store_true", help="open the page in the browser"),
    ),
    function=_run,
)
