// Runs a fuzz target over the files of a corpus, without libFuzzer: how ctest keeps it true. A file
// named seed_* is an honest message, which a target that tells must accept.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" [[gnu::weak]] int fuzz_input_was_accepted();

int main(int argc, char** argv)
{
    std::size_t files = 0;
    std::size_t refused = 0;
    for (int i = 1; i < argc; ++i)
        for (const auto& entry : std::filesystem::directory_iterator(argv[i])) {
            std::ifstream file(entry.path(), std::ios::binary);
            const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
            LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                   bytes.size());
            ++files;
            if (entry.path().filename().string().starts_with("seed_") &&
                fuzz_input_was_accepted != nullptr && fuzz_input_was_accepted() == 0) {
                std::printf("refused: %s\n", entry.path().c_str());
                ++refused;
            }
        }
    std::printf("%zu files\n", files);
    return files != 0 && refused == 0 ? 0 : 1; // an empty corpus proves nothing
}
