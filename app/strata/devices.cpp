// strata devices: what there is to compute on, and why the rest cannot be used.

#include <fmt/format.h>

#include "app/strata/cli.h"
#include "core/model/device.h"

namespace strata {

VerbAction addDevices(CLI::App&, const Output& out) {
  return [&out]() -> Result<int> {
    Json json = {{"devices", Json::array()}};
    std::string text;
    for (const DeviceInfo& device : listDevices()) {
      json["devices"].push_back({{"name", device.name},
                                 {"description", device.description},
                                 {"usable", device.usable},
                                 {"reason", device.reason}});
      text += fmt::format("{:<8} {}{}\n", device.name, device.description,
                          device.usable ? "" : "  (" + device.reason + ")");
    }
    out.answer(json, text);
    return 0;
  };
}

}  // namespace strata
