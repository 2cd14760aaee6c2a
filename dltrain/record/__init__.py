"""What a run directory is: how it is written, read, compared and reproduced."""
