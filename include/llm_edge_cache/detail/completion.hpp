// How an async_ call hands its result to an Asio completion handler.
#pragma once

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/query.hpp>
#include <boost/asio/system_executor.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace llm_edge_cache::detail {

template <class T>
using Done = std::function<void(T)>;

// True for executors that stand for "any thread", as those of plain callbacks and futures do.
template <class Executor>
bool means_any_thread(const Executor& executor) {
  namespace asio = boost::asio;
  if constexpr (asio::can_query<const Executor&, asio::execution::context_t>::value) {
    const asio::execution_context& own = asio::query(executor, asio::execution::context);
    const asio::execution_context& any =
        asio::query(asio::system_executor(), asio::execution::context);
    return &own == &any;
  }
  return false;
}

// A handler that waits for its result. Its executor has work until then, so that an io_context
// that runs nothing else does not return.
template <class T, class Handler>
class Completion {
 public:
  explicit Completion(Handler handler) : waiting_(std::move(handler)) {}

  // At most once. Afterwards nothing here refers to the executor, whose context the handler's
  // thread may destroy as soon as the work is released.
  void complete(T result) {
    Waiting waiting = *std::move(waiting_);
    waiting_.reset();
    waiting.complete(std::move(result));
  }

 private:
  using Executor = boost::asio::associated_executor_t<Handler>;

  static auto tracked(const Executor& executor) {
    return boost::asio::prefer(executor, boost::asio::execution::outstanding_work.tracked);
  }

  struct Waiting {
    explicit Waiting(Handler waiting_handler)
        : work(tracked(boost::asio::get_associated_executor(waiting_handler))),
          handler(std::move(waiting_handler)) {}

    void complete(T result) {
      const Executor executor = boost::asio::get_associated_executor(handler);
      if (means_any_thread(executor)) return std::move(handler)(std::move(result));
      boost::asio::post(executor,
                        [handler = std::move(handler), result = std::move(result)]() mutable {
                          std::move(handler)(std::move(result));
                        });
    }

    // First, so that it goes last. Not an executor_work_guard: that one ends the work before it
    // lets go of the executor, and a strand's last reference needs the context.
    decltype(tracked(std::declval<const Executor&>())) work;
    Handler handler;
  };

  std::optional<Waiting> waiting_;
};

// Calls start(Done<T>) with what completes the token, now or when a deferred token is launched.
template <class T, class Start, class CompletionToken>
auto initiate(Start start, CompletionToken&& token) {
  return boost::asio::async_initiate<CompletionToken, void(T)>(
      [start = std::move(start)](auto handler) mutable {
        using Handler = std::decay_t<decltype(handler)>;
        // Shared because std::function copies and a completion handler may only move.
        auto completion = std::make_shared<Completion<T, Handler>>(std::move(handler));
        start(Done<T>([completion](T result) { completion->complete(std::move(result)); }));
      },
      token);
}

}  // namespace llm_edge_cache::detail
