#include "core/distributed/communicator.h"

#include <dlfcn.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <sstream>
#include <thread>

#include "core/base/log.h"
#include "core/distributed/host_communicator.h"
#include "core/model/device.h"

namespace strata {
namespace {

std::string hostName() {
  std::array<char, 256> name = {};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "an unnamed machine";
}

Result<std::unique_ptr<Link>> openMpi() {
  void* module = openModule("libstrata_mpi.so");
  const char* reason = module == nullptr ? ::dlerror() : nullptr;
  using Open = Link* (*)();
  const auto open = module == nullptr ? nullptr : reinterpret_cast<Open>(::dlsym(module, "strata_mpi_link"));
  if (open == nullptr) {
    return fail(ErrorCode::unsupported,
                std::string("Open MPI could not be loaded (") +
                    (reason != nullptr ? reason : "libstrata_mpi.so is damaged") +
                    "); install it: apt install openmpi-bin.",
                "--distributed");
  }
  std::unique_ptr<Link> link(open());
  if (!link) return fail(ErrorCode::internal, "MPI did not start; mpirun's own messages say why.", "--distributed");
  return link;
}

}  // namespace

std::string Communicator::name() const {
  return "Rank " + std::to_string(rank()) + " of " + std::to_string(ranks()) + " on " + hostName();
}

void Communicator::abort(const std::string& why) {
  logWarning(name() + " ends all ranks: " + why);
  end(1);
}

int coresOf(const Communicator* ranks) {
  const auto bound = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  if (ranks == nullptr) return bound;
  return std::clamp(static_cast<int>(::sysconf(_SC_NPROCESSORS_ONLN)) / ranks->localRanks(), 1, bound);
}

std::string visibleDevice(const std::string& visible, int localRank) {
  if (visible.empty()) return std::to_string(localRank);
  std::vector<std::string> devices;
  std::istringstream list(visible);
  for (std::string device; std::getline(list, device, ',');) devices.push_back(device);
  const auto own = static_cast<std::size_t>(localRank);
  return devices.size() > 1 && own < devices.size() ? devices[own] : visible;
}

Share shareOf(std::int64_t count, int rank, int ranks) {
  return {count * rank / ranks, count * (rank + 1) / ranks};
}

Result<void> agree(Communicator* ranks, const Result<void>& own) {
  if (ranks == nullptr) return own;
  std::vector<double> failed(static_cast<std::size_t>(ranks->ranks()));
  failed[static_cast<std::size_t>(ranks->rank())] = own ? 0 : 1;
  ranks->sum(failed);
  for (int rank = 0; rank < ranks->ranks(); ++rank) {
    if (failed[static_cast<std::size_t>(rank)] == 0) continue;
    const bool mine = rank == ranks->rank();
    std::vector<std::int64_t> code = {mine ? static_cast<std::int64_t>(own.error().code) : 0};
    std::string message = mine ? ranks->name() + ": " + own.error().message : "";
    std::string context = mine ? own.error().context : "";
    ranks->broadcast(code, rank);
    ranks->broadcast(message, rank);
    ranks->broadcast(context, rank);
    return fail(static_cast<ErrorCode>(code.front()), message, context);
  }
  return {};
}

Result<std::unique_ptr<Communicator>> openRanks() {
  STRATA_TRY(std::unique_ptr<HostCommunicator> ranks, HostCommunicator::open(openMpi));
  return ranks;
}

}  // namespace strata
