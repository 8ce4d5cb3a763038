# plumb_room(NAME [EXCEPT folders...] [SINGLE folder] DEPS... [EDGE_DEPS libraries...])
#
# Makes, from the files of the folder it is called in, less those of EXCEPT (rooms of their own):
#   NAME          every .cc outside edge/ and testing/, without *_test.cc
#   NAME_testing  testing/**.cc: the fakes and contract suites
#   NAME_edge     edge/**.cc: the only place where EDGE_DEPS (third-party libraries) are linked
#   NAME_test     every *_test.cc outside edge/, one program; no edge is linked, of no room
#   NAME_edge_test  every edge/**_test.cc, and the helpers of edge/testing/
#   NAME_root_test  every *_root_test.cc: needs root (namespaces, mounts, containerd); one of its kind at a
#                   time, as the lock "machine" says
# A library without sources is not made. Unless PLUMB_FOLDERS_AS_ONE is off (in the preset dev, for the
# short loop) the files of a folder are compiled as one, sources with sources and tests with tests, which
# takes a third of the time: names of a file's own are therefore unique among those, or the folder is
# named in SINGLE (its sources are then compiled one by one).
function(plumb_room NAME)
  cmake_parse_arguments(ROOM "" "SINGLE" "EXCEPT;DEPS;LIBRARIES;EDGE_DEPS" ${ARGN})
  file(GLOB_RECURSE ALL CONFIGURE_DEPENDS RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} *.cc)
  foreach(FOLDER ${ROOM_EXCEPT})
    list(FILTER ALL EXCLUDE REGEX "^${FOLDER}/")
  endforeach()
  set(CORE ${ALL})
  list(FILTER CORE EXCLUDE REGEX "(^|/)(edge|testing|fixtures)/|_test\\.cc$|_main\\.cc$")
  set(TESTING ${ALL})
  list(FILTER TESTING INCLUDE REGEX "^testing/")
  list(FILTER TESTING EXCLUDE REGEX "_test\\.cc$")
  set(EDGE ${ALL})
  list(FILTER EDGE INCLUDE REGEX "(^|/)edge/")
  list(FILTER EDGE EXCLUDE REGEX "_test\\.cc$|_main\\.cc$|edge/testing/")
  set(CORE_TESTS ${ALL})
  list(FILTER CORE_TESTS INCLUDE REGEX "_test\\.cc$")
  list(FILTER CORE_TESTS EXCLUDE REGEX "(^|/)edge/|_root_test\\.cc$")
  set(EDGE_TESTS ${ALL})
  list(FILTER EDGE_TESTS INCLUDE REGEX "(^|/)edge/(.*_test\\.cc$|testing/)")
  list(FILTER EDGE_TESTS EXCLUDE REGEX "_root_test\\.cc$")
  set(ROOT_TESTS ${ALL})
  list(FILTER ROOT_TESTS INCLUDE REGEX "_root_test\\.cc$")

  set(PURE "")
  set(LINK "")
  foreach(LIBRARY ${NAME} ${ROOM_DEPS})
    list(APPEND PURE ${LIBRARY} ${LIBRARY}_testing)
    list(APPEND LINK ${LIBRARY} ${LIBRARY}_testing ${LIBRARY}_edge)
  endforeach()

  if(CORE)
    add_library(${NAME} STATIC ${CORE})
    target_include_directories(${NAME} PUBLIC ${CMAKE_SOURCE_DIR})
    target_link_libraries(${NAME} PUBLIC ${ROOM_DEPS} PRIVATE ${ROOM_LIBRARIES})
    plumb_folders_as_one(${NAME} "${CORE}" "${ROOM_SINGLE}")
  endif()
  if(TESTING)
    add_library(${NAME}_testing STATIC ${TESTING})
    target_link_libraries(${NAME}_testing PUBLIC ${NAME} GTest::gtest)
    plumb_test_code(${NAME}_testing)
    plumb_folders_as_one(${NAME}_testing "${TESTING}" "")
    foreach(DEP ${ROOM_DEPS})
      if(TARGET ${DEP}_testing)
        target_link_libraries(${NAME}_testing PUBLIC ${DEP}_testing)
      endif()
    endforeach()
  endif()
  if(EDGE)
    add_library(${NAME}_edge STATIC ${EDGE})
    target_link_libraries(${NAME}_edge PUBLIC ${NAME} PRIVATE ${ROOM_EDGE_DEPS} Threads::Threads)
    plumb_folders_as_one(${NAME}_edge "${EDGE}" "")
    foreach(DEP ${ROOM_DEPS})
      if(TARGET ${DEP}_edge)
        target_link_libraries(${NAME}_edge PUBLIC ${DEP}_edge)
      endif()
    endforeach()
  endif()
  plumb_tests(${NAME}_test "${CORE_TESTS}" "${ROOM_LIBRARIES}" ${PURE})
  plumb_tests(${NAME}_edge_test "${EDGE_TESTS}" "${ROOM_EDGE_DEPS}" ${LINK})
  plumb_tests(${NAME}_root_test "${ROOT_TESTS}" "${ROOM_EDGE_DEPS}" ${LINK})
  if(TARGET ${NAME}_root_test)
    set_tests_properties(${NAME}_root_test PROPERTIES LABELS root RESOURCE_LOCK machine)
  endif()
