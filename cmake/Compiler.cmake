# Compiler and linker settings that hold for every target of the project.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/lib")
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/lib")

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()

if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
  set(ONNXRUN_X86 TRUE)
else()
  set(ONNXRUN_X86 FALSE)
endif()

# Checkouts in different folders share what ccache keeps: it sees paths relative to the build folder, and debug information
# names sources relative to the checkout, where debuggers are to be started.
find_program(ONNXRUN_CCACHE ccache)
if(ONNXRUN_CCACHE AND PROJECT_IS_TOP_LEVEL)
  foreach(lang C CXX CUDA)
    if(NOT DEFINED CMAKE_${lang}_COMPILER_LAUNCHER AND NOT DEFINED ENV{CMAKE_${lang}_COMPILER_LAUNCHER})
      set(CMAKE_${lang}_COMPILER_LAUNCHER "${CMAKE_COMMAND}" -E env
        "CCACHE_BASEDIR=${PROJECT_SOURCE_DIR}" CCACHE_NOHASHDIR=1 "${ONNXRUN_CCACHE}")
    endif()
  endforeach()
  add_compile_options("$<$<AND:$<CONFIG:Debug>,$<COMPILE_LANGUAGE:C,CXX>>:-ffile-prefix-map=${PROJECT_SOURCE_DIR}=.>")
endif()

option(ONNXRUN_FAST_LINKER "Link with mold or lld where present" OFF)
if(ONNXRUN_FAST_LINKER)
  find_program(ONNXRUN_MOLD mold)
  find_program(ONNXRUN_LLD ld.lld)
  if(ONNXRUN_MOLD)
    add_link_options(-fuse-ld=mold)
  elseif(ONNXRUN_LLD)
    add_link_options(-fuse-ld=lld)
  endif()
endif()

# onnxrun_settings is linked privately by every target of ours and by nobody else's.
add_library(onnxrun_settings INTERFACE)
target_compile_options(onnxrun_settings INTERFACE
  -Wall -Wextra -fno-math-errno -ffp-contract=off
  # What the linker finds nobody to use, it drops.
  -ffunction-sections -fdata-sections
  # GCC 12 warns of overlapping copies in std::string's own operator+ (its bug 105651).
  $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-restrict>
  $<$<BOOL:${ONNXRUN_WERROR}>:-Werror>)
if(ONNXRUN_X86)
  # kernels/simd/ sets its own level.
  target_compile_options(onnxrun_settings INTERFACE
    $<$<AND:$<COMPILE_LANGUAGE:C,CXX>,$<NOT:$<BOOL:$<TARGET_PROPERTY:ONNXRUN_SIMD>>>>:-march=x86-64-v2>)
endif()
target_compile_definitions(onnxrun_settings INTERFACE
  $<$<CONFIG:Debug>:ONNXRUN_DEBUG=1>)

if(ONNXRUN_SANITIZE)
  add_compile_options(-fsanitize=${ONNXRUN_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${ONNXRUN_SANITIZE})
endif()
if(ONNXRUN_COVERAGE)
  add_compile_options(--coverage)
  add_link_options(--coverage)
endif()
if(ONNXRUN_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
