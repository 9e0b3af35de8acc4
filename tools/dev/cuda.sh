# Part of ./dev: the CUDA provider, on a double of CUDA or on a GPU.

double_library() { say "build/release/lib/cuda_double/libonnxrun_provider_cuda.so,libraries=build/release/lib/cuda_double"; }

# The official suite on the provider: its last line counts the cases. Its reductions and rows run again with the threads of each block in the other
# order, in which a missing barrier shows that does not in the first.
run_cuda_suite() {
  CUDA_DOUBLE_REVERSED=1 "$(python_of peers)" tests/cuda_double/run.py "$suite" --cli build/release/bin/onnx-run --jobs "$jobs" \
    --provider-library "$(double_library)" --filter 'reduce|softmax|normalization|norm_|attention|arg|top_k|matmul|quantize|hardmax|lstm|gru|nonmax|unique|det_|dft|nllloss' || return
  "$(python_of peers)" tests/cuda_double/run.py "$suite" --cli build/release/bin/onnx-run --jobs "$jobs" \
    --provider-library "$(double_library)" "$@"
}

# A sample of the cases of every operator, at every version and type, on the provider against independent results.
run_cuda_operators() {
  "$(python_of peers)" -W ignore tests/operators/run.py --library build/release/lib/libonnxrun.so --provider cuda --provider-library "$(double_library)"
}

# count_tests FILE: passed, failed and skipped tests of a GoogleTest report in JSON.
count_tests() {
  python3 -c 'import json, sys
report = json.load(open(sys.argv[1]))
tests = [test for suite in report["testsuites"] for test in suite["testsuite"]]
failed = sum("failures" in test for test in tests)
skipped = sum(test["result"] == "SKIPPED" for test in tests)
print(len(tests) - failed - skipped, failed, skipped)' "$1"
}