endfunction()

# One test program from SOURCES, linked with those of the remaining arguments that are targets.
function(plumb_tests TARGET SOURCES LIBRARIES)
  if(NOT SOURCES)
    return()
  endif()
  add_executable(${TARGET} ${SOURCES})
  foreach(LIBRARY ${ARGN})
    if(TARGET ${LIBRARY})
      target_link_libraries(${TARGET} PRIVATE ${LIBRARY})
    endif()
  endforeach()
  target_link_libraries(${TARGET} PRIVATE ${LIBRARIES} GTest::gmock GTest::gtest_main)
  plumb_test_code(${TARGET})
  plumb_folders_as_one(${TARGET} "${SOURCES}" "")
  # A pure program's cases are tests of their own, so that ctest -R finds them by name; what brings up
  # daemons or clusters for all its cases is one test.
  if("${TARGET}" MATCHES "^(base|base_net|manifests|state|state_api|state_errands|gitsync|reconciler|scheduler|nodeagent|servicemesh|plumb_[a-z]+)_test$"
      AND NOT "${TARGET}" STREQUAL "plumb_dev_test")
    gtest_discover_tests(${TARGET} TEST_PREFIX ${TARGET}. WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}
      DISCOVERY_MODE PRE_TEST PROPERTIES TIMEOUT 600)
  else()
    add_test(NAME ${TARGET} COMMAND ${TARGET} --gtest_brief=1 WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
    set_tests_properties(${TARGET} PROPERTIES TIMEOUT 600)
  endif()
endfunction()

# What only tests run: with one precompiled header for all of it, and not optimised (a test's own
# time is that of what it tests), both for the time that the build takes.
function(plumb_test_code TARGET)
  if(NOT TARGET plumb_pch)
    file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/pch.cc CONTENT "")
    add_library(plumb_pch OBJECT ${CMAKE_BINARY_DIR}/pch.cc)
    target_link_libraries(plumb_pch PRIVATE GTest::gmock)
    target_compile_options(plumb_pch PRIVATE -O0)
    target_precompile_headers(plumb_pch PRIVATE <gtest/gtest.h> <algorithm> <functional> <map>
      <memory> <optional> <set> <string> <string_view> <utility> <vector>)
  endif()
  target_compile_options(${TARGET} PRIVATE -O0)
  target_precompile_headers(${TARGET} REUSE_FROM plumb_pch)
endfunction()

# The files of a folder as one.
function(plumb_folders_as_one TARGET SOURCES SINGLE)
  if(NOT PLUMB_FOLDERS_AS_ONE)
    return()
  endif()
  set_target_properties(${TARGET} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
  # gcc takes the file for a header there, whose types would differ from file to file.
  target_compile_options(${TARGET} PRIVATE -Wno-subobject-linkage)
  foreach(SOURCE ${SOURCES})
    get_filename_component(FOLDER ${SOURCE} DIRECTORY)
    if(NOT SINGLE OR NOT "${FOLDER}" STREQUAL "${SINGLE}")
      set_source_files_properties(${SOURCE} PROPERTIES UNITY_GROUP "folder_${FOLDER}")
    endif()
  endforeach()
endfunction()
