#include <fmt/format.h>
#include <unistd.h>

#include "commands.hpp"
#include "replay/replay_report.hpp"
#include "replay/replay_run.hpp"

namespace llm_edge_cache::app {

namespace {

struct ReplayArguments {
  ReplayOptions options;
  std::string prompts;
  std::size_t limit = std::numeric_limits<std::size_t>::max();
  std::string provider;
  bool json = false;
};

void show_progress(const ReplayProgress& progress) {
  const auto share = [](std::size_t part, std::size_t whole) {
    return whole == 0 ? 0.0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
  };
  fmt::print(stderr, "\r{}/{} ({:.0f} %), hits {:.1f} %, errors {}  ", progress.answered,
             progress.total, share(progress.answered, progress.total),
             share(progress.hits, progress.answered), progress.errors);
}

int run_replay(const ReplayArguments& arguments) {
  if (const auto status = arguments.options.validate(); !status) {
    print_error(status.error().message);
    return kExitUsage;
  }
  const auto prompts = read_prompts(arguments.prompts, arguments.limit);
  if (!prompts) {
    print_error(prompts.error().message);
    return kExitUsage;
  }
  const bool terminal = ::isatty(STDERR_FILENO) != 0;
  auto result = replay(*prompts, arguments.options,
                       terminal ? show_progress : std::function<void(const ReplayProgress&)>());
  if (terminal) fmt::print(stderr, "\r\033[K");
  if (!arguments.provider.empty()) {
    const auto different =
        compare_with_provider(*prompts, arguments.options, arguments.provider, result);
    for (std::size_t i = 0; i < different; ++i) result.stats.add_mismatch();
  }
  const auto report = arguments.json ? replay_json : replay_table;
  fmt::print("{}", report(result.stats, result.duration_ms));
  const bool clean = result.stats.errors() == 0 && result.stats.mismatches() == 0;
  return clean ? kExitOk : kExitFailed;
}

}  // namespace

void add_replay_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand(
      "replay",
      "Sends a file of prompts through a proxy and prints hit ratio, latency and tokens saved; "
      "exit code 1 where a request failed or an answer differed");
  auto arguments = std::make_shared<ReplayArguments>();
  auto& options = arguments->options;
  command->add_option("--target", options.target, "URL of the proxy")->required();
  command
      ->add_option("--prompts", arguments->prompts,
                   "File of lines {\"prompt\": \"...\"}, plain or gzip")
      ->required();
  command->add_option("--concurrency", options.concurrency, "Requests under way at a time")
      ->capture_default_str();
  command->add_option("--model", options.model)->capture_default_str();
  command->add_option("--api-key", options.api_key, "Sent as the bearer token")
      ->envname("OPENAI_API_KEY");
  command->add_option("--limit", arguments->limit, "Send only so many lines of the file");
  command->add_option("--repeat", options.repeat, "Send the whole file so often")
      ->capture_default_str();
  command->add_flag("--stream", options.stream, "Ask for event streams");
  auto* verify = command->add_flag("--verify", options.verify,
                                   "Check that all answers to a prompt are the same bytes");
  command
      ->add_option("--provider", arguments->provider,
                   "URL of a deterministic provider: check that the answers are its bytes")
      ->needs(verify);
  command->add_flag("--json", arguments->json, "Print one JSON object");
  command->callback([arguments, &exit_code] { exit_code = run_replay(*arguments); });
}

}  // namespace llm_edge_cache::app
