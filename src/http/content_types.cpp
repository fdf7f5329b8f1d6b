#include "http/content_types.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

#include "base/text.hpp"

namespace windhover::http {
namespace {

struct known_type {
  std::string_view extension;
  std::string_view type;
};

// Sorted by extension, to be searched by halving.
constexpr std::array known_types = std::to_array<known_type>({
    {".3gp", "video/3gpp"},
    {".aac", "audio/aac"},
    {".aif", "audio/x-aiff"},
    {".aiff", "audio/aiff"},
    {".atom", "application/atom+xml"},
    {".avi", "video/x-msvideo"},
    {".avif", "image/avif"},
    {".bin", "application/octet-stream"},
    {".bmp", "image/bmp"},
    {".c", "text/plain; charset=utf-8"},
    {".cpp", "text/plain; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".csv", "text/csv; charset=utf-8"},
    {".cur", "application/octet-stream"},
    {".doc", "application/msword"},
    {".docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
    {".eot", "application/vnd.ms-fontobject"},
    {".exe", "application/vnd.microsoft.portable-executable"},
    {".flv", "video/x-flv"},
    {".gif", "image/gif"},
    {".gz", "application/x-gzip"},
    {".h", "text/plain; charset=utf-8"},
    {".htm", "text/html; charset=utf-8"},
    {".html", "text/html; charset=utf-8"},
    {".ico", "image/x-icon"},
    {".ics", "text/calendar; charset=utf-8"},
    {".jar", "application/java-archive"},
    {".jpe", "image/jpeg"},
    {".jpeg", "image/jpeg"},
    {".jpg", "image/jpeg"},
    {".js", "text/javascript; charset=utf-8"},
    {".json", "application/json; charset=utf-8"},
    {".m3u", "audio/x-mpegurl"},
    {".m4a", "audio/mp4"},
    {".m4v", "video/mp4"},
    {".map", "text/plain; charset=utf-8"},
    {".markdown", "text/markdown; charset=utf-8"},
    {".md", "text/markdown; charset=utf-8"},
    {".mid", "audio/mid"},
    {".midi", "audio/mid"},
    {".mjs", "text/javascript; charset=utf-8"},
    {".mov", "video/quicktime"},
    {".mp2", "video/mpeg"},
    {".mp3", "audio/mpeg"},
    {".mp4", "video/mp4"},
    {".mpeg", "video/mpeg"},
    {".mpg", "video/mpeg"},
    {".msi", "application/octet-stream"},
    {".oga", "audio/ogg"},
    {".ogg", "video/ogg"},
    {".ogv", "video/ogg"},
    {".otf", "font/otf"},
    {".pbm", "image/x-portable-bitmap"},
    {".pdf", "application/pdf"},
    {".pgm", "image/x-portable-graymap"},
    {".png", "image/png"},
    {".pnm", "image/x-portable-anymap"},
    {".ppm", "image/x-portable-pixmap"},
    {".ppt", "application/vnd.ms-powerpoint"},
    {".pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"},
    {".ps", "application/postscript"},
    {".rar", "application/octet-stream"},
    {".rtf", "application/rtf"},
    {".sh", "application/x-sh"},
    {".svg", "image/svg+xml; charset=utf-8"},
    {".swf", "application/x-shockwave-flash"},
    {".tar", "application/x-tar"},
    {".tgz", "application/x-compressed"},
    {".tif", "image/tiff"},
    {".tiff", "image/tiff"},
    {".ts", "video/vnd.dlna.mpeg-tts"},
    {".tsv", "text/tab-separated-values; charset=utf-8"},
    {".ttc", "application/x-font-ttf"},
    {".ttf", "application/x-font-ttf"},
    {".txt", "text/plain; charset=utf-8"},
    {".wasm", "application/wasm"},
    {".wav", "audio/wav"},
    {".webm", "video/webm"},
    {".webmanifest", "application/manifest+json; charset=utf-8"},
    {".webp", "image/webp"},
    {".wma", "audio/x-ms-wma"},
    {".wmv", "video/x-ms-wmv"},
    {".woff", "application/font-woff"},
    {".woff2", "font/woff2"},
    {".xht", "application/xhtml+xml"},
    {".xhtml", "application/xhtml+xml"},
    {".xls", "application/vnd.ms-excel"},
    {".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
    {".xml", "text/xml; charset=utf-8"},
    {".xsd", "text/xml; charset=utf-8"},
    {".xsl", "text/xml; charset=utf-8"},
    {".xslt", "text/xml; charset=utf-8"},
    {".zip", "application/x-zip-compressed"},
});

constexpr bool by_extension(const known_type& left, const known_type& right) {
  return left.extension < right.extension;
}
static_assert(std::is_sorted(known_types.begin(), known_types.end(), by_extension));

std::string in_lower_case(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), base::to_lower);
  return result;
}

// From the last dot of the last segment on; empty when there is none.
std::string_view extension_of(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos || name.find('/', dot) != std::string_view::npos) return {};
  return name.substr(dot);
}

}  // namespace

content_types::content_types(std::span<const static_file_options::content_type> additional) {
  for (const auto& each : additional) {
    if (!each.extension.starts_with('.')) {
      throw std::invalid_argument("the extension '" + each.extension + "' of a content type must begin with a dot");
    }
    additional_[in_lower_case(each.extension)] = each.type;
  }
}

std::optional<std::string_view> content_types::find(std::string_view name) const {
  const std::string extension = in_lower_case(extension_of(name));
  if (const auto own = additional_.find(extension); own != additional_.end()) {
    if (own->second.empty()) return std::nullopt;
    return own->second;
  }
  const auto known = std::lower_bound(known_types.begin(), known_types.end(), known_type{extension, {}}, by_extension);
  if (known == known_types.end() || known->extension != extension) return std::nullopt;
  return known->type;
}

}  // namespace windhover::http
