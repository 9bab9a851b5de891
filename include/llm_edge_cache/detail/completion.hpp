// How an async_ call hands its result to an Asio completion handler.
#pragma once

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/query.hpp>
#include <boost/asio/system_executor.hpp>
#include <functional>
#include <memory>
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
  explicit Completion(Handler handler)
      : work_(boost::asio::get_associated_executor(handler)), handler_(std::move(handler)) {}

  // At most once.
  void complete(T result) {
    const auto executor = work_.get_executor();
    if (means_any_thread(executor)) {
      std::move(handler_)(std::move(result));
    } else {
      boost::asio::post(executor,
                        [handler = std::move(handler_), result = std::move(result)]() mutable {
                          std::move(handler)(std::move(result));
                        });
    }
    work_.reset();
  }

 private:
  boost::asio::executor_work_guard<boost::asio::associated_executor_t<Handler>> work_;
  Handler handler_;
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
