#!/bin/sh
# Build the environment that holds the peers: benchmarks/peers/make_env.sh ENV_DIR [PYTHON]
# About 4 GB and some minutes. Nothing of it is needed to use or to test uncertain_llm.
set -eu
env_dir=${1:?usage: make_env.sh ENV_DIR [PYTHON]}
python=${2:-python3.11}
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
"$python" -m venv "$env_dir"
# The CPU build of torch is enough. Where your index serves a CUDA build under this version,
# install the CPU build into the environment first: it then counts as installed.
"$env_dir/bin/python" -m pip install --requirement "$here/requirements.txt"
"$env_dir/bin/python" -m pip install --no-deps --requirement "$here/requirements-no-deps.txt"
"$env_dir/bin/python" -m pip freeze > "$env_dir/installed.txt"
echo "peers installed in $env_dir; versions in $env_dir/installed.txt"
