# Tests of tests/unit that are more than one C file; tests/CMakeLists.txt includes this.

# protobuf's own JSON, in Python, against the project's.
set(PEER ${CMAKE_CURRENT_BINARY_DIR}/pbjson_gen)
file(MAKE_DIRECTORY ${PEER})
add_custom_command(OUTPUT ${PEER}/pbjson_all.pb-c.c ${PEER}/pbjson_all.pb-c.h ${PEER}/all.binpb
    COMMAND ${PROTOC_C} -I${CMAKE_CURRENT_LIST_DIR} -I${PROTOBUF_INCLUDE} --c_out=${PEER} pbjson_all.proto
    COMMAND ${PROTOC} -I${CMAKE_CURRENT_LIST_DIR} -I${PROTOBUF_INCLUDE} --include_imports
        --descriptor_set_out=${PEER}/all.binpb pbjson_all.proto
    WORKING_DIRECTORY ${CMAKE_CURRENT_LIST_DIR}
    DEPENDS ${CMAKE_CURRENT_LIST_DIR}/pbjson_all.proto VERBATIM)
add_executable(pbjson_peer ${CMAKE_CURRENT_LIST_DIR}/pbjson_peer.c ${PEER}/pbjson_all.pb-c.c)
set_source_files_properties(${PEER}/pbjson_all.pb-c.c PROPERTIES COMPILE_OPTIONS -w)
target_include_directories(pbjson_peer SYSTEM PRIVATE ${PEER})
target_link_libraries(pbjson_peer PRIVATE isobar-proto isobar-flags)
add_test(NAME unit.pbjson_peer COMMAND ${ISOBAR_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/pbjson_peer.py
    $<TARGET_FILE:pbjson_peer> ${CMAKE_BINARY_DIR}/proto/gen/isobar.binpb ${PEER}/all.binpb)
set_tests_properties(unit.pbjson_peer PROPERTIES TIMEOUT 120 SKIP_RETURN_CODE 77)

# Data from public projects, read in place.
foreach(name test_xml_protocol test_xml_recorded test_aws_recorded test_azure_recorded)
    target_compile_definitions(${name} PRIVATE SHARED_DATA="${CMAKE_SOURCE_DIR}/../shared/data")
endforeach()

# The store's tests look into its file, and put a layer below it that fails.
target_link_libraries(test_store_disk PRIVATE PkgConfig::SQLITE3)
target_link_libraries(test_store_fault PRIVATE PkgConfig::SQLITE3)
set_tests_properties(unit.test_store unit.test_store_fault unit.test_store_crash PROPERTIES LABELS slow)

# alloc_fail_wrap(NAME): a test program whose allocations fail when it says so; see alloc_fail.h.
set(ALLOC_FAIL_FOLDER ${CMAKE_CURRENT_LIST_DIR})
function(alloc_fail_wrap name)
    target_sources(${name} PRIVATE ${ALLOC_FAIL_FOLDER}/alloc_fail.c)
    target_include_directories(${name} PRIVATE ${ALLOC_FAIL_FOLDER})
    foreach(function malloc calloc realloc reallocarray strdup strndup asprintf vasprintf posix_memalign
            aligned_alloc pthread_create)
        target_link_options(${name} PRIVATE LINKER:--wrap=${function})
    endforeach()
endfunction()
alloc_fail_wrap(test_alloc)
alloc_fail_wrap(test_alloc_fail)
alloc_fail_wrap(test_aws_credentials)
alloc_fail_wrap(test_alloc_fail_start)
alloc_fail_wrap(test_azure_credentials)
alloc_fail_wrap(test_client_alloc)
alloc_fail_wrap(test_instances_set)
alloc_fail_wrap(test_jwt)
alloc_fail_wrap(test_lane)
alloc_fail_wrap(test_memo)
alloc_fail_wrap(test_sigv4_key)
alloc_fail_wrap(test_timer)
set_tests_properties(rpc.test_alloc_fail rpc.test_alloc_fail_start PROPERTIES TIMEOUT 600 LABELS "slow;once")

# It reads vectors beside the project.
set_tests_properties(unit.test_sigv4 PROPERTIES WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})

# What the adapter of AWS has sent to the stub of its tests is held against botocore's models.
set(SENDING create delete kinds read resume)
foreach(name ${SENDING})
    set_tests_properties(unit.test_aws_${name} PROPERTIES FIXTURES_SETUP aws_requests
        ENVIRONMENT "ISOBAR_REQUESTS=${CMAKE_CURRENT_BINARY_DIR}/aws_requests")
endforeach()
add_test(NAME unit.aws_requests COMMAND ${ISOBAR_PYTHON} ${CMAKE_SOURCE_DIR}/tests/cloud/ec2/ec2_check.py
    ${CMAKE_CURRENT_BINARY_DIR}/aws_requests)
set_tests_properties(unit.aws_requests PROPERTIES TIMEOUT 60 SKIP_RETURN_CODE 77
    FIXTURES_REQUIRED aws_requests)
