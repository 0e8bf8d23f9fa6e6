// Records of Parquet files, through Apache Arrow: batches of rows of one row group after another, each row as an
// object. The file is foreign: what Arrow throws is caught, each batch is validated before it is touched, and memory is
// counted.

#include <arrow/api.h>
#include <arrow/io/file.h>
#include <arrow/util/decimal.h>
#include <arrow/util/float16.h>
#include <parquet/arrow/reader.h>
#include <parquet/exception.h>

#include <algorithm>
#include <new>
#include <set>

#include "core/data/raw_records.h"
#include "core/text/utf8.h"

namespace strata {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kBatchRows = 256;
constexpr std::int64_t kMostPoolBytes = std::int64_t{4} << 30;
constexpr std::int64_t kLeastPoolBytes = std::int64_t{1} << 30, kPoolBytesPerFileByte = 8;
constexpr int kMaxDepth = 64;
constexpr std::int32_t kMaxThriftBytes = 64 << 20, kMaxThriftElements = 1 << 20;

/// Refuses what a file of this size cannot need: sizes in a broken one can be any number.
class LimitedPool : public arrow::MemoryPool {
 public:
  explicit LimitedPool(std::uintmax_t fileBytes)
      : m_most(fileBytes >= static_cast<std::uintmax_t>(kMostPoolBytes / kPoolBytesPerFileByte)
                   ? kMostPoolBytes
                   : std::max(kLeastPoolBytes, kPoolBytesPerFileByte * static_cast<std::int64_t>(fileBytes))) {}
  arrow::Status Allocate(std::int64_t size, std::int64_t alignment, std::uint8_t** out) override {
    ARROW_RETURN_NOT_OK(check(size));
    return m_pool->Allocate(size, alignment, out);
  }
  arrow::Status Reallocate(std::int64_t old, std::int64_t size, std::int64_t alignment, std::uint8_t** out) override {
    ARROW_RETURN_NOT_OK(check(size - old));
    return m_pool->Reallocate(old, size, alignment, out);
  }
  void Free(std::uint8_t* buffer, std::int64_t size, std::int64_t alignment) override {
    m_pool->Free(buffer, size, alignment);
  }
  std::int64_t bytes_allocated() const override { return m_pool->bytes_allocated(); }
  std::int64_t max_memory() const override { return m_pool->max_memory(); }
  std::int64_t total_bytes_allocated() const override { return m_pool->total_bytes_allocated(); }
  std::int64_t num_allocations() const override { return m_pool->num_allocations(); }
  std::string backend_name() const override { return m_pool->backend_name(); }

