#include "core/entry_frame.hpp"

#include <cstring>
#include <optional>
#include <span>

#include "base/constant_time.hpp"
#include "core/entry_checksum.hpp"
#include "core/entry_compression.hpp"
#include "core/entry_frame_layout.hpp"
#include "core/entry_frame_v1.hpp"
#include "core/little_endian.hpp"

namespace llm_edge_cache {
namespace {

using namespace frame;

static_assert(kEntryFrameHeaderBytes == kRestAt);
static_assert(sizeof(EntryCipher::Tag) == kRestAt - kChecksumAt);
static_assert(kEntryChecksumBytes == kRestAt - kChecksumAt);

// Longer tables are their own best dictionary: at 256 KB the ratio is a little better without one.
constexpr std::size_t kMaxDictionaryTableBytes = 128U << 10U;

template <class Bytes>
void put(std::string& frame, std::size_t at, const Bytes& bytes) {
  std::memcpy(&frame[at], bytes.data(), bytes.size());
}

// The flags of how a table of that length is compressed.
std::uint8_t compression(std::size_t table_bytes, const EntryFormat& format) {
  if (format.dictionary == nullptr || table_bytes > kMaxDictionaryTableBytes) {
    return kCompressed;
  }
  const std::uint8_t with_dictionary = kCompressed | kWithDictionary;
  return table_bytes <= format.lz4_up_to_bytes ? with_dictionary | kLz4 : with_dictionary;
}

// Room for the head, and the compressed table. Empty where that would not be shorter than with the
// table as it is.
std::string compressed(std::string_view table, const EntryFormat& format, std::uint8_t flags) {
  const auto* const dictionary = (flags & kWithDictionary) != 0 ? format.dictionary.get() : nullptr;
  const auto begin = body_at(flags);
  const auto as_it_is = body_at(flags & kEncrypted) + table.size();
  if (table.size() <= format.compress_over_bytes || as_it_is <= begin) {
    return {};
  }
  std::string frame(as_it_is - 1, '\0');
  const auto out = std::span(frame).subspan(begin);
  const auto size = (flags & kLz4) != 0 ? dictionary->lz4().compress(table, out)
                                        : compress_table(table, out, dictionary);
  frame.resize(size == 0 ? 0 : begin + size);
  return frame;
}

void put_head(std::string& frame, std::uint8_t flags, std::size_t table_bytes) {
  put(frame, 0, kMagic);
  frame[kVersionAt] = kVersion;
  frame[kFlagsAt] = static_cast<char>(flags);
  put_little_endian(&frame[kTableBytesAt], static_cast<std::uint32_t>(table_bytes));
  put_little_endian(&frame[kRestBytesAt], static_cast<std::uint32_t>(frame.size() - kRestAt));
}

void encrypt(const KeyDigest& key, std::string& frame, std::size_t body, const EntryCipher& cipher,
             const EntryCipher::Nonce& nonce) {
  put_little_endian(&frame[body - kNonceBytes - kKeyIdBytes], cipher.key_id());
  put(frame, body - kNonceBytes, nonce);
  const AssociatedData associated(key, frame, body);
  put(frame, kChecksumAt, cipher.seal(nonce, associated.view(), std::span(frame).subspan(body)));
}

// `nonce` is null where there is no cipher.
std::string seal(const KeyDigest& key, std::string_view table, const EntryFormat& format,
                 const EntryCipher::Nonce* nonce) {
  const std::uint8_t encrypted = nonce == nullptr ? 0 : kEncrypted;
  std::uint8_t flags = encrypted | compression(table.size(), format);
  auto frame = compressed(table, format, flags);
  if (frame.empty()) {
    flags = encrypted;
    frame.reserve(body_at(flags) + table.size());
    frame.resize(body_at(flags), '\0');
    frame += table;
  }
  put_head(frame, flags, table.size());
  if ((flags & kWithDictionary) != 0) {
    put_little_endian(&frame[kRestAt], format.dictionary->id());
  }
  if (nonce != nullptr) {
    encrypt(key, frame, body_at(flags), *format.cipher, *nonce);
  } else {
    const std::string_view sealed = frame;
    put(frame, kChecksumAt,
        entry_checksum(key, sealed.substr(0, kChecksumAt), sealed.substr(kRestAt)));
  }
  return frame;
}

// What a frame holds, once it has been verified.
struct Content {
  std::string_view body;
  std::size_t table_bytes = 0;
  bool is_compressed = false;
  bool is_lz4 = false;  // and not zstd; then there is a dictionary
  const EntryDictionary* dictionary = nullptr;
};

Status check_head(std::string_view frame) {
  if (!frame.starts_with(kMagic)) {
    return corrupt("the stored bytes are not an entry");
  }
  if (frame.size() < kEntryFrameHeaderBytes) {
    return corrupt("the stored entry is cut short");
  }
  if (frame[kVersionAt] != kVersion && frame[kVersionAt] != kOldVersion) {
    return corrupt("the stored entry has another version of the format");
  }
  if (frame[kReservedAt] != 0 || frame[kReservedAt + 1] != 0) {
    return corrupt("the stored entry uses features that this build does not know");
  }
  if (get_little_endian<std::uint32_t>(&frame[kRestBytesAt]) != frame.size() - kRestAt) {
    return corrupt("the stored entry is cut short or too long");
  }
  return {};
}

Status check_flags(std::string_view frame) {
  const auto flags = static_cast<std::uint8_t>(frame[kFlagsAt]);
  const bool dictionary_alone = (flags & (kWithDictionary | kCompressed)) == kWithDictionary;
  const bool lz4_alone = (flags & (kLz4 | kWithDictionary)) == kLz4;
  if ((flags & ~(kCompressed | kEncrypted | kWithDictionary | kLz4)) != 0 || dictionary_alone ||
      lz4_alone) {
    return corrupt("the stored entry uses features that this build does not know");
  }
  if (frame.size() < body_at(flags)) {
    return corrupt("the stored entry is cut short");
  }
  return {};
}

Status verify_checksum(const KeyDigest& key, std::string_view frame) {
  const auto sum = entry_checksum(key, frame.substr(0, kChecksumAt), frame.substr(kRestAt));
  if (!constant_time_equal({sum.data(), sum.size()}, frame.substr(kChecksumAt, sum.size()))) {
    return corrupt("the stored entry fails its checksum or belongs to another key");
  }
  return {};
}

Result<std::string_view> decrypt(const KeyDigest& key, std::string_view frame, std::size_t body,
                                 const EntryFormat& format, AlignedBuffer& buffer) {
  const auto* const cipher = format.find_cipher(
      get_little_endian<std::uint32_t>(&frame[body - kNonceBytes - kKeyIdBytes]));
  if (cipher == nullptr) {
    return corrupt("the stored entry is encrypted with a key that is not at hand");
  }
  EntryCipher::Nonce nonce;
  std::memcpy(nonce.data(), &frame[body - kNonceBytes], nonce.size());
  EntryCipher::Tag tag;
  std::memcpy(tag.data(), &frame[kChecksumAt], tag.size());
  const auto encrypted = frame.substr(body);
  char* const bytes = buffer.reserve(encrypted.size());
  if (!cipher->open(nonce, AssociatedData(key, frame, body).view(), tag, encrypted, bytes)) {
    return corrupt("the stored entry was not encrypted by us, or belongs to another key");
  }
  return std::string_view(bytes, encrypted.size());
}

// Of the current version.
Result<Content> verify(const KeyDigest& key, std::string_view frame, const EntryFormat& format,
                       AlignedBuffer& decrypted) {
  if (auto status = check_flags(frame); !status.ok()) {
    return status.error();
  }
  const auto flags = static_cast<std::uint8_t>(frame[kFlagsAt]);
  Content content{.body = frame.substr(body_at(flags)),
                  .is_compressed = (flags & kCompressed) != 0,
                  .is_lz4 = (flags & kLz4) != 0};
  if ((flags & kEncrypted) != 0) {
    const auto body = decrypt(key, frame, body_at(flags), format, decrypted);
    if (!body.ok()) {
      return body.error();
    }
    content.body = *body;
  } else if (auto status = verify_checksum(key, frame); !status.ok()) {
    return status.error();
  }
  if ((flags & kWithDictionary) != 0) {
    content.dictionary = format.find_dictionary(get_little_endian<std::uint64_t>(&frame[kRestAt]));
    if (content.dictionary == nullptr) {
      return corrupt("the stored entry is compressed with a dictionary that is not at hand");
    }
  }
  return content;
}

Result<Content> read_content(const KeyDigest& key, std::string_view frame,
                             const EntryFormat& format, AlignedBuffer& decrypted) {
  if (auto status = check_head(frame); !status.ok()) {
    return status.error();
  }
  const auto flags = static_cast<std::uint8_t>(frame[kFlagsAt]);
  const auto table_bytes = get_little_endian<std::uint32_t>(&frame[kTableBytesAt]);
  const bool is_old = frame[kVersionAt] == kOldVersion;
  if (format.cipher != nullptr && (is_old || (flags & kEncrypted) == 0)) {
    return corrupt("the stored entry is not encrypted, and only encrypted ones are taken");
  }
  if (!is_old) {
    auto content = verify(key, frame, format, decrypted);
    if (content.ok()) {
      content->table_bytes = table_bytes;
    }
    return content;
  }
  if (auto status = verify_entry_frame_v1(key, frame); !status.ok()) {
    return status.error();
  }
  return Content{.body = frame.substr(kRestAt),
                 .table_bytes = table_bytes,
                 .is_compressed = (flags & kCompressed) != 0};
}

Result<std::string_view> decompress(const Content& content, FrameBuffers& buffers) {
  const auto size = content.table_bytes;
  std::optional<std::string_view> table;
  if (content.is_lz4) {
    const auto& dictionary = *content.dictionary;
    table = buffers.lz4.decompress(content.body, size, dictionary.lz4(), dictionary.id());
  } else if (char* const out = buffers.table.reserve(size);
             decompress_table(content.body, {out, size}, content.dictionary)) {
    table = {out, size};
  }
  if (!table) {
    return corrupt("the stored entry does not decompress to its size");
  }
  return *table;
}

bool is_aligned(std::string_view bytes) {
  return reinterpret_cast<std::uintptr_t>(bytes.data()) % alignof(std::uint64_t) == 0;
}

}  // namespace

std::string seal_entry_frame(const KeyDigest& key, std::string_view table,
                             const EntryFormat& format) {
  if (format.cipher == nullptr) {
    return seal(key, table, format, nullptr);
  }
  return seal_entry_frame(key, table, format, EntryCipher::random_nonce());
}

std::string seal_entry_frame(const KeyDigest& key, std::string_view table,
                             const EntryFormat& format, const EntryCipher::Nonce& nonce) {
  return seal(key, table, format, format.cipher == nullptr ? nullptr : &nonce);
}

Result<std::string_view> open_entry_frame(const KeyDigest& key, std::string_view frame,
                                          const EntryFormat& format, FrameBuffers& buffers) {
  const auto content = read_content(key, frame, format, buffers.decrypted);
  if (!content.ok()) {
    return content.error();
  }
  const auto table_bytes = content->table_bytes;
  if (table_bytes > format.max_bytes) {
    return Error{ErrorCode::kTooLarge, "the stored entry exceeds the limit of decoded bytes"};
  }
  if (content->is_compressed) {
    return decompress(*content, buffers);
  }
  if (table_bytes != content->body.size()) {
    return corrupt("the stored entry is not of the size that it states");
  }
  if (is_aligned(content->body)) {
    return content->body;
  }
  char* const copy = buffers.table.reserve(table_bytes);
  std::memcpy(copy, content->body.data(), table_bytes);
  return std::string_view(copy, table_bytes);
}

}  // namespace llm_edge_cache
