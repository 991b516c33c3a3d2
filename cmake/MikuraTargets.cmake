# mikura_library(NAME <name> SOURCES <files> DEPS <targets> TESTS <files> TEST_DEPS <targets>)
#
# One folder is one library: target mikura_<name>, and mikura_<name>_test when it has tests.
# DEPS name other mikura libraries without the prefix, or any CMake target that contains "::".
function(mikura_resolve_deps out)
  set(resolved)
  foreach(dep ${ARGN})
    if(dep MATCHES "::" OR dep MATCHES "^-l" OR NOT dep MATCHES "^[a-z][a-z0-9_]*$")
      list(APPEND resolved ${dep})
    else()
      list(APPEND resolved mikura_${dep})
    endif()
  endforeach()
  set(${out} ${resolved} PARENT_SCOPE)
endfunction()

# What a request passes through is optimised as one program; the control plane would only make the
# link longer.
set(MIKURA_REQUEST_PATH base wire store keyspace commands server)

function(mikura_library)
  cmake_parse_arguments(ARG "" "NAME" "SOURCES;DEPS;TESTS;TEST_DEPS" ${ARGN})
  add_library(mikura_${ARG_NAME} STATIC ${ARG_SOURCES})
  target_include_directories(mikura_${ARG_NAME} PUBLIC ${CMAKE_SOURCE_DIR}/src)
  mikura_resolve_deps(deps ${ARG_DEPS})
  target_link_libraries(mikura_${ARG_NAME} PUBLIC ${deps} fmt::fmt Threads::Threads)
  if(ARG_NAME IN_LIST MIKURA_REQUEST_PATH AND CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo")
    set_target_properties(mikura_${ARG_NAME} PROPERTIES INTERPROCEDURAL_OPTIMIZATION ON)
  endif()
  if(MIKURA_TESTS AND ARG_TESTS)
    mikura_resolve_deps(test_deps ${ARG_TEST_DEPS})
    add_executable(mikura_${ARG_NAME}_test ${ARG_TESTS})
    target_link_libraries(mikura_${ARG_NAME}_test PRIVATE mikura_${ARG_NAME} ${test_deps}
                          GTest::gtest GTest::gmock GTest::gtest_main)
    gtest_discover_tests(mikura_${ARG_NAME}_test DISCOVERY_TIMEOUT 60
                         PROPERTIES TIMEOUT 300 LABELS unit)
  endif()
endfunction()

# mikura_binary(NAME <name> SOURCES <files> DEPS <targets>) leaves build/<preset>/<name>.
function(mikura_binary)
  cmake_parse_arguments(ARG "" "NAME" "SOURCES;DEPS" ${ARGN})
  add_executable(${ARG_NAME} ${ARG_SOURCES})
  mikura_resolve_deps(deps ${ARG_DEPS})
  target_include_directories(${ARG_NAME} PRIVATE ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(${ARG_NAME} PRIVATE ${deps} fmt::fmt Threads::Threads)
  set_target_properties(${ARG_NAME} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
endfunction()
