# The shipped libraries: onnxrun (shared) and, with ONNXRUN_STATIC, onnxrun_static, each made of the objects of all rooms.
get_property(rooms GLOBAL PROPERTY ONNXRUN_ROOMS)
get_property(objects GLOBAL PROPERTY ONNXRUN_OBJECTS)
get_property(dependencies GLOBAL PROPERTY ONNXRUN_DEPENDENCIES)

foreach(room IN LISTS rooms)
  list(APPEND room_objects $<TARGET_OBJECTS:${room}>)
endforeach()

set(libraries onnxrun)
if(ONNXRUN_STATIC)
  list(APPEND libraries onnxrun_static)
endif()
foreach(library IN LISTS libraries)
  if(library STREQUAL "onnxrun")
    add_library(onnxrun SHARED ${room_objects} ${objects})
  else()
    add_library(onnxrun_static STATIC ${room_objects} ${objects})
  endif()
  add_dependencies(${library} ${rooms})
  set_target_properties(${library} PROPERTIES LINKER_LANGUAGE CXX)
  target_include_directories(${library} INTERFACE
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_compile_features(${library} INTERFACE cxx_std_20)
  target_link_libraries(${library} PRIVATE Threads::Threads ${CMAKE_DL_LIBS})
endforeach()

target_link_libraries(onnxrun PRIVATE ${dependencies})
set_target_properties(onnxrun PROPERTIES
  VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}
  BUILD_WITH_INSTALL_RPATH ON INSTALL_RPATH "${ONNXRUN_RPATH}"  # a path of the build would be padded by an empty one: the current folder
  LINK_DEPENDS "${PROJECT_SOURCE_DIR}/cmake/onnxrun.map")
target_link_options(onnxrun PRIVATE
  "LINKER:--version-script=${PROJECT_SOURCE_DIR}/cmake/onnxrun.map" LINKER:--gc-sections)
if(NOT ONNXRUN_SANITIZE)
  target_link_options(onnxrun PRIVATE LINKER:-z,defs)
endif()
add_library(onnxrun::onnxrun ALIAS onnxrun)

if(ONNXRUN_STATIC)
  foreach(dependency IN LISTS dependencies)
    target_link_libraries(onnxrun_static INTERFACE $<BUILD_INTERFACE:${dependency}>)
  endforeach()
  set_target_properties(onnxrun_static PROPERTIES OUTPUT_NAME onnxrun EXPORT_NAME static)
  add_library(onnxrun::static ALIAS onnxrun_static)
endif()
