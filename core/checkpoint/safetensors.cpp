#include "core/checkpoint/safetensors.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <new>
#include <set>
#include <string_view>

#include "core/base/json.h"
#include "core/checkpoint/safetensors_header.h"

namespace strata {
namespace {

constexpr std::uint64_t kLengthBytes = 8;
constexpr std::uint64_t kLongestHeader = 100'000'000;  // the limit of the format's own reader
constexpr std::string_view kNotSafetensors = " is not a safetensors file: ";

struct IntegerType {
  const char* name;
  std::uint64_t bytes;
};
constexpr std::array<IntegerType, 9> kIntegerTypes = {
    {{"BOOL", 1}, {"U8", 1}, {"I8", 1}, {"U16", 2}, {"I16", 2}, {"U32", 4}, {"I32", 4}, {"U64", 8}, {"I64", 8}}};

/// What else the file may be, as the end of a sentence; empty where its first bytes say nothing.
std::string otherKind(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0; };
  const bool pickle = byte(0) == 0x80 && byte(1) >= 2 && byte(1) <= 5;
  const bool zip = text.starts_with("PK\x03\x04") || text.starts_with("PK\x05\x06");
  if (pickle || zip || text.starts_with("\x93NUMPY")) {
    return std::string(pickle ? "it is a Python pickle"
                       : zip  ? "it is a zip archive"
                              : "it is a NumPy file") +
           ", and such files can run code when they are opened; convert the model to safetensors.";
  }
  if (text.starts_with("GGUF")) return "it is a GGUF file; give it by its own name in place of the folder.";
  if (text.starts_with("version https://git-lfs")) {
    return "it is a Git LFS pointer in place of the weights; fetch them with \"git lfs pull\".";
  }
  return {};
}

/// The header's text, or a sentence about what the file is instead.
Result<std::string_view> headerText(std::string_view file, const std::string& where) {
  const auto refuse = [&](const std::string& why) {
    // A header of 640 bytes starts with 80 02 like a pickle: magic numbers count only where the file is not
    // safetensors.
    const std::string other = otherKind(file);
    return fail(ErrorCode::invalidData,
                other.empty() ? where + ": " + why : where + std::string(kNotSafetensors) + other, where);
  };
  if (file.empty()) return refuse("the file is empty; get it again.");
  if (file.size() < kLengthBytes) return refuse("the file ends before its 8-byte header length; get it again.");
  std::uint64_t length = 0;
  std::memcpy(&length, file.data(), kLengthBytes);
  if (length > kLongestHeader) {
    return refuse("the safetensors header would be " + std::to_string(length) +
                  " bytes long, over the format's limit of 100 MB; this is no safetensors file or it is damaged.");
  }
  if (length > file.size() - kLengthBytes) {
    return refuse("the file is cut short: its header should be " + std::to_string(length) + " bytes long and only " +
                  std::to_string(file.size() - kLengthBytes) + " follow; get it again.");
  }
  const std::string_view header = file.substr(kLengthBytes, length);
  if (!header.starts_with('{')) return refuse("the safetensors header is not a JSON object; the file is damaged.");
  return header;
}

/// elements x bytes, or nothing where that passes 2^63.
std::optional<std::uint64_t> sizeInBytes(const std::vector<std::int64_t>& shape, std::uint64_t elementBytes) {
  std::int64_t size = static_cast<std::int64_t>(elementBytes);
  for (const std::int64_t extent : shape) {
    if (__builtin_mul_overflow(size, extent, &size)) return std::nullopt;
  }
  return static_cast<std::uint64_t>(size);
}

std::string range(std::uint64_t begin, std::uint64_t end) {
  return std::to_string(begin) + " to " + std::to_string(end);
}

/// Type, size and place of one entry; returns its DType, or nothing for a tensor to skip.
Result<std::optional<DType>> checkEntry(const SafetensorsEntry& entry, std::uint64_t dataBytes,
                                        const std::string& where) {
  const auto refuse = [&](ErrorCode code, const std::string& what) {
    return fail(code, where + ": tensor " + quotedName(entry.name) + " " + what, where);
  };
  const auto integer = std::find_if(kIntegerTypes.begin(), kIntegerTypes.end(),
                                    [&](const IntegerType& type) { return entry.dtype == type.name; });
  const bool skip = integer != kIntegerTypes.end();
  std::optional<DType> dtype;
  for (const DType known : {DType::f32, DType::f16, DType::bf16}) {
    if (entry.dtype == safetensorsName(known)) dtype = known;
  }
  if (!skip && !dtype) {
    return refuse(ErrorCode::unsupported, "has the dtype " + quotedName(entry.dtype) +
                                              "; supported are F32, F16 and BF16: convert the model to one of them.");
  }
  const auto size = sizeInBytes(entry.shape, skip ? integer->bytes : bytesOf(*dtype));
  if (!size) return refuse(ErrorCode::invalidData, "has a shape whose size overflows; the file is damaged.");
  if (entry.begin > entry.end) {
    return refuse(ErrorCode::invalidData,
                  "has the data_offsets " + range(entry.begin, entry.end) + " in reverse; the file is damaged.");
  }
  if (entry.end > dataBytes) {
    return refuse(ErrorCode::invalidData, "lies at the bytes " + range(entry.begin, entry.end) +
                                              ", but the file holds only " + std::to_string(dataBytes) +
                                              " bytes of data: it is cut short or damaged; get it again.");
  }
  if (entry.end - entry.begin != *size) {
    return refuse(ErrorCode::invalidData, "has the shape " + printShape(entry.shape) + " in " + entry.dtype +
                                              ", which is " + std::to_string(*size) + " bytes, but data_offsets of " +
                                              std::to_string(entry.end - entry.begin) + " bytes; the file is damaged.");
  }
  return dtype;
}

/// The tensors must cover the data from 0 to its end, each byte once.
Result<void> checkCoverage(std::vector<SafetensorsEntry>& entries, std::uint64_t dataBytes, const std::string& where) {
  std::sort(entries.begin(), entries.end(), [](const SafetensorsEntry& a, const SafetensorsEntry& b) {
    return std::tie(a.begin, a.end) < std::tie(b.begin, b.end);
  });
  std::uint64_t reached = 0;
  for (const SafetensorsEntry& entry : entries) {
    if (entry.begin != reached) {
      const bool overlap = entry.begin < reached;
      return fail(ErrorCode::invalidData,
                  where + ": tensor " + quotedName(entry.name) +
                      (overlap ? " overlaps the tensor before it" : " leaves a gap of bytes that no tensor owns") +
                      " (it starts at " + std::to_string(entry.begin) + ", the one before ends at " +
                      std::to_string(reached) + "); the file is damaged.",
                  where);
    }
    reached = entry.end;
  }
  if (reached != dataBytes) {
    return fail(ErrorCode::invalidData,
                where + ": " + std::to_string(dataBytes - reached) +
                    " bytes after the last tensor belong to no tensor; the file is damaged.",
                where);
  }
  return {};
}

Result<TensorMap> parseChecked(std::span<const std::byte> bytes, const std::string& where, SkippedTensors* skipped) {
  const std::string_view file(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  STRATA_TRY(const std::string_view header, headerText(file, where));
  STRATA_TRY(std::vector<SafetensorsEntry> entries, parseSafetensorsHeader(header, where));
  const auto data = bytes.subspan(kLengthBytes + header.size());
  TensorMap tensors;
  for (const SafetensorsEntry& entry : entries) {
    STRATA_TRY(const std::optional<DType> dtype, checkEntry(entry, data.size(), where));
    if (dtype) {
      tensors.emplace(entry.name,
                      TensorView{*dtype, entry.shape, data.subspan(entry.begin, entry.end - entry.begin), nullptr});
    } else if (skipped != nullptr) {
      skipped->emplace(entry.name, entry.dtype);
    }
  }
  STRATA_CHECK(checkCoverage(entries, data.size(), where));
  return tensors;
}

tl::unexpected<Error> noMemory(const std::string& where) {
  return fail(ErrorCode::outOfMemory, where + ": not enough memory to read the header; close something and try again.",
              where);
}

}  // namespace

std::int64_t TensorView::elements() const {
  if (blocks == Blocks::none) return static_cast<std::int64_t>(bytes.size() / bytesOf(dtype));
  return static_cast<std::int64_t>(bytes.size() / layoutOf(blocks).bytes * layoutOf(blocks).elements);
}

Result<TensorMap> parseSafetensors(std::span<const std::byte> bytes, const std::string& where,
                                   SkippedTensors* skipped) {
  try {
    return parseChecked(bytes, where, skipped);
  } catch (const std::bad_alloc&) {
    return noMemory(where);
  }
}

Result<TensorMap> readSafetensors(const std::filesystem::path& path, SkippedTensors* skipped) {
  STRATA_TRY(const std::shared_ptr<const MappedFile> file, MappedFile::open(path));
  STRATA_TRY(TensorMap tensors, parseSafetensors(file->bytes(), path.string(), skipped));
  for (auto& [name, view] : tensors) view.file = file;
  return tensors;
}

Result<std::string> makeSafetensorsHeader(const std::vector<TensorToWrite>& tensors) {
  const auto refuse = [](const std::string& name, const std::string& what) {
    return fail(ErrorCode::internal, "A safetensors file cannot be written: tensor " + quotedName(name) + " " + what,
                name);
  };
  Json header = Json::object();
  auto& members = header.get_ref<Json::object_t&>();  // looking each key up, as operator[] does, is quadratic
  members.emplace_back("__metadata__", Json{{"format", "pt"}});
  std::set<std::string_view> names = {"__metadata__"};
  std::uint64_t at = 0;
  for (const TensorToWrite& tensor : tensors) {
    if (!names.insert(tensor.name).second) return refuse(tensor.name, "is there twice.");
    const auto size = sizeInBytes(tensor.shape, bytesOf(tensor.dtype));
    const bool negative = std::any_of(tensor.shape.begin(), tensor.shape.end(), [](std::int64_t n) { return n < 0; });
    if (!size || negative) return refuse(tensor.name, "has the impossible shape " + printShape(tensor.shape) + ".");
    members.emplace_back(
        tensor.name,
        Json{{"dtype", safetensorsName(tensor.dtype)}, {"shape", tensor.shape}, {"data_offsets", {at, at + *size}}});
    at += *size;
  }
  try {
    std::string text = header.dump();
    text.append((8 - text.size() % 8) % 8, ' ');
    if (text.size() > kLongestHeader) return refuse(tensors.back().name, "makes the header larger than 100 MB.");
    std::string out(kLengthBytes, '\0');
    const std::uint64_t length = text.size();
    std::memcpy(out.data(), &length, kLengthBytes);
    return out + text;
  } catch (const nlohmann::json::exception&) {
    return fail(ErrorCode::internal, "A safetensors file cannot be written: a tensor's name is not UTF-8.");
  }
}

Result<void> writeSafetensors(const std::filesystem::path& path, const std::vector<TensorToWrite>& tensors) {
  STRATA_TRY(const std::string header, makeSafetensorsHeader(tensors));
  for (const TensorToWrite& tensor : tensors) {
    if (sizeInBytes(tensor.shape, bytesOf(tensor.dtype)) != tensor.bytes.size()) {
      return fail(ErrorCode::internal,
                  path.string() + ": tensor " + quotedName(tensor.name) + " has " +
                      std::to_string(tensor.bytes.size()) + " bytes, which its shape " + printShape(tensor.shape) +
                      " does not have.",
                  tensor.name);
    }
  }
  STRATA_TRY(FileWriter file, FileWriter::create(path));
  STRATA_CHECK(file.write(std::string_view(header)));
  for (const TensorToWrite& tensor : tensors) STRATA_CHECK(file.write(tensor.bytes));
  return file.commit();
}

}  // namespace strata
