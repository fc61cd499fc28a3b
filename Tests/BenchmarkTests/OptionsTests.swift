import TestSupport
import Testing

@testable import benchmark

@Suite("Options of the benchmark", .alone)
struct OptionsTests {
  @Test("The benchmark measures every row at full size without options")
  func defaults() throws {
    let options = try Options([])
    #expect(options.rows == Row.allCases)
    #expect(options.sizes == .full)
    #expect(options.count(7) == 7)
  }

  @Test("The rows are measured as they are named, in that order, each once")
  func rows() throws {
    #expect(try Options(["--rows", "6,1,6"]).rows == [.queuePosition, .drain])
    #expect(try Options(["--rows", "none"]).rows == [])
  }

  @Test("--quick makes the sizes small, and explicit sizes override it in any order of the options")
  func quick() throws {
    let options = try Options(["--sizes", "pending=77,drain=5", "--quick"])
    #expect(options.sizes.pending == 77)
    #expect(options.sizes.drain == 5)
    #expect(options.sizes.peers == Sizes.quick.peers)
    #expect(options.count(50) == 2)
    #expect(options.count(1) == 1)
    #expect(try Options(["--quick", "--repeat", "9"]).count(50) == 9)
  }

  @Test("The sizes of the plot are sorted, because it is a curve")
  func plotSizes() throws {
    #expect(try Options(["--plot-sizes", "1000,10"]).sizes.plot == [10, 1_000])
  }

  @Test(
    "An invalid option is refused, and the message says why",
    arguments: [
      (["--fast"], "unknown option --fast"), (["--rows"], "--rows needs a value"),
      (["--rows", "11"], "there is no row 11, only 1 to 10"),
      (["--rows", "1,"], "--rows: \"\" is not a number from 1 to 10000000"),
      (["--repeat", "0"], "--repeat: \"0\" is not a number from 1 to 10000000"),
      (["--sizes", "drain"], "--sizes: \"drain\" is not NAME=NUMBER"),
      (["--sizes", "dran=1"], "--sizes: there is no size \"dran\""),
      (["--sizes", "drain=x"], "--sizes drain: \"x\" is not a number from 1 to 10000000"),
    ])
  func faults(words: [String], message: String) {
    #expect(throws: Options.Fault(description: message)) { try Options(words) }
  }
}
