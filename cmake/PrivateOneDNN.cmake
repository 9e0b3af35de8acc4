# onnxrun_private_onednn(): the imported target onnxrun_onednn, the oneDNN that the library is linked with.
#
# With ONNXRUN_PRIVATE_ONEDNN it is a copy of the one that was found, under a soname and symbol names of its own
# (onnxrun_dnnl_*), so that a process that has another oneDNN in it, of whichever version, works. Headers are used as they are:
# a generated list of macros gives the functions their new names. Installed trees carry the copy beside the library.
option(ONNXRUN_PRIVATE_ONEDNN "Give oneDNN a name and symbols of its own (needs patchelf >= 0.18)" ON)

function(_onnxrun_patchelf_new_enough result candidate)
  execute_process(COMMAND "${candidate}" --version OUTPUT_VARIABLE version ERROR_QUIET)
  if(NOT version MATCHES "patchelf ([0-9.]+)" OR CMAKE_MATCH_1 VERSION_LESS 0.18)
    set(${result} FALSE PARENT_SCOPE)
  endif()
endfunction()

# Writes COPY, NAMES (the list for patchelf) and HEADER (the macros) for the shared library SOURCE.
function(_onnxrun_rename_onednn source copy header)
  execute_process(COMMAND "${CMAKE_NM}" -D --defined-only "${source}" OUTPUT_VARIABLE table COMMAND_ERROR_IS_FATAL ANY)
  string(REGEX MATCHALL "[^ \n]*dnnl[^ \n]*\n" symbols "${table}")
  list(SORT symbols)
  list(REMOVE_DUPLICATES symbols)
  set(names "")
  set(macros "#pragma once\n")
  foreach(symbol IN LISTS symbols)
    string(STRIP "${symbol}" symbol)
    string(REGEX REPLACE "@.*" "" symbol "${symbol}")
    string(APPEND names "${symbol} onnxrun_${symbol}\n")
    if(symbol MATCHES "^dnnl_[a-z0-9_]+$")
      string(APPEND macros "#define ${symbol} onnxrun_${symbol}\n")
    endif()
  endforeach()
  file(WRITE "${copy}.names" "${names}")
  file(WRITE "${header}.new" "${macros}")
  file(COPY_FILE "${header}.new" "${header}" ONLY_IF_DIFFERENT)
  get_filename_component(soname "${copy}" NAME)
  # Its local symbols are a fifth of the wheels' file, and no help to anybody. What patchelf has written is not to be stripped.
  execute_process(COMMAND "${CMAKE_STRIP}" --strip-unneeded -o "${copy}.stripped" "${source}" COMMAND_ERROR_IS_FATAL ANY)
  execute_process(COMMAND "${ONNXRUN_PATCHELF}" --set-soname "${soname}" --rename-dynamic-symbols "${copy}.names"
    --output "${copy}" "${copy}.stripped" COMMAND_ERROR_IS_FATAL ANY)
  file(REMOVE "${copy}.names" "${copy}.stripped" "${header}.new")
endfunction()

function(onnxrun_private_onednn)
  add_library(onnxrun_onednn SHARED IMPORTED GLOBAL)
  get_target_property(source OneDNN::OneDNN IMPORTED_LOCATION)
  get_target_property(include OneDNN::OneDNN INTERFACE_INCLUDE_DIRECTORIES)
  set_target_properties(onnxrun_onednn PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${include}")
  if(NOT ONNXRUN_PRIVATE_ONEDNN)
    set_target_properties(onnxrun_onednn PROPERTIES IMPORTED_LOCATION "${source}")
    return()
  endif()

  find_program(ONNXRUN_PATCHELF patchelf HINTS "${OneDNN_INCLUDE_DIR}/../bin" VALIDATOR _onnxrun_patchelf_new_enough)
  if(NOT ONNXRUN_PATCHELF)
    message(FATAL_ERROR "patchelf >= 0.18 is not here: run ./dev build once, which fetches it, install it, or pass "
      "-DONNXRUN_PRIVATE_ONEDNN=OFF to link with oneDNN as it is")
  endif()
  get_filename_component(source "${source}" REALPATH)
  set(copy "${CMAKE_LIBRARY_OUTPUT_DIRECTORY}/libonnxrun_dnnl.so.3")
  set(header "${PROJECT_BINARY_DIR}/generated/onnxrun_dnnl_names.h")
  if(NOT EXISTS "${header}" OR NOT EXISTS "${copy}" OR "${source}" IS_NEWER_THAN "${copy}" OR
     "${CMAKE_CURRENT_FUNCTION_LIST_FILE}" IS_NEWER_THAN "${copy}")
    file(MAKE_DIRECTORY "${CMAKE_LIBRARY_OUTPUT_DIRECTORY}" "${PROJECT_BINARY_DIR}/generated")
    _onnxrun_rename_onednn("${source}" "${copy}" "${header}")
  endif()
  set_target_properties(onnxrun_onednn PROPERTIES IMPORTED_LOCATION "${copy}" IMPORTED_SONAME libonnxrun_dnnl.so.3)
  target_compile_options(onnxrun_onednn INTERFACE "SHELL:-include \"${header}\"")
endfunction()
