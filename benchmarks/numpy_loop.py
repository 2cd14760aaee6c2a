"""Dense networks trained by hand in NumPy: the arithmetic of a step and nothing else, for `benchmarks/peers.py`."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]
EPSILON, BETA_1, BETA_2 = 1e-8, 0.9, 0.999


class Network:
    """Dense layers, batch normalization, ReLU and dropout, with Adam on all weights as one vector.

    Args:
        layers: (kind, facts) as Keras has them, without the last activation.
        width: features of a row.
        loss: binary, classes or squares.
        learning_rate: of Adam.
        seed: of weights and dropout.
    """

    def __init__(self, layers: list[Any], width: int, loss: str, learning_rate: float, seed: int) -> None:
        self.layers, self.loss, self.learning_rate = layers, loss, learning_rate
        self.random = np.random.default_rng(seed)
        shapes: list[list[tuple[int, ...]]] = []
        starts: list[Array] = []
        self.moving: dict[int, list[Array]] = {}
        for place, (kind, facts) in enumerate(layers):
            shapes.append([])
            if kind == "Dense":
                kernel = self.random.standard_normal((width, facts["units"])) * np.sqrt(2 / width)
                shapes[-1] = [(width, facts["units"]), (facts["units"],)]
                starts += [kernel.ravel(), np.zeros(facts["units"])]
                width = facts["units"]
            elif kind == "BatchNormalization":
                shapes[-1] = [(width,), (width,)]
                starts += [np.ones(width), np.zeros(width)]
                self.moving[place] = [np.zeros(width, np.float32), np.ones(width, np.float32)]
        self.weights = np.concatenate(starts).astype(np.float32)
        self.gradient, self.first, self.second = (np.zeros_like(self.weights) for _ in range(3))
        self.views, self.slopes = self._views(self.weights, shapes), self._views(self.gradient, shapes)
        self.steps = 0

    @staticmethod
    def _views(vector: Array, shapes: list[list[tuple[int, ...]]]) -> list[list[Array]]:
        first, found = 0, []
        for of_layer in shapes:
            found.append([])
            for shape in of_layer:
                size = int(np.prod(shape))
                found[-1].append(vector[first : first + size].reshape(shape))
                first += size
        return found

    def train_step(self, rows: Array, truth: Array) -> float:
        """One step; gives the loss before it."""
        kept: list[Any] = []
        hidden = rows
        for place, (kind, facts) in enumerate(self.layers):
            if kind == "Dense":
                kernel, bias = self.views[place]
                kept.append(hidden)
                hidden = hidden @ kernel
                hidden += bias
            elif kind == "BatchNormalization":
                scale, shift = self.views[place]
                mean = hidden.mean(axis=0)
                centred = hidden - mean
                variance = np.mean(centred * centred, axis=0)
                inverse = 1 / np.sqrt(variance + facts["epsilon"])
                centred *= inverse
                for moving, now in zip(self.moving[place], (mean, variance), strict=True):
                    moving += (1 - facts["momentum"]) * (now - moving)
                kept.append((centred, inverse))
                hidden = centred * scale + shift
            elif kind == "Activation":
                kept.append(hidden > 0)
                hidden = hidden * kept[-1]
            else:
                kept.append(
                    (self.random.random(hidden.shape, np.float32) >= facts["rate"]) / np.float32(1 - facts["rate"])
                )
                hidden = hidden * kept[-1]
        loss, slope = self._loss(hidden, truth)
        for place in reversed(range(len(self.layers))):
            kind = self.layers[place][0]
            if kind == "Dense":
                self.slopes[place][0][...] = kept[place].T @ slope
                self.slopes[place][1][...] = slope.sum(axis=0)
                slope = slope @ self.views[place][0].T if place else slope
            elif kind == "BatchNormalization":
                normal, inverse = kept[place]
                self.slopes[place][0][...] = np.sum(slope * normal, axis=0)
                self.slopes[place][1][...] = slope.sum(axis=0)
                slope = slope * self.views[place][0]
                slope = inverse * (slope - slope.mean(axis=0) - normal * np.mean(slope * normal, axis=0))
            else:
                slope = slope * kept[place]
        self._adam()
        return loss

    def answers(self, rows: Array) -> Array:
        """In inference mode, before the last activation."""
        hidden = rows
        for place, (kind, facts) in enumerate(self.layers):
            if kind == "Dense":
                hidden = hidden @ self.views[place][0] + self.views[place][1]
            elif kind == "BatchNormalization":
                mean, variance = self.moving[place]
                hidden = (hidden - mean) / np.sqrt(variance + facts["epsilon"]) * self.views[place][0]
                hidden = hidden + self.views[place][1]
            elif kind == "Activation":
                hidden = np.maximum(hidden, 0)
        return hidden

    def loss_of(self, rows: Array, truth: Array) -> float:
        """Mean loss in inference mode."""
        return self._loss(self.answers(rows), truth)[0]

    def _loss(self, answers: Array, truth: Array) -> tuple[float, Array]:
        """The mean loss, and its slope at the answers."""
        count = len(answers)
        if self.loss == "squares":
            off = answers - truth
            return float(np.mean(off * off)), 2 / np.float32(count) * off
        if self.loss == "binary":
            losses = np.maximum(answers, 0) - answers * truth + np.log1p(np.exp(-np.abs(answers)))
            return float(losses.mean()), (1 / (1 + np.exp(-answers)) - truth) / np.float32(count)
        places = np.arange(count), truth[:, 0].astype(np.int64)
        shares = np.exp(answers - answers.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        loss = float(-np.log(shares[places]).mean())
        shares[places] -= 1
        return loss, shares / np.float32(count)

    def _adam(self) -> None:
        self.steps += 1
        self.first += (1 - BETA_1) * (self.gradient - self.first)
        self.second += (1 - BETA_2) * (self.gradient * self.gradient - self.second)
        rate = self.learning_rate * np.sqrt(1 - BETA_2**self.steps) / (1 - BETA_1**self.steps)
        self.weights -= np.float32(rate) * self.first / (np.sqrt(self.second) + np.float32(EPSILON))
