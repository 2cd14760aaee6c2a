"""The same training in PyTorch Tabular 1.2, for `benchmarks/processes.py`: TABLE.csv MODEL EPOCHS."""

import sys

import pandas as pd
from pytorch_tabular import TabularModel
from pytorch_tabular.config import DataConfig, OptimizerConfig, TrainerConfig
from pytorch_tabular.models import CategoryEmbeddingModelConfig

table, model, epochs = sys.argv[1:]
frame = pd.read_csv(table).sample(frac=1, random_state=42)
frame[["pclass", "sex", "embarked"]] = frame[["pclass", "sex", "embarked"]].astype(str)
frame[["age", "fare"]] = frame[["age", "fare"]].fillna(frame[["age", "fare"]].median())
first, second = int(0.8 * len(frame)), int(0.9 * len(frame))

trainer = TabularModel(
    data_config=DataConfig(
        target=["survived"],
        continuous_cols=["age", "sibsp", "parch", "fare"],
        categorical_cols=["pclass", "sex", "embarked"],
    ),
    model_config=CategoryEmbeddingModelConfig(
        task="classification", layers="128-128", activation="ReLU", dropout=0.2, use_batch_norm=True
    ),
    optimizer_config=OptimizerConfig(),
    trainer_config=TrainerConfig(
        batch_size=32, max_epochs=int(epochs), accelerator="cpu", early_stopping=None, checkpoints=None,
        progress_bar="none", load_best=False, seed=42,
    ),
    verbose=False,
    suppress_lightning_logger=True,
)  # fmt: skip
trainer.fit(train=frame[:first], validation=frame[first:second])
print(trainer.evaluate(frame[second:], verbose=False))
trainer.save_model(model)
