# cpack: strata_VERSION_amd64.deb, strata-cuda_… where nvcc is, strata-mpi_… where MPI is, and a tarball of all. packaging/release runs it.
set(CPACK_GENERATOR DEB TXZ)
set(CPACK_PACKAGE_NAME strata)
set(CPACK_PACKAGE_VENDOR Strata)
set(CPACK_PACKAGE_CONTACT "Strata maintainers <maintainers@strata.invalid>")
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_THREADS 2)  # not all cores: the bytes depend on whether it is one
set(CPACK_COMPONENTS_ALL strata)
foreach(module cuda mpi)
  if(TARGET strata_${module})
    list(APPEND CPACK_COMPONENTS_ALL ${module})
  endif()
endforeach()

# The tarball.
string(TOLOWER ${CMAKE_SYSTEM_NAME} system)
set(CPACK_PACKAGE_FILE_NAME strata-${PROJECT_VERSION}-${system}-${CMAKE_SYSTEM_PROCESSOR})
set(CPACK_ARCHIVE_COMPONENT_INSTALL OFF)

# The .deb files. dpkg-shlibdeps finds the packages of all libraries that are Debian's.
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_COMPRESSION_TYPE zstd)  # in seconds; xz takes minutes for a seventh less
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${private_folders} ${PROJECT_BINARY_DIR}/lib)
set(CPACK_DEBIAN_STRATA_PACKAGE_NAME strata)
set(CPACK_DEBIAN_STRATA_PACKAGE_SECTION science)
set(CPACK_DEBIAN_STRATA_PACKAGE_RECOMMENDS "qt6-wayland, fonts-inter, fonts-jetbrains-mono, xdg-utils")
set(CPACK_DEBIAN_STRATA_PACKAGE_SUGGESTS "strata-cuda, openssh-client")
set(CPACK_COMPONENT_STRATA_DESCRIPTION "workbench for language models that share their KV cache
Strata opens a Hugging Face checkpoint or a GGUF file, fine-tunes it so that
its layers can share one another's KV cache, runs it with a cache that only
some layers fill, shows what that saves and costs, and serves the result.

strata-workbench is the window, strata the engine and the command line.")
set(CPACK_DEBIAN_CUDA_PACKAGE_NAME strata-cuda)
set(CPACK_DEBIAN_CUDA_PACKAGE_SECTION science)
set(CPACK_DEBIAN_CUDA_PACKAGE_DEPENDS "strata (= ${PROJECT_VERSION}), python3-pip, unzip")
set(CPACK_DEBIAN_CUDA_PACKAGE_CONTROL_EXTRA ${PROJECT_SOURCE_DIR}/packaging/debian/postrm)
set(CPACK_COMPONENT_CUDA_DESCRIPTION "kernels of Strata for NVIDIA GPUs
After the installation strata-cuda-setup fetches LibTorch's CUDA part and
NVIDIA's libraries, 3 GB, from the Python package index.")
set(CPACK_DEBIAN_MPI_PACKAGE_NAME strata-mpi)
set(CPACK_DEBIAN_MPI_PACKAGE_SECTION science)
set(CPACK_DEBIAN_MPI_PACKAGE_DEPENDS "strata (= ${PROJECT_VERSION}), openmpi-bin")
set(CPACK_COMPONENT_MPI_DESCRIPTION "training of Strata on several machines
strata train --distributed runs under mpirun with this package.")
include(CPack)