 private:
  arrow::Status check(std::int64_t more) const {
    if (more > m_most - m_pool->bytes_allocated()) {
      return arrow::Status::OutOfMemory("a row group asks for more memory than a file of this size can need");
    }
    return arrow::Status::OK();
  }
  arrow::MemoryPool* m_pool = arrow::system_memory_pool();
  std::int64_t m_most;  // bytes
};

tl::unexpected<Error> broken(const fs::path& file, std::int64_t row, const std::string& what) {
  const std::string where = placeOf(file.string(), row);
  // Arrow's texts may be of several lines, with a stack of its own.
  std::string shown = what.substr(0, std::min(what.find('\n'), std::size_t{300}));
  if (findInvalidUtf8(shown)) shown = "its inside is broken";
  return fail(ErrorCode::invalidData, where + ": the Parquet file cannot be read: " + shown + "; is it whole?", where);
}

/// A value of an array as JSON. An error is a sentence about this row alone.
Result<Json> valueOf(const arrow::Array& array, std::int64_t i, int depth);

tl::unexpected<Error> rowError(std::string what) {
  return fail(ErrorCode::invalidData, std::move(what));
}

template <class ArrayType>
Result<Json> numberOf(const arrow::Array& array, std::int64_t i) {
  return Json(static_cast<const ArrayType&>(array).Value(i));
}

template <class ArrayType>
Result<Json> textOf(const arrow::Array& array, std::int64_t i) {
  const auto view = static_cast<const ArrayType&>(array).GetView(i);
  if (findInvalidUtf8(view)) return rowError("the text is not UTF-8.");
  return Json(std::string(view));
}

Result<Json> listOf(const arrow::Array& values, std::int64_t begin, std::int64_t end, int depth) {
  Json list = Json::array();
  for (std::int64_t k = begin; k < end; ++k) {
    STRATA_TRY(Json value, valueOf(values, k, depth + 1));
    list.push_back(std::move(value));
  }
  return list;
}

template <class ArrayType>
Result<Json> listAt(const arrow::Array& array, std::int64_t i, int depth) {
  const auto& lists = static_cast<const ArrayType&>(array);
  return listOf(*lists.values(), lists.value_offset(i), lists.value_offset(i) + lists.value_length(i), depth);
}

Result<Json> structAt(const arrow::Array& array, std::int64_t i, int depth) {
  const auto& members = static_cast<const arrow::StructArray&>(array);
  Json object = Json::object();
  for (int k = 0; k < members.num_fields(); ++k) {
    STRATA_TRY(Json value, valueOf(*members.field(k), i, depth + 1));
    object[members.type()->field(k)->name()] = std::move(value);
  }
  return object;
}

bool isText(const arrow::Array& array) {
  switch (array.type_id()) {
    case arrow::Type::STRING:
    case arrow::Type::LARGE_STRING:
    case arrow::Type::STRING_VIEW:
      return true;
    default:
      return false;
  }
}

/// A map with keys that are texts is an object, any other a list of pairs.
Result<Json> mapAt(const arrow::Array& array, std::int64_t i, int depth) {
  const auto& maps = static_cast<const arrow::MapArray&>(array);
  const bool object = isText(*maps.keys());
  Json all = object ? Json::object() : Json::array();
  for (std::int64_t k = maps.value_offset(i); k < maps.value_offset(i) + maps.value_length(i); ++k) {
    STRATA_TRY(Json key, valueOf(*maps.keys(), k, depth + 1));
    STRATA_TRY(Json value, valueOf(*maps.items(), k, depth + 1));
    if (!object) {
      all.push_back(Json::array({std::move(key), std::move(value)}));
    } else if (!key.is_string() || !all.emplace(key.get<std::string>(), std::move(value)).second) {
      return rowError("a map has the key " + dumpLine(key) + " twice or a key that is null; rename one.");
    }
  }
  return all;
}

/// Dates, times and decimal numbers as they are usually written.
Result<Json> writtenOut(const arrow::Array& array, std::int64_t i) {
  const auto scalar = array.GetScalar(i);
  if (!scalar.ok()) return rowError("a value cannot be read: " + scalar.status().message());
  return Json((*scalar)->ToString());
}

Result<Json> valueOf(const arrow::Array& array, std::int64_t i, int depth) {
  if (depth > kMaxDepth) return rowError("the row is nested deeper than 64 levels.");
  if (array.IsNull(i)) return Json();
  switch (array.type_id()) {
    case arrow::Type::NA:
      return Json();
    case arrow::Type::BOOL:
      return numberOf<arrow::BooleanArray>(array, i);
    case arrow::Type::INT8:
      return numberOf<arrow::Int8Array>(array, i);
    case arrow::Type::INT16:
      return numberOf<arrow::Int16Array>(array, i);
    case arrow::Type::INT32:
      return numberOf<arrow::Int32Array>(array, i);
    case arrow::Type::INT64:
      return numberOf<arrow::Int64Array>(array, i);
    case arrow::Type::UINT8:
      return numberOf<arrow::UInt8Array>(array, i);
    case arrow::Type::UINT16:
      return numberOf<arrow::UInt16Array>(array, i);
    case arrow::Type::UINT32:
      return numberOf<arrow::UInt32Array>(array, i);
    case arrow::Type::UINT64:
      return numberOf<arrow::UInt64Array>(array, i);
    case arrow::Type::HALF_FLOAT:
      return Json(arrow::util::Float16::FromBits(static_cast<const arrow::HalfFloatArray&>(array).Value(i)).ToDouble());
    case arrow::Type::FLOAT:
      return numberOf<arrow::FloatArray>(array, i);
    case arrow::Type::DOUBLE:
      return numberOf<arrow::DoubleArray>(array, i);
    case arrow::Type::STRING:
      return textOf<arrow::StringArray>(array, i);
    case arrow::Type::LARGE_STRING:
      return textOf<arrow::LargeStringArray>(array, i);
    case arrow::Type::BINARY:  // older writers leave out that it is text
      return textOf<arrow::BinaryArray>(array, i);
    case arrow::Type::LARGE_BINARY:
      return textOf<arrow::LargeBinaryArray>(array, i);
    case arrow::Type::STRING_VIEW:
      return textOf<arrow::StringViewArray>(array, i);
    case arrow::Type::BINARY_VIEW:
      return textOf<arrow::BinaryViewArray>(array, i);
    case arrow::Type::LIST:
      return listAt<arrow::ListArray>(array, i, depth);
    case arrow::Type::LARGE_LIST:
      return listAt<arrow::LargeListArray>(array, i, depth);
    case arrow::Type::FIXED_SIZE_LIST:
      return listAt<arrow::FixedSizeListArray>(array, i, depth);
    case arrow::Type::STRUCT:
      return structAt(array, i, depth);
    case arrow::Type::DICTIONARY: {
      const auto& coded = static_cast<const arrow::DictionaryArray&>(array);
      return valueOf(*coded.dictionary(), coded.GetValueIndex(i), depth + 1);
    }
    case arrow::Type::EXTENSION:  // JSON, say: what it means is said by what it is stored as
      return valueOf(*static_cast<const arrow::ExtensionArray&>(array).storage(), i, depth + 1);
    case arrow::Type::MAP:
      return mapAt(array, i, depth);
    case arrow::Type::DATE32:
    case arrow::Type::DATE64:
    case arrow::Type::TIME32:
    case arrow::Type::TIME64:
    case arrow::Type::TIMESTAMP:
    case arrow::Type::DECIMAL32:
    case arrow::Type::DECIMAL64:
    case arrow::Type::DECIMAL128:
    case arrow::Type::DECIMAL256:
      return writtenOut(array, i);
    default:
      return rowError("values of the type " + array.type()->ToString() +
                      " cannot be read; leave the column out or write it as text.");
  }
}

/// Columns, and members of a column, must have names of their own: one of two would be lost.
Result<void> checkNames(const arrow::FieldVector& fields, const fs::path& file) {
  std::set<std::string_view> names;
  for (const auto& field : fields) {
    if (!names.insert(field->name()).second) {
      return fail(ErrorCode::invalidData,
                  file.string() + ": the column \"" + field->name() + "\" comes twice; rename one.", file.string());
    }
    STRATA_CHECK(checkNames(field->type()->fields(), file));
  }
  return {};
}

Result<Json> rowOf(const arrow::RecordBatch& batch, std::int64_t i) {
  Json object = Json::object();
  for (int k = 0; k < batch.num_columns(); ++k) {
    auto value = valueOf(*batch.column(k), i, 0);
    if (!value) return rowError("column \"" + batch.column_name(k) + "\": " + value.error().message);
    object[batch.column_name(k)] = std::move(*value);
  }
  return object;
}

Result<std::unique_ptr<parquet::arrow::FileReader>> openParquet(const fs::path& file, arrow::MemoryPool* pool) {
  auto input = arrow::io::ReadableFile::Open(file.string(), pool);
  if (!input.ok()) return broken(file, 0, input.status().message());
  parquet::ReaderProperties properties(pool);
  properties.set_thrift_string_size_limit(kMaxThriftBytes);
  properties.set_thrift_container_size_limit(kMaxThriftElements);
  parquet::ArrowReaderProperties arrowProperties(/*use_threads=*/false);
  arrowProperties.set_batch_size(kBatchRows);
  arrowProperties.set_pre_buffer(false);
  parquet::arrow::FileReaderBuilder builder;
  if (const auto opened = builder.Open(*input, properties); !opened.ok()) return broken(file, 0, opened.message());
  auto reader = builder.memory_pool(pool)->properties(arrowProperties)->Build();
  if (!reader.ok()) return broken(file, 0, reader.status().message());
  return std::move(*reader);
}

Result<void> passBatch(const arrow::RecordBatch& batch, const fs::path& file, std::int64_t rowsBefore,
                       const RecordSink& sink) {
  for (std::int64_t i = 0; i < batch.num_rows(); ++i) {
    auto value = rowOf(batch, i);
    const std::int64_t row = rowsBefore + i + 1;
    STRATA_CHECK(value ? sink.take({std::move(*value), file.string(), row})
                       : sink.drop({row, std::move(value.error().message), file.string()}));
  }
  return {};
}

}  // namespace

Result<void> readParquet(const fs::path& file, const RecordSink& sink) {
  std::int64_t rows = 0;
  try {
    std::error_code unknown;  // then opening the file says why
    const std::uintmax_t bytes = fs::file_size(file, unknown);
    LimitedPool pool(unknown ? 0 : bytes);
    STRATA_TRY(const auto reader, openParquet(file, &pool));
    auto batches = reader->GetRecordBatchReader();
    if (!batches.ok()) return broken(file, 0, batches.status().message());
    STRATA_CHECK(checkNames((*batches)->schema()->fields(), file));
    for (;;) {
      std::shared_ptr<arrow::RecordBatch> batch;
      if (const auto read = (*batches)->ReadNext(&batch); !read.ok()) return broken(file, rows + 1, read.message());
      if (!batch) return {};
      if (const auto valid = batch->ValidateFull(); !valid.ok()) return broken(file, rows + 1, valid.message());
      STRATA_CHECK(passBatch(*batch, file, rows, sink));
      rows += batch->num_rows();
    }
  } catch (const parquet::ParquetException& exception) {
    return broken(file, rows + 1, exception.what());
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::outOfMemory, "The Parquet file " + file.string() + " does not fit into memory.",
                file.string());
  }
}

}  // namespace strata
