/// The drain's cost curve as an SVG picture that needs no other file and is readable on light and dark pages.
struct Plot {
  private let curve: DrainCost
  private let caption: String
  private let width = 760.0
  private let height = 420.0
  /// The edges of the area that contains the curve.
  private let left = 78.0
  private let right = 724.0
  private let top = 74.0
  private let bottom = 336.0

  /// - Parameter caption: the machine on which the curve was measured.
  init(_ curve: DrainCost, caption: String) {
    self.curve = curve
    self.caption = caption
  }

  var svg: String {
    let x = LogScale(curve.points.map(\.files), range: left...right)
    let costs = curve.points.map { $0.cost * 1e6 }
    let bare = curve.bareSpawn * 1e6
    // Room above the highest point for its label.
    let ticks = RoundTicks.upTo(max(costs.max() ?? 0, bare) * 1.1)
    let highest = ticks.last ?? 1
    func y(_ value: Double) -> Double { bottom - value / highest * (bottom - top) }

    var body: [String] = []
    for tick in ticks {
      body.append(line(left, y(tick), right, y(tick), tick == 0 ? "axis" : "grid"))
      body.append(text(left - 10, y(tick) + 4, fixed(tick, ticks[1] < 1 ? 2 : 0), "end"))
    }
    for tick in x.ticks {
      let place = x.position(tick)
      body.append(line(place, bottom, place, bottom + 5, "axis"))
      body.append(text(place, bottom + 22, fixed(Double(tick), 0), "middle"))
    }
    body.append(text((left + right) / 2, bottom + 46, "files in the spool (logarithmic)", "middle"))
    body.append(
      "<text transform=\"translate(22 \(number((top + bottom) / 2))) rotate(-90)\" text-anchor=\"middle\">"
        + "microseconds a trigger</text>")
    body.append(line(left, y(bare), right, y(bare), "bare"))
    body.append(
      text(right, y(bare) + 18, "posix_spawn + waitpid alone: \(fixed(bare, 0)) µs", "end", "bare-label"))
    let places = zip(curve.points, costs).map { (x.position($0.files), y($1)) }
    let way = places.map { "\(number($0.0)),\(number($0.1))" }.joined(separator: " ")
    body.append("<polyline class=\"drain\" points=\"\(way)\"/>")
    for (place, cost) in zip(places, costs) {
      body.append(
        "<circle class=\"drain-point\" cx=\"\(number(place.0))\" cy=\"\(number(place.1))\" r=\"4.5\"/>")
      let anchor = place.0 > right - 30 ? "end" : place.0 < left + 30 ? "start" : "middle"
      body.append(text(place.0, place.1 - 12, "\(fixed(cost, 0)) µs", anchor, "drain-label"))
    }
    return document(body)
  }

  private func document(_ body: [String]) -> String {
    """
    <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(number(width)) \(number(height))" width="\(number(width))" height="\(number(height))" role="img" aria-labelledby="title">
    <title id="title">Cost of a trigger against the size of the spool</title>
    <style>
    text { font: 13px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; fill: #4a4f57 }
    .page { fill: #ffffff }
    .heading { font-size: 17px; font-weight: 600; fill: #1b1f24 }
    .caption { font-size: 12px }
    .grid { stroke: #e3e6ea }
    .axis { stroke: #8a919b }
    .bare { stroke: #8a5a00; stroke-width: 1.5; stroke-dasharray: 6 4 }
    .bare-label { fill: #8a5a00 }
    .drain { fill: none; stroke: #0b62c4; stroke-width: 2.5; stroke-linejoin: round }
    .drain-point { fill: #0b62c4 }
    .drain-label { fill: #0b62c4; font-weight: 600 }
    @media (prefers-color-scheme: dark) {
      text { fill: #b4bcc6 }
      .page { fill: #14181d }
      .heading { fill: #f0f3f6 }
      .grid { stroke: #2c333b }
      .axis { stroke: #6d7681 }
      .bare { stroke: #e3b341 }
      .bare-label { fill: #e3b341 }
      .drain { stroke: #6cb2ff }
      .drain-point, .drain-label { fill: #6cb2ff }
      .bare-label, .drain-label { stroke: #14181d }
    }
    </style>
    <rect class="page" width="100%" height="100%" rx="6"/>
    \(text(left, 32, "The cost of a trigger of /bin/true, by the number of files in the spool", "start", "heading"))
    \(text(left, 52, "durable drain by bobbin run: history, result and log written and synced", "start"))
    \(body.joined(separator: "\n"))
    \(text(left, height - 14, caption, "start", "caption"))
    </svg>

    """
  }

  private func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ name: String) -> String {
    "<line class=\"\(name)\" x1=\"\(number(x1))\" y1=\"\(number(y1))\" x2=\"\(number(x2))\" y2=\"\(number(y2))\"/>"
  }

  private func text(
    _ x: Double, _ y: Double, _ content: String, _ anchor: String, _ name: String? = nil
  ) -> String {
    let style = name.map { " class=\"\($0)\"" } ?? ""
    return
      "<text\(style) x=\"\(number(x))\" y=\"\(number(y))\" text-anchor=\"\(anchor)\">\(escaped(content))</text>"
  }

  /// A number as SVG writes it, without commas between thousands.
  private func number(_ value: Double) -> String { fixed(value, 1).filter { $0 != "," } }

  private func escaped(_ text: String) -> String {
    var result = ""
    for character in text {
      switch character {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      default: result.append(character)
      }
    }
    return result
  }
}
