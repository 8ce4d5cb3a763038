# Tests that run in the sanitizer builds, as tests of the plain build: one ctest, one summary.
#
# PLUMB_SANITIZERS=ON (ci/test sets it) adds, for each sanitizer, the build itself (NAME.build: a
# no-op when ci/test has just made it, and a failure in the summary when it does not compile) and
# NAME.PROGRAM for every program that exists in this build.
option(PLUMB_SANITIZERS "run the sanitizer builds' tests, too" OFF)

# Pure rooms and the simulation: memory errors and undefined behaviour.
set(PLUMB_ASAN_PROGRAMS base_test base_net_test manifests_test state_test state_api_test
  state_errands_test gitsync_test reconciler_test scheduler_test nodeagent_test servicemesh_test
  plumb_reports_test plumb_server_test sim_test)
# Edges that need no root: races. (Not those over gRPC: Debian's library is not built for TSan.)
set(PLUMB_TSAN_PROGRAMS base_edge_test base_net_edge_test state_edge_test
  state_api_edge_test state_errands_edge_test gitsync_edge_test servicemesh_edge_test)

# A sanitizer's programs, of which those that exist are built and run. Arguments after PROGRAMS:
# the environment of the runs.
function(plumb_sanitizer NAME SANITIZERS PROGRAMS)
  set(BUILD ${CMAKE_BINARY_DIR}-${NAME})
  set(PRESENT "")
  foreach(PROGRAM ${PROGRAMS})
    if(TARGET ${PROGRAM})
      list(APPEND PRESENT ${PROGRAM})
    endif()
  endforeach()
  if(NOT PRESENT)
    return()
  endif()
  # A script, because ci/test runs it, too, before any test.
  string(REPLACE ";" " " TARGETS "${PRESENT}")
  file(WRITE ${CMAKE_BINARY_DIR}/${NAME}.build.sh
    "set -e\n"
    "cmake -S '${CMAKE_SOURCE_DIR}' -B '${BUILD}' -G Ninja -DPLUMB_SANITIZE=${SANITIZERS} >/dev/null\n"
    "exec cmake --build '${BUILD}' --target ${TARGETS}\n")
  add_test(NAME ${NAME}.build COMMAND sh ${CMAKE_BINARY_DIR}/${NAME}.build.sh)
  set_tests_properties(${NAME}.build PROPERTIES
    FIXTURES_SETUP ${NAME} LABELS ${NAME} RUN_SERIAL TRUE TIMEOUT 7200)
  foreach(PROGRAM ${PRESENT})
    get_target_property(FOLDER ${PROGRAM} BINARY_DIR)
    file(RELATIVE_PATH FOLDER ${CMAKE_BINARY_DIR} ${FOLDER})
    add_test(NAME ${NAME}.${PROGRAM}
      COMMAND ${PLUMB_${NAME}_LAUNCHER} ${BUILD}/${FOLDER}/${PROGRAM} --gtest_brief=1
      WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
    set_tests_properties(${NAME}.${PROGRAM} PROPERTIES
      FIXTURES_REQUIRED ${NAME} LABELS ${NAME} TIMEOUT 1800 ENVIRONMENT "${ARGN}")
  endforeach()
endfunction()

if(PLUMB_SANITIZERS)
  # gcc 12's TSan cannot place its shadow memory when addresses are randomised over more bits.
  set(RANDOM_BITS 0)
  if(EXISTS /proc/sys/vm/mmap_rnd_bits)
    file(STRINGS /proc/sys/vm/mmap_rnd_bits RANDOM_BITS)
  endif()
  if(RANDOM_BITS GREATER 28)
    set(PLUMB_tsan_LAUNCHER setarch --addr-no-randomize)
  endif()
  plumb_sanitizer(asan address,undefined "${PLUMB_ASAN_PROGRAMS}"
    ASAN_OPTIONS=detect_stack_use_after_return=1 UBSAN_OPTIONS=print_stacktrace=1
    PLUMB_SIM_SEEDS=6)
  if(TEST asan.sim_test)
    set_tests_properties(asan.sim_test PROPERTIES COST 200)  # the longest: not the last to end
  endif()
  plumb_sanitizer(tsan thread "${PLUMB_TSAN_PROGRAMS}" TSAN_OPTIONS=halt_on_error=1)
endif()
