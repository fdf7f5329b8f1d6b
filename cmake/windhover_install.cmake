# Installation: the rooms, their public headers, and what CMake and pkg-config need to find them.
include_guard()
include(CMakePackageConfigHelpers)

get_property(rooms GLOBAL PROPERTY WINDHOVER_ROOMS)
set(libraries "")
foreach(room IN LISTS rooms)
  get_target_property(internal windhover_${room} WINDHOVER_INTERNAL)
  if(NOT internal)
    list(APPEND libraries windhover_${room})
  endif()
endforeach()

set(package_folder "${CMAKE_INSTALL_LIBDIR}/cmake/windhover")

install(TARGETS windhover ${libraries}
  EXPORT windhover
  ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}"
  FILE_SET HEADERS DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(EXPORT windhover
  FILE windhoverTargets.cmake
  NAMESPACE windhover::
  DESTINATION "${package_folder}")
if(TARGET windhover_program_windhover)
  install(TARGETS windhover_program_windhover RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
endif()

configure_package_config_file(
  "${PROJECT_SOURCE_DIR}/cmake/windhoverConfig.cmake.in"
  "${PROJECT_BINARY_DIR}/package/windhoverConfig.cmake"
  INSTALL_DESTINATION "${package_folder}")
write_basic_package_version_file(
  "${PROJECT_BINARY_DIR}/package/windhoverConfigVersion.cmake"
  COMPATIBILITY SameMinorVersion)
install(
  FILES
    "${PROJECT_BINARY_DIR}/package/windhoverConfig.cmake"
    "${PROJECT_BINARY_DIR}/package/windhoverConfigVersion.cmake"
  DESTINATION "${package_folder}")

# A linker reads static libraries from left to right, so whoever uses stands before what is used.
list(REVERSE libraries)
list(TRANSFORM libraries PREPEND "-l")
list(JOIN libraries " " WINDHOVER_LIBRARIES)
# The package may be installed below another prefix than the one it was built for: its file finds it from where it stands.
set(pkgconfig_folder "${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig")
cmake_path(RELATIVE_PATH CMAKE_INSTALL_PREFIX BASE_DIRECTORY "${pkgconfig_folder}" OUTPUT_VARIABLE WINDHOVER_PREFIX_FROM_PC)
configure_file(
  "${PROJECT_SOURCE_DIR}/cmake/windhover.pc.in"
  "${PROJECT_BINARY_DIR}/package/windhover.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/package/windhover.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")

install(FILES LICENSE NOTICE DESTINATION "${CMAKE_INSTALL_DOCDIR}")
