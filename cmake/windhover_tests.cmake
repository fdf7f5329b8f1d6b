# Tests: what is registered with CTest, and how. Three kinds: GoogleTest executables that mirror src/, source files that
# must not compile, and the code blocks of documents, which must.
#
# Labels: `threads` for tests that run more than one thread (the thread sanitizer's build runs these and no others);
# `sources` for tests that judge the sources or the package and not the binaries (one build runs these, not all).
include_guard()

set(WINDHOVER_PYTHON /usr/bin/python3)
set(WINDHOVER_TEST_TIMEOUT 120)

# ctest has four jobs, for two processors (CMakePresets.json). A test that computes takes two of them; one that mostly waits, for
# other programs or for a time limit to pass, takes one.
set(WINDHOVER_COMPUTES PROCESSORS 2)
set(WINDHOVER_WAITS PROCESSORS 1)

# Everything that carries the label `threads`.
add_custom_target(windhover_thread_tests)

# Tests are compiled for their compile time: the libraries that they test are optimized, they are not, which halves the
# time under the address sanitizer, and they know their lines but not their variables. What every one of them includes is
# precompiled once.
set(WINDHOVER_TEST_OPTIONS
  -g1
  -O0
  # ccache then looks at what was precompiled, and not at when.
  $<IF:$<CXX_COMPILER_ID:GNU>,-fpch-preprocess,SHELL:-Xclang -fno-pch-timestamp>)
add_executable(windhover_test_prelude EXCLUDE_FROM_ALL "${PROJECT_SOURCE_DIR}/tests/support/prelude.cpp")
windhover_compile_as_ours(windhover_test_prelude)
target_compile_options(windhover_test_prelude PRIVATE ${WINDHOVER_TEST_OPTIONS})
target_link_libraries(windhover_test_prelude PRIVATE GTest::gtest)
target_precompile_headers(windhover_test_prelude PRIVATE
  <gtest/gtest.h> <chrono> <coroutine> <functional> <map> <memory> <optional> <span> <stdexcept> <string> <string_view> <vector>)

