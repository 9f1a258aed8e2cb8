# The installed package: headers, target, config and version file. Nothing in it depends on the machine or the prefix.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(distil_package_directory "${CMAKE_INSTALL_DATADIR}/cmake/distil")

install(TARGETS distil EXPORT distilTargets FILE_SET HEADERS)
install(EXPORT distilTargets NAMESPACE distil:: DESTINATION "${distil_package_directory}")

write_basic_package_version_file("${PROJECT_BINARY_DIR}/distilConfigVersion.cmake"
                                 COMPATIBILITY SameMajorVersion ARCH_INDEPENDENT)
install(FILES cmake/distilConfig.cmake cmake/distil_dependencies.cmake cmake/distil_add_dispatch.cmake
              cmake/distil_dispatch_merge.cmake cmake/distil_dispatch_symbols.cmake
              cmake/distil_dispatch_entries.cpp.in cmake/distil_check_dispatch.cmake
              "${PROJECT_BINARY_DIR}/distilConfigVersion.cmake"
        DESTINATION "${distil_package_directory}")
install(FILES LICENSE DESTINATION "${CMAKE_INSTALL_DOCDIR}")
