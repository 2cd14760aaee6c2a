"""Imports what a job needs, for the process from which workers are forked.

TensorFlow starts its threads with the first operation, and a process with threads must not be forked, so that nothing
is computed here.
"""

import importlib

from dltrain.internals import tensorflow_quietly

tensorflow_quietly.load()
importlib.import_module("dltrain.experiment.run")
