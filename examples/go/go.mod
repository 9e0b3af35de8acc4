module onnxrun/examples/digits

go 1.19
