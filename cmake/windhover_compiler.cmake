# What every target of ours has in common: the language, the warnings, and ccache where it is installed.
include_guard()

if(PROJECT_IS_TOP_LEVEL AND NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
  find_program(WINDHOVER_CCACHE ccache)
  mark_as_advanced(WINDHOVER_CCACHE)
  if(WINDHOVER_CCACHE)
    # What it must not look at too closely for precompiled headers to be of use.
    set(sloppiness pch_defines,time_macros,include_file_mtime,include_file_ctime)
    set(CMAKE_CXX_COMPILER_LAUNCHER "${CMAKE_COMMAND};-E;env;CCACHE_SLOPPINESS=${sloppiness};${WINDHOVER_CCACHE}")
  endif()
endif()

# windhover_compile_at_once(<target>)
#
# Joins the sources of a target to one, for those whose headers cost more than all that they say themselves.
function(windhover_compile_at_once target)
  if(NOT WINDHOVER_JOIN_SOURCES)
    return()
  endif()
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 0)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # It takes the sources for headers, where an unnamed namespace would be dangerous.
    target_compile_options(${target} PRIVATE -Wno-subobject-linkage)
  endif()
endfunction()

# windhover_compile_as_ours(<target>)
#
# The warnings are private to the target: whoever links Windhover chooses their own.
function(windhover_compile_as_ours target)
  set_target_properties(${target} PROPERTIES
    CXX_EXTENSIONS OFF
    CXX_VISIBILITY_PRESET hidden
    VISIBILITY_INLINES_HIDDEN ON
    POSITION_INDEPENDENT_CODE ON)
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_compile_options(${target} PRIVATE
    -Wall -Wextra -Wconversion -Wsign-conversion -Wshadow -Wold-style-cast -Wnon-virtual-dtor -Woverloaded-virtual)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    # GCC bug 105651: adding a std::string to a literal is reported as overlapping memory once it is inlined.
    target_compile_options(${target} PRIVATE -Wno-restrict)
  endif()
  if(WINDHOVER_WARNINGS_AS_ERRORS)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
endfunction()
