// A libnccl.so.2 that tells the test's program what it was asked (tests/simt/launches_test.cpp).

#include <cstddef>

struct NcclId {
  char bytes[128];
};

extern "C" {
int strata_test_nccl(const char* call, const void* from, const void* to, std::size_t count, int ranks, int rank);

int ncclGetUniqueId(NcclId*) {
  return strata_test_nccl("id", nullptr, nullptr, 0, 0, 0);
}
int ncclCommInitRank(void** comm, int ranks, NcclId, int rank) {
  static int opened = 0;
  *comm = &opened;
  return strata_test_nccl("open", nullptr, nullptr, 0, ranks, rank);
}
int ncclReduceScatter(const void* from, void* to, std::size_t count, int, int, void*, void*) {
  return strata_test_nccl("reduce-scatter", from, to, count, 0, 0);
}
int ncclAllGather(const void* from, void* to, std::size_t count, int, void*, void*) {
  return strata_test_nccl("all-gather", from, to, count, 0, 0);
}
int ncclCommDestroy(void*) {
  return strata_test_nccl("close", nullptr, nullptr, 0, 0, 0);
}
}
