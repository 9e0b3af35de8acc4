// Samples that a model is calibrated and measured with, read one at a time from a folder or an archive.
#pragma once

#include <onnxrun/onnxrun.hpp>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "picture.h"
#include "room.h"

namespace cli {

class Calibration {
 public:
  // `path`: a folder of .npz archives, each a sample by input names; of folders with input_K.pb or input_K.npy; of pictures, .npy or .pb files for a model's
  // only input; or one .npz whose arrays hold a sample an entry of their first axis. Throws Failure where nothing there can be a sample.
  // What an archive holds, and then each sample, has `room`.
  Calibration(const std::string& path, std::vector<onnxrun::Port> ports, const PictureFlags& picture, Room room);

  // None beyond the last. Throws Failure naming the file and input that do not fit the model.
  onnxrun::NamedValues sample(size_t index) const;
  size_t size() const { return files_.empty() ? rows_ : files_.size(); }

 private:
  void open_archive(const std::string& path);
  onnxrun::NamedValues read(const std::filesystem::path& path) const;
  onnxrun::NamedValues row(size_t index) const;
  void check(const onnxrun::NamedValues& inputs, const std::string& what) const;

  std::vector<onnxrun::Port> ports_;
  PictureFlags picture_;
  Room room_;
  std::vector<std::filesystem::path> files_;
  std::vector<std::pair<std::string, onnxrun::Tensor>> arrays_;
  std::vector<bool> stacked_;  // by array: its first axis counts samples and is not the input's
  size_t rows_ = 0;
};

}  // namespace cli
