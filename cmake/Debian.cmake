# ONNXRUN_DEBIAN lays the installed tree out as Debian's packages have it: libraries in the folder of the architecture, where they are found
# without a path of their own. ONNXRUN_RPATH is where the shared library looks for those beside it.
option(ONNXRUN_DEBIAN "Install as Debian's packages do" OFF)
set(ONNXRUN_RPATH "$ORIGIN")
if(ONNXRUN_DEBIAN)
  set(CMAKE_INSTALL_LIBDIR "lib/${CMAKE_LIBRARY_ARCHITECTURE}")
  set(CMAKE_INSTALL_DOCDIR "share/doc/libonnxrun${PROJECT_VERSION_MAJOR}")
  set(ONNXRUN_RPATH "")
endif()
