"""Imports what a job needs, for the process from which workers are forked.

TensorFlow starts its threads with the first operation, and a process with threads must not be forked, so that nothing
is computed here.
"""

import importlib
import signal
import threading

from dltrain.internals import tensorflow_quietly

if threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes, but only the main one acts on it
tensorflow_quietly.load()
importlib.import_module("dltrain.experiment.run")
