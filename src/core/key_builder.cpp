#include "core/key_builder.hpp"

#include <cstring>
#include <utility>

namespace llm_edge_cache::detail {
namespace {

constexpr std::string_view kMagic = "llm-edge-cache key";

std::array<char, 8> little_endian(std::uint64_t number) {
  std::array<char, 8> bytes;
  for (auto& byte : bytes) {
    byte = static_cast<char>(number & 0xFFU);
    number >>= 8U;
  }
  return bytes;
}

}  // namespace

KeyStream::KeyStream(std::uint8_t version, char kind) {
  append_bytes(kMagic);
  const std::array<char, 2> suffix = {static_cast<char>(version), kind};
  append_bytes({suffix.data(), suffix.size()});
}

void KeyStream::append(std::uint8_t tag, std::string_view bytes) {
  append_header(tag, bytes.size());
  append_bytes(bytes);
}

void KeyStream::append(std::uint8_t tag, std::uint64_t number) {
  const auto bytes = little_endian(number);
  append(tag, std::string_view(bytes.data(), bytes.size()));
}

KeyDigest KeyStream::finish() {
  const std::string_view rest(buffer_.data(), used_);
  if (!hash_) {
    return sha256(rest);
  }
  hash_->update(rest);
  return std::move(*hash_).finish();
}

void KeyStream::append_header(std::uint8_t tag, std::uint64_t length) {
  std::array<char, 9> header;
  header[0] = static_cast<char>(tag);
  const auto bytes = little_endian(length);
  std::memcpy(&header[1], bytes.data(), bytes.size());
  append_bytes({header.data(), header.size()});
}

void KeyStream::append_bytes(std::string_view bytes) {
  if (bytes.size() > buffer_.size() - used_) {
    if (!hash_) {
      hash_.emplace();
    }
    hash_->update({buffer_.data(), used_});
    used_ = 0;
    if (bytes.size() > buffer_.size()) {
      hash_->update(bytes);
      return;
    }
  }
  if (!bytes.empty()) {
    std::memcpy(buffer_.data() + used_, bytes.data(), bytes.size());
    used_ += bytes.size();
  }
}

}  // namespace llm_edge_cache::detail
