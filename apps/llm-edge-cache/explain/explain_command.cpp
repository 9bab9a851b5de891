#include <fmt/format.h>

#include <iostream>
#include <iterator>

#include "commands.hpp"
#include "explain/explanation.hpp"
#include "key/request_key.hpp"
#include "serve/config_arguments.hpp"

namespace llm_edge_cache::app {

namespace {

struct ExplainArguments {
  ConfigArguments config;
  std::string path = "/v1/chat/completions";
  std::vector<std::string> headers;
  bool json = false;
};

Result<Explanation> explain_from(const ExplainArguments& arguments, std::istream& in) {
  const auto config = arguments.config.load();
  if (!config) return config.error();
  const auto head = client_head(arguments.path, arguments.headers);
  if (!head) return head.error();
  const auto secret = known_scope_secret(*config);
  if (!secret) return secret.error();
  const std::string body(std::istreambuf_iterator<char>(in), {});
  return explain(*config, *secret, *head, body);
}

int run_explain(const ExplainArguments& arguments) {
  const auto explanation = explain_from(arguments, std::cin);
  if (!explanation) {
    print_error(explanation.error().message);
    return kExitUsage;
  }
  if (arguments.json) {
    fmt::print("{}\n", to_json(*explanation).dump(2));
  } else {
    fmt::print("{}", to_text(*explanation));
  }
  return kExitOk;
}

}  // namespace

void add_explain_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand(
      "explain",
      "Says what `serve` with the same options would do with the request body on standard input, "
      "and why");
  auto arguments = std::make_shared<ExplainArguments>();
  command->add_option("--path", arguments->path, "Path and query of the request")
      ->capture_default_str();
  command->add_option("--header", arguments->headers,
                      "\"NAME: VALUE\" of the request; may be repeated");
  command->add_flag("--json", arguments->json, "One JSON object");
  arguments->config.add_to(*command);
  command->callback([arguments, &exit_code] { exit_code = run_explain(*arguments); });
}

}  // namespace llm_edge_cache::app
