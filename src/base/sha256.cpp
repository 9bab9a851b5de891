#include "base/sha256.hpp"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <utility>

#include "base/openssl_check.hpp"

namespace llm_edge_cache {
namespace {

struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  void operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }
};
using DigestContext = std::unique_ptr<EVP_MD_CTX, FreeContext>;
using MacContext = std::unique_ptr<EVP_MAC_CTX, FreeContext>;

// Never freed: threads may hash until the process ends.
const EVP_MD* algorithm() {
  static const EVP_MD* const fetched = [] {
    const EVP_MD* md = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    check_openssl(md != nullptr, "EVP_MD_fetch");
    return md;
  }();
  return fetched;
}

DigestContext new_context() {
  DigestContext context(EVP_MD_CTX_new());
  check_openssl(context != nullptr, "EVP_MD_CTX_new");
  return context;
}

void start(EVP_MD_CTX* context) {
  check_openssl(EVP_DigestInit_ex2(context, algorithm(), nullptr) == 1, "EVP_DigestInit_ex2");
}

void add(EVP_MD_CTX* context, std::string_view data) {
  check_openssl(EVP_DigestUpdate(context, data.data(), data.size()) == 1, "EVP_DigestUpdate");
}

KeyDigest end(EVP_MD_CTX* context) {
  KeyDigest digest;
  check_openssl(EVP_DigestFinal_ex(context, digest.bytes.data(), nullptr) == 1,
                "EVP_DigestFinal_ex");
  return digest;
}

// The one idle context that a thread keeps for its next Sha256.
DigestContext& idle_context() {
  thread_local DigestContext context;
  return context;
}

MacContext new_mac_context() {
  EVP_MAC* mac = EVP_MAC_fetch(nullptr, OSSL_MAC_NAME_HMAC, nullptr);
  check_openssl(mac != nullptr, "EVP_MAC_fetch");
  MacContext context(EVP_MAC_CTX_new(mac));
  EVP_MAC_free(mac);  // the context holds its own reference
  check_openssl(context != nullptr, "EVP_MAC_CTX_new");
  char digest_name[] = "SHA256";
  const OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest_name, 0),
      OSSL_PARAM_construct_end()};
  check_openssl(EVP_MAC_CTX_set_params(context.get(), params) == 1, "EVP_MAC_CTX_set_params");
  return context;
}

const unsigned char* as_unsigned(std::string_view data) {
  // A null key would mean "the last key" to OpenSSL.
  return reinterpret_cast<const unsigned char*>(data.data() == nullptr ? "" : data.data());
}

}  // namespace

KeyDigest sha256(std::string_view data) {
  thread_local const DigestContext context = new_context();
  start(context.get());
  add(context.get(), data);
  return end(context.get());
}

KeyDigest hmac_sha256(std::string_view secret, std::string_view data) {
  thread_local const MacContext context = new_mac_context();
  check_openssl(EVP_MAC_init(context.get(), as_unsigned(secret), secret.size(), nullptr) == 1,
                "EVP_MAC_init");
  check_openssl(EVP_MAC_update(context.get(), as_unsigned(data), data.size()) == 1,
                "EVP_MAC_update");
  KeyDigest digest;
  std::size_t written = 0;
  check_openssl(
      EVP_MAC_final(context.get(), digest.bytes.data(), &written, digest.bytes.size()) == 1,
      "EVP_MAC_final");
  return digest;
}

Sha256::Sha256() {
  auto context = std::move(idle_context());
  if (context == nullptr) {
    context = new_context();
  }
  start(context.get());
  context_.reset(context.release());
}

void Sha256::update(std::string_view data) {
  add(context_.get(), data);
}

KeyDigest Sha256::finish() && {
  return end(context_.get());
}

void Sha256::Return::operator()(evp_md_ctx_st* context) const {
  idle_context().reset(context);
}

}  // namespace llm_edge_cache
