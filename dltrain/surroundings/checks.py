"""Judges the surroundings: what is wrong, why, and one cure each."""

from __future__ import annotations

from collections.abc import Iterator

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from dltrain.base.outcome import FAILED, FINE, LOOK, Outcome
from dltrain.base.shell_words import command
from dltrain.surroundings.facts import Facts, TensorFlowFacts

LITTLE, TOO_LITTLE = 5 * 2**30, 2**29  # bytes of disk space
UTF_8 = ("utf-8", "utf8", "utf_8", "utf-8-sig")
# The distribution that each folder belongs to
RIGHTFUL = {"dltrain": "dltrain-keras", "keras": "keras", "tensorflow": "tensorflow"}


def first_checks(facts: Facts) -> Iterator[Outcome]:
    """Yields what is known without TensorFlow."""
    yield _python(facts)
    yield _packages(facts)
    yield _owners(facts)
    yield _system(facts)
    yield _space(facts)
    yield _cache(facts)
    yield _encoding(facts)


def check_tensorflow(facts: Facts, found: TensorFlowFacts) -> Outcome:
    """Judges whether TensorFlow can be imported and uses the GPUs that there are."""
    if found.error:
        cure = command(["pip", "install", "--force-reinstall", *_wanted(facts, "tensorflow")])
        return _failed("tensorflow", f"It cannot be imported ({found.error}).", cure)
    if found.matmul_error:
        text = f"{found.gpus[0]} is found, and a product of two matrices on it fails ({found.matmul_error})."
        return _failed("gpu", text, "CUDA_VISIBLE_DEVICES=-1 dltrain … trains on the CPU until the driver is updated")
    if found.gpus:
        return Outcome("gpu", FINE, f"TensorFlow uses {len(found.gpus)} of them; a product of two matrices is right.")
    if not facts.driver_gpus:
        return Outcome("gpu", FINE, "The driver has none; TensorFlow trains on the CPU.")
    names = ", ".join(facts.driver_gpus)
    if facts.visible_devices is not None and facts.visible_devices.strip() in ("", "-1"):
        text = f"{names}: hidden by CUDA_VISIBLE_DEVICES={facts.visible_devices!r}."
        return _failed("gpu", text, "unset CUDA_VISIBLE_DEVICES")
    if facts.system == "Windows":
        return _failed("gpu", f"{names}: TensorFlow on Windows uses no GPU.", "wsl --install, and dltrain inside of it")
    if not found.built_with_cuda:
        text = f"{names}: this TensorFlow was built without CUDA."
        return _failed("gpu", text, command(["pip", "install", "--force-reinstall", *_wanted(facts, "tensorflow")]))
    if not any(name.startswith("nvidia-cudnn") for name in facts.versions):
        text = f"{names}: the CUDA libraries that TensorFlow needs are not installed."
    else:
        text = f"{names}: TensorFlow cannot use the installed CUDA libraries or the driver."
    version = facts.versions.get("tensorflow", "")
    return _failed("gpu", text, command(["pip", "install", f"tensorflow[and-cuda]{f'=={version}' if version else ''}"]))


def _python(facts: Facts) -> Outcome:
    version = ".".join(map(str, facts.python))
    if facts.requires_python and version not in SpecifierSet(facts.requires_python):
        text = f"Python {version}; expected {facts.requires_python}: TensorFlow has no release for others."
        return _failed("python", text, "python3.12 -m venv .venv, and install into that")
    return Outcome("python", FINE, f"Python {version} on {facts.system} ({facts.machine}).")


def _packages(facts: Facts) -> Outcome:
    wrong, wanted = [], []
    for line in facts.requirements:
        requirement = Requirement(line)
        version = facts.versions.get(canonicalize_name(requirement.name))
        if version is None:
            wrong.append(f"{requirement.name} is not installed")
        elif not requirement.specifier.contains(version, prereleases=True):
            wrong.append(f"{requirement.name} {version} is installed, expected {requirement.specifier}")
        else:
            continue
        wanted.append(str(requirement))
    if wrong:
        return _failed("packages", f"{'; '.join(wrong)}.", command(["pip", "install", *wanted]))
    known = [f"{name} {facts.versions[name]}" for name in ("tensorflow", "keras") if name in facts.versions]
    return Outcome("packages", FINE, f"{', '.join(known) or 'TensorFlow'} and the others have the expected versions.")


def _owners(facts: Facts) -> Outcome:
    for folder, names in facts.owners.items():
        strangers = [name for name in names if name != RIGHTFUL[folder]]
        if not strangers:
            continue
        text = f"{folder}/ is written by {' and '.join(names)}, so that one of them is damaged."
        cure = f"pip uninstall -y {' '.join(strangers)} && pip install --force-reinstall --no-deps {RIGHTFUL[folder]}"
        return _failed("folders", text, cure)
    return Outcome("folders", FINE, "No other package writes dltrain/, keras/ or tensorflow/.")


def _system(facts: Facts) -> Outcome:
    if facts.system == "Darwin" and facts.machine == "x86_64":
        text = "TensorFlow has no release for Macs with Intel processors since 2.17."
        return _failed("system", text, "train on a Mac with Apple silicon, or on Linux")
    if facts.system == "Darwin":
        return Outcome("system", FINE, "TensorFlow trains on the CPU of Apple silicon; its GPU is not used.")
    if facts.system == "Windows":
        return Outcome("system", FINE, "TensorFlow trains on the CPU on Windows; in WSL 2 it uses an NVIDIA GPU too.")
    return Outcome("system", FINE, f"TensorFlow supports {facts.system}.")


def _space(facts: Facts) -> Outcome:
    text = f"{facts.free_bytes / 2**30:,.1f} GiB are free in {facts.folder}."
    cure = "delete old runs there, or name another place with hydra.run.dir=DIR"
    if facts.free_bytes < TOO_LITTLE:
        return _failed("disk", text, cure)
    status = LOOK if facts.free_bytes < LITTLE else FINE
    return Outcome("disk", status, text, tries=(cure,) if status == LOOK else ())


def _cache(facts: Facts) -> Outcome:
    if not facts.cache_writable:
        text = f"Downloads cannot be kept: {facts.cache}{'' if facts.cache.endswith('.') else ' is not writable.'}"
        return _failed("cache", text, "export DLTRAIN_DATA_DIR=DIR, a folder that you can write to")
    return Outcome("cache", FINE, f"Downloads are kept in {facts.cache}.")


def _encoding(facts: Facts) -> Outcome:
    text = f"Output {facts.output_encoding or 'unknown'}, file names {facts.file_encoding}, locale {facts.locale}."
    if facts.file_encoding.lower() not in UTF_8:
        return _failed("encoding", f"{text} Files with other letters cannot be named.", "export PYTHONUTF8=1")
    if facts.output_encoding.lower() not in UTF_8:
        text += " Letters that the output lacks are shown as escapes."
        return Outcome("encoding", LOOK, text, tries=("export PYTHONUTF8=1",))
    return Outcome("encoding", FINE, text)


def _failed(name: str, text: str, cure: str) -> Outcome:
    return Outcome(name, FAILED, text, tries=(cure,))


def _wanted(facts: Facts, name: str) -> list[str]:
    return [str(each) for each in map(Requirement, facts.requirements) if each.name == name] or [name]
