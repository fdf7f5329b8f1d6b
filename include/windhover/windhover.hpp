// Everything of Windhover.
#pragma once

#include <windhover/close_code.hpp>
#include <windhover/completion.hpp>
#include <windhover/configuration.hpp>
#include <windhover/embedded_file.hpp>
#include <windhover/endpoint.hpp>
#include <windhover/headers.hpp>
#include <windhover/http_context.hpp>
#include <windhover/http_request.hpp>
#include <windhover/http_response.hpp>
#include <windhover/logger.hpp>
#include <windhover/message.hpp>
#include <windhover/prepared_message.hpp>
#include <windhover/run_blocking.hpp>
#include <windhover/sleep_for.hpp>
#include <windhover/static_file_options.hpp>
#include <windhover/task.hpp>
#include <windhover/task_group.hpp>
#include <windhover/wait_readable.hpp>
#include <windhover/web_application.hpp>
#include <windhover/websocket.hpp>
#include <windhover/websocket_handle.hpp>
#include <windhover/websocket_options.hpp>
#include <windhover/when_all.hpp>
#include <windhover/when_any.hpp>
#include <windhover/with_timeout.hpp>