# Ends with "N passed, N failed, N skipped", all tests together.
command_test_cuda_double() {
  (($# == 0)) || fail 2 "test cuda_double takes no arguments"
  mkdir -p build
  want_packages build test
  want_onednn
  want_environment peers
  want_conformance
  want_build_folder release
  prepare 20
  configure release
  build_targets release shipped test_cuda_double test_cuda_provider cuda_double_provider
  fetch_conformance || fail 1 "the official suite could not be fetched"
  local passed=0 failed=0 skipped=0 p f s program eager last
  # The provider's tests twice: with all streams late, and with every other one ahead.
  for program in test_cuda_double test_cuda_provider "test_cuda_provider 0xaaaa"; do
    read -r program eager <<<"$program"
    rm -f "build/$program.json"
    env ${eager:+CUDA_DOUBLE_EAGER=$eager} "build/release/bin/$program" --gtest_brief=1 --gtest_output="json:build/$program.json" || true
    if [[ -e build/$program.json ]]; then read -r p f s < <(count_tests "build/$program.json"); else p=0 f=1 s=0; fi
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
  done
  last=$(run_cuda_suite | tee /dev/stderr | tail -n 1) || true
  if [[ $last =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed,\ ([0-9]+)\ skipped$ ]]; then
    passed=$((passed + BASH_REMATCH[1])) failed=$((failed + BASH_REMATCH[2])) skipped=$((skipped + BASH_REMATCH[3]))
  else
    failed=$((failed + 1))
  fi
  last=$(run_cuda_operators | tee /dev/stderr | tail -n 1) || true
  if [[ $last =~ ,\ ([0-9]+)\ cases.*\ ([0-9]+)\ not\ on\ the\ provider.*disputed,\ ([0-9]+)\ failed ]]; then
    passed=$((passed + BASH_REMATCH[1] - BASH_REMATCH[2] - BASH_REMATCH[3]))
    failed=$((failed + BASH_REMATCH[3])) skipped=$((skipped + BASH_REMATCH[2]))
  else
    failed=$((failed + 1))
  fi
  say "$passed passed, $failed failed, $skipped skipped"
  ((failed == 0))
}

# The Python of the tests on a GPU: ours, or with --built the machine's, if that has what they import.
gpu_python() {
  if environment_ready peers; then python_of peers; return; fi
  python3 -c 'import numpy, onnx, onnxruntime' 2>/dev/null || fail 3 "--built needs a python3 with numpy, onnx and onnxruntime, or ./dev fetch peers"
  say python3
}

# What needs a GPU; nothing of it counts as done on a machine without one. With --built, nothing is built or installed.
command_gpu() {
  (($# == 0)) || fail 2 "gpu takes no arguments but --built"
  have nvidia-smi && nvidia-smi -L >/dev/null 2>&1 || fail 3 "this machine has no NVIDIA GPU; ./dev test cuda_double needs none"
  local library=build/cuda/lib/libonnxrun_provider_cuda.so folder folders=() kind python
  if [[ -n $built ]]; then
    for kind in "$library" build/release/bin/onnx-run build/release/python/onnxrun; do
      [[ -e $kind ]] || fail 3 "$kind is missing: copy build/ from where ./dev build cuda and ./dev build release ran, or leave --built out"
    done
  else
    command_build cuda
    command_build release
    want_environment peers
    want_conformance
    prepare 10
  fi
  python=$(gpu_python)
  [[ -n $built && -e $suite/.complete.json ]] || "$python" tools/fetch/conformance.py "$suite" || fail 1 "the official suite could not be fetched"
  say "$(nvidia-smi --query-gpu=name,compute_cap,driver_version --format=csv,noheader), $(date -u +%F)"
  stage "official suite on the GPU" "$python" tests/cuda_double/run.py "$suite" --cli build/release/bin/onnx-run --jobs "$jobs" \
    --provider-library "$library" --slow
  stage "operators on the GPU" "$python" -W ignore tests/operators/run.py --library build/release/lib/libonnxrun.so --provider cuda \
    --provider-library "$library"
  stage "products of float8 on the GPU" "$python" tests/ops/microsoft/compare.py --part float8 --cli build/release/bin/onnx-run \
    --argument=--provider=cuda "--argument=--provider-library=$library"
  stage "values of callers on the GPU" env PYTHONPATH=build/release/python "$python" tests/cuda_double/python_binding_test.py "$library"
  for kind in models exports quantized frameworks; do
    folder=$cache/$kind
    [[ -d $folder ]] || { say "./dev fetch $kind gets models that are left out here."; continue; }
    folders+=("$folder")
    [[ $kind != frameworks ]] || continue  # they come with results of their own
    stage "$kind on the GPU" "$python" tests/models/compare.py --cli build/release/bin/onnx-run --cache "$cache/model-references" \
      --argument=--provider=cuda --argument=--provider=cpu "--argument=--provider-library=$library" "$folder"
  done
  [[ ! -d $cache/frameworks ]] || stage "frameworks on the GPU" build/release/bin/onnx-run test "$cache/frameworks" --provider cuda --provider cpu \
    --provider-library "$library" --quiet
  if have compute-sanitizer; then
    # In one process: under the tool, nothing came back from processes of onnx-run test on an H200.
    for kind in memcheck racecheck; do
      stage "$kind on the GPU" compute-sanitizer --tool "$kind" --error-exitcode 1 --quiet "$python" -W ignore tests/operators/run.py \
        --library build/release/lib/libonnxrun.so --provider cuda --provider-library "$library"
    done
  else
    say "Without compute-sanitizer memory errors on the GPU are not looked for."
  fi
  ((${#folders[@]} == 0)) || stage "speed on the GPU" env PYTHONPATH=build/release/python "$python" benchmarks/gpu.py "${folders[@]}" \
    --provider-library "$library" --json build/gpu.json --markdown build/gpu.md
  ((${#failed[@]} == 0)) || fail 1 "failed: ${failed[*]}"
}
