/// The command line of the benchmark.
struct Options: Equatable {
  static let help = """
    usage: benchmark [options]        (swift run -c release benchmark [options])

    Measures Bobbin against bare loops of the same system calls, and against other queues if they are installed
    (nq, task-spooler). Takes about ten minutes and 10 GB of disk; --quick takes a few seconds.

      --quick             small sizes and few repetitions: shows whether it works, not how fast it is
      --rows 1,4,6        only these rows; "none" for only the plot
      --repeat N          N pairs in each row, instead of the row's own number
      --sizes NAME=N,…    drain (1000), backlog (100000), peers (300), pending (1000000), submit (1000)
      --json FILE         writes every sample, median, ratio and goal, and the machine
      --svg FILE          measures and draws the cost of a trigger against the size of the spool
      --plot-sizes N,…    the sizes in that plot
      --directory DIR     where the spools are made, in a new folder that is removed afterwards ($TMPDIR, /var/tmp)
      --bobbin FILE       the program to measure (the one beside the benchmark)
      --help

    Rows:
    \(Row.allCases.map { "  \($0.rawValue < 10 ? " " : "")\($0.rawValue)  \($0.title)" }.joined(separator: "\n"))

    """

  /// A fault in the command line.
  struct Fault: Error, Equatable, CustomStringConvertible {
    let description: String
  }

  private(set) var rows = Row.allCases
  private(set) var sizes = Sizes.full
  private(set) var isQuick = false
  private(set) var repetitions: Int?
  private(set) var json: String?
  private(set) var svg: String?
  private(set) var directory: String?
  private(set) var bobbin: String?
  private(set) var wantsHelp = false

  /// How often a figure is measured.
  ///
  /// - Parameter usual: the number without `--repeat` and `--quick`.
  func count(_ usual: Int) -> Int { repetitions ?? (isQuick ? min(usual, 2) : usual) }

  /// - Parameter words: the arguments, without the program's name.
  init(_ words: [String]) throws(Fault) {
    // `--quick` comes first, so that `--sizes` overrides it in any order of the options.
    if words.contains("--quick") {
      isQuick = true
      sizes = .quick
    }
    var words = words[...]
    while let word = words.popFirst() {
      func value() throws(Fault) -> String {
        guard let value = words.popFirst(), !value.isEmpty else {
          throw Fault(description: "\(word) needs a value")
        }
        return value
      }
      switch word {
      case "--quick": break
      case "--rows": rows = try Self.rows(try value())
      case "--repeat": repetitions = try Self.number(try value(), of: word)
      case "--sizes": try sizes.set(try value())
      case "--json": json = try value()
      case "--svg": svg = try value()
      case "--plot-sizes": sizes.plot = try Self.numbers(try value(), of: word).sorted()
      case "--directory": directory = try value()
      case "--bobbin": bobbin = try value()
      case "--help", "-h": wantsHelp = true
      default: throw Fault(description: "unknown option \(word)")
      }
    }
  }

  private static func rows(_ text: String) throws(Fault) -> [Row] {
    if text == "none" { return [] }
    var rows: [Row] = []
    for number in try numbers(text, of: "--rows") {
      guard let row = Row(rawValue: number) else {
        throw Fault(description: "there is no row \(number), only 1 to \(Row.allCases.count)")
      }
      if !rows.contains(row) { rows.append(row) }
    }
    return rows
  }

  private static func numbers(_ text: String, of option: String) throws(Fault) -> [Int] {
    var numbers: [Int] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      numbers.append(try number(String(part), of: option))
    }
    return numbers
  }

  static func number(_ text: String, of option: String) throws(Fault) -> Int {
    // Without large_dir, an ext4 directory holds some ten million files.
    guard let number = Int(text), (1...10_000_000).contains(number) else {
      throw Fault(description: "\(option): \"\(text)\" is not a number from 1 to 10000000")
    }
    return number
  }
}
