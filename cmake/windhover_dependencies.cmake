# Every third-party library, found once. What an installed Windhover needs again stands in windhoverConfig.cmake.in too.
include_guard()

# A project that adds Windhover as a subdirectory links our static libraries and so needs to see these targets.
set(CMAKE_FIND_PACKAGE_TARGETS_GLOBAL ON)

find_package(Boost 1.81 CONFIG REQUIRED COMPONENTS url)
find_package(fmt 9 REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(OpenSSL 3.0 REQUIRED COMPONENTS Crypto SSL)
find_package(PkgConfig REQUIRED)
find_package(simdjson 3.0 REQUIRED)
find_package(spdlog 1.10 REQUIRED)
find_package(Threads REQUIRED)
find_package(ZLIB 1.2.11 REQUIRED)
pkg_check_modules(LIBURING REQUIRED IMPORTED_TARGET GLOBAL liburing>=2.3)
pkg_check_modules(NGHTTP2 REQUIRED IMPORTED_TARGET GLOBAL libnghttp2>=1.52)

if(WINDHOVER_BUILD_APPS)
  find_package(CLI11 2.1 REQUIRED)
endif()
if(WINDHOVER_BUILD_TESTS)
  find_package(GTest 1.12 REQUIRED)
endif()
if(WINDHOVER_BUILD_BENCHMARKS)
  find_package(benchmark 1.7 REQUIRED)
endif()
