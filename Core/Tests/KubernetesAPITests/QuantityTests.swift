import KubernetesAPI
import Testing

@Suite struct QuantityTests {
    @Test(arguments: [
        ("100m", 1, 100),
        ("1", 1, 1000),
        ("1.5", 2, 1500),
        ("0.5Gi", 536_870_912, 536_870_912_000),
        ("64Mi", 67_108_864, 67_108_864_000),
        ("2e3", 2000, 2_000_000),
        ("1E3", 1000, 1_000_000),
        ("3E", 3_000_000_000_000_000_000, Int64.max),
        ("1n", 1, 1),
        ("-250m", 0, -250),
        ("9Ei", Int64.max, Int64.max),
        (".5", 1, 500),
        ("5.", 5, 5000),
        ("0", 0, 0),
    ])
    func `Amounts are read with their suffixes and rounded up`(text: String, value: Int64, milli: Int64) throws {
        let quantity = try #require(Quantity(text))
        #expect(quantity.value == value)
        #expect(quantity.milliValue == milli)
        #expect(quantity.description == text)
    }

    @Test(arguments: ["", "m", "1mm", "1.2.3", "1 ", "Ki", "1e", "1e99", "--1", ".", "1ki"])
    func `Texts that are not amounts are refused`(text: String) {
        #expect(Quantity(text) == nil)
    }
}

@Suite struct IntOrStringTests {
    @Test(arguments: [
        (IntOrString.int(3), 10, true, 3),
        ("25%", 3, true, 1),
        ("25%", 3, false, 0),
        ("100%", 7, false, 7),
        ("0%", 7, true, 0),
        ("http", 7, true, nil),
    ])
    func `Percentages scale`(value: IntOrString, total: Int, roundingUp: Bool, expected: Int?) {
        #expect(value.scaled(of: total, roundingUp: roundingUp) == expected)
    }
}
