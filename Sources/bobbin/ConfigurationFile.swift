import Channels
import Posix

/// Finds and reads the configuration.
enum ConfigurationFile {
  private static let sizeLimit = 4 << 20

  /// - Parameter named: the value of `--config`.
  /// - Throws: a `CommandFailure` that says where it was looked for, or every fault in it.
  static func load(named: String?) throws -> Configuration {
    let path = try find(named: named)
    let bytes: [UInt8]
    do throws(SystemError) { bytes = try Path.read(path, limit: sizeLimit) } catch {
      throw CommandFailure(error.code == .accessDenied ? .permission : .configuration, error.description)
    }
    do throws(ConfigurationErrors) { return try Configuration.parse(bytes, file: path) } catch {
      throw CommandFailure(.configuration, error.description)
    }
  }

  private static func find(named: String?) throws -> String {
    let directory = try CurrentProcess.directory()
    func absolute(_ path: String) -> String { path.hasPrefix("/") ? path : "\(directory)/\(path)" }
    if let path = named ?? CurrentProcess.environment("BOBBIN_CONFIG") { return absolute(path) }
    var places = ["\(directory)/etc/bobbin.json5"]
    if let home = CurrentProcess.environment("XDG_CONFIG_HOME") {
      places.append("\(home)/bobbin/bobbin.json5")
    } else if let home = CurrentProcess.environment("HOME") {
      places.append("\(home)/.config/bobbin/bobbin.json5")
    }
    places.append("/etc/bobbin/bobbin.json5")
    guard let found = places.first(where: { Path.exists($0) }) else {
      throw CommandFailure(
        .configuration,
        "no configuration found: looked for \(places.joined(separator: ", ")); name one with --config FILE")
    }
    return found
  }
}
