# onnxrun_room(NAME [DIR dir] [LINKS target...] [PRIVATE_LINKS target...] [EXCLUDE regex] [SOURCES file...])
#
# Makes the static, position independent target onnxrun_<NAME> from every .cpp below DIR (default: the current
# folder). LINKS are the only other targets whose headers and symbols the room may use.
function(onnxrun_room name)
  cmake_parse_arguments(PARSE_ARGV 1 room "" "DIR;EXCLUDE" "LINKS;PRIVATE_LINKS;SOURCES")
  if(NOT room_DIR)
    set(room_DIR "${CMAKE_CURRENT_SOURCE_DIR}")
  endif()
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${room_DIR}/*.cpp")
  if(room_EXCLUDE)
    list(FILTER sources EXCLUDE REGEX "${room_EXCLUDE}")
  endif()
  list(APPEND sources ${room_SOURCES})
  if(NOT sources)
    set(sources "${CMAKE_CURRENT_BINARY_DIR}/${name}_empty.cpp")
    file(CONFIGURE OUTPUT "${sources}" CONTENT "namespace onnxrun {}\n")
  endif()
  add_library(onnxrun_${name} STATIC ${sources})
  target_include_directories(onnxrun_${name} PUBLIC
    "${PROJECT_SOURCE_DIR}/src" "${PROJECT_SOURCE_DIR}/include")
  target_link_libraries(onnxrun_${name} PUBLIC ${room_LINKS} PRIVATE onnxrun_settings ${room_PRIVATE_LINKS})
  set_property(GLOBAL APPEND PROPERTY ONNXRUN_ROOMS onnxrun_${name})
endfunction()
