// Stands in for libFuzzer where the tests are built: gives a fuzzer the files of its corpus, one after the other. So
// what a fuzzer has once found, and was added to the corpus, is a test.
//
//   windhover_fuzz_utf8 FILE_OR_FOLDER...
#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <vector>

#include "entry.hpp"

namespace {

std::vector<std::filesystem::path> files_of(const std::filesystem::path& place) {
  if (!std::filesystem::is_directory(place)) return {place};
  std::vector<std::filesystem::path> files;
  for (const auto& each : std::filesystem::directory_iterator(place)) files.push_back(each.path());
  std::sort(files.begin(), files.end());
  return files;
}

// An input in a heap block of exactly its size, as libFuzzer has it.
bool replay(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  const std::vector<char> read{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  if (!stream) return false;
  const std::vector<std::uint8_t> input(read.begin(), read.end());
  LLVMFuzzerTestOneInput(input.data(), input.size());
  return true;
}

}  // namespace

int main(int argc, char* argv[]) {
  std::size_t replayed = 0;
  for (int each = 1; each < argc; ++each) {
    for (const std::filesystem::path& file : files_of(argv[each])) {
      // Named before, so that it is known when the process ends here.
      std::cout << file.string() << std::endl;
      if (!replay(file)) {
        std::cerr << file.string() << " cannot be read\n";
        return 1;
      }
      ++replayed;
    }
  }
  std::cout << replayed << " inputs\n";
  return replayed == 0 ? 1 : 0;
}
