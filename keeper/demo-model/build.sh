#!/bin/sh
# Rebuilds both models from data/. Needs Debian's python3-torch, python3-numpy and libopenblas0-pthread (with the
# reference BLAS it is 20 times slower), Node 24 and node-llama-cpp. About three quarters of an hour on two cores; weights differ a
# little from one machine to the next, since training runs for a time and not for a number of steps.
set -e
cd "$(dirname "$0")"
work=${WORK:-/tmp/demo-train}
python=${PYTHON:-/usr/bin/python3}
export OMP_WAIT_POLICY=passive OPENBLAS_NUM_THREADS=2 PYTHONDONTWRITEBYTECODE=1
"$python" train.py --final --minutes "${MINUTES:-20}" --work "$work"
"$python" train.py --final --resume --minutes 4 --lr 1e-3 --oos 0.5 --seed 2 --work "$work"
"$python" train.py --final --resume --minutes 15 --lr 1e-3 --oos 0.5 --seed 4 --work "$work" --out demo-3m.gguf
"$python" train_lora.py --minutes "${LORA_MINUTES:-2}" --work "$work" --out demo-3m-operator-lora.gguf
sha256sum demo-3m.gguf demo-3m-operator-lora.gguf > SHA256SUMS
UV_THREADPOOL_SIZE=1 node eval.ts
