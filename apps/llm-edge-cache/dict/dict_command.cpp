#include <fmt/format.h>

#include <memory>
#include <string>

#include "commands.hpp"
#include "core/entry_dictionary.hpp"
#include "dict/answer_samples.hpp"
#include "dict/dictionary_training.hpp"

namespace llm_edge_cache::app {

namespace {

constexpr std::size_t kDictionaryBytes = 110U << 10U;  // zstd's own default

struct DictArguments {
  std::string source;
  std::string output;
  std::size_t max_bytes = kDictionaryBytes;
};

double ratio(std::size_t from, std::size_t to) {
  return static_cast<double>(from) / static_cast<double>(to);
}

void print(const TrainedDictionary& trained, const std::string& file) {
  fmt::print("{}: {} bytes, id {:016x}, trained on {} answers\n", file, trained.bytes.size(),
             trained.id, trained.trained_on);
  fmt::print("{} other answers compress {:.2f} times with it, {:.2f} times with the built-in one\n",
             trained.tried_on, ratio(trained.tried_bytes, trained.with_dictionary_bytes),
             ratio(trained.tried_bytes, trained.with_built_in_bytes));
}

Status train(const DictArguments& arguments) {
  const auto samples = read_answer_samples(arguments.source);
  if (!samples) return samples.error();
  const auto trained = train_dictionary(*samples, arguments.max_bytes);
  if (!trained) return trained.error();
  if (auto status = write_dictionary(arguments.output, trained->bytes); !status) return status;
  print(*trained, arguments.output);
  return {};
}

int run_dict(const DictArguments& arguments) {
  const auto status = train(arguments);
  if (status) return kExitOk;
  print_error(status.error().message);
  return kExitUsage;
}

}  // namespace

void add_dict_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("dict", "Compression dictionaries for the second store");
  command->require_subcommand(1);
  auto* train_command = command->add_subcommand(
      "train", "Trains a dictionary for --l2-dictionary-file on answers like those to be stored");
  auto arguments = std::make_shared<DictArguments>();
  train_command
      ->add_option("--from", arguments->source,
                   "File of JSON lines (.jsonl, .jsonl.gz, .ndjson) with a \"payload\" or "
                   "\"payload_base64\" each, a file with one answer, or a folder of either")
      ->required();
  train_command
      ->add_option("--output", arguments->output,
                   "File of the dictionary; it holds pieces of the answers")
      ->required();
  train_command->add_option("--max-bytes", arguments->max_bytes, "Size of the dictionary")
      ->check(CLI::Range(kFewestDictionaryBytes, EntryDictionary::kMaxBytes))
      ->capture_default_str();
  train_command->callback([arguments, &exit_code] { exit_code = run_dict(*arguments); });
}

}  // namespace llm_edge_cache::app
