import Addresses

extension ClusterPlan {
    /// The plan as a picture (SVG 1.1): the prefixes with what is used of them, and how use grows until something runs out.
    public var svg: String {
        var picture = Picture()
        for family in families where !family.fragments.isEmpty { draw(family, in: &picture) }
        if let days = span { drawGrowth(days, in: &picture) }
        return picture.text
    }

    /// One bar of the family's prefixes side by side, each as wide as its share of the blocks.
    private func draw(_ family: Family, in picture: inout Picture) {
        let used = Self.need(.blocks, family, request, on: 0)
        picture.title(
            "\(family.family): \(Self.number(family.blocks)) blocks of /\(family.blockLength), "
                + "\(Self.number(family.fullNodes)) nodes with \(request.podsPerNode) pods")
        var left = Picture.margin
        // Blocks are taken prefix by prefix.
        var rest = used
        for (index, fragment) in family.fragments.enumerated() {
            let width = Picture.width * Self.share(fragment.blocks, family.blocks)
            let taken = min(rest, fragment.blocks)
            rest -= taken
            picture.box(left, width, Picture.colors[index % Picture.colors.count], opacity: 0.35)
            picture.box(
                left, width * Self.share(taken, fragment.blocks), Picture.colors[index % Picture.colors.count],
                opacity: 1)
            picture.legend(
                Picture.colors[index % Picture.colors.count], row: index,
                "\(fragment.prefix): \(Self.number(taken)) of \(Self.number(fragment.blocks)) used")
            left += width
        }
        picture.advance(Picture.barHeight + 20 * Double(family.fragments.count) + 24)
    }

    private static func share(_ part: UInt128, _ whole: UInt128) -> Double {
        whole == 0 ? 0 : Double(part) / Double(whole)
    }

    /// The days that the chart shows: a tenth more than until the first exhaustion.
    private var span: Int? {
        guard request.growth != nil, let day = firstLimit?.day, day > 0 else { return nil }
        return day + (day + 9) / 10
    }

    /// A line for each limit: the used share of it from today on.
    private func drawGrowth(_ days: Int, in picture: inout Picture) {
        picture.title("Use until day \(days)")
        picture.frame()
        for (index, limit) in limits.enumerated() {
            guard let family = families.first(where: { $0.family == limit.family }) else { continue }
            let points = (0...40).map { step -> (Double, Double) in
                let day = days * step / 40
                let need = Self.need(limit.resource, family, request, on: day)
                return (Double(step) / 40, min(1, Self.share(need, limit.capacity)))
            }
            picture.line(points, Picture.colors[index % Picture.colors.count])
            picture.legend(
                Picture.colors[index % Picture.colors.count], row: index, limit.sentence, below: Picture.chartHeight)
        }
        picture.advance(Picture.chartHeight + 20 * Double(limits.count) + 24)
    }
}

/// The parts of a picture, one below the other.
private struct Picture {
    static let margin = 20.0
    static let width = 680.0
    static let barHeight = 28.0
    static let chartHeight = 160.0
    static let colors = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00"]

    private var top = 10.0
    private var body = ""

    mutating func title(_ text: String) {
        top += 18
        add(
            "<text x=\"\(Self.digits(Self.margin))\" y=\"\(Self.digits(top))\" font-weight=\"bold\">\(Self.escaped(text))</text>"
        )
        top += 10
    }

    mutating func box(_ left: Double, _ width: Double, _ color: String, opacity: Double) {
        guard width > 0 else { return }
        add(
            "<rect x=\"\(Self.digits(left))\" y=\"\(Self.digits(top))\" width=\"\(Self.digits(width))\" "
                + "height=\"\(Self.digits(Self.barHeight))\" fill=\"\(color)\" fill-opacity=\"\(Self.digits(opacity))\"/>"
        )
    }

    mutating func legend(_ color: String, row: Int, _ text: String, below height: Double = barHeight) {
        let y = top + height + 20 * Double(row) + 10
        add(
            "<rect x=\"\(Self.digits(Self.margin))\" y=\"\(Self.digits(y))\" width=\"10\" height=\"10\" fill=\"\(color)\"/>"
        )
        add("<text x=\"\(Self.digits(Self.margin + 16))\" y=\"\(Self.digits(y + 9))\">\(Self.escaped(text))</text>")
    }

    mutating func frame() {
        add(
            "<rect x=\"\(Self.digits(Self.margin))\" y=\"\(Self.digits(top))\" width=\"\(Self.digits(Self.width))\" "
                + "height=\"\(Self.digits(Self.chartHeight))\" fill=\"none\" stroke=\"#888888\"/>")
    }

    /// A line through points of the unit square, whose origin is at the lower left.
    mutating func line(_ points: [(Double, Double)], _ color: String) {
        let text = points.map { x, y in
            "\(Self.digits(Self.margin + x * Self.width)),\(Self.digits(top + (1 - y) * Self.chartHeight))"
        }.joined(separator: " ")
        add("<polyline points=\"\(text)\" fill=\"none\" stroke=\"\(color)\" stroke-width=\"2\"/>")
    }

    mutating func advance(_ height: Double) { top += height }

    var text: String {
        let height = Self.digits(top + 10)
        let width = Self.digits(Self.width + 2 * Self.margin)
        return
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"\(width)\" height=\"\(height)\" "
            + "viewBox=\"0 0 \(width) \(height)\" font-family=\"sans-serif\" font-size=\"13\">\n"
            + "  <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n\(body)</svg>\n"
    }

    private mutating func add(_ element: String) { body += "  \(element)\n" }

    /// A number with at most two decimals.
    private static func digits(_ value: Double) -> String {
        let hundredths = Int((value * 100).rounded())
        let (whole, rest) = hundredths.quotientAndRemainder(dividingBy: 100)
        guard rest != 0 else { return "\(whole)" }
        return rest % 10 == 0 ? "\(whole).\(rest / 10)" : "\(whole).\(rest < 10 ? "0" : "")\(rest)"
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;")
    }
}
