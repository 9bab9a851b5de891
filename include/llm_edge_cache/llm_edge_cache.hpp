// Everything a user of the library needs.
#pragma once

#include "llm_edge_cache/cache_manager.hpp"
#include "llm_edge_cache/cacheable_request.hpp"
#include "llm_edge_cache/cached_response.hpp"
#include "llm_edge_cache/clock.hpp"
#include "llm_edge_cache/config.hpp"
#include "llm_edge_cache/health.hpp"
#include "llm_edge_cache/key.hpp"
#include "llm_edge_cache/lookup_result.hpp"
#include "llm_edge_cache/metrics_snapshot.hpp"
#include "llm_edge_cache/result.hpp"
