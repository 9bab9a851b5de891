// SHA-256 (FIPS 180-4) and HMAC-SHA-256 (RFC 2104), by OpenSSL.
//
// The algorithms are fetched once per process and contexts are kept per thread: an EVP context made
// for each digest costs more than the hashing of a short prompt does. Where OpenSSL cannot provide
// them, the first use ends the process: a cache without its digest has no right answer to give.
#pragma once

#include <memory>
#include <string_view>

#include "base/key_digest.hpp"

struct evp_md_ctx_st;

namespace llm_edge_cache {

[[nodiscard]] KeyDigest sha256(std::string_view data);

[[nodiscard]] KeyDigest hmac_sha256(std::string_view secret, std::string_view data);

// A digest of bytes that come in pieces. One thread at a time; it may move to another thread.
class Sha256 {
 public:
  Sha256();

  void update(std::string_view data);
  // Ends the digest, hence only on an rvalue: std::move(hash).finish().
  [[nodiscard]] KeyDigest finish() &&;

 private:
  struct Return {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::unique_ptr<evp_md_ctx_st, Return> context_;
};

}  // namespace llm_edge_cache
