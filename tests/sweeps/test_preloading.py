from __future__ import annotations

from collections.abc import Iterator

import pytest

from dltrain.sweeps import preloading


class Server:
    """Stands in for the process from which workers are forked."""

    def __init__(self) -> None:
        self.running = False

    def begin(self, _: object) -> bool:
        begun, self.running = not self.running, True
        return begun

    def end(self) -> None:
        self.running = False


@pytest.fixture(autouse=True)
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A machine on which two workers are likely, with a stand-in for their server."""
    made = Server()
    monkeypatch.setattr(preloading, "fork_server", made)
    monkeypatch.setattr(preloading, "cores", lambda: 2)
    monkeypatch.setattr(preloading, "free_gigabytes", lambda: 100.0)
    monkeypatch.setattr(preloading, "has_gpu", lambda: False)
    monkeypatch.setattr(preloading.tensorflow_quietly, "is_loaded", lambda: False)
    monkeypatch.setattr(preloading.multiprocessing, "get_all_start_methods", lambda: ["spawn", "forkserver"])
    yield made
    preloading.give_up()


def test_it_begins_with_the_block_and_stays_for_workers(server: Server) -> None:
    with preloading.preloaded(["optimizer=adam,sgd"], wanted=True):
        assert server.running
        preloading.begin()
        preloading.give_up()  # workers have needed it
    assert server.running


@pytest.mark.parametrize("needed", [False, True])
def test_a_refused_command_leaves_no_import_behind(server: Server, needed: bool) -> None:
    def refuse() -> None:
        if needed:
            preloading.begin()
        raise ValueError("refused")

    with pytest.raises(ValueError, match="refused"), preloading.preloaded([], wanted=True):
        refuse()
    assert server.running is needed


def test_jobs_in_this_process_end_it(server: Server) -> None:
    with preloading.preloaded([], wanted=True):
        preloading.give_up()
        assert not server.running


@pytest.mark.parametrize(
    "word", ["hydra/launcher=ray", "hydra.launcher.workers=1", "strategy=mirrored", "+verbose=true"]
)
def test_it_does_not_begin_where_workers_are_unlikely(
    server: Server, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    with preloading.preloaded([], wanted=False), preloading.preloaded([word], wanted=True):
        assert not server.running
    monkeypatch.setattr(preloading, "free_gigabytes", lambda: 2.0)
    with preloading.preloaded([], wanted=True):
        assert not server.running


def test_a_process_that_another_began_is_left_alone(server: Server) -> None:
    server.begin([])
    with pytest.raises(ValueError, match="refused"), preloading.preloaded([], wanted=True):
        raise ValueError("refused")
    assert server.running


def test_memory_without_limit_bears_a_worker_a_core(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preloading, "free_gigabytes", lambda: float("inf"))
    assert preloading.most_workers() == 2
