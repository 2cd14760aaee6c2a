"""Looks at what dltrain runs in: Python, packages, devices, folders and the terminal."""
