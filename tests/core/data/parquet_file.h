#pragma once
// A small Parquet file as data sets of questions keep them: a text, a struct with a list of texts, a number that may be
// null.

#include <arrow/api.h>
#include <arrow/io/file.h>
#include <parquet/arrow/writer.h>

#include <filesystem>
#include <string>
#include <vector>

namespace strata::testing {

inline void writeParquet(const std::filesystem::path& path, const std::vector<std::string>& questions,
                         const std::vector<std::vector<std::string>>& answers, std::int64_t rowGroup = 1 << 20) {
  arrow::StringBuilder questionBuilder;
  auto text = std::make_shared<arrow::StringBuilder>();
  auto list = std::make_shared<arrow::ListBuilder>(arrow::default_memory_pool(), text);
  const auto answerType = arrow::struct_({arrow::field("text", arrow::list(arrow::utf8()))});
  arrow::StructBuilder answerBuilder(answerType, arrow::default_memory_pool(), {list});
  arrow::Int64Builder numberBuilder;
  for (std::size_t i = 0; i < questions.size(); ++i) {
    PARQUET_THROW_NOT_OK(questionBuilder.Append(questions[i]));
    PARQUET_THROW_NOT_OK(answerBuilder.Append());
    PARQUET_THROW_NOT_OK(list->Append());
    for (const std::string& answer : answers[i]) PARQUET_THROW_NOT_OK(text->Append(answer));
    PARQUET_THROW_NOT_OK(i % 2 == 0 ? numberBuilder.Append(static_cast<std::int64_t>(i) + 1)
                                    : numberBuilder.AppendNull());
  }
  std::shared_ptr<arrow::Array> question, answer, number;
  PARQUET_THROW_NOT_OK(questionBuilder.Finish(&question));
  PARQUET_THROW_NOT_OK(answerBuilder.Finish(&answer));
  PARQUET_THROW_NOT_OK(numberBuilder.Finish(&number));
  const auto schema = arrow::schema({arrow::field("question", arrow::utf8()), arrow::field("answers", answerType),
                                     arrow::field("n", arrow::int64())});
  const auto table = arrow::Table::Make(schema, {question, answer, number});
  PARQUET_ASSIGN_OR_THROW(const auto file, arrow::io::FileOutputStream::Open(path.string()));
  PARQUET_THROW_NOT_OK(parquet::arrow::WriteTable(*table, arrow::default_memory_pool(), file, rowGroup));
  PARQUET_THROW_NOT_OK(file->Close());
}

}  // namespace strata::testing
