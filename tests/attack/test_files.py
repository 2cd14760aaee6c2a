"""Hostile files of data: cut, mutated and made-up bytes under the name of every format."""

from __future__ import annotations

import gzip
import io
import random
from pathlib import Path

import pandas as pd
import pytest

from .outcomes import SHARES, Outcomes, part_of

HOW_MANY = 300
ROWS = 40
TABLE = pd.DataFrame(
    {"size": [row / 7 for row in range(ROWS)], "port": ["A", "B, c"] * (ROWS // 2), "target": [0, 1] * (ROWS // 2)}
)
ARFF = "@relation t\n@attribute size numeric\n@attribute port {A,B}\n@attribute target {0,1}\n@data\n" + "".join(
    f"{row / 7},{'AB'[row % 2]},{row % 2}\n" for row in range(ROWS)
)
PIECES = (
    *(
        b"\x00",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b'"',
        b'""',
        b"'",
        b"\r",
        b"\n\n",
        b"\t",
        b";",
        b"|",
        b",,,,",
        b"\\",
        b"%",
    ),
    *(b"nan", b"inf", b"-inf", b"1e999", b"1e-999", b"9" * 400, b"\x1b[31m", b"=1+1", b"{0,1}", b"@data", b"PAR1"),
    *("\u202e".encode(), "\ud800".encode("utf-8", "surrogatepass"), "é".encode("latin-1"), b"A" * 70_000),
)


def whole() -> dict[str, bytes]:
    """A good file of each format, by its suffix."""
    parquet = io.BytesIO()
    TABLE.to_parquet(parquet)
    text = TABLE.to_csv(index=False).encode()
    return {
        ".csv": text,
        ".tsv": TABLE.to_csv(index=False, sep="\t").encode(),
        ".csv.gz": gzip.compress(text, mtime=0),
        ".parquet": parquet.getvalue(),
        ".arff": ARFF.encode(),
    }


def damaged(number: int) -> tuple[str, bytes]:
    """Returns suffix and content of a file, always the same for the same number."""
    chance = random.Random(number)
    suffix, content = chance.choice(list(whole().items()))
    match number % 6:
        case 0:
            content = content[: chance.randrange(len(content))]
        case 1:
            content = bytes(chance.randrange(256) for _ in range(chance.choice([1, 10, 1_000])))
        case 2 | 3:
            for _ in range(chance.choice([1, 3, 30])):
                place = chance.randrange(len(content))
                content = content[:place] + chance.choice(PIECES) + content[place + chance.randrange(3) :]
        case 4:
            changed = bytearray(content)
            for _ in range(chance.choice([1, 5, 50])):
                changed[chance.randrange(len(changed))] = chance.randrange(256)
            content = bytes(changed)
        case 5:  # one format under the name of another
            suffix = chance.choice([*whole()])
    return suffix, content


@SHARES
def test_files(capsys: pytest.CaptureFixture[str], working_directory: Path, share: float) -> None:
    outcomes = Outcomes(capsys)
    quick = ["model=linear", "trainer.epochs=1", "~callbacks.tensorboard", "quiet=true", "report=false"]
    files = [(f"whole{suffix}", content) for suffix, content in whole().items()]
    for number in part_of(range(HOW_MANY), share):
        suffix, content = damaged(number)
        files.append((f"table_{number}{suffix}", content))
    for name, content in files:
        file = working_directory / name
        file.write_bytes(content)
        words = ["dataset=csv", f"dataset.path={file}", "dataset.target=target", *quick]
        kind = outcomes.of([*words, f"hydra.run.dir={file}_run"])
        assert kind == "done" or not name.startswith("whole"), name
    outcomes.require_none(round(share * HOW_MANY))
