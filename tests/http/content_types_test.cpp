// The types of files by their names.
#include "http/content_types.hpp"

#include <stdexcept>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace windhover::http {
namespace {

TEST(ContentTypes, KnowsTheFilesOfTheWeb) {
  const content_types types;
  struct known {
    std::string_view name;
    std::string_view type;
  };
  for (const auto& [name, type] :
       std::vector<known>{{"index.html", "text/html; charset=utf-8"},
                          {"site.css", "text/css; charset=utf-8"},
                          {"app.js", "text/javascript; charset=utf-8"},
                          {"app.mjs", "text/javascript; charset=utf-8"},
                          {"data.json", "application/json; charset=utf-8"},
                          {"app.js.map", "text/plain; charset=utf-8"},
                          {"a.txt", "text/plain; charset=utf-8"},
                          {"logo.svg", "image/svg+xml; charset=utf-8"},
                          {"favicon.ico", "image/x-icon"},
                          {"a.png", "image/png"},
                          {"a.jpg", "image/jpeg"},
                          {"a.webp", "image/webp"},
                          {"a.avif", "image/avif"},
                          {"a.wasm", "application/wasm"},
                          {"a.woff2", "font/woff2"},
                          {"a.mp4", "video/mp4"},
                          {"a.pdf", "application/pdf"},
                          {"a.zip", "application/x-zip-compressed"},
                          {"site.webmanifest", "application/manifest+json; charset=utf-8"}}) {
    EXPECT_EQ(types.find(name), type) << name;
  }
}

TEST(ContentTypes, TheLastExtensionCountsAndHasNoCase) {
  const content_types types;
  EXPECT_EQ(types.find("archive.html.PnG"), "image/png");
  EXPECT_EQ(types.find("folder.html/a.png"), "image/png");
}

TEST(ContentTypes, WithoutAKnownExtensionThereIsNone) {
  const content_types types;
  for (const std::string_view name : {"", "LICENSE", "html", "a.", "a.unknown", "folder.html/LICENSE", "a.html "}) {
    EXPECT_EQ(types.find(name), std::nullopt) << name;
  }
}

TEST(ContentTypes, OwnTypesAddReplaceAndTakeAway) {
  const std::vector<static_file_options::content_type> own = {
      {".data", "application/x-data"}, {".HTML", "text/html"}, {".exe", ""}};
  const content_types types(own);
  EXPECT_EQ(types.find("a.DATA"), "application/x-data");
  EXPECT_EQ(types.find("a.html"), "text/html");
  EXPECT_EQ(types.find("a.exe"), std::nullopt);
  EXPECT_EQ(types.find("a.css"), "text/css; charset=utf-8");
}

TEST(ContentTypes, AnExtensionBeginsWithADot) {
  const std::vector<static_file_options::content_type> wrong = {{"data", "application/x-data"}};
  EXPECT_THROW(content_types{wrong}, std::invalid_argument);
}

}  // namespace
}  // namespace windhover::http
