// Which upstream a request goes to, and with whose credential.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/headers.hpp"
#include "http/message.hpp"
#include "http/url.hpp"
#include "llm_edge_cache/result.hpp"
#include "proxy/upstream_options.hpp"

namespace llm_edge_cache::proxy {

// Immutable; thread-safe.
class UpstreamTable {
 public:
  using Index = std::uint16_t;

  struct Member {
    http::Url url;
    std::string label;             // the URL as it was configured, for metrics and logs
    std::string credential_name;   // the field
    std::string credential_value;  // secret; empty: what the client sent passes
    bool is_of_other_provider = false;
  };
  struct Group {
    std::string name;
    std::string key_text;  // what enters the key
    std::string path;
    std::vector<std::string> models;
    std::vector<Member> members;  // never empty
  };

  // default_url: of a group of one, named "default", for what no other takes; empty: there is none.
  // credential_headers: the fields of a request that carry credentials. default_credential: of
  // default_url, as a bearer token; empty: the client's passes.
  UpstreamTable(const std::vector<UpstreamGroup>& groups, const std::string& default_url,
                std::vector<std::string> credential_headers,
                const std::string& default_credential = {});

  // kInvalidArgument names the group and what is wrong with it, and never repeats a credential.
  [[nodiscard]] static Status validate(const std::vector<UpstreamGroup>& groups,
                                       const std::string& default_url);

  // path: without query. model: empty where the request names none, or none that is known.
  [[nodiscard]] std::optional<Index> match(std::string_view path, std::string_view model) const;
  // Whether it can matter which model a request for this path names.
  [[nodiscard]] bool asks_for_model(std::string_view path) const;

  [[nodiscard]] const Group& group(Index index) const { return groups_[index]; }
  [[nodiscard]] const std::vector<Group>& groups() const { return groups_; }

  // Makes a client's head one for the member: its base path before the target, its credential in
  // place of the client's. A tenant's credential, where there is one, goes before the member's, but
  // only to the group's own provider.
  void address(http::RequestHead& head, const Member& member,
               std::string_view tenant_credential = {}) const;

 private:
  std::vector<Group> groups_;
  const std::vector<std::string> credential_headers_;
};

}  // namespace llm_edge_cache::proxy
