from __future__ import annotations

from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.utils import setup_globals
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf, open_dict

from dltrain.internals.hydra_loading import Copies, HydraLoader, Repository, override_directory, search_path, set_values

parse = OverridesParser.create().parse_overrides


def test_both_steps_of_the_loader_can_be_replaced(tmp_path: Path) -> None:
    setup_globals()
    (tmp_path / "config.yaml").write_text("size: 1\n")
    taken: list[str] = []

    class Loader(HydraLoader):
        def merge(self, *arguments: object, **options: object) -> DictConfig:
            taken.append("merge")
            return super().merge(*arguments, **options)

        def parse(self, config_name: str | None, overrides: list[str]) -> tuple[list, Repository]:
            taken.append("parse")
            parsed, files = super().parse(config_name, overrides)
            return parsed, Copies(files)

    loader = Loader(search_path(str(tmp_path)))
    assert loader.load_configuration("config", ["size=2"], RunMode.RUN).size == 2
    assert loader.load_configuration("config", [], RunMode.RUN).size == 1
    assert taken[:2] == ["merge", "parse"]


def test_values_are_set_added_and_deleted() -> None:
    config = OmegaConf.create({"size": 1, "old": 2})
    OmegaConf.set_struct(config, True)
    set_values(config, parse(["size=2", "+new=3", "~old"]))
    assert config == {"size": 2, "new": 3}
    with pytest.raises(HydraException), open_dict(config):
        set_values(config, parse(["~gone"]))


def test_directory_is_named_by_overrides() -> None:
    assert override_directory(parse(["b=2", "a=1", "seed=3"]), ["seed"], ",", "-") == "a-1,b-2"


def test_defaults_may_name_others_by_what_is_chosen(tmp_path: Path) -> None:
    files = {
        "config": "defaults:\n- color: red\n- size: ${color}_size\n- _self_\n",
        "color/red": "name: red\n",
        "color/blue": "name: blue\n",
        "size/red_size": "width: 1\n",
        "size/blue_size": "width: 2\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / f"{name}.yaml").write_text(text)
    loader = HydraLoader(search_path(str(tmp_path)))
    for words, width in ([], 1), (["color=blue"], 2):
        assert loader.load_configuration("config", words, RunMode.RUN).size.width == width
