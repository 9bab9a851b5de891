#include "dict/dictionary_training.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zdict.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <vector>

#include "core/built_in_dictionary.hpp"
#include "core/entry_compression.hpp"
#include "core/entry_dictionary.hpp"

namespace llm_edge_cache::app {

namespace {

constexpr std::size_t kKeptOut = 10;  // every tenth

// One behind the other, as the trainer wants them, and those that are kept out.
struct Split {
  std::string bytes;
  std::vector<std::size_t> sizes;
  std::vector<std::string_view> kept_out;
};

Split split(const AnswerSamples& samples) {
  Split parts;
  std::size_t at = 0;
  for (std::size_t i = 0; i < samples.count(); ++i) {
    const auto sample = std::string_view(samples.bytes()).substr(at, samples.sizes()[i]);
    at += sample.size();
    if (i % kKeptOut == kKeptOut - 1) {
      parts.kept_out.push_back(sample);
      continue;
    }
    parts.bytes += sample;
    parts.sizes.push_back(sample.size());
  }
  return parts;
}

std::size_t compressed_size(std::string_view sample, const EntryDictionary* dictionary) {
  std::string out(sample.size(), '\0');
  const auto size = compress_table(sample, out, dictionary);
  return size == 0 ? sample.size() : size;
}

Error io_error(const std::string& file) {
  return {ErrorCode::kIo, fmt::format("{}: {}", file, std::strerror(errno))};
}

}  // namespace

Result<TrainedDictionary> train_dictionary(const AnswerSamples& samples, std::size_t max_bytes) {
  if (samples.count() < kFewestTrainingAnswers) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("{} answers are too few to learn from; {} are the least, and some "
                             "thousand are good",
                             samples.count(), kFewestTrainingAnswers)};
  }
  const auto parts = split(samples);
  TrainedDictionary trained{.bytes = std::string(max_bytes, '\0')};
  const auto size =
      ZDICT_trainFromBuffer(trained.bytes.data(), trained.bytes.size(), parts.bytes.data(),
                            parts.sizes.data(), static_cast<unsigned>(parts.sizes.size()));
  if (ZDICT_isError(size) != 0) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("no dictionary could be trained: {}", ZDICT_getErrorName(size))};
  }
  trained.bytes.resize(size);
  const auto dictionary = EntryDictionary::parse(trained.bytes);
  if (!dictionary) return dictionary.error();
  trained.id = (*dictionary)->id();
  trained.trained_on = parts.sizes.size();
  trained.tried_on = parts.kept_out.size();
  for (const auto sample : parts.kept_out) {
    trained.tried_bytes += sample.size();
    trained.with_built_in_bytes += compressed_size(sample, built_in_dictionary().get());
    trained.with_dictionary_bytes += compressed_size(sample, dictionary->get());
  }
  return trained;
}

Status write_dictionary(const std::string& file, const std::string& bytes) {
  auto draft = file + ".XXXXXX";
  const int out = ::mkostemp(draft.data(), O_CLOEXEC);  // 0600
  if (out < 0) return io_error(file);
  const bool written =
      ::write(out, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()) &&
      ::fsync(out) == 0;
  Status status =
      written && ::rename(draft.c_str(), file.c_str()) == 0 ? Status() : Status(io_error(file));
  ::close(out);
  if (!status) ::unlink(draft.c_str());
  return status;
}

}  // namespace llm_edge_cache::app
