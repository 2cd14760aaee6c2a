"""The verbs of the command line, a module each: `main(words)` takes the words after the verb, gives the exit code."""
