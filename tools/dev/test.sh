# Part of ./dev: fetching test material and testing.

suite=$cache/conformance
models=$cache/models
exports=$cache/exports

python_of() { say "$(environment "$1")/bin/python"; }
fetch_conformance() { "$(python_of peers)" tools/fetch/conformance.py "$suite"; }
fetch_models() { "$(python_of "$(environment_ready peers && say peers || say conformance)")" tools/fetch/models.py "$models" "$@"; }
fetch_exports() { "$(python_of exports)" tools/fetch/exports.py "$exports" --missing; }

# Wants that prepare only announces: the fetch_ functions provide them.
want_conformance() { [[ -e $suite/.complete.json ]] || want "the official suite (from the onnx wheel)" 0 75; }
want_models() { [[ -e $models/minilm_l6_v2/model.onnx ]] || want "real models" 150 140; }

command_fetch() {
  local what
  (($#)) || fail 2 "fetch needs one of: conformance models peers exports"
  for what in "$@"; do
    case $what in
      peers) want_environment peers ;;
      conformance | models) want_environment peers; "want_$what" ;;
      exports) want_environment exports ;;
      *) fail 2 "cannot fetch '$what'; there are: conformance models peers exports" ;;
    esac
  done
  if ! have python3 || ! python3 -c 'import venv, ensurepip' 2>/dev/null; then want_packages build; fi
  prepare 10
  for what in "$@"; do
    [[ $what == peers ]] || "fetch_$what"
  done
}

# Runs one stage of the tests; failures are collected so that one call shows all of them.
failed=()
stage() {
  local name=$1 start=$SECONDS
  shift
  say ""
  say "== $name"
  if "$@"; then say "== $name: ok ($((SECONDS - start)) s)"; else
    failed+=("$name")
    say "== $name: FAILED ($((SECONDS - start)) s)"
  fi
}

run_unit_tests() {
  local arguments=(--test-dir build/release --output-on-failure --parallel "$jobs" --no-tests=error)
  [[ -z $quick ]] || arguments+=(--label-exclude slow)
  ONNXRUN_PEERS_PYTHON=$(python_of peers) ctest "${arguments[@]}"
}

run_wire_format() { "$(python_of peers)" tests/proto/check_descriptor.py; }

run_conformance() {
  "$(python_of peers)" tests/conformance/run.py "$suite" --cli build/release/bin/onnx-run --jobs "$jobs" \
    --json build/conformance.json
}

run_contrib() { "$(python_of peers)" tests/ops/microsoft/compare.py --cli build/release/bin/onnx-run; }

run_models() {
  local arguments=(--cli build/release/bin/onnx-run --cache "$cache/model-references" --threads "$jobs")
  [[ -z $quick ]] || arguments+=(--filter '^(ppocrv4|silero|magika)')
  "$(python_of peers)" tests/models/compare.py "${arguments[@]}" "$models"
}

command_test() {
  (($# == 0)) || fail 2 "test takes no arguments but --quick"
  mkdir -p build
  want_packages build test
  want_onednn
  want_environment peers
  want_conformance
  want_models
  prepare 45
  configure release
  build_targets release all
  stage "unit tests" run_unit_tests
  stage "wire format" run_wire_format
  stage "includes" run_include_check
  stage "com.microsoft's quantised operators" run_contrib
  if fetch_conformance; then stage "official suite" run_conformance; else failed+=("fetching the official suite"); fi
  if fetch_models; then stage "real models" run_models; else failed+=("fetching the models"); fi
  say ""
  ((${#failed[@]} == 0)) || fail 1 "failed: $(printf '%s, ' "${failed[@]}" | sed 's/, $//')"
  say "All tests passed."
}
