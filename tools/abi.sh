#!/usr/bin/env bash
# Holds the C headers against what is frozen: tests/c_abi/layout.c must compile with them, and their types must be those of the dump tests/c_abi/onnxrun.abi,
# which was made with libabigail.
#
# --write makes dump and layout anew, for additions: what the layout has is kept, and an addition shows in the same commit as the dump's change.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."
dump=tests/c_abi/onnxrun.abi
layout=tests/c_abi/layout.c
for program in abidw abidiff; do
  command -v $program >/dev/null || { echo "$program is missing: it is in the package abigail-tools" >&2; exit 1; }
done
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
if ! "${CC:-cc}" -std=gnu11 -fsyntax-only -I include $layout; then
  echo "The C headers break programs and plug-ins that exist (docs/c_api.md says what may change)" >&2
  exit 1
fi
"${CC:-cc}" -std=c99 -g -Og -fno-eliminate-unused-debug-types -fno-eliminate-unused-debug-symbols -shared -fPIC \
  -I include tests/c_abi/probe.c -o "$folder/probe.so"
if [[ ${1:-} == --write ]]; then
  abidw --no-show-locs --no-comp-dir-path --no-corpus-path "$folder/probe.so" --out-file "$folder/dump"
  python3 tools/abi_layout.py >"$folder/layout.c"
  "${CC:-cc}" -std=gnu11 -fsyntax-only -I include "$folder/layout.c"
  mv "$folder/dump" $dump
  mv "$folder/layout.c" $layout
elif ! abidiff --no-show-locs $dump "$folder/probe.so"; then
  echo "The types of the C headers differ from $dump. Where that is meant, write it anew: tools/abi.sh --write" >&2
  exit 1
fi
