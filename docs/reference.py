"""Writes the pages of the reference from conf/, the verbs and the tables of the code, so that they cannot age."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from pathlib import Path

import dltrain
from dltrain import verbs
from dltrain.config.compose import conf_directory
from dltrain.config.option_files import OptionFile
from dltrain.config.tasks import TASKS

# The groups of Hydra's own and those that only other files choose.
INTERNAL = ("hydra", "shrink")
# Methods that scikit-learn makes for each estimator, with links into its own documentation.
OF_SCIKIT_LEARN = ("set_fit_request", "set_score_request", "set_predict_request", "get_metadata_routing")


def write(folder: Path) -> None:
    """Writes the pages into a folder, which is made."""
    folder.mkdir(exist_ok=True)
    files = [OptionFile(path, conf_directory()) for path in sorted(conf_directory().rglob("*.yaml"))]
    pages = {
        "options": options(files),
        "keys": keys(files),
        "verbs": commands(),
        "tasks": tasks(),
        "python": python(),
    }
    for name, text in pages.items():
        path = folder / f"{name}.md"
        if not path.exists() or path.read_text("utf-8") != text:  # so that only what has changed is built again
            path.write_text(text, encoding="utf-8")


def options(files: Iterable[OptionFile]) -> str:
    """Lists every option of every group with its sentence and its command."""
    text = [
        "# Options\n",
        "Each word `group=option` chooses a file of `conf/`. An option of your own is a file in a folder that "
        "`--config-dir` names.\n",
    ]
    listed = [file for file in files if file.group and not file.group.startswith(INTERNAL)]
    for group, several in itertools.groupby(listed, key=lambda file: file.group):
        text.append(f"## `{group}`\n")
        for file in several:
            command = next((line for line in file.lines if line.startswith("# dltrain ")), "# ")[2:]
            text.append(f"**`{group}={file.path.stem}`** {file.summary}\n\n```text\n{command}\n```\n")
    return "\n".join(text)


def keys(files: Iterable[OptionFile]) -> str:
    """Lists every key of which a file of conf/ says something, in a table for each group."""
    told: dict[str, dict[tuple[str, str], list[str]]] = {}
    for file in files:
        for key, comment in file.comments().items():
            group = key.partition(".")[0] if "." in key else ""
            if file.group != "experiment" and not key.startswith(INTERNAL):
                told.setdefault(group, {}).setdefault((key, comment), []).append(file.path.stem)
    text = ["# Keys\n", "What `key=value` changes. `dltrain --cfg job` prints every key with its value.\n"]
    for group, rows in sorted(told.items()):
        text += [f"## `{group}`\n" if group else "## At the top\n", "| key | of | meaning |", "|---|---|---|"]
        for (key, comment), options in rows.items():
            meaning = comment.replace("|", r"\|")
            text.append(f"| `{key}` | {', '.join(options) if group else 'every run'} | {meaning} |")
        text.append("")
    return "\n".join(text)


def commands() -> str:
    """Shows the help of every verb."""
    text = ["# Commands\n", "`dltrain` with overrides alone trains; the first word may be one of these verbs.\n"]
    for name in verbs.names():
        verb = verbs.verb(name)
        text += [f"## dltrain {name}\n", f"{verb.summary}\n", "```text", verb.parser().format_help().rstrip(), "```\n"]
    return "\n".join(text)


def tasks() -> str:
    """Lists the rows of the head table."""
    text = [
        "# Tasks\n",
        "The task says what the last layer, the loss and the metrics are; `task=auto` infers it from the target.\n",
        "| task | a row has | loss is minus the log-likelihood of | activations within the target's range |",
        "|---|---|---|---|",
    ]
    for name, task in TASKS.items():
        text.append(f"| `{name}` | a {task.answer} | `{task.loss}` | {', '.join(task.activations) or 'any'} |")
    return "\n".join([*text, ""])


def python() -> str:
    """Describes what `import dltrain` gives, from the docstrings."""
    text = ["# Python\n", "`import dltrain` gives these names, and loads TensorFlow when the first of them is used.\n"]
    for name in dir(dltrain):
        if not name.startswith("_"):
            kind = "autoclass" if isinstance(getattr(dltrain, name), type) else "autofunction"
            options = ["   :members:", f"   :exclude-members: {', '.join(OF_SCIKIT_LEARN)}"] * (kind == "autoclass")
            text += ["```{eval-rst}", f".. {kind}:: dltrain.{name}", *options, "```\n"]
    return "\n".join(text)
