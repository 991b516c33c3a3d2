# Compiler settings that hold for every target of the project.

option(MIKURA_TESTS "Build the unit tests" ON)
option(MIKURA_FUZZ "Build the fuzzers (clang only)" OFF)
option(MIKURA_DCHECKS "Compile DCHECKs in" OFF)
set(MIKURA_SANITIZE "" CACHE STRING "Value of -fsanitize, or empty")

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()
find_program(MOLD_PROGRAM mold)
if(MOLD_PROGRAM)
  add_link_options(-fuse-ld=mold)
endif()

add_compile_options(-Wall -Wextra -Wshadow -Wno-missing-field-initializers -Werror)
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  add_compile_options(-Wthread-safety)
else()
  # g++ 12 sees overlaps and unset bytes in std::string operations where there are none.
  add_compile_options(-Wno-restrict -Wno-maybe-uninitialized)
endif()

# Release: optimised with symbols. The baseline is x86-64-v2 (SSE4.2, POPCNT) or the architecture's own.
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g1 -DNDEBUG")
set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g -fno-omit-frame-pointer")
if(CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
  add_compile_options(-march=x86-64-v2 -mpclmul)
endif()

if(MIKURA_DCHECKS)
  add_compile_definitions(MIKURA_DCHECKS=1)
endif()
if(MIKURA_SANITIZE)
  set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g1 -fno-omit-frame-pointer")
  add_compile_options(-fsanitize=${MIKURA_SANITIZE} -fno-sanitize-recover=all)
  add_compile_definitions(MIKURA_SANITIZED=1)
  add_link_options(-fsanitize=${MIKURA_SANITIZE})
endif()

find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
if(MIKURA_TESTS)
  find_package(GTest REQUIRED)
  include(GoogleTest)
endif()
