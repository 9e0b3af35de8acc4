# Installs the libraries, the public headers, the tool, a CMake package and a pkg-config file. The tree can be moved: nothing in it
# holds an absolute path.
include(CMakePackageConfigHelpers)

install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/onnxrun" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
  FILES_MATCHING PATTERN "*.h" PATTERN "*.hpp")
install(TARGETS onnxrun onnxrun_static EXPORT onnxrunTargets
  LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}" ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION "${CMAKE_INSTALL_DATADIR}/licenses/onnxrun")

set(ONNXRUN_HAS_PRIVATE_ONEDNN FALSE)
if(ONNXRUN_ONEDNN)
  get_target_property(location onnxrun_onednn IMPORTED_LOCATION)
  if(ONNXRUN_PRIVATE_ONEDNN)
    set(ONNXRUN_HAS_PRIVATE_ONEDNN TRUE)
    install(PROGRAMS "${location}" DESTINATION "${CMAKE_INSTALL_LIBDIR}")
    target_link_libraries(onnxrun_static INTERFACE $<INSTALL_INTERFACE:onnxrun::private_onednn>)
    # The licence lies in the wheels' tree or in the distribution's package.
    get_filename_component(root "${OneDNN_INCLUDE_DIR}" DIRECTORY)
    foreach(folder "${root}/share/doc/onednn" "${root}/share/doc/libdnnl-dev")
      foreach(name LICENSE THIRD-PARTY-PROGRAMS copyright)
        if(EXISTS "${folder}/${name}")
          install(FILES "${folder}/${name}" DESTINATION "${CMAKE_INSTALL_DATADIR}/licenses/onnxrun/onednn")
        endif()
      endforeach()
    endforeach()
  else()
    target_link_libraries(onnxrun_static INTERFACE $<INSTALL_INTERFACE:dnnl>)
  endif()
endif()

target_link_libraries(onnxrun_static INTERFACE "$<INSTALL_INTERFACE:${ONNXRUN_CONTENT_LINKS}>")

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/onnxrun")
install(EXPORT onnxrunTargets NAMESPACE onnxrun:: DESTINATION "${package_dir}")
configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/onnxrunConfig.cmake.in"
  "${PROJECT_BINARY_DIR}/onnxrunConfig.cmake" INSTALL_DESTINATION "${package_dir}"
  PATH_VARS CMAKE_INSTALL_LIBDIR)
write_basic_package_version_file("${PROJECT_BINARY_DIR}/onnxrunConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/onnxrunConfig.cmake" "${PROJECT_BINARY_DIR}/onnxrunConfigVersion.cmake"
  DESTINATION "${package_dir}")

file(RELATIVE_PATH ONNXRUN_PC_PREFIX "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
list(TRANSFORM ONNXRUN_CONTENT_LINKS PREPEND "-l" OUTPUT_VARIABLE ONNXRUN_PC_PRIVATE_LIBS)
list(JOIN ONNXRUN_PC_PRIVATE_LIBS " " ONNXRUN_PC_PRIVATE_LIBS)
configure_file("${PROJECT_SOURCE_DIR}/cmake/onnxrun.pc.in" "${PROJECT_BINARY_DIR}/onnxrun.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/onnxrun.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
