// A load's result in three forms: for people, for programs, and as a picture.
#pragma once

#include <string>

#include "load/load_run.hpp"

namespace windhover::load {

// Some lines.
std::string text_of(const load_result& result);

// One JSON object. Durations are nanoseconds, rates are per second; "windhover_bench" is the version of its form.
std::string json_of(const load_result& result);

// An SVG: the latencies over the percentiles, both on logarithmic scales. Light and dark pages show it alike.
std::string latency_plot_of(const load_result& result);

// "1 connection", "10,000 connections".
std::string connections_of(const load_options& options);

// "118 us": three digits and a unit.
std::string readable(net::duration time);

}  // namespace windhover::load
