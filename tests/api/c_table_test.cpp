// The C interface: the table itself, options, providers.
#include <cstddef>
#include <cstring>

#include "c_calls.h"

namespace {

using namespace c_calls;

TEST(Table, HasAVersionAndEveryFunction) {
  EXPECT_EQ(onnxrun_get_api(ONNXRUN_API_VERSION + 1), nullptr);
  EXPECT_EQ(api().version, ONNXRUN_API_VERSION);
  EXPECT_EQ(api().size, sizeof(onnxrun_api));
  EXPECT_STRNE(api().library_version(), "");
  const char* const table = reinterpret_cast<const char*>(&api());
  for (size_t at = offsetof(onnxrun_api, library_version); at < sizeof(onnxrun_api); at += sizeof(void*)) {
    void* function = nullptr;
    std::memcpy(&function, table + at, sizeof function);
    EXPECT_NE(function, nullptr) << "at offset " << at;
  }
}

TEST(Table, FreesNull) {
  api().status_free(nullptr);
  api().blob_free(nullptr);
  api().options_free(nullptr);
  api().model_free(nullptr);
  api().value_free(nullptr);
  api().session_free(nullptr);
  api().run_free(nullptr);
  EXPECT_EQ(api().status_code(nullptr), ONNXRUN_OK);
  EXPECT_STREQ(api().status_message(nullptr), "");
  EXPECT_STREQ(api().blob_data(nullptr), "");
  EXPECT_EQ(api().blob_size(nullptr), 0u);
}

TEST(Options, TakeKnownKeysAndRefuseOthers) {
  const auto options = made<onnxrun_options>([](auto** out) { return api().options_create(out); });
  for (const auto& [key, value] : std::vector<std::pair<const char*, const char*>>{{"load", "copy"},
                                                                                   {"load", "map"},
                                                                                   {"strict", "1"},
                                                                                   {"external_root", "/tmp"},
                                                                                   {"allow_links", "0"},
                                                                                   {"dim.batch", "4"},
                                                                                   {"providers", "cpu"},
                                                                                   {"level", "0"},
                                                                                   {"level", "ORT_ENABLE_ALL"},
                                                                                   {"print_after", "all"},
                                                                                   {"threads", "2"},
                                                                                   {"streams", "3"},
                                                                                   {"denormals", "keep"},
                                                                                   {"max_memory", "2G"},
                                                                                   {"max_file", "100000"}})
    EXPECT_OK(api().options_set(options.get(), key, value));
  for (const auto& [key, value] : std::vector<std::pair<const char*, const char*>>{{"load", "lazy"},
                                                                                   {"strict", "maybe"},
                                                                                   {"allow_links", ""},
                                                                                   {"dim.batch", "-1"},
                                                                                   {"dim.batch", "x"},
                                                                                   {"providers", ""},
                                                                                   {"providers", "cpu,,cpu"},
                                                                                   {"level", "4"},
                                                                                   {"print_after", ""},
                                                                                   {"threads", "-1"},
                                                                                   {"threads", "99999999999999999999"},
                                                                                   {"streams", "0"},
                                                                                   {"denormals", "round"},
                                                                                   {"max_memory", "G"},
                                                                                   {"max_memory", "0"}})
    EXPECT_REFUSED(api().options_set(options.get(), key, value), key);
  EXPECT_REFUSED(api().options_set(options.get(), "speed", "high"), "threads");
  EXPECT_REFUSED(api().options_set(options.get(), "dim.", "1"), "dim.");
  EXPECT_REFUSED(api().options_set(options.get(), nullptr, "1"), "key");
  EXPECT_REFUSED(api().options_set(options.get(), "level", nullptr), "value");
  EXPECT_REFUSED(api().options_set(nullptr, "level", "1"), "options");
  EXPECT_REFUSED(api().options_create(nullptr), "out");
  EXPECT_EQ(Outcome(api().options_set(options.get(), "max_memory", "9000000000000T")).code, ONNXRUN_LIMIT_EXCEEDED);
}

TEST(Options, RefuseLibrariesThatAreNoProviders) {
  const auto options = made<onnxrun_options>([](auto** out) { return api().options_create(out); });
  EXPECT_EQ(Outcome(api().options_add_provider_library(options.get(), "/nowhere/provider.so", nullptr, 0)).code,
            ONNXRUN_IO);
  EXPECT_REFUSED(api().options_add_provider_library(options.get(), nullptr, nullptr, 0), "path");
  EXPECT_REFUSED(api().options_add_provider_library(options.get(), "x", nullptr, 1), "settings");
  EXPECT_REFUSED(api().options_add_provider_library(nullptr, "x", nullptr, 0), "options");
}

TEST(Providers, AreReported) {
  const auto report = made<onnxrun_blob>([](auto** out) { return api().providers_report(nullptr, out); });
  EXPECT_NE(text(report.get()).find("\"name\":\"cpu\""), std::string::npos);
  EXPECT_REFUSED(api().providers_report(nullptr, nullptr), "out");
}

}  // namespace
