#include "tests/support/child_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <utility>

namespace llm_edge_cache::test {
namespace {

constexpr std::size_t kMaxOutputBytes = 16U << 20U;

struct Pipe {
  int read_end = -1;
  int write_end = -1;

  Pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
      throw std::system_error(errno, std::generic_category(), "pipe2");
    }
    read_end = ends[0];
    write_end = ends[1];
  }
};

std::vector<std::string> merged_environment(const std::map<std::string, std::string>& extra) {
  std::vector<std::string> merged;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view text = *variable;
    if (extra.count(std::string(text.substr(0, text.find('=')))) == 0) merged.emplace_back(text);
  }
  for (const auto& [name, value] : extra) merged.push_back(name + "=" + value);
  return merged;
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (std::string& text : strings) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

struct Spawn {
  char* const* argv;
  char* const* env;
  const char* directory;
  int in;
  int out;
  int err;
  int failure;
  pid_t parent;
};

// Runs in the child between fork and exec: async-signal-safe calls only.
[[noreturn]] void exec_child(const Spawn& spawn) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != spawn.parent) ::_exit(127);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  ::dup2(spawn.in, STDIN_FILENO);
  ::dup2(spawn.out, STDOUT_FILENO);
  ::dup2(spawn.err, STDERR_FILENO);
  if (*spawn.directory == '\0' || ::chdir(spawn.directory) == 0) {
    ::execvpe(spawn.argv[0], spawn.argv, spawn.env);
  }
  const int error = errno;
  [[maybe_unused]] const auto written = ::write(spawn.failure, &error, sizeof error);
  ::_exit(127);
}

void write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written <= 0) break;  // the child closed its stdin
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  ::close(descriptor);
}

void block_sigpipe() {
  sigset_t pipe;
  ::sigemptyset(&pipe);
  ::sigaddset(&pipe, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
}

}  // namespace

ChildProcess::ChildProcess(ChildOptions options) {
  Pipe in;
  Pipe out;
  Pipe err;
  Pipe failure;
  std::vector<std::string> environment = merged_environment(options.env);
  const std::vector<char*> argv = pointers(options.argv);
  const std::vector<char*> env = pointers(environment);
  const Spawn spawn{argv.data(),   env.data(),    options.directory.c_str(), in.read_end,
                    out.write_end, err.write_end, failure.write_end,         ::getpid()};
  pid_ = ::fork();
  if (pid_ == 0) exec_child(spawn);
  for (const int end : {in.read_end, out.write_end, err.write_end, failure.write_end}) ::close(end);

  int error = pid_ < 0 ? errno : 0;
  if (pid_ > 0 && ::read(failure.read_end, &error, sizeof error) > 0) ::waitpid(pid_, nullptr, 0);
  ::close(failure.read_end);
  if (error != 0) {
    for (const int end : {in.write_end, out.read_end, err.read_end}) ::close(end);
    throw std::system_error(error, std::generic_category(), "cannot start " + options.argv[0]);
  }
  writer_ = std::thread([descriptor = in.write_end, text = std::move(options.input)] {
    block_sigpipe();
    write_all(descriptor, text);
  });
  reader_ = std::thread([this, o = out.read_end, e = err.read_end] { read_outputs(o, e); });
}

ChildProcess::~ChildProcess() {
  signal(SIGKILL);
  reap(0);
  writer_.join();
  reader_.join();
}

bool ChildProcess::running() {
  return !reap(WNOHANG);
}

void ChildProcess::signal(int number) {
  const std::lock_guard lock(reap_mutex_);
  if (!status_) ::kill(pid_, number);
}

bool ChildProcess::reap(int options) {
  const std::lock_guard lock(reap_mutex_);
  if (status_) return true;
  int status = 0;
  if (::waitpid(pid_, &status, options) != pid_) return false;
  status_ = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  return true;
}

std::optional<int> ChildProcess::wait(std::chrono::milliseconds bound) {
  if (running()) {
    const int descriptor = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
    pollfd ended{descriptor, POLLIN, 0};
    ::poll(&ended, 1, static_cast<int>(bound.count()));
    ::close(descriptor);
    if (running()) return std::nullopt;
  }
  // A grandchild may hold the pipes open: the bound covers that too.
  std::unique_lock lock(output_mutex_);
  output_changed_.wait_for(lock, bound, [this] { return outputs_closed_; });
  return status_;
}

std::string ChildProcess::output() const {
  const std::lock_guard lock(output_mutex_);
  return output_;
}

std::string ChildProcess::error_output() const {
  const std::lock_guard lock(output_mutex_);
  return error_output_;
}

std::optional<std::string> ChildProcess::find_line(std::string_view text) const {
  for (const std::string* captured : {&output_, &error_output_}) {
    const std::size_t at = captured->find(text);
    if (at == std::string::npos) continue;
    const std::size_t end = captured->find('\n', at + text.size());
    if (end == std::string::npos) continue;
    const std::size_t before = at == 0 ? std::string::npos : captured->rfind('\n', at - 1);
    const std::size_t begin = before == std::string::npos ? 0 : before + 1;
    return captured->substr(begin, end - begin);
  }
  return std::nullopt;
}

std::optional<std::string> ChildProcess::wait_for_line(std::string_view text,
                                                       std::chrono::milliseconds bound) {
  std::unique_lock lock(output_mutex_);
  std::optional<std::string> line;
  output_changed_.wait_for(lock, bound, [&] {
    line = find_line(text);
    return line.has_value() || outputs_closed_;
  });
  return line;
}

void ChildProcess::read_outputs(int out, int err) {
  std::array<pollfd, 2> sources{pollfd{out, POLLIN, 0}, pollfd{err, POLLIN, 0}};
  std::vector<char> buffer(64U << 10U);
  while (sources[0].fd >= 0 || sources[1].fd >= 0) {
    if (::poll(sources.data(), sources.size(), -1) < 0 && errno != EINTR) break;
    for (pollfd& source : sources) {
      if (source.fd < 0 || source.revents == 0) continue;
      const ssize_t got = ::read(source.fd, buffer.data(), buffer.size());
      if (got <= 0) {
        ::close(std::exchange(source.fd, -1));
        continue;
      }
      const std::lock_guard lock(output_mutex_);
      std::string& captured = &source == sources.data() ? output_ : error_output_;
      captured.append(buffer.data(), static_cast<std::size_t>(got));
      if (captured.size() > kMaxOutputBytes) captured.erase(0, captured.size() / 2);
      output_changed_.notify_all();
    }
  }
  const std::lock_guard lock(output_mutex_);
  outputs_closed_ = true;
  output_changed_.notify_all();
}

}  // namespace llm_edge_cache::test
