#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "admin_client.hpp"
#include "commands.hpp"
#include "progress.hpp"

namespace llm_edge_cache::app {

namespace {

constexpr std::size_t kPieceBytes = 64U << 10U;

struct ImportArguments {
  AdminServer server;
  EntryChoice choice;
  std::string input = "-";
};

int import_failed(std::string_view where, std::string_view why) {
  print_error(fmt::format("{}: {}", where, why));
  return kExitFailed;
}

int run_import(const ImportArguments& arguments) {
  const bool is_file = arguments.input != "-";
  std::FILE* in = is_file ? std::fopen(arguments.input.c_str(), "rbe") : stdin;
  if (in == nullptr) return import_failed(arguments.input, std::strerror(errno));
  Progress progress("sent");
  if (is_file) {
    std::error_code ignored;  // of a pipe, say: then nobody knows
    const auto size = std::filesystem::file_size(arguments.input, ignored);
    if (!ignored) progress.expect({.bytes = size});
  }
  AdminRequest request;
  request.method = "POST";
  request.target = "/import" + arguments.choice.query();
  request.content_type = "application/x-ndjson";
  request.next_piece = [&]() -> Result<std::string> {
    std::string piece(kPieceBytes, '\0');
    piece.resize(std::fread(piece.data(), 1, piece.size(), in));
    if (std::ferror(in) != 0) return Error{ErrorCode::kIo, "the input cannot be read"};
    progress.add(static_cast<std::uint64_t>(std::count(piece.begin(), piece.end(), '\n')),
                 piece.size());
    return piece;
  };
  const auto body = body_of(ask_admin(arguments.server, std::move(request)));
  if (is_file) std::fclose(in);
  if (!body.ok()) return import_failed(arguments.server.url, body.error().message);
  fmt::print("{}", *body);
  return kExitOk;
}

}  // namespace

void add_import_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand(
      "import", "Stores entries that `export` has written in the cache of a running proxy");
  auto arguments = std::make_shared<ImportArguments>();
  arguments->server.add_options(*command);
  arguments->choice.add_options(*command);
  command->add_option("FILE", arguments->input, "Lines of JSON; - is standard input")
      ->capture_default_str();
  command->callback([arguments, &exit_code] { exit_code = run_import(*arguments); });
}

}  // namespace llm_edge_cache::app
