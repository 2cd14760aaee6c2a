"""From YAML and the words of a command line to one checked config; imports nothing heavy."""
