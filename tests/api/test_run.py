from __future__ import annotations

import csv
import json
from pathlib import Path

import pandas as pd
import pytest
from matplotlib.figure import Figure

import dltrain


def unfinished(folder: Path, status: str = "interrupted") -> dltrain.Run:
    """A run that ended after two epochs."""
    folder.mkdir()
    reached = {"epoch": 2, "epochs": 9, "metrics": {"loss": 0.4}}
    facts = {"status": status, "choices": {"model": "mlp"}, "settings": {}, "reached": reached, "error": "<no> rows"}
    (folder / "run.json").write_text(json.dumps(facts))
    (folder / "history.csv").write_text("epoch,loss,val_loss\n1,0.6,0.7\n2,0.4,0.5\n")
    return dltrain.Run(folder)


def test_numbers_are_those_of_the_files(run: dltrain.Run) -> None:
    content = json.loads((run.directory / "metrics.json").read_text())
    assert run.metrics["test"].to_dict() == content["test"]
    assert run.metrics.loc["accuracy", ["low", "high"]].tolist() == content["intervals"]["test"]["accuracy"]
    assert run.metrics.loc["accuracy", "majority"] == content["baselines"]["majority"]["test"]["accuracy"]
    assert list(run.history.index) == [1, 2, 3]
    with (run.directory / "predictions.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert run.predictions["prediction"].tolist() == [row["prediction"] for row in rows]
    assert run.predictions["row_id"].tolist() == [int(row["row_id"]) for row in rows]
    assert run.config.trainer.epochs == 3


def test_texts_are_read_without_the_apostrophe_of_spreadsheets(run: dltrain.Run, tmp_path: Path) -> None:
    for name in ("run.json", "signature.json"):
        (tmp_path / name).write_bytes((run.directory / name).read_bytes())
    (tmp_path / "predictions.csv").write_text("row_id,part,target,prediction\n'=1,test,'-a,NA\n''b,test,1,'=x\n")
    found = dltrain.Run(tmp_path).predictions
    assert found["row_id"].tolist() == ["=1", "'b"]
    assert found["target"].tolist() == ["-a", "1"]
    assert found["prediction"].tolist() == ["NA", "=x"]


def test_rows_are_predicted_as_a_frame_a_mapping_or_several(run: dltrain.Run) -> None:
    row = {column.source: column.median for column in run.model.signature.columns}
    (alone,) = run.model.predict(row).to_dict("records")
    assert run.model.predict([row, row]).to_dict("records") == [alone, alone]
    assert run.model.predict(pd.DataFrame([row], index=[7])).to_dict("index") == {7: alone}


def test_it_is_scored_on_its_own_test_part_or_on_other_rows(run: dltrain.Run) -> None:
    own = run.evaluate()
    assert own.metrics["accuracy"]["value"] == pytest.approx(run.metrics.loc["accuracy", "test"])


def test_pictures_are_figures_by_the_names_of_their_files(run: dltrain.Run, tmp_path: Path) -> None:
    figure = run.plot()
    assert isinstance(figure, Figure)
    assert [axes.get_title() for axes in figure.axes] == ["loss", "accuracy"]
    figure.savefig(tmp_path / "curves.png")
    run.report()
    names = {path.stem for path in (run.directory / "plots").iterdir()}
    assert {name for name in names if run.plot(name).axes} == names
    with pytest.raises(dltrain.ConfigError, match=r"no picture 'curve_los'. Did you mean 'curve_loss'\?"):
        run.plot("curve_los")


def test_lines_of_a_figure_have_the_colours_of_the_light_page(run: dltrain.Run) -> None:
    from matplotlib.colors import to_hex

    assert {to_hex(line.get_color()) for line in run.plot("curve_loss").axes[0].lines[:2]} == {"#d9730d", "#2563c9"}


def test_a_notebook_shows_summary_curve_and_verdict(run: dltrain.Run) -> None:
    shown = run._repr_html_()
    assert "falls behind logistic regression" in shown
    assert shown.count("data:image/svg+xml;base64,") == 2
    assert "http" not in shown.replace("http://www.w3.org", "")
    assert "accuracy" in repr(run)
    assert "falls behind logistic regression" in repr(run)


def test_an_interrupted_run_gives_what_there_is(tmp_path: Path) -> None:
    run = unfinished(tmp_path / "one")
    assert (run.status, len(run.history), len(run.metrics), len(run.predictions)) == ("interrupted", 2, 0, 0)
    assert "interrupted after epoch 2 of 9. Its state is saved: run.resume() goes on." in repr(run)
    assert "run.resume()" in run._repr_html_()
    assert run.plot().axes


def test_a_failure_is_told_and_no_text_is_taken_for_html(tmp_path: Path) -> None:
    run = unfinished(tmp_path / "<b>two", "failed")
    assert "failed after epoch 2 of 9. <no> rows" in repr(run)
    assert "&lt;no&gt; rows" in run._repr_html_()
    assert "<b>two" not in run._repr_html_()


def test_a_finished_run_is_trained_for_longer(run: dltrain.Run, tmp_path: Path) -> None:
    first = dltrain.train("dataset=wine", "model.units=[2]", trainer__epochs=1, report=False, directory=tmp_path / "r")
    more = first.resume(trainer__epochs=2)
    assert list(more.history.index) == [1, 2]
    with pytest.raises(dltrain.ConfigError, match="a run that goes on keeps its settings"):
        more.resume(optimizer="sgd")
