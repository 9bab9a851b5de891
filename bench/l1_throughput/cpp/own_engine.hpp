// llm-edge-cache's engine.
#pragma once

#include "llm_edge_cache/engine/cache.hpp"
#include "workload.hpp"
