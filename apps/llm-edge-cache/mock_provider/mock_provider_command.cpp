#include "commands.hpp"
#include "listening.hpp"
#include "mock_provider/mock_provider.hpp"

namespace llm_edge_cache::app {

namespace {

int run_mock_provider(const MockProviderOptions& options, std::size_t io_threads) {
  if (const auto status = options.validate(); !status) {
    print_error(status.error().message);
    return kExitUsage;
  }
  StopSignals signals;
  http::IoThreads threads({.threads = io_threads});
  MockProvider provider(threads, options);
  print_ready({{"listen", bound_address(options.listen, provider.port())}});
  signals.wait([&](const StopSignals::Finished& finished) {
    provider.stop();
    finished();
  });
  return kExitOk;
}

struct MockProviderArguments {
  MockProviderOptions options;
  std::size_t threads = 1;
};

}  // namespace

void add_mock_provider_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand(
      "mock-provider",
      "Serves deterministic, simulated OpenAI and Anthropic APIs: same request, same bytes");
  auto arguments = std::make_shared<MockProviderArguments>();
  auto& options = arguments->options;
  command->add_option("--listen", options.listen, "HOST:PORT; port 0 takes a free one")
      ->capture_default_str();
  command->add_option("--ttft-ms", options.ttft_ms, "Time to the first token")
      ->capture_default_str();
  command
      ->add_option("--tokens-per-second", options.tokens_per_second,
                   "Pace after it; 0 is as fast as possible")
      ->capture_default_str();
  command
      ->add_option("--error-rate", options.error_rate,
                   "Share of requests that fail, half by 429 and half by 500")
      ->capture_default_str();
  command->add_option("--seed", options.seed, "Decides which requests fail")->capture_default_str();
  command->add_flag("--require-auth", options.require_auth,
                    "401 without a bearer token or an x-api-key");
  command->add_option("--threads", arguments->threads, "I/O threads; 0 is one per processor")
      ->capture_default_str();
  command->callback([arguments, &exit_code] {
    exit_code = run_mock_provider(arguments->options, arguments->threads);
  });
}

}  // namespace llm_edge_cache::app
