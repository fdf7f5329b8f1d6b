# Programs: the tool and the samples. They stand where people look for them, at the top of the build folder.
include_guard()

# windhover_program(NAME <name> [FOLDER <folder>] [LIBRARIES <imported target>...] SOURCES <file>...)
#
# Makes the executable <build>/<folder>/<name>, as the target windhover_program_<name>. A program is a user of Windhover:
# it sees the public headers and nothing else.
function(windhover_program)
  cmake_parse_arguments(PARSE_ARGV 0 program "" "NAME;FOLDER" "LIBRARIES;SOURCES")
  windhover_require_arguments(windhover_program program NAME SOURCES)

  set(target windhover_program_${program_NAME})
  add_executable(${target} ${program_SOURCES})
  windhover_compile_as_ours(${target})
  target_link_libraries(${target} PRIVATE windhover::windhover ${program_LIBRARIES})
  set_target_properties(${target} PROPERTIES
    OUTPUT_NAME ${program_NAME}
    RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/${program_FOLDER}")
endfunction()

# windhover_sample(NAME <name> [LIBRARIES <imported target>...] SOURCES <file>...)
#
# A program at <build>/samples/<name>. The sources are named from samples/: a sample's folder has no CMakeLists.txt of
# its own, because its build folder would then stand where its executable belongs.
function(windhover_sample)
  cmake_parse_arguments(PARSE_ARGV 0 sample "" "NAME" "LIBRARIES;SOURCES")
  windhover_require_arguments(windhover_sample sample NAME SOURCES)
  windhover_program(NAME ${sample_NAME} FOLDER samples LIBRARIES ${sample_LIBRARIES} SOURCES ${sample_SOURCES})
endfunction()
