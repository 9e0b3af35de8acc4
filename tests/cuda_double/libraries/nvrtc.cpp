// The double of NVRTC: compiles the text that it is given with the host's C++ compiler, for the double's runtime.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <string>

#define API extern "C" __attribute__((visibility("default")))

namespace {

struct Program {
  std::string source, code, log;
};

enum { kSuccess = 0, kInvalidInput = 3, kInvalidProgram = 4, kInvalidOption = 5, kCompilation = 6 };

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// What lets the double's runtime call the kernel: it takes one argument by value.
std::string callable(const std::string& source) {
  static const std::regex kKernel("extern \"C\" __global__ void (\\w+)\\((\\w+) \\w+\\)");
  std::smatch found;
  if (!std::regex_search(source, found, kKernel)) return "";
  return source + "\nextern \"C\" __attribute__((visibility(\"default\"))) void cuda_double_run_" + found[1].str() +
         "(const void* arguments) { " + found[1].str() + "(*static_cast<const " + found[2].str() +
         "*>(arguments)); }\nextern \"C\" __attribute__((visibility(\"default\"))) const unsigned long "
         "cuda_double_bytes_" +
         found[1].str() + " = sizeof(" + found[2].str() + ");\n";
}

}  // namespace

API int nvrtcCreateProgram(Program** program, const char* source, const char*, int headers, const char* const*,
                           const char* const*) {
  if (source == nullptr || headers != 0) return kInvalidInput;
  *program = new Program{source, "", ""};
  return kSuccess;
}

API int nvrtcDestroyProgram(Program** program) {
  delete *program;
  *program = nullptr;
  return kSuccess;
}

API int nvrtcCompileProgram(Program* program, int count, const char* const* options) {
  if (program == nullptr) return kInvalidProgram;
  bool target = false;
  for (int i = 0; i < count; ++i) {
    const std::string option = options[i];
    if (std::regex_match(option, std::regex("--gpu-architecture=sm_[0-9]+"))) target = true;
    else if (option != "--fmad=false") return kInvalidOption;
  }
  if (!target) return kInvalidOption;
  const std::string text = callable(program->source);
  if (text.empty() || text.find("#include") != std::string::npos) {
    program->log = "no kernel of one argument, or one that includes headers, which need not be there";
    return kCompilation;
  }
  std::string folder = (std::filesystem::temp_directory_path() / "cuda_double_XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) return kCompilation;
  std::ofstream(folder + "/source.cpp") << text;
  const std::string command =
      "'" CUDA_DOUBLE_COMPILER "' -std=c++20 -O1 -w -ffp-contract=off -fPIC -shared -include '" CUDA_DOUBLE_HEADER
      "' '" +
      folder + "/source.cpp' '" CUDA_DOUBLE_RUNTIME "' -o '" + folder + "/code' > '" + folder + "/log' 2>&1";
  const int status = std::system(command.c_str());
  program->log = read(folder + "/log");
  if (status == 0) program->code = read(folder + "/code");
  std::filesystem::remove_all(folder);
  return status == 0 ? kSuccess : kCompilation;
}

API int nvrtcGetCUBINSize(Program* program, size_t* bytes) {
  *bytes = program->code.size();
  return program->code.empty() ? kInvalidProgram : kSuccess;
}

API int nvrtcGetCUBIN(Program* program, char* code) {
  program->code.copy(code, program->code.size());
  return kSuccess;
}

API int nvrtcGetProgramLogSize(Program* program, size_t* bytes) {
  *bytes = program->log.size() + 1;
  return kSuccess;
}

API int nvrtcGetProgramLog(Program* program, char* log) {
  program->log.copy(log, program->log.size());
  log[program->log.size()] = '\0';
  return kSuccess;
}

API const char* nvrtcGetErrorString(int error) { return error == kSuccess ? "NVRTC_SUCCESS" : "an error of NVRTC"; }
