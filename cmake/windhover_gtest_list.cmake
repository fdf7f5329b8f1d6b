# Read by ctest, once for each GoogleTest executable: asks it for its tests and registers them. What it is told stands in the
# variables that begin with `gtest_`; windhover_tests() in windhover_tests.cmake writes them.
#
# Each test is a process of its own, <room>.<suite>.<test>, unless CTEST_GROUPS_SUITES is set in the environment: then each
# suite is one, <room>.<suite>. There are thousands of tests and most of them take less time than the start of a process.
# (A variable that begins with WINDHOVER_ would be a setting of every application that is tested.)
if(NOT EXISTS "${gtest_executable}")
  add_test("${gtest_name}_NOT_BUILT" "${gtest_name}_NOT_BUILT")
  return()
endif()

execute_process(
  COMMAND "${gtest_executable}" --gtest_list_tests
  TIMEOUT 60
  OUTPUT_VARIABLE listed
  ERROR_VARIABLE complaint
  RESULT_VARIABLE result)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "${gtest_executable} does not list its tests (${result}):\n${listed}${complaint}")
endif()

# A line is `Suite.`, or `  Test` of the suite before it; what a parameter is stands behind ` # ` and may be anything.
string(REGEX REPLACE " +# [^\n]*" "" listed "${listed}")
string(REGEX MATCHALL "[^\n]+" lines "${listed}")
set(suites "")
foreach(line IN LISTS lines)
  if(line MATCHES "^  (.+)$")
    list(APPEND tests_${suite} "${CMAKE_MATCH_1}")
  elseif(line MATCHES "^([^ ]+)\\.$")
    set(suite "${CMAKE_MATCH_1}")
    set(tests_${suite} "")
    list(APPEND suites "${suite}")
  endif()
endforeach()

foreach(suite IN LISTS suites)
  list(LENGTH tests_${suite} count)
  if(DEFINED ENV{CTEST_GROUPS_SUITES} AND NOT gtest_alone)
    set(names "*")
    # The limit is for what hangs, and a busy machine with a sanitizer takes its time.
    math(EXPR timeout "${gtest_timeout} + 10 * ${count}")
    if(timeout GREATER 600)
      set(timeout 600)
    endif()
  else()
    set(names ${tests_${suite}})
    set(timeout ${gtest_timeout})
  endif()
  foreach(name IN LISTS names)
    if(name STREQUAL "*")
      set(test "${gtest_room}.${suite}")
      set(skipped "")
    else()
      set(test "${gtest_room}.${suite}.${name}")
      set(skipped SKIP_REGULAR_EXPRESSION "\\[  SKIPPED \\]")
    endif()
    add_test("${test}" "${gtest_executable}" "--gtest_filter=${suite}.${name}")
    set_tests_properties("${test}" PROPERTIES
      WORKING_DIRECTORY "${gtest_folder}" TIMEOUT ${timeout} LABELS "${gtest_labels}" ${skipped} ${gtest_properties})
  endforeach()
endforeach()
