// Where nghttp2 has its memory from: operator new, as everything else, so that tests can let it fail.
#pragma once

#include <nghttp2/nghttp2.h>

namespace windhover::wire::http2 {

nghttp2_mem session_memory() noexcept;

}  // namespace windhover::wire::http2
