# What cpack needs: -G TGZ makes one archive of libraries, headers and the tool; -G DEB, in a build with ONNXRUN_DEBIAN, the packages
# libonnxrun<ABI>, libonnxrun-dev, onnxrun-tools and python3-onnxrun. ./dev package runs both.
set(ONNXRUN_PACKAGE_CONTACT "The onnxrun developers <onnxrun@example.org>" CACHE STRING "Maintainer of the packages that are made")
set(ONNXRUN_PACKAGE_DATE "" CACHE STRING "Date of the packages' changelog, as RFC 5322 has it; the default is now")

set(CPACK_PACKAGE_NAME onnxrun)
set(CPACK_PACKAGE_VENDOR "onnxrun")
set(CPACK_PACKAGE_CONTACT "${ONNXRUN_PACKAGE_CONTACT}")
set(CPACK_PACKAGE_DIRECTORY "${PROJECT_SOURCE_DIR}/build/package")
set(CPACK_RESOURCE_FILE_LICENSE "${PROJECT_SOURCE_DIR}/LICENSE")
set(CPACK_STRIP_FILES ON)
set(CPACK_VERBATIM_VARIABLES ON)
string(TOLOWER "${CMAKE_SYSTEM_NAME}-${CMAKE_SYSTEM_PROCESSOR}" platform)
set(CPACK_PACKAGE_FILE_NAME "onnxrun-${PROJECT_VERSION}-${platform}")
set(CPACK_ARCHIVE_COMPONENT_INSTALL OFF)
set(CPACK_COMPONENTS_ALL runtime dev tools)
if(ONNXRUN_PYTHON)
  list(APPEND CPACK_COMPONENTS_ALL python)
endif()

