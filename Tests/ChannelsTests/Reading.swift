import Channels

/// Reads a configuration as if it were in `/srv/bobbin/etc/bobbin.json5`.
func read(_ text: String, file: String = standardFile) throws -> Configuration {
  try Configuration.parse(Array(text.utf8), file: file, reserved: reservedNames)
}

private let standardFile = "/srv/bobbin/etc/bobbin.json5"

/// The reserved names of a spool, which the program passes in.
let reservedNames = ReservedNames(folders: ["running", "done", "failed", "logs", "channels"]) { name in
  name.hasPrefix("history.jsonl") || [".history-id", "README.md"].contains(name)
}

/// The faults of a configuration, one text for each: `LINE: KEY: MESSAGE; SUGGESTION`.
func faults(_ text: String) -> [String] { faults(Array(text.utf8)) }

func faults(_ bytes: [UInt8]) -> [String] {
  do throws(ConfigurationErrors) {
    _ = try Configuration.parse(bytes, file: standardFile, reserved: reservedNames)
    return []
  } catch {
    // Each fault begins with the file's name.
    return error.faults.map { String($0.description.dropFirst(standardFile.count + 1)) }
  }
}

/// A configuration with these lines at its top level, which begin in line 2.
func top(_ lines: String) -> String { "{\n\(lines)\nchannels: [] }" }

/// A configuration with one channel whose keys are in line 3; `also` is at the top level, in line 2.
func channel(_ keys: String, also: String = "") -> String {
  "{\n\(also)\nchannels: [{ \(keys) }] }"
}

/// Reads a configuration with one channel, and returns the channel.
func readChannel(_ keys: String, also: String = "") throws -> Channel {
  try read(channel("id: 7, name: \"cats\", \(keys)", also: also)).channels[0]
}
