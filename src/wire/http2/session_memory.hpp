// Where nghttp2 has its memory from: operator new, as everything else, so that tests can let it fail.
#pragma once

#include <nghttp2/nghttp2.h>

namespace windhover::wire::http2 {

// nghttp2 1.52 does not survive everywhere that it gets no memory: it frees an item of output twice when there is none
// to queue it. So where operator new fails it gets some from malloc, once more, to come to an end with what it does;
// `lacked` says so, and the session must not be used again. Where malloc fails as well, nghttp2 is told.
nghttp2_mem session_memory(bool& lacked) noexcept;

}  // namespace windhover::wire::http2
