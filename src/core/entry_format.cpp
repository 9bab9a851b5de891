#include "core/entry_format.hpp"

#include <optional>
#include <string>

#include "core/built_in_dictionary.hpp"

namespace llm_edge_cache {
namespace {

using CipherPtr = std::shared_ptr<const EntryCipher>;
using DictionaryPtr = std::shared_ptr<const EntryDictionary>;

Result<CipherPtr> make_cipher(const std::optional<EncryptionKey>& given, const std::string& file) {
  if (given) {
    return CipherPtr(std::make_shared<const EntryCipher>(*given));
  }
  if (file.empty()) {
    return CipherPtr();
  }
  const auto key = EncryptionKey::load(file);
  if (!key.ok()) {
    return key.error();
  }
  return CipherPtr(std::make_shared<const EntryCipher>(*key));
}

Result<DictionaryPtr> make_dictionary(const std::string& file) {
  if (file.empty()) {
    return DictionaryPtr();
  }
  return EntryDictionary::load(file);
}

}  // namespace

Result<EntryFormat> EntryFormat::of(const L2Config& config, std::size_t compress_over_bytes) {
  const auto cipher = make_cipher(config.encryption_key, config.encryption_key_file);
  const auto old_cipher = make_cipher(config.encryption_old_key, config.encryption_old_key_file);
  const auto dictionary = make_dictionary(config.dictionary_file);
  const auto old_dictionary = make_dictionary(config.old_dictionary_file);
  for (const auto* key : {&cipher, &old_cipher}) {
    if (!key->ok()) {
      return key->error();
    }
  }
  for (const auto* trained : {&dictionary, &old_dictionary}) {
    if (!trained->ok()) {
      return trained->error();
    }
  }
  if (*old_cipher != nullptr && (*old_cipher)->key_id() == (*cipher)->key_id()) {
    return Error{ErrorCode::kInvalidArgument,
                 "l2.encryption_old_key must not be the one that is written with"};
  }
  const auto of_its_own = *dictionary == nullptr ? compress_over_bytes : kCompressOverBytes;
  return EntryFormat{.compress_over_bytes =
                         config.compress_over_bytes != 0 ? config.compress_over_bytes : of_its_own,
                     .max_bytes = config.max_entry_bytes,
                     .cipher = *cipher,
                     .old_cipher = *old_cipher,
                     .dictionary = *dictionary == nullptr ? built_in_dictionary() : *dictionary,
                     .old_dictionary = *old_dictionary};
}

const EntryCipher* EntryFormat::find_cipher(std::uint32_t key_id) const {
  for (const auto* candidate : {&cipher, &old_cipher}) {
    if (*candidate != nullptr && (*candidate)->key_id() == key_id) {
      return candidate->get();
    }
  }
  return nullptr;
}

const EntryDictionary* EntryFormat::find_dictionary(std::uint64_t id) const {
  for (const auto* candidate : {&dictionary, &old_dictionary, &built_in_dictionary()}) {
    if (*candidate != nullptr && (*candidate)->id() == id) {
      return candidate->get();
    }
  }
  return nullptr;
}

}  // namespace llm_edge_cache
