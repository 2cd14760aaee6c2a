"""Shows runs and sweeps in a browser while they are trained: `dltrain board`. It reads their files and writes none."""
