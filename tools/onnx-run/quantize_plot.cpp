// Drawing modes.
#include "quantize_plot.h"

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <sstream>
#include <vector>

#include "amounts.h"

namespace cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kWidth = 760, kHeight = 460, kLeft = 70, kRight = 30, kTop = 30, kBottom = 60;

struct Point {
  std::string name, size;
  double error = 0, speed = 0, bytes = 0;
};

std::vector<Point> points_of(const Json& table) {
  std::vector<Point> points;
  for (const Json& row : table["rows"]) {
    if (row.contains("why_not")) continue;
    Point point{row["name"], bytes(row["bytes"]), 0, row["speedup"], row["bytes"]};
    if (row.contains("error") && row["error"].is_number()) point.error = row["error"];
    points.push_back(std::move(point));
  }
  return points;
}

std::string number(double value) {
  std::ostringstream text;
  text << std::setprecision(3) << value;
  return text.str();
}

class Plot {
 public:
  explicit Plot(std::vector<Point> points) : points_(std::move(points)) {
    double low = HUGE_VAL, high = 0, fastest = 1;
    for (const Point& point : points_) {
      if (point.error > 0) low = std::min(low, point.error), high = std::max(high, point.error);
      fastest = std::max(fastest, point.speed);
      largest_ = std::max(largest_, point.bytes);
    }
    if (high == 0) low = high = 1e-6;
    // One decade to the left is for what has no error.
    first_decade_ = static_cast<int>(std::floor(std::log10(low))) - 1;
    last_decade_ = static_cast<int>(std::floor(std::log10(high))) + 1;
    top_speed_ = std::ceil(fastest * 1.1 * 2) / 2;
  }

  std::string draw() {
    out_ << "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " << kWidth << ' ' << kHeight
         << "\" font-family=\"sans-serif\" font-size=\"12\" fill=\"#222\">\n<rect width=\"" << kWidth << "\" height=\""
         << kHeight << "\" fill=\"#fff\"/>\n";
    axes();
    for (const Point& point : points_) {
      const double x = x_of(point.error), y = y_of(point.speed);
      out_ << "<circle cx=\"" << number(x) << "\" cy=\"" << number(y) << "\" r=\""
           << number(4 + 20 * std::sqrt(point.bytes / std::max(largest_, 1.0)))
           << "\" fill=\"#3a7ca5\" fill-opacity=\"0.35\" stroke=\"#3a7ca5\"/>\n";
      text(x, y + 4, point.name + ", " + point.size, "middle");
    }
    out_ << "</svg>\n";
    return out_.str();
  }

 private:
  double x_of(double error) const {
    const double decade = error > 0 ? std::log10(error) : first_decade_;
    return kLeft + (kWidth - kLeft - kRight) * (decade - first_decade_) / (last_decade_ - first_decade_);
  }
  double y_of(double speed) const { return kHeight - kBottom - (kHeight - kTop - kBottom) * speed / top_speed_; }

  void text(double x, double y, const std::string& what, const char* anchor) {
    out_ << "<text x=\"" << number(x) << "\" y=\"" << number(y) << "\" text-anchor=\"" << anchor << "\">" << what
         << "</text>\n";
  }
  void line(double x1, double y1, double x2, double y2) {
    out_ << "<line x1=\"" << number(x1) << "\" y1=\"" << number(y1) << "\" x2=\"" << number(x2) << "\" y2=\""
         << number(y2) << "\" stroke=\"#ddd\"/>\n";
  }

  void axes() {
    for (int decade = first_decade_; decade <= last_decade_; ++decade) {
      const double x = x_of(std::pow(10.0, decade));
      line(x, kTop, x, kHeight - kBottom);
      text(x, kHeight - kBottom + 18, decade == first_decade_ ? "0" : "1e" + std::to_string(decade), "middle");
    }
    for (double speed = 0; speed <= top_speed_; speed += top_speed_ > 4 ? 1 : 0.5) {
      line(kLeft, y_of(speed), kWidth - kRight, y_of(speed));
      text(kLeft - 8, y_of(speed) + 4, number(speed), "end");
    }
    text((kLeft + kWidth - kRight) / 2, kHeight - 14, "error of the outputs, relative to their size", "middle");
    text(kLeft, 18, "speed, float32 = 1; areas are sizes of files", "start");
  }

  std::vector<Point> points_;
  int first_decade_ = 0, last_decade_ = 1;
  double top_speed_ = 1, largest_ = 0;
  std::ostringstream out_;
};

}  // namespace

std::string plot_of(const Json& table) { return Plot(points_of(table)).draw(); }

}  // namespace cli
