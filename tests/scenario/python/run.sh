#!/usr/bin/env bash
# Runs the scenarios of the Python client libraries in a virtual environment under the build folder,
# made once for each list of requirements.
#   run.sh SOURCE_DIR WORK_DIR BINARY
# Exit code 77: there is no python3 that can make one.
set -euo pipefail
source_dir=$1
work_dir=$2
export LEC_TEST_BINARY=$3
export LEC_TEST_TRANSCRIPTS=$source_dir/../../golden/dialects

if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
  echo "skipped: python3 with venv is not installed (scripts/bootstrap installs python3-venv)"
  exit 77
fi
venv=$work_dir/venv
if ! cmp -s "$source_dir/requirements.txt" "$venv/.installed"; then
  rm -rf "$venv"
  mkdir -p "$work_dir"
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$source_dir/requirements.txt"
  cp "$source_dir/requirements.txt" "$venv/.installed"
fi
cd "$source_dir"
PYTHONDONTWRITEBYTECODE=1 exec "$venv/bin/python" -m unittest discover -v -p '*_test.py'
