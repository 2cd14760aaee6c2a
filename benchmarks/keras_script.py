"""The plain Keras script that `benchmarks/processes.py` compares with: TABLE.csv MODEL EPOCHS."""

import sys

import keras
import numpy as np
import pandas as pd

table, model, epochs = sys.argv[1:]
keras.utils.set_random_seed(42)
frame = pd.read_csv(table).sample(frac=1, random_state=42)
target = frame.pop("survived").to_numpy(np.float32)
numbers = frame[["age", "sibsp", "parch", "fare"]]
numbers = numbers.fillna(numbers.median())
words = pd.get_dummies(frame[["pclass", "sex", "embarked"]].astype(str))
features = np.hstack([(numbers - numbers.mean()) / numbers.std(), words]).astype(np.float32)
train, validation, test = np.split(np.arange(len(frame)), [int(0.8 * len(frame)), int(0.9 * len(frame))])

hidden = inputs = keras.Input((features.shape[1],))
for _ in range(2):
    hidden = keras.layers.Dense(128, use_bias=False, kernel_initializer="he_normal")(hidden)
    hidden = keras.layers.BatchNormalization()(hidden)
    hidden = keras.layers.Activation("relu")(hidden)
    hidden = keras.layers.Dropout(0.2)(hidden)
network = keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid")(hidden))
network.compile("adam", "binary_crossentropy", metrics=["accuracy", "auc"])
validation_data = features[validation], target[validation]
network.fit(
    features[train], target[train], batch_size=32, epochs=int(epochs), validation_data=validation_data, verbose=0
)
print(network.evaluate(features[test], target[test], verbose=0))
network.save(f"{model}.keras")
