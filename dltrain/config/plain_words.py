"""Says in plain words what Hydra, OmegaConf and the YAML parser say of a fault."""

from __future__ import annotations

import re

from omegaconf.errors import OmegaConfBaseException

# Sentences of Hydra and OmegaConf that a person may not understand, and what they mean.
PLAIN_WORDS = {
    r"Interpolation key '(.*?)' not found": r"it refers to the key '\1', which does not exist",
    r"Value '(.*?)' is not a valid bool \(type .*?\)": r"expected true or false, got '\1'",
    r"Value '(.*?)' of type '.*?' could not be converted to Integer": r"expected an integer, got '\1'",
    r"Value '(.*?)' of type '.*?' could not be converted to Float": r"expected a number, got '\1'",
    r"(\S+) appears more than once in the final defaults list": r"\1: an option of this group is chosen twice",
    r"Could not override '(.*?)'\..*": r"\1: there is no such group.",
    r"Could not append to config\. An item is already at '(.*?)'\.": r"\1: there is a value already.",
    r"Multiple values for (\S+)\. To override a value use.*": r"\1: an option is chosen already.",
}


def sentence(error: BaseException) -> str:
    """Returns the message of Hydra, OmegaConf or the YAML parser in one line."""
    cause = error.__cause__ if isinstance(error.__cause__, OmegaConfBaseException) else error
    text = str(cause).partition("\nConfig search path:")[0].partition("\nSee https://")[0]
    about = ("full_key:", "object_type", "reference_type")
    lines = [line.strip() for line in text.splitlines() if not any(word in line for word in about)]
    text = " ".join(filter(None, lines)) or type(error).__name__
    for pattern, plain in PLAIN_WORDS.items():
        text = re.sub(pattern, plain, text)
    return text
