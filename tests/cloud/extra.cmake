# The gateway against the real OpenStack, by the command line and by `openstack`: test_openstack_X.py
# is test cloud.openstack_X. Whether they pass does not depend on how the programs were built, but
# for what a sanitizer finds.
foreach(name show vm errors)
    add_test(NAME cloud.openstack_${name}
        COMMAND ${ISOBAR_PYTHON} -B ${CMAKE_CURRENT_LIST_DIR}/test_openstack_${name}.py)
    set_tests_properties(cloud.openstack_${name} PROPERTIES TIMEOUT 1200 SKIP_RETURN_CODE 77
        LABELS "openstack;slow;once" RESOURCE_LOCK openstack
        ENVIRONMENT "ISOBAR_BUILD=${CMAKE_BINARY_DIR}")
endforeach()
