// send and recv for threads that nobody cancels. The C library makes each of its own a point where
// a thread may be cancelled, which takes longer than entering the kernel.
#pragma once

#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>

namespace llm_edge_cache::http {

// ThreadSanitizer learns from the library's calls what one thread hands to another.
#if defined(__SANITIZE_THREAD__)
#define LEC_SOCKET_CALLS_OF_LIBRARY
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define LEC_SOCKET_CALLS_OF_LIBRARY
#endif
#endif

#if defined(SYS_sendto) && defined(SYS_recvfrom) && !defined(LEC_SOCKET_CALLS_OF_LIBRARY)

inline ssize_t send_bytes(int socket, const void* bytes, std::size_t size, int flags) {
  return ::syscall(SYS_sendto, socket, bytes, size, flags, nullptr, 0);
}
inline ssize_t receive_bytes(int socket, void* bytes, std::size_t size) {
  return ::syscall(SYS_recvfrom, socket, bytes, size, 0, nullptr, nullptr);
}

#else

inline ssize_t send_bytes(int socket, const void* bytes, std::size_t size, int flags) {
  return ::send(socket, bytes, size, flags);
}
inline ssize_t receive_bytes(int socket, void* bytes, std::size_t size) {
  return ::recv(socket, bytes, size, 0);
}

#endif
#undef LEC_SOCKET_CALLS_OF_LIBRARY

}  // namespace llm_edge_cache::http