# windhover_tests(ROOM <room> [SUITE <name>] [OPTIMIZED] [ALONE] [LABELS <label>...] [TIMEOUT <seconds>]
#                 [PROPERTIES <property> <value>...] [LIBRARIES <target>...] SOURCES <file>...)
#
# Makes the executable windhover_<room>_tests (windhover_<room>_<suite>_tests with SUITE, for the part of a room's tests
# that needs other labels) and registers every test in it as <room>.<case>.<test>; windhover_gtest_list.cmake says when a
# case is registered as one, and ALONE that those of this executable never are: they judge their process, or take so long
# that they had better run side by side. A test sees src/, include/ and tests/; WINDHOVER_FIXTURES is the path of
# tests/fixtures. OPTIMIZED: what is tested are templates and coroutines of the tests' own, which have to be right in the way
# in which people compile theirs. PROPERTIES are CTest's, for each of the tests.
function(windhover_tests)
  cmake_parse_arguments(PARSE_ARGV 0 tests "OPTIMIZED;ALONE" "ROOM;SUITE;TIMEOUT" "LABELS;PROPERTIES;LIBRARIES;SOURCES")
  windhover_require_arguments(windhover_tests tests ROOM SOURCES)
  if(NOT tests_TIMEOUT)
    set(tests_TIMEOUT ${WINDHOVER_TEST_TIMEOUT})
  endif()

  set(target ${tests_ROOM})
  if(tests_SUITE)
    string(APPEND target "_${tests_SUITE}")
  endif()
  set(target windhover_${target}_tests)

  add_executable(${target} ${tests_SOURCES})
  windhover_compile_as_ours(${target})
  target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}/src" "${PROJECT_SOURCE_DIR}/tests")
  target_compile_definitions(${target} PRIVATE WINDHOVER_FIXTURES="${PROJECT_SOURCE_DIR}/tests/fixtures")
  if(NOT tests_OPTIMIZED)
    target_compile_options(${target} PRIVATE ${WINDHOVER_TEST_OPTIONS})
    target_precompile_headers(${target} REUSE_FROM windhover_test_prelude)
  endif()
  target_link_libraries(${target} PRIVATE windhover::${tests_ROOM} ${tests_LIBRARIES} GTest::gtest_main)

  # The executable is asked for its tests when ctest starts: a sanitized one may need an environment to start that the build
  # does not have.
  set(listing "${CMAKE_CURRENT_BINARY_DIR}/${target}.cmake")
  file(GENERATE OUTPUT "${listing}" CONTENT "\
set(gtest_name ${target})
set(gtest_executable \"$<TARGET_FILE:${target}>\")
set(gtest_folder \"${CMAKE_CURRENT_BINARY_DIR}\")
set(gtest_room ${tests_ROOM})
set(gtest_alone ${tests_ALONE})
set(gtest_timeout ${tests_TIMEOUT})
set(gtest_labels \"${tests_ROOM};${tests_LABELS}\")
set(gtest_properties \"${WINDHOVER_COMPUTES};${tests_PROPERTIES}\")
include(\"${PROJECT_SOURCE_DIR}/cmake/windhover_gtest_list.cmake\")
")
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES "${listing}")
  if("threads" IN_LIST tests_LABELS)
    add_dependencies(windhover_thread_tests ${target})
  endif()
endfunction()

# windhover_source_test(NAME <name> COMMAND <command> [<argument>...])
#
# Registers a command that judges the sources: it fails by its exit code.
function(windhover_source_test)
  cmake_parse_arguments(PARSE_ARGV 0 test "" "NAME" "COMMAND")
  windhover_require_arguments(windhover_source_test test NAME COMMAND)
  add_test(NAME "${test_NAME}" COMMAND ${test_COMMAND} WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
  set_tests_properties("${test_NAME}" PROPERTIES
    TIMEOUT ${WINDHOVER_TEST_TIMEOUT} LABELS sources ${WINDHOVER_COMPUTES})
endfunction()

# The command that checks whether a file compiles, as our headers must for a stranger: only the language and the folders.
set(WINDHOVER_SYNTAX_CHECK
  "${CMAKE_CXX_COMPILER}" -std=c++20 -fsyntax-only "-I${PROJECT_SOURCE_DIR}/include" "-I${PROJECT_SOURCE_DIR}/src")

# windhover_must_not_compile(NAME <name> FILE <file> EXPECT <regular expression>)
#
# Two tests: <file> compiles as it stands, and no longer compiles once the macro <name> is defined, with a diagnostic that
# matches. So one file holds the common part and, each between `#ifdef <name>` and `#endif`, the misuses, and a misuse
# cannot pass for the wrong reason. A result that must not be ignored and is counts as refused. The expression is Python's;
# name the words of both g++ and clang.
function(windhover_must_not_compile)
  cmake_parse_arguments(PARSE_ARGV 0 misuse "" "NAME;FILE;EXPECT" "")
  windhover_require_arguments(windhover_must_not_compile misuse NAME FILE EXPECT)
  cmake_path(ABSOLUTE_PATH misuse_FILE BASE_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}" OUTPUT_VARIABLE file)
  cmake_path(RELATIVE_PATH file BASE_DIRECTORY "${PROJECT_SOURCE_DIR}" OUTPUT_VARIABLE shown)

  if(NOT TEST "compiles.${shown}")
    windhover_source_test(NAME "compiles.${shown}" COMMAND ${WINDHOVER_SYNTAX_CHECK} "${file}")
  endif()
  windhover_source_test(NAME "must_not_compile.${misuse_NAME}"
    COMMAND ${WINDHOVER_PYTHON} "${PROJECT_SOURCE_DIR}/cmake/must_not_compile.py" --expect "${misuse_EXPECT}" --
      ${WINDHOVER_SYNTAX_CHECK} -Werror=unused-result "-D${misuse_NAME}" "${file}")
endfunction()

# windhover_document_snippets(FILE <document>...)
#
# One test for each document: the C++ blocks in it compile. cmake/document_snippets.py says how a block is read.
function(windhover_document_snippets)
  cmake_parse_arguments(PARSE_ARGV 0 snippets "" "" "FILE")
  windhover_require_arguments(windhover_document_snippets snippets FILE)
  foreach(document IN LISTS snippets_FILE)
    if(EXISTS "${PROJECT_SOURCE_DIR}/${document}")
      windhover_source_test(NAME "snippets.${document}"
        COMMAND ${WINDHOVER_PYTHON} cmake/document_snippets.py ${document} "${PROJECT_BINARY_DIR}/snippets" --
          ${WINDHOVER_SYNTAX_CHECK})
    endif()
  endforeach()
endfunction()
