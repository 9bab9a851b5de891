#include <fmt/format.h>

#include "commands.hpp"
#include "tenant/gateway_key.hpp"

namespace llm_edge_cache::app {

void add_tenant_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("tenant", "Makes what the list `tenants` needs");
  command->require_subcommand(1);
  auto* new_key = command->add_subcommand(
      "new-key", "Prints a fresh gateway key, and the line that `keys` of its tenant gets");
  new_key->callback([&exit_code] {
    const auto key = make_gateway_key();
    fmt::print("key:  {}\nhash: {}\n", key, gateway_key_hash(key));
    exit_code = kExitOk;
  });
}

}  // namespace llm_edge_cache::app
