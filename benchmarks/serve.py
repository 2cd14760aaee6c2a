"""`dltrain serve` under load on this machine, beside a bare FastAPI handler that calls the same Keras model.

    python benchmarks/serve.py --clients 64 --seconds 8

Each client keeps one connection and posts one row after the other. Prints the 50th and 99th percentile of the time to
an answer, requests a second and errors, of both, measured one after the other in the same run.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROW = {"pclass": "3", "sex": "male", "age": 30.0, "sibsp": 0.0, "parch": 0.0, "fare": 7.25, "embarked": "S"}
BARE = """
import sys
from dltrain.internals import tensorflow_quietly
tensorflow_quietly.load()
import keras, numpy as np, tensorflow as tf, uvicorn
from fastapi import FastAPI
from pydantic import BaseModel
model = keras.models.load_model(sys.argv[1] + "/model.keras", compile=False)
class Row(BaseModel):
    pclass: str; sex: str; age: float; sibsp: float; parch: float; fare: float; embarked: str
class Rows(BaseModel):
    rows: list[Row]
app = FastAPI()
@app.get("/health")
def health():
    return {}
@app.post("/predict")
def predict(body: Rows):
    columns = {name: tf.constant([[getattr(row, name)] for row in body.rows], each.dtype)
               for name, each in model.input.items()}
    return {"rows": np.asarray(model(columns))[:, 0].tolist()}
uvicorn.run(app, port=int(sys.argv[2]), log_level="warning", access_log=False)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=8.0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run = str(Path(folder) / "run")
        words = ["dataset=titanic", "trainer.epochs=1", "quiet=true", f"hydra.run.dir={run}"]
        subprocess.run([sys.executable, "-m", "dltrain", *words], check=True, stdout=subprocess.DEVNULL)
        rates = {}
        for name, command in {
            "bare FastAPI + Keras": ["-c", BARE, run, "PORT"],
            "dltrain serve": ["-m", "dltrain", "serve", run, "--port", "PORT"],
        }.items():
            for clients in (1, given.clients):
                seconds, errors, took = measure(command, clients, given.seconds)
                rates[name, clients] = len(seconds) / took
                low, high = np.percentile(seconds, [50, 99]) * 1000
                print(
                    f"{name:21} {clients:3} clients  p50 {low:7.1f} ms  p99 {high:7.1f} ms  "
                    f"{rates[name, clients]:7.0f} requests/s  {errors} errors",
                    flush=True,
                )
        for clients in (1, given.clients):
            ratio = rates["dltrain serve", clients] / rates["bare FastAPI + Keras", clients]
            print(f"dltrain serve answers {ratio:.1f} times as many requests with {clients} clients")


def measure(command: list[str], clients: int, seconds: float) -> tuple[list[float], int, float]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen([sys.executable, *[word.replace("PORT", str(port)) for word in command]], stdout=-3)
    try:
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.2)
        asyncio.run(load(port, clients, 1.0))  # warm
        return asyncio.run(load(port, clients, seconds))
    finally:
        server.terminate()
        server.wait()


async def load(port: int, clients: int, seconds: float) -> tuple[list[float], int, float]:
    body = json.dumps({"rows": [ROW]}).encode()
    head = f"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    message = head.encode() + body
    times: list[float] = []
    errors = 0
    began = time.perf_counter()

    async def client() -> None:
        nonlocal errors
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while time.perf_counter() - began < seconds:
            start = time.perf_counter()
            writer.write(message)
            try:
                answer = await reader.readuntil(b"\r\n\r\n")
                length = int(answer.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
                await reader.readexactly(length)
                ok = answer.startswith(b"HTTP/1.1 200")
            except (OSError, asyncio.IncompleteReadError, ValueError):
                ok = False
            errors += not ok
            if not ok:
                break
            times.append(time.perf_counter() - start)
        writer.close()

    await asyncio.gather(*(client() for _ in range(clients)))
    return times, errors, time.perf_counter() - began


if __name__ == "__main__":
    main()
