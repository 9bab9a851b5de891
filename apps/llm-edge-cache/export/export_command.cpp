#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "admin_client.hpp"
#include "commands.hpp"
#include "progress.hpp"

namespace llm_edge_cache::app {

namespace {

struct ExportArguments {
  AdminServer server;
  EntryChoice choice;
  std::string output = "-";
};

int failed(std::string_view where, std::string_view why) {
  print_error(fmt::format("{}: {}", where, why));
  return kExitFailed;
}

// Of the fullest tier: what is in memory is mostly in the store, too. 0 where it cannot be told.
std::uint64_t entries_of(const AdminServer& server) {
  const auto body = body_of(ask_admin(server, {.target = "/stats"}));
  if (!body.ok()) return 0;
  const auto stats = nlohmann::json::parse(*body, nullptr, /*allow_exceptions=*/false);
  if (!stats.is_object() || !stats.contains("tiers") || !stats["tiers"].is_object()) return 0;
  std::uint64_t most = 0;
  for (const auto& tier : stats["tiers"]) {
    const auto entries = tier.is_object() ? tier.find("entries") : tier.end();
    if (entries != tier.end() && entries->is_number_unsigned()) {
      most = std::max(most, entries->get<std::uint64_t>());
    }
  }
  return most;
}

// A file is opened, and loses what it had, with the first line: a proxy that does not answer costs
// nobody the export of yesterday.
class Output {
 public:
  explicit Output(const std::string& name)
      : file_name_(name == "-" ? "" : name), file_(file_name_.empty() ? stdout : nullptr) {}
  ~Output() {
    if (file_ != nullptr && file_ != stdout) std::fclose(file_);
  }
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  bool write(std::string_view bytes) {
    return open() && check(std::fwrite(bytes.data(), 1, bytes.size(), file_) == bytes.size());
  }
  // Nothing is written behind it.
  void end() {
    if (!failure_.empty() || !open()) return;
    std::FILE* const file = std::exchange(file_, nullptr);
    check((file == stdout ? std::fflush(file) : std::fclose(file)) == 0);
  }
  [[nodiscard]] std::string name() const {
    return file_name_.empty() ? "standard output" : file_name_;
  }
  // Why not all is written; empty where it is.
  [[nodiscard]] const std::string& failure() const { return failure_; }

 private:
  bool open() {
    if (file_ == nullptr) file_ = std::fopen(file_name_.c_str(), "wbe");
    return check(file_ != nullptr);
  }
  bool check(bool is_fine) {
    if (!is_fine && failure_.empty()) failure_ = std::strerror(errno);
    return is_fine;
  }

  const std::string file_name_;  // empty: standard output
  std::FILE* file_;
  std::string failure_;
};

int run_export(const ExportArguments& arguments) {
  Output output(arguments.output);
  Progress progress("exported");
  if (progress.is_shown() && arguments.choice.query().empty()) {
    progress.expect({.lines = entries_of(arguments.server)});
  }
  AdminRequest request;
  request.target = "/export" + arguments.choice.query();
  request.on_data = [&](std::string_view bytes) {
    progress.add(static_cast<std::uint64_t>(std::count(bytes.begin(), bytes.end(), '\n')),
                 bytes.size());
    return output.write(bytes);
  };
  const auto body = body_of(ask_admin(arguments.server, std::move(request)));
  if (body.ok()) output.end();
  if (!output.failure().empty()) return failed(output.name(), output.failure());
  if (!body.ok()) return failed(arguments.server.url, body.error().message);
  return kExitOk;
}

}  // namespace

void add_export_command(CLI::App& app, int& exit_code) {
  auto* command =
      app.add_subcommand("export", "Writes the entries of a running proxy as lines of JSON");
  auto arguments = std::make_shared<ExportArguments>();
  arguments->server.add_options(*command);
  arguments->choice.add_options(*command);
  command->add_option("--output", arguments->output, "File; - is standard output")
      ->capture_default_str();
  command->callback([arguments, &exit_code] { exit_code = run_export(*arguments); });
}

}  // namespace llm_edge_cache::app
