#include "serve/scope_secret.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "base/random.hpp"

namespace llm_edge_cache::app {

namespace {

constexpr std::size_t kSecretBytes = 32;
constexpr std::size_t kMinSecretBytes = 16;
constexpr std::size_t kMaxSecretBytes = 4'096;

Error io_error(const std::filesystem::path& file, std::string_view what) {
  return {ErrorCode::kIo, fmt::format("{}: {}", file.string(), what)};
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool ok() const { return fd_ >= 0; }

 private:
  const int fd_;
};

Result<std::string> read_secret(const std::filesystem::path& file) {
  const Descriptor in(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!in.ok()) return io_error(file, std::strerror(errno));
  struct stat status{};
  if (::fstat(in.get(), &status) != 0) return io_error(file, std::strerror(errno));
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return io_error(file, "others can read this secret: chmod 600");
  }
  std::string text(kMaxSecretBytes + 1, '\0');
  const auto got = ::read(in.get(), text.data(), text.size());
  if (got < 0) return io_error(file, std::strerror(errno));
  text.resize(static_cast<std::size_t>(got));
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  if (text.size() < kMinSecretBytes || text.size() > kMaxSecretBytes) {
    return io_error(file,
                    fmt::format("a secret has {} to {} bytes", kMinSecretBytes, kMaxSecretBytes));
  }
  return text;
}

std::string new_secret() {
  std::string hex;
  for (const char byte : random_bytes(kSecretBytes)) {
    hex += fmt::format("{:02x}", static_cast<std::uint8_t>(byte));
  }
  return hex;
}

// Written aside and linked into place whole: of two instances that start together, one wins and
// both read the winner's.
Status make_secret(const std::filesystem::path& file) {
  std::error_code error;
  const auto folder = file.parent_path();
  std::filesystem::create_directories(folder.parent_path(), error);
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return io_error(folder, std::strerror(errno));
  }
  auto draft = file.string() + ".XXXXXX";
  const Descriptor out(::mkostemp(draft.data(), O_CLOEXEC));  // 0600
  if (!out.ok()) return io_error(folder, std::strerror(errno));
  const auto text = new_secret() + "\n";
  const bool written =
      ::write(out.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
      ::fsync(out.get()) == 0;
  const bool linked = written && (::link(draft.c_str(), file.c_str()) == 0 || errno == EEXIST);
  const int failure = errno;
  ::unlink(draft.c_str());
  return linked ? Status() : Status(io_error(file, std::strerror(failure)));
}

Result<ScopeSecret> from_file(const std::filesystem::path& file, SecretSource source) {
  auto secret = read_secret(file);
  if (!secret) return secret.error();
  return ScopeSecret{.secret = *std::move(secret), .source = source, .file = file};
}

ScopeSecret in_memory() {
  return {.secret = new_secret(), .source = SecretSource::kMemory};
}

// Tenants never share with others, whatever the scope of those is.
bool keys_scopes(const ServeConfig& config) {
  return config.scope != "shared" || !config.tenants.empty();
}

Result<ScopeSecret> from_state_file(const std::filesystem::path& file) {
  if (file.empty()) {
    return Error{ErrorCode::kInvalidArgument,
                 "no place for the secret of scopes: set LLM_EDGE_CACHE_SCOPE_SECRET, "
                 "--scope-secret-file, XDG_STATE_HOME or HOME"};
  }
  if (::access(file.c_str(), F_OK) != 0) {
    if (auto made = make_secret(file); !made) {
      return Error{
          made.error().code,
          made.error().message + " (or set LLM_EDGE_CACHE_SCOPE_SECRET or --scope-secret-file)"};
    }
  }
  return from_file(file, SecretSource::kStateFile);
}

}  // namespace

std::filesystem::path default_secret_file() {
  constexpr auto kFile = "llm-edge-cache/secret";
  if (const char* state = std::getenv("XDG_STATE_HOME"); state != nullptr && *state == '/') {
    return std::filesystem::path(state) / kFile;
  }
  if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0') {
    return std::filesystem::path(home) / ".local/state" / kFile;
  }
  return {};
}

Result<ScopeSecret> load_scope_secret(const ServeConfig& config,
                                      const std::filesystem::path& state_file) {
  if (!config.scope_secret.empty()) {
    if (config.scope_secret.size() < kMinSecretBytes) {
      return Error{
          ErrorCode::kInvalidArgument,
          fmt::format("LLM_EDGE_CACHE_SCOPE_SECRET has fewer than {} bytes", kMinSecretBytes)};
    }
    return ScopeSecret{.secret = config.scope_secret, .source = SecretSource::kEnvironment};
  }
  if (!config.scope_secret_file.empty()) {
    return from_file(config.scope_secret_file, SecretSource::kFile);
  }
  if (!config.has_l2()) return in_memory();
  auto kept = from_state_file(state_file);
  if (!kept && !keys_scopes(config)) return in_memory();
  return kept;
}

std::string warning_of(const ScopeSecret& secret, const ServeConfig& config) {
  if (!config.has_l2() || !keys_scopes(config)) return {};
  if (secret.source == SecretSource::kMemory) {
    return "scopes are keyed by a secret of this process alone: what it stores is lost with it. "
           "Restart it with a LLM_EDGE_CACHE_SCOPE_SECRET or --scope-secret-file";
  }
  if (secret.source != SecretSource::kStateFile || config.has_disk_l2()) return {};
  return fmt::format(
      "scopes are keyed by {}: where proxies of other users or machines share this store, give all "
      "of them one LLM_EDGE_CACHE_SCOPE_SECRET",
      secret.file.string());
}

Result<std::string> find_scope_secret(const ServeConfig& config,
                                      const std::filesystem::path& state_file) {
  auto known = config;
  const bool is_given = !config.scope_secret.empty() || !config.scope_secret_file.empty();
  if (!is_given) {
    if (state_file.empty() || ::access(state_file.c_str(), F_OK) != 0) return std::string();
    known.scope_secret_file = state_file.string();
  }
  auto loaded = load_scope_secret(known, {});
  if (loaded) return loaded->secret;
  if (!is_given && !keys_scopes(config)) return std::string();
  return loaded.error();
}

}  // namespace llm_edge_cache::app
