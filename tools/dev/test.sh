# Part of ./dev: fetching test material and testing.

suite=$cache/conformance
models=$cache/models
exports=$cache/exports
trained=$cache/sklearn
quantized=$cache/quantized
frameworks=$cache/frameworks

python_of() { say "$(environment "$1")/bin/python"; }
fetch_conformance() { "$(python_of peers)" tools/fetch/conformance.py "$suite"; }
fetch_models() { "$(python_of "$(environment_ready peers && say peers || say conformance)")" tools/fetch/models.py "$models" "$@"; }
fetch_quantized() {
  local arguments=(--missing)
  if [[ -d $exports ]]; then arguments+=(--exports "$exports"); else say "Without ./dev fetch exports: no quantised MobileNetV3, Llama and Whisper."; fi
  fetch_models && "$(python_of quantize)" tools/fetch/quantized.py "$models" "$quantized" "${arguments[@]}"
}
fetch_sklearn() { "$(python_of sklearn)" tools/fetch/trained.py "$trained"; }
fetch_frameworks() { "$(python_of frameworks)" tools/fetch/frameworks.py "$frameworks"; }
fetch_exports() {
  "$(python_of exports)" tools/fetch/exports.py "$exports" --missing &&
    "$(python_of exports)" tools/fetch/variants.py "$exports" --missing &&
    "$(python_of exports)" tools/fetch/genai.py "$exports" "$quantized" --missing
}

# Wants that prepare only announces: the fetch_ functions provide them.
want_conformance() { [[ -e $suite/.complete.json ]] || want "the official suite (from the onnx wheel)" 0 75; }
# Their disk size is with what ONNX Runtime made of them.
want_models() { [[ -e $models/minilm_l6_v2/model.onnx ]] || want "real models" 150 220; }
want_sklearn() {
  want_environment sklearn
  [[ -e $trained/.complete ]] || want "trained models of scikit-learn, XGBoost and LightGBM (made here)" 0 20
}

command_fetch() {
  local what
  (($#)) || fail 2 "fetch needs one of: conformance models peers quantized exports sklearn frameworks clients"
  for what in "$@"; do
    case $what in
      peers) want_environment peers ;;
      conformance | models) want_environment peers; "want_$what" ;;
      quantized) want_environment peers; want_environment quantize; want_models ;;
      exports | frameworks) want_environment "$what" ;;
      clients) want_packages clients; want_environment clients ;;
      sklearn) want_sklearn ;;
      *) fail 2 "cannot fetch '$what'; there are: conformance models peers quantized exports sklearn frameworks clients" ;;
    esac
  done
  if ! have python3 || ! python3 -c 'import venv, ensurepip' 2>/dev/null; then want_packages build; fi
  prepare 10
  for what in "$@"; do
    [[ $what == peers || $what == clients ]] || "fetch_$what"
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

# The build that is tested: release, or that of a sanitizer, which runs a sample.
tree() { say "build/${sanitizer:-release}"; }

run_unit_tests() {
  local arguments=(--test-dir "$(tree)" --output-on-failure --parallel "$jobs" --no-tests=error)
  [[ -z $quick ]] || arguments+=(--label-exclude slow)
  ONNXRUN_CLIENTS_PYTHON=$(python_of clients) ONNXRUN_EXPORTS_PYTHON=$(python_of exports) \
    ONNXRUN_PEERS_PYTHON=$(python_of peers) ctest "${arguments[@]}"
}

run_wire_format() {
  "$(python_of peers)" tests/proto/check_descriptor.py &&
    "$(python_of peers)" tools/older_signatures.py --check &&
    "$(python_of peers)" tools/docs/opsets.py --check
}

run_conformance() {
  local arguments=(--cli "$(tree)/bin/onnx-run" --jobs "$jobs" --json "$(tree)/conformance.json")
  [[ -z $sanitizer ]] || arguments+=(--every 5 --without-random)
  "$(python_of peers)" tests/conformance/run.py "${arguments[@]}" "$suite"
}

run_contrib() { "$(python_of peers)" tests/ops/microsoft/compare.py --cli "$(tree)/bin/onnx-run"; }

# Each operator at each version, features of the format, and random models.
run_operators() {
  local python library
  python=$(python_of peers) library=build/release/lib/libonnxrun.so
  "$python" tests/operators/features.py --library "$library" &&
    "$python" -W ignore tests/operators/run.py --library "$library" ${operators:+--all} &&
    "$python" -W ignore tests/operators/graphs.py --library "$library" --all-levels --count "$([[ -n $quick ]] && say 200 || say 2000)"
}
run_random() { "$(python_of peers)" -W ignore tests/operators/graphs.py --library build/release/lib/libonnxrun.so --count "$random" --all-levels --keep build/random; }

