# Rooms: one folder of src/, one static library, one list of allowed arrows.
include_guard()

# windhover_room(NAME <room> [INTERNAL] [USES <room>...] [LIBRARIES <imported target>...]
#                [PUBLIC_HEADERS include/windhover/<noun>.hpp...] SOURCES <file>...)
#
# Makes the static library windhover_<room>, known to others as windhover::<room>. USES is the whole list of rooms that
# this one may include (what they use comes with them); tests/architecture reads every #include and holds the sources
# to it. LIBRARIES are private. PUBLIC_HEADERS are named from the root of the project; each header belongs to one room.
# An INTERNAL room is for programs of this project and is not installed.
# The library is always static and hides its symbols, so that a shared object which links it exports none of them.
function(windhover_room)
  cmake_parse_arguments(PARSE_ARGV 0 room "INTERNAL" "NAME" "USES;LIBRARIES;PUBLIC_HEADERS;SOURCES")
  windhover_require_arguments(windhover_room room NAME SOURCES)

  set(target windhover_${room_NAME})
  add_library(${target} STATIC ${room_SOURCES})
  add_library(windhover::${room_NAME} ALIAS ${target})
  windhover_compile_as_ours(${target})

  list(TRANSFORM room_PUBLIC_HEADERS PREPEND "${PROJECT_SOURCE_DIR}/" OUTPUT_VARIABLE headers)
  target_sources(${target} PUBLIC FILE_SET HEADERS BASE_DIRS "${PROJECT_SOURCE_DIR}/include" FILES ${headers})
  target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}/src")

  list(TRANSFORM room_USES PREPEND "windhover::" OUTPUT_VARIABLE used_targets)
  target_link_libraries(${target} PUBLIC ${used_targets} PRIVATE ${room_LIBRARIES})

  set_target_properties(${target} PROPERTIES
    EXPORT_NAME ${room_NAME}
    WINDHOVER_INTERNAL "${room_INTERNAL}"
    WINDHOVER_USES "${room_USES}"
    WINDHOVER_PUBLIC_HEADERS "${room_PUBLIC_HEADERS}")
  set_property(GLOBAL APPEND PROPERTY WINDHOVER_ROOMS ${room_NAME})
endfunction()

# windhover_require_arguments(<function> <prefix> <argument>...)
#
# Ends the configuration when a call of ours lacks an argument or has one that nobody reads.
macro(windhover_require_arguments function prefix)
  if(${prefix}_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "${function}: what is '${${prefix}_UNPARSED_ARGUMENTS}'?")
  endif()
  foreach(argument ${ARGN})
    if(NOT ${prefix}_${argument})
      message(FATAL_ERROR "${function}: ${argument} is missing.")
    endif()
  endforeach()
endmacro()

# windhover_write_rooms(<file>)
#
# Writes the rooms, their arrows and their public headers as JSON, for the tests that read the sources.
function(windhover_write_rooms file)
  get_property(rooms GLOBAL PROPERTY WINDHOVER_ROOMS)
  set(document "{}")
  foreach(room IN LISTS rooms)
    string(JSON document SET "${document}" ${room} "{}")
    foreach(property IN ITEMS uses public_headers)
      string(TOUPPER ${property} name)
      get_target_property(values windhover_${room} WINDHOVER_${name})
      list(JOIN values "\", \"" values)
      if(NOT values STREQUAL "")
        set(values "\"${values}\"")
      endif()
      string(JSON document SET "${document}" ${room} ${property} "[${values}]")
    endforeach()
  endforeach()
  file(WRITE "${file}" "${document}\n")
endfunction()