if(ONNXRUN_DEBIAN)
  # Packages of a newer distribution replace those of an older one.
  set(version_id "")
  if(EXISTS /etc/os-release)
    file(STRINGS /etc/os-release version_id REGEX "^VERSION_ID=")
    string(REGEX REPLACE "[^0-9.]" "" version_id "${version_id}")
  endif()
  set(CPACK_DEBIAN_PACKAGE_RELEASE "1~deb${version_id}")
  set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
  set(CPACK_DEB_COMPONENT_INSTALL ON)
  set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
  set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
  set(CPACK_DEBIAN_PACKAGE_SECTION libs)
  set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
  set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "")  # each package has its own
  set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
  set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS "${CMAKE_LIBRARY_OUTPUT_DIRECTORY}")
  # The text of Debian's own changelog, copyright and manual page, each below the package's name.
  if(NOT ONNXRUN_PACKAGE_DATE)
    execute_process(COMMAND date -R OUTPUT_VARIABLE ONNXRUN_PACKAGE_DATE OUTPUT_STRIP_TRAILING_WHITESPACE)
  endif()
  set(ONNXRUN_DEBIAN_VERSION "${PROJECT_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE}")
  set(ONNXRUN_ONEDNN_COPYRIGHT "")
  if(ONNXRUN_HAS_PRIVATE_ONEDNN)
    configure_file("${PROJECT_SOURCE_DIR}/packaging/debian/copyright_onednn.in" "${PROJECT_BINARY_DIR}/debian/copyright_onednn" @ONLY)
    file(READ "${PROJECT_BINARY_DIR}/debian/copyright_onednn" ONNXRUN_ONEDNN_COPYRIGHT)
  endif()
  set(debian "${PROJECT_BINARY_DIR}/debian")
  configure_file("${PROJECT_SOURCE_DIR}/packaging/debian/copyright.in" "${debian}/copyright" @ONLY)
  configure_file("${PROJECT_SOURCE_DIR}/packaging/debian/changelog.in" "${debian}/changelog.Debian" @ONLY)
  find_program(ONNXRUN_GZIP gzip REQUIRED)
  execute_process(COMMAND "${ONNXRUN_GZIP}" -9nkf "${debian}/changelog.Debian" COMMAND_ERROR_IS_FATAL ANY)

  # onnxrun_debian(COMPONENT PACKAGE section SUMMARY "one line" TEXT "lines" [DEPENDS relations] [RECOMMENDS relations])
  function(onnxrun_debian component package)
    cmake_parse_arguments(PARSE_ARGV 2 deb "" "SECTION;SUMMARY;TEXT;DEPENDS;RECOMMENDS" "")
    string(TOUPPER "${component}" prefix)
    set(prefix CPACK_DEBIAN_${prefix})
    set(${prefix}_PACKAGE_NAME "${package}" PARENT_SCOPE)
    set(${prefix}_PACKAGE_SECTION "${deb_SECTION}" PARENT_SCOPE)
    set(${prefix}_DESCRIPTION "${deb_SUMMARY}\n${deb_TEXT}" PARENT_SCOPE)
    set(${prefix}_PACKAGE_DEPENDS "${deb_DEPENDS}" PARENT_SCOPE)
    set(${prefix}_PACKAGE_RECOMMENDS "${deb_RECOMMENDS}" PARENT_SCOPE)
    install(FILES "${debian}/copyright" "${debian}/changelog.Debian.gz" DESTINATION "share/doc/${package}" COMPONENT ${component})
    if(EXISTS "${PROJECT_SOURCE_DIR}/packaging/debian/${component}.lintian-overrides")
      install(FILES "${PROJECT_SOURCE_DIR}/packaging/debian/${component}.lintian-overrides"
        DESTINATION share/lintian/overrides RENAME "${package}" COMPONENT ${component})
    endif()
  endfunction()

  set(library "libonnxrun${PROJECT_VERSION_MAJOR}")
  set(same "${library} (= ${ONNXRUN_DEBIAN_VERSION})")
  set(headers "")
  foreach(pair IN LISTS ONNXRUN_CONTENT_PACKAGES)
    string(REGEX REPLACE ".*:" "" pair "${pair}")
    list(APPEND headers "${pair}")
  endforeach()
  list(REMOVE_DUPLICATES headers)
  list(JOIN headers ", " headers)
  set(what "onnxrun loads, checks, optimises and runs models in the ONNX format on the\nCPU, without a network, a daemon or another runtime.\n")

  onnxrun_debian(runtime ${library} SECTION libs SUMMARY "inference runtime for ONNX models - shared library"
    TEXT "${what}\nThis package has the shared library.")
  set(CPACK_DEBIAN_RUNTIME_PACKAGE_SHLIBDEPS ON)
  math(EXPR next "${PROJECT_VERSION_MINOR} + 1")
  foreach(file shlibs triggers)
    configure_file("${PROJECT_SOURCE_DIR}/packaging/debian/${file}.in" "${debian}/${file}" @ONLY)
    list(APPEND CPACK_DEBIAN_RUNTIME_PACKAGE_CONTROL_EXTRA "${debian}/${file}")
  endforeach()

  onnxrun_debian(dev libonnxrun-dev SECTION libdevel SUMMARY "inference runtime for ONNX models - development files"
    TEXT "${what}\nThis package has the headers for C and C++, the static library, and files for\nCMake and pkg-config. Programs that link the static library need the\nrecommended packages."
    DEPENDS "${same}" RECOMMENDS "${headers}")

  onnxrun_debian(tools onnxrun-tools SECTION utils SUMMARY "inference runtime for ONNX models - command line tool"
    TEXT "${what}\nThis package has onnx-run, which runs, tests, inspects, checks, edits,\noptimises, quantises and measures models."
    DEPENDS "${same}")
  set(CPACK_DEBIAN_TOOLS_PACKAGE_SHLIBDEPS ON)
  configure_file("${PROJECT_SOURCE_DIR}/packaging/debian/onnx-run.1.in" "${debian}/onnx-run.1" @ONLY)
  execute_process(COMMAND "${ONNXRUN_GZIP}" -9nkf "${debian}/onnx-run.1" COMMAND_ERROR_IS_FATAL ANY)
  install(FILES "${debian}/onnx-run.1.gz" DESTINATION share/man/man1 COMPONENT tools)

  if(ONNXRUN_PYTHON)
    math(EXPR next "${Python_VERSION_MINOR} + 1")
    onnxrun_debian(python python3-onnxrun SECTION python SUMMARY "inference runtime for ONNX models - Python package"
      TEXT "${what}\nThis package has the Python module onnxrun. Types that NumPy lacks (bfloat16\nand those of 8 bits and fewer) need the module ml_dtypes."
      DEPENDS "${same}, python3 (>= 3.${Python_VERSION_MINOR}~), python3 (<< 3.${next}), python3-numpy")
    set(CPACK_DEBIAN_PYTHON_PACKAGE_SHLIBDEPS ON)
    set(CPACK_DEBIAN_PYTHON_PACKAGE_CONTROL_EXTRA "${PROJECT_SOURCE_DIR}/packaging/debian/python/postinst"
      "${PROJECT_SOURCE_DIR}/packaging/debian/python/prerm")
  endif()
endif()

include(CPack)
