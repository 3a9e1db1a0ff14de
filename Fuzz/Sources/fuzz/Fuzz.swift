import Glibc
import ParserChecks

/// The check that `FUZZ_TARGET` names.
private let check: ParserCheck = {
    let name = getenv("FUZZ_TARGET").map { String(cString: $0) } ?? ""
    guard let check = ParserCheck.all.first(where: { $0.name == name }) else {
        let names = ParserCheck.all.map(\.name).joined(separator: ", ")
        print("fuzz: FUZZ_TARGET is \"\(name)\"; it must be one of \(names)")
        exit(2)
    }
    return check
}()

/// What libFuzzer calls with each input.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    if let failure = check.run(Array(UnsafeBufferPointer(start: data, count: size))) {
        fatalError("\(check.name): \(failure)")
    }
    return 0
}

/// libFuzzer's own entry (llvm/include/fuzzer/FuzzerInterface: `LLVMFuzzerRunDriver`).
@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
    _ test: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

/// The package manager expects an entry of this name, where libFuzzer would bring a `main` of its own.
@_cdecl("fuzz_main")
public func run(_ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> CInt {
    var count = count
    var arguments = arguments
    return runDriver(&count, &arguments, testOneInput)
}
