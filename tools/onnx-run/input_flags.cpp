// The flags of inputs, and the help on them.
#include "inputs.h"

namespace cli {

void add_picture_flags(CLI::App& command, PictureFlags& flags) {
  constexpr const char* kGroup = "Pictures";
  command
      .add_option("--image-layout", flags.layout, "Where channels, height and width lie; default by the input's shape")
      ->check(CLI::IsMember({"auto", "nchw", "nhwc", "chw", "hwc", "hw"}))
      ->group(kGroup)
      ->type_name("LAYOUT");
  command
      .add_option("--image-size", flags.size,
                  "Height and width to resize to; default the input's, where it is free the picture's")
      ->group(kGroup)
      ->type_name("HxW");
  command.add_option("--image-resize", flags.resize, "bilinear (default; half-pixel centres), area or nearest")
      ->check(CLI::IsMember({"bilinear", "area", "nearest"}))
      ->group(kGroup)
      ->type_name("HOW");
  command
      .add_option("--image-scale", flags.scale,
                  "Factor of the pixels 0..255; default 1/255 for floating point, 1 for integers")
      ->group(kGroup)
      ->type_name("X");
  command
      .add_option("--image-mean", flags.mean, "Subtracted after scaling; one number, or one a channel, as 0.5,0.5,0.5")
      ->delimiter(',')
      ->group(kGroup)
      ->type_name("X");
  command.add_option("--image-std", flags.std, "Divides after that")->delimiter(',')->group(kGroup)->type_name("X");
  command.add_flag("--image-grey", flags.grey, "One channel: 0.299 R + 0.587 G + 0.114 B")->group(kGroup);
  command.add_flag("--image-bgr", flags.bgr, "Channels in the order blue, green, red")->group(kGroup);
}

void InputFlags::add_to(CLI::App& command) {
  command.add_option("--batch", batch, "Size of the first dimension of inputs that are made up, where it is free")
      ->check(CLI::Range(int64_t{0}, int64_t{1} << 40))
      ->type_name("N");
  add_without_batch(command);
}

void InputFlags::add_without_batch(CLI::App& command) {
  command.add_option("--input", files, "Value of an input; may be repeated")
      ->type_name("NAME=FILE")
      ->allow_extra_args(false);
  command
      .add_option("--shape", shapes, "Shape of an input that is made up or raw, as image=1x3x224x224; may be repeated")
      ->type_name("NAME=SHAPE")
      ->allow_extra_args(false);
  command.add_option("--seed", seed, "Of the inputs made up; default 0")->type_name("N");
  add_picture_flags(command, picture);
}

const char* const kInputsHelp =
    "Inputs\n"
    "  NAME=FILE by the file's ending: .npy; .npz (array NAME, or the only one); .pb (a TensorProto, SequenceProto, "
    "OptionalProto or MapProto);\n"
    "  .png, .jpg (see Pictures); .wav (see Sounds); .csv, .tsv (a table of rows and columns); .json (nested lists; "
    "objects for maps); .raw (the\n"
    "  elements' bytes, row-major, little-endian). 'FILE' alone gives several inputs by name: .npz, .json (an object), "
    ".csv (a heading).\n"
    "  Inputs not given are made up from --seed: floating point uniform in [0, 1), integers and bool 0 or 1, strings "
    "one letter; the same\n"
    "  seed gives the same values on every machine. Symbolic dimensions take the size of --dim, of a given input or of "
    "--shape, else 1.\n"
    "Sounds\n"
    "  Samples over 2^(bits - 1) for floating-point inputs, as they are for integers; channels averaged unless a "
    "dimension of the input has their\n"
    "  number. Nothing is resampled.\n"
    "Pictures\n"
    "  Element = (pixel * scale - mean) / std, after resizing. Transparency is laid on white. One channel where the "
    "input has one. Where only one\n"
    "  of height and width is fixed, the other follows in proportion, rounded up.\n";

}  // namespace cli
