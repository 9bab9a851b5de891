#include "dict/answer_samples.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>

#include "core/entry_table.hpp"
#include "line_reader.hpp"

namespace llm_edge_cache::app {

namespace {

using Json = nlohmann::json;

// As serve would have it for an answer of that shape.
std::string content_type_of(std::string_view payload) {
  const bool is_stream = payload.starts_with("data:") || payload.starts_with("event:");
  return is_stream ? "text/event-stream; charset=utf-8" : "application/json";
}

Entry entry_of(std::string payload) {
  Entry entry;
  entry.content_type = content_type_of(payload);
  entry.finish_reason = "stop";
  entry.response.content = std::move(payload);
  return entry;
}

std::optional<std::string> decode_base64(const std::string& text) {
  if (text.size() % 4 != 0) return std::nullopt;
  const auto padding =
      text.size() - std::min(text.size(), text.find_last_not_of('=') + 1);  // npos + 1 is 0
  if (padding > 2) return std::nullopt;
  std::string bytes(text.size() / 4 * 3, '\0');
  const int decoded = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                      reinterpret_cast<const unsigned char*>(text.data()),
                                      static_cast<int>(text.size()));
  if (decoded != static_cast<int>(bytes.size())) return std::nullopt;
  bytes.resize(bytes.size() - padding);
  return bytes;
}

std::string text_of(const Json& object, const char* member) {
  const auto found = object.find(member);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::optional<std::string> payload_of(const Json& object) {
  if (object.contains("payload") && object["payload"].is_string()) {
    return object["payload"].get<std::string>();
  }
  if (object.contains("payload_base64") && object["payload_base64"].is_string()) {
    return decode_base64(object["payload_base64"].get<std::string>());
  }
  return std::nullopt;
}

// Nothing where the line is no answer.
std::optional<Entry> parse_line(std::string_view line) {
  const auto object = Json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) return std::nullopt;
  auto payload = payload_of(object);
  if (!payload) return std::nullopt;
  auto entry = entry_of(*std::move(payload));
  entry.response.model = text_of(object, "model");
  if (auto type = text_of(object, "content_type"); !type.empty()) entry.content_type = type;
  if (auto reason = text_of(object, "finish_reason"); !reason.empty()) {
    entry.finish_reason = reason;
  }
  return entry;
}

// False where the samples are full.
Result<bool> add_lines(const std::string& file, AnswerSamples& samples) {
  auto reader = LineReader::open(file);
  if (!reader) return reader.error();
  while (true) {
    const auto line = reader->next();
    if (!line) return line.error();
    if (!*line) return true;
    if ((*line)->empty()) continue;
    const auto entry = parse_line(**line);
    if (!entry) {
      return Error{
          ErrorCode::kInvalidArgument,
          fmt::format("{}: expected an object with a text \"payload\" or \"payload_base64\"",
                      reader->position())};
    }
    if (!samples.add(*entry)) return false;
  }
}

Result<bool> add_answer(const std::string& file, AnswerSamples& samples) {
  std::ifstream in(file, std::ios::binary);
  std::string payload(AnswerSamples::kMaxSampleBytes, '\0');
  in.read(payload.data(), static_cast<std::streamsize>(payload.size()));
  if (!in.is_open() || in.bad()) {
    return Error{ErrorCode::kIo, fmt::format("{}: cannot be read", file)};
  }
  payload.resize(static_cast<std::size_t>(in.gcount()));
  return samples.add(entry_of(std::move(payload)));
}

Result<bool> add_file(const std::string& file, AnswerSamples& samples) {
  const bool has_lines =
      file.ends_with(".jsonl") || file.ends_with(".jsonl.gz") || file.ends_with(".ndjson");
  return has_lines ? add_lines(file, samples) : add_answer(file, samples);
}

Result<std::vector<std::string>> files_of(const std::string& source) {
  namespace fs = std::filesystem;
  std::error_code error;
  if (!fs::is_directory(source, error)) return std::vector{source};
  std::vector<std::string> files;
  for (fs::recursive_directory_iterator entry(source, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->is_regular_file(error)) files.push_back(entry->path().string());
  }
  if (error) return Error{ErrorCode::kIo, fmt::format("{}: {}", source, error.message())};
  std::ranges::sort(files);
  return files;
}

}  // namespace

bool AnswerSamples::add(const Entry& entry) {
  const auto table = write_entry_table(entry, kMaxBytes);
  if (!table) return false;
  const auto size = std::min(table->size(), kMaxSampleBytes);
  if (bytes_.size() + size > kMaxBytes) return false;
  bytes_.append(*table, 0, size);
  sizes_.push_back(size);
  return true;
}

Result<AnswerSamples> read_answer_samples(const std::string& source) {
  const auto files = files_of(source);
  if (!files) return files.error();
  AnswerSamples samples;
  for (const auto& file : *files) {
    const auto has_room = add_file(file, samples);
    if (!has_room) return has_room.error();
    if (!*has_room) break;
  }
  return samples;
}

}  // namespace llm_edge_cache::app
