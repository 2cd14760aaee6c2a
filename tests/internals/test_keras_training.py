from __future__ import annotations

import keras
import numpy as np

from dltrain.internals.keras_training import (
    all_layers,
    build_loss_and_metrics,
    given_metrics,
    is_decayed,
    own_weights,
    share_rate_and_steps,
    states,
    trained_weights,
)


def model() -> keras.Model:
    inner = keras.Sequential([keras.layers.Dense(2)])
    made = keras.Sequential([keras.Input((3,)), inner, keras.layers.Dense(1)])
    made.compile(keras.optimizers.Adam(), "mse", metrics=["mae"], weighted_metrics=["mse"])
    return made


def test_layers_within_layers_are_among_all_with_their_own_weights() -> None:
    found = all_layers(made := model())
    assert sum(isinstance(layer, keras.layers.Dense) for layer in found) == 2
    own = [weight for layer in found for weight in own_weights(layer)]
    assert {id(weight) for weight in own} == {id(weight) for weight in made.trainable_variables}
    assert len(own) == 4


def test_metrics_are_known_before_the_first_batch() -> None:
    made = model()
    assert given_metrics(made) == (["mae"], ["mse"])
    build_loss_and_metrics(made, np.zeros((2, 1)), np.zeros((2, 1)))
    assert "mae" in made.get_metrics_result()
    assert given_metrics(keras.Sequential()) == (None, None)


def test_optimizer_tells_its_weights_their_state_and_what_decays() -> None:
    made = model()
    optimizer, weights = keras.optimizers.AdamW(), made.trainable_variables
    optimizer.exclude_from_weight_decay(var_list=weights[:1])
    optimizer.build(weights)
    assert [id(weight) for weight in trained_weights(optimizer)] == [id(weight) for weight in weights]
    assert [is_decayed(optimizer, weight) for weight in weights] == [False, True, True, True]
    of_weights = [
        each for each in states(optimizer).values() if [one.shape for one in each] == [w.shape for w in weights]
    ]
    assert len(of_weights) == 3  # the weights, and two moments of each


def test_follower_has_the_rate_and_the_steps_of_its_leader() -> None:
    weight = keras.Variable([1.0])
    leader, follower = keras.optimizers.SGD(0.5), keras.optimizers.SGD(0.1)
    for optimizer in (leader, follower):
        optimizer.build([weight])
    share_rate_and_steps(follower, leader)
    leader.learning_rate = 0.25
    follower.apply([keras.ops.ones((1,))])
    assert float(weight[0]) == 0.75
    assert int(leader.iterations) == 1
