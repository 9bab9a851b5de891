#include <fmt/format.h>

#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>

#include "commands.hpp"
#include "key/request_key.hpp"
#include "serve/config_arguments.hpp"

namespace llm_edge_cache::app {

namespace {

struct KeyArguments {
  LibraryRequest library;
  ConfigArguments config;  // of the proxy
  ProxiedRequest proxied;
  std::string file;
};

Result<std::string> read_text(const std::string& file) {
  if (file == "-") return std::string(std::istreambuf_iterator<char>(std::cin), {});
  std::ifstream in(file, std::ios::binary);
  if (!in) return Error{ErrorCode::kIo, fmt::format("{}: cannot be read", file)};
  return std::string(std::istreambuf_iterator<char>(in), {});
}

Result<std::string> key_of(KeyArguments& arguments) {
  if (arguments.file.empty()) return library_key(arguments.library);
  const auto config = arguments.config.load();
  if (!config) return config.error();
  auto body = read_text(arguments.file);
  if (!body) return body.error();
  arguments.proxied.body = *std::move(body);
  return proxied_key(*config, arguments.proxied);
}

int run_key(KeyArguments& arguments) {
  const auto key = key_of(arguments);
  if (!key) {
    print_error(key.error().message);
    return kExitUsage;
  }
  fmt::print("{}\n", *key);
  return kExitOk;
}

}  // namespace

void add_key_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand(
      "key",
      "Prints the cache key of a request: of the library's (--model and --prompt), or of one to "
      "`serve` with the same options (--request)");
  auto arguments = std::make_shared<KeyArguments>();
  auto& library = arguments->library;
  auto* model = command->add_option("--model", library.model);
  auto* prompt = command->add_option("--prompt", library.prompt)->needs(model);
  model->needs(prompt);
  command->add_option("--temperature", library.temperature)->needs(model);
  command->add_option("--max-tokens", library.max_tokens)->needs(model);
  command->add_option("--parameter", library.parameters, "NAME=JSON; may be repeated")
      ->needs(model);
  command->add_option("--namespace", library.name_space);

  auto& proxied = arguments->proxied;
  auto* request = command
                      ->add_option("--request", arguments->file,
                                   "File with the body of a request to the proxy; - is standard "
                                   "input")
                      ->excludes(model);
  command->add_option("--target", proxied.target, "Path and query of the request")
      ->capture_default_str()
      ->needs(request);
  command
      ->add_option(
          "--header", proxied.headers,
          "\"NAME: VALUE\" of the request; may be repeated. Credentials are part of the key")
      ->needs(request);
  arguments->config.add_to(*command);
  command->callback([arguments, &exit_code] {
    if (arguments->file.empty() && arguments->library.model.empty()) {
      throw CLI::RequiredError("--model and --prompt, or --request");
    }
    arguments->proxied.name_space = arguments->library.name_space.value_or("");
    exit_code = run_key(*arguments);
  });
}

}  // namespace llm_edge_cache::app