command_test_operators() {
  want_packages build
  want_onednn
  want_environment peers
  prepare 15
  configure release
  build_targets release onnxrun
  [[ -z $operators ]] || stage "operators at all versions" run_operators
  [[ -z $random ]] || stage "random models" run_random
  ((${#failed[@]} == 0))
}

run_microsoft() {
  local script
  for script in differential llama table; do "$(python_of peers)" -W ignore "tests/microsoft/$script.py" "$(tree)/lib/libonnxrun.so" || return; done
}

# The same cases on a provider with memory of its own and late execution: shows missing copies and waits.
run_conformance_late() {
  local arguments=(--cli "$(tree)/bin/onnx-run" --jobs "$jobs" --argument=--provider=late --argument=--provider=cpu)
  arguments+=("--argument=--provider-library=$(tree)/lib/liblate_provider.so" --without-random)
  [[ -z $sanitizer ]] || arguments+=(--every 5)
  "$(python_of peers)" tests/conformance/run.py "${arguments[@]}" "$suite"
}

# Types and shapes inferred without running, against those of the examples.
run_inference() { run_over_library tests/inference/run.py "$suite"; }

# The exact passes change no bit of any result.
run_exact_passes() {
  local paths=("$suite")
  [[ -n $quick ]] || paths+=("$models")
  "$(python_of peers)" -W ignore tests/optimize/exact.py "${paths[@]}" --library "$(tree)/lib/libonnxrun.so"
}

# Results do not depend on how many threads compute them.
run_thread_counts() {
  local arguments=()
  [[ -z $quick ]] || arguments+=(--filter '^(silero_vad|ppocrv4_rec|minilm_l6_v2|light_squeezenet)$')
  "$(python_of peers)" -W ignore tests/optimize/exact.py "$models" --vary threads=1,2,3 --library "$(tree)/lib/libonnxrun.so" "${arguments[@]}"
}

run_ml() { "$(python_of peers)" tests/ops/ml/compare.py --cli "$(tree)/bin/onnx-run" --jobs "$jobs"; }

run_sklearn() { "$(tree)/bin/onnx-run" test "$trained" --jobs "$jobs"; }
# Every optimisation level, the plain kernels and those of each instruction set give the results that the suite expects.
run_suite() { "$(python_of peers)" tests/conformance/run.py "$suite" --cli "$(tree)/bin/onnx-run" --jobs "$jobs" "$@"; }
run_levels() {
  local level
  for level in none basic extended; do run_suite --argument="--level=$level" || return 1; done
}
run_kernels() {
  local set
  run_suite --argument=--kernels=reference --argument=--level=none || return 1
  for set in v2 v3 v4 vnni; do
    say "instruction set $set"
    ONNXRUN_SIMD_LEVEL=$set run_suite || return 1
  done
}

run_roundtrip() {
  local arguments=(--cli build/release/bin/onnx-run --tool build/release/bin/roundtrip --jobs "$jobs")
  [[ -n $full ]] || arguments+=(--sample "$([[ -n $quick ]] && say 40 || say 200)")
  [[ -n $quick ]] || arguments+=(--models "$models")
  "$(python_of peers)" tests/conformance/roundtrip.py "$suite" "${arguments[@]}"
}

# Models cut, joined and renamed pass ONNX's checker and compute what they did.
run_edits() {
  local arguments=(--cli build/release/bin/onnx-run --jobs "$jobs")
  [[ -n $full ]] || arguments+=(--sample "$([[ -n $quick ]] && say 40 || say 200)")
  [[ -n $quick ]] || arguments+=(--models "$models")
  "$(python_of peers)" tests/conformance/edit.py "$suite" "${arguments[@]}"
}

run_models() {
  local arguments=(--cli "$(tree)/bin/onnx-run" --cache "$cache/model-references" --threads "$jobs")
  if [[ -n $sanitizer ]]; then arguments+=(--filter '^(light_squeezenet|magika|minilm|ppocrv4_det|silero_vad)$' --timeout 900)
  elif [[ -n $quick ]]; then arguments+=(--filter '^(ppocrv4|silero|magika)'); fi
  "$(python_of peers)" tests/models/compare.py "${arguments[@]}" "$models"
}

run_saved_models() {
  local arguments=()
  [[ -z $quick ]] || arguments+=(--filter '^(ppocrv4_det|light_squeezenet)$')
  "$(python_of peers)" tests/microsoft/saved_models.py "$(tree)/lib/libonnxrun.so" "$models" "${arguments[@]}"
}

# What onnx-run optimize writes gives the same in ONNX Runtime.
run_optimized_models() {
  local arguments=()
  [[ -z $quick ]] || arguments+=(--filter '^(minilm_l6_v2|ppocrv5_cls|light_squeezenet)$')
  "$(python_of peers)" -W ignore tests/optimize/saved.py "$models" --cli "$(tree)/bin/onnx-run" --plain "${arguments[@]}"
}

run_frameworks() { "$(tree)/bin/onnx-run" test "$frameworks" --jobs "$jobs"; }
run_exports() {
  "$(python_of peers)" tests/models/compare.py --cli "$(tree)/bin/onnx-run" --cache "$cache/model-references" --threads "$jobs" "$exports"
}

# Sanitizers write each report to a file, so that one in a child process is not missed.
start_reports() {
  rm -rf "$(tree)/reports"
  mkdir -p "$(tree)/reports"
  local log="log_path=$PWD/$(tree)/reports/report"
  export ASAN_OPTIONS="$log:strict_string_checks=1:allocator_may_return_null=1"
  # What NVIDIA's compiler keeps, where it is installed.
  export LSAN_OPTIONS="suppressions=$PWD/tests/cuda_double/foreign_leaks.txt:print_suppressions=0"
  export UBSAN_OPTIONS="$log:print_stacktrace=1" TSAN_OPTIONS="$log:second_deadlock_stack=1:allocator_may_return_null=1"
}
no_reports() {
  local file found=0
  for file in "$(tree)"/reports/*; do
    [[ -e $file ]] && grep -qE 'ERROR|runtime error|WARNING: ThreadSanitizer' "$file" || continue
    head -n 40 "$file"
    found=1
  done
  ((found == 0))
}

# A Python program that loads the library. The address sanitizer's library has to be loaded before Python's.
run_over_library() {
  local preload=""
  [[ $sanitizer != asan ]] || preload="$(clang -print-file-name="libclang_rt.asan-$(uname -m).so") $(clang -print-file-name=libstdc++.so)"
  LD_PRELOAD=$preload ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0 \
    "$(python_of peers)" -W ignore "$@" --library "$(tree)/lib/libonnxrun.so"
}

# Models that must be refused, and changed copies of the suite's models: none may crash, hang or end in an internal error. Sanitizers take longer, and the address
# sanitizer reserves more addresses than a limit would leave.
run_hostile() {
  local script=$1
  shift
  [[ $sanitizer != asan ]] || set -- "$@" --unlimited
  run_over_library "tests/hostile/$script.py" "$@"
}
run_refusals() { run_hostile refusals; }
run_mutants() {
  local count=20000
  [[ -z $quick ]] || count=4000
  [[ -z $sanitizer ]] || count=1500
  run_hostile mutants "$suite" --compare --keep "$(tree)/mutants" --count "$count"
}

# Our own kernels alone: what oneDNN computes elsewhere, in the tests of kernels and passes, the suite and real models.
run_without_onednn() {
  configure no-onednn -DONNXRUN_PYTHON=OFF && build_targets no-onednn onnx-run late_provider test_cpu test_optimize test_integration >/dev/null || return
  ctest --test-dir build/no-onednn --output-on-failure --parallel "$jobs" --no-tests=error -R '^(cpu|optimize|integration)$' || return
  "$(python_of peers)" tests/conformance/run.py --cli build/no-onednn/bin/onnx-run --jobs "$jobs" "$suite" || return
  "$(python_of peers)" tests/models/compare.py --cli build/no-onednn/bin/onnx-run --cache "$cache/model-references" --threads "$jobs" \
    --filter '^(ppocrv4_det|ppocrv4_rec|light_squeezenet|silero_vad)$' "$models"
}
# The library with one model's operators only.
run_reduced() { python3 tests/packages/reduced.py --whole build/no-onednn/bin/onnx-run --build build/reduced --jobs "$jobs"; }

command_test_reduced() {
  (($# == 0)) || fail 2 "test reduced takes no arguments"
  mkdir -p build
  want_packages build
  want_build_folder no-onednn
  prepare 15
  configure no-onednn -DONNXRUN_PYTHON=OFF
  build_targets no-onednn onnx-run
  stage "reduced build" run_reduced
  ((${#failed[@]} == 0))
}

run_quantising() { "$(python_of quantize)" tests/quantise/proof.py "$models" --cli build/release/bin/onnx-run --threads "$jobs"; }
run_quantized() { "$(python_of peers)" tests/models/quantized.py "$quantized" --cli build/release/bin/onnx-run --threads "$jobs"; }

command_test() {
  if [[ ${1:-} == cuda_double ]]; then command_test_cuda_double "${@:2}"; return; fi
  if [[ ${1:-} == reduced ]]; then command_test_reduced "${@:2}"; return; fi
  (($# == 0)) || fail 2 "test takes no arguments but --quick, --full, --sanitizer, --operators and --random"
  if [[ -n $operators$random ]]; then command_test_operators; return; fi
  [[ $sanitizer =~ ^(asan|tsan|)$ ]] || fail 2 "there is no sanitizer '$sanitizer'; there are: asan tsan"
  mkdir -p build
  want_packages build test
  [[ $sanitizer != asan ]] || want_packages fuzz
  want_onednn
  want_environment peers
  [[ $sanitizer == tsan ]] || want_environment package
  want_conformance
  want_models
  want_build_folder "${sanitizer:-release}"
  [[ -n $quick ]] || want_sklearn
  [[ -n $quick$sanitizer ]] || environment_ready docs || [[ -n $offline ]] || want_environment docs
  prepare 45
  configure "${sanitizer:-release}"
  build_targets "${sanitizer:-release}" all
  # Before the unit tests, one of which shows the demo.
  local have_suite=1 have_models=1
  fetch_conformance || { have_suite=""; failed+=("fetching the official suite"); }
  local have_trained=""
  if [[ -z $quick ]]; then if fetch_sklearn; then have_trained=1; else failed+=("making the trained models"); fi; fi
  fetch_models || { have_models=""; failed+=("fetching the models"); }
  [[ -z $sanitizer ]] || start_reports
  stage "unit tests" run_unit_tests
  if [[ -z $sanitizer ]]; then
    stage "wire format" run_wire_format
    stage "includes" run_include_check
  fi
  if [[ -z $quick$sanitizer ]]; then
    if environment_ready docs; then stage "site of the documentation" test_site; else
      say ""
      say "The site of the documentation is left out: ./dev docs gets MkDocs."
    fi
  fi
  [[ -n $sanitizer ]] || stage "operators at all versions, features of the format" run_operators
  stage "com.microsoft's quantised operators" run_contrib
  stage "ai.onnx.ml's operators" run_ml
  [[ -n $sanitizer ]] || stage "com.microsoft's other operators" run_microsoft
  [[ -z $have_suite ]] || stage "official suite" run_conformance
  [[ -z $have_suite || $sanitizer == tsan ]] || stage "inference on the official suite" run_inference
  [[ -z $have_suite || -n $sanitizer ]] || stage "official suite at each level" run_levels
  [[ -z $have_suite || -n $quick$sanitizer ]] || stage "official suite on plain kernels and each instruction set" run_kernels
  [[ $sanitizer == tsan ]] || stage "models that must be refused" run_refusals
  [[ -z $have_suite || -z $have_models || -n $sanitizer ]] || stage "exact passes" run_exact_passes
  [[ -z $have_models || -n $sanitizer ]] || stage "real models at several thread counts" run_thread_counts
  [[ -z $have_suite || $sanitizer == tsan ]] || stage "changed models" run_mutants
  [[ -z $have_suite ]] || stage "official suite on late execution" run_conformance_late
  [[ -z $have_suite || -n $sanitizer ]] || stage "CUDA provider on the double" run_cuda_suite
  [[ -z $have_suite || -n $sanitizer ]] || stage "round trips" run_roundtrip
  [[ -z $have_suite || -n $sanitizer ]] || stage "edited models" run_edits
  [[ -z $have_models ]] || stage "real models" run_models
  [[ -z $have_models || -n $sanitizer ]] || stage "models that ONNX Runtime saved" run_saved_models
  [[ -z $have_models || -n $sanitizer ]] || stage "optimised models in ONNX Runtime" run_optimized_models
  if [[ -n $have_suite && -n $have_models && -z $quick$sanitizer ]]; then
    stage "without oneDNN" run_without_onednn
    stage "reduced build" run_reduced
  fi
  [[ -z $have_trained ]] || stage "models of scikit-learn, XGBoost and LightGBM" run_sklearn
  if [[ -z $sanitizer ]] && ! environment_ready clients; then
    say ""
    say "Packages that import onnxruntime are left out: ./dev fetch clients gets them."
  fi
  if [[ -z $sanitizer && -z $quick ]]; then
    if [[ -n $have_models ]] && environment_ready quantize; then stage "models that onnx-run quantised, on their tasks" run_quantising; else
      say ""
      say "Quantising is not compared with ONNX Runtime's: ./dev fetch quantized gets its tools."
    fi
    if [[ -d $frameworks ]]; then stage "models of Keras and JAX" run_frameworks; else
      say ""
      say "Models of Keras and JAX are left out: ./dev fetch frameworks makes them."
    fi
    if [[ -d $exports ]]; then stage "exported models" run_exports; else
      say ""
      say "Exported models are left out: ./dev fetch exports makes them."
    fi
  fi
  [[ -z $sanitizer ]] || stage "reports of $sanitizer" no_reports
  say ""
  ((${#failed[@]} == 0)) || fail 1 "failed: $(printf '%s, ' "${failed[@]}" | sed 's/, $//')"
  say "All tests passed."
}
