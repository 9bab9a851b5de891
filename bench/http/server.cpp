// Answers every request with the same 2 KiB on one I/O thread: what bench/http/run measures.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "http/server.hpp"

namespace http = llm_edge_cache::http;

namespace {

class FixedHandler final : public http::Handler {
 public:
  void handle(std::shared_ptr<http::Exchange> exchange) override {
    http::ResponseHead head;
    head.headers.add("Content-Type", "application/json");
    exchange->respond(head, body_);
  }

 private:
  http::SharedBytes body_{std::string(2'048, 'x')};
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: bench_http_server HOST:PORT\n");
    return EXIT_FAILURE;
  }
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  http::IoThreads threads({.threads = 1});
  http::Server server(threads, {.listen = argv[1]}, std::make_shared<FixedHandler>());
  std::printf("listening on port %d\n", server.port());
  std::fflush(stdout);
  int signal = 0;
  sigwait(&signals, &signal);
  return EXIT_SUCCESS;
}
