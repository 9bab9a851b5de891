// The annotations are shared with the installed engine headers.
#pragma once

#include "llm_edge_cache/detail/thread_annotations.hpp"
