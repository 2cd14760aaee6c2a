"""Each fault of the surroundings has its cause and one cure; the surroundings are made up."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dltrain.base.outcome import FAILED, FINE, LOOK
from dltrain.surroundings.checks import check_tensorflow, first_checks
from dltrain.surroundings.facts import Facts, TensorFlowFacts

GOOD = Facts(
    python=(3, 12, 4),
    system="Linux",
    machine="x86_64",
    requires_python=">=3.11,<3.14",
    requirements=["tensorflow<2.23,>=2.21", "Keras>=3.15", "hydra_core>=1.3"],
    versions={"tensorflow": "2.21.0", "keras": "3.15.1", "hydra-core": "1.3.8", "dltrain-keras": "0.1.0"},
    owners={"dltrain": ["dltrain-keras"], "keras": ["keras"], "tensorflow": ["tensorflow"]},
    folder="/work",
    free_bytes=2**40,
    cache="/home/ada/.cache/dltrain",
    locale="en_US.UTF-8",
)
GPU = {"driver_gpus": ["NVIDIA A100"]}
CUDNN = GOOD.versions | {"nvidia-cudnn-cu12": "9.3"}


def test_good_surroundings_are_fine() -> None:
    assert {each.status for each in first_checks(GOOD)} == {FINE}
    assert check_tensorflow(GOOD, TensorFlowFacts()).status == FINE


@pytest.mark.parametrize(
    ("changed", "name", "status", "text", "cure"),
    [
        ({"python": (3, 14, 0)}, "python", FAILED, "Python 3.14.0; expected >=3.11,<3.14", "python3.12 -m venv"),
        (
            {"versions": GOOD.versions | {"keras": "3.9.0"}},
            "packages",
            FAILED,
            "Keras 3.9.0 is installed, expected >=3.15.",
            "pip install 'Keras>=3.15'",
        ),
        (
            {"versions": {"keras": "3.15.1", "hydra-core": "1.3.8"}},
            "packages",
            FAILED,
            "tensorflow is not installed.",
            "pip install 'tensorflow<2.23,>=2.21'",
        ),
        (
            {"owners": {"dltrain": ["dltrain-keras", "dltrain"]}},
            "folders",
            FAILED,
            "dltrain/ is written by dltrain-keras and dltrain",
            "pip uninstall -y dltrain && pip install --force-reinstall --no-deps dltrain-keras",
        ),
        (
            {"owners": {"keras": ["keras", "keras-nightly"]}},
            "folders",
            FAILED,
            "keras/ is written by keras and keras-nightly",
            "pip uninstall -y keras-nightly && pip install --force-reinstall --no-deps keras",
        ),
        ({"system": "Darwin"}, "system", FAILED, "Macs with Intel", "Apple silicon, or on Linux"),
        ({"system": "Darwin", "machine": "arm64"}, "system", FINE, "its GPU is not used", ""),
        ({"system": "Windows", "machine": "AMD64"}, "system", FINE, "WSL 2", ""),
        ({"free_bytes": 2**28}, "disk", FAILED, "0.2 GiB are free in /work.", "hydra.run.dir=DIR"),
        ({"free_bytes": 2**31}, "disk", LOOK, "2.0 GiB are free in /work.", "hydra.run.dir=DIR"),
        ({"cache_writable": False}, "cache", FAILED, "/home/ada/.cache/dltrain is not writable.", "DLTRAIN_DATA_DIR"),
        ({"output_encoding": "ascii", "locale": "C"}, "encoding", LOOK, "Output ascii", "export PYTHONUTF8=1"),
        ({"file_encoding": "ascii"}, "encoding", FAILED, "file names ascii", "export PYTHONUTF8=1"),
    ],
)
def test_each_fault_has_its_cure(changed: Any, name: str, status: str, text: str, cure: str) -> None:
    (found,) = [each for each in first_checks(replace(GOOD, **changed)) if each.name == name]
    assert found.status == status
    assert text in found.text
    assert cure in "".join(found.tries)
    assert len(found.tries) == (status != FINE)
    others = [each for each in first_checks(replace(GOOD, **changed)) if each.name != name]
    assert {each.status for each in others} == {FINE}


@pytest.mark.parametrize(
    ("changed", "said", "text", "cure"),
    [
        (
            {},
            {"error": "ImportError: libcudart"},
            "It cannot be imported",
            "--force-reinstall 'tensorflow<",
        ),
        (GPU, {}, "was built without CUDA", "--force-reinstall"),
        (
            GPU,
            {"built_with_cuda": True},
            "that TensorFlow needs are not",
            "'tensorflow[and-cuda]==2.21.0'",
        ),
        (GPU | {"versions": CUDNN}, {"built_with_cuda": True}, "cannot use the installed CUDA", "[and-cuda]"),
        (GPU | {"visible_devices": "-1"}, {"built_with_cuda": True}, "hidden by", "unset CUDA_VISIBLE_DEVICES"),
        (GPU | {"system": "Windows"}, {}, "TensorFlow on Windows uses no GPU", "wsl --install"),
        (
            GPU,
            {"gpus": ["GPU:0"], "matmul_error": "InternalError: no kernel"},
            "on it fails",
            "CUDA_VISIBLE_DEVICES=-1",
        ),
    ],
)
def test_gpu_that_is_not_used_has_a_cause(changed: Any, said: Any, text: str, cure: str) -> None:
    found = check_tensorflow(replace(GOOD, **changed), TensorFlowFacts(**said))
    assert found.status == FAILED
    assert text in found.text
    assert cure in found.tries[0]


def test_gpu_that_works_is_fine() -> None:
    found = check_tensorflow(replace(GOOD, **GPU), TensorFlowFacts(None, True, ["GPU:0"]))
    assert found.status == FINE
