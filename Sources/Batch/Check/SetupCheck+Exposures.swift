import Channels
import Posix
import Spool
import Text

/// What other users could write to or create, although it decides what a job does: programs obey the files in their
/// user's home, a shell finds programs along PATH, and the configuration says what is run.
extension SetupCheck {
  /// Costs a few dozen `stat(2)` calls and changes nothing, so each run asks for it.
  package func exposures() -> [SetupProblem] {
    // The home and the PATH of a user who is not the batch's say nothing about the batch.
    var places = otherOwner == nil ? homePlaces() + searchPathPlaces() : []
    places.insert(contentsOf: configurationPlaces() + programPlaces(), at: 0)
    var problems = otherOwner == nil ? homeInSpool() + faultsOfSearchPath() : []
    var climb = PathClimb()
    var reported: Set<String> = []
    for place in places {
      for step in climb.steps(from: place.path, isSearched: place.isSearched) {
        guard let problem = problem(step, place), reported.insert(step.path).inserted else { continue }
        problems.append(problem)
      }
    }
    return problems
  }

  /// Whether a user who is neither root nor the batch's own could write to what has this status: its owner, everybody, or
  /// a group that others belong to. In a directory with the sticky bit others can add files, but not exchange them.
  func isWritableByOthers(_ status: FileStatus, countsSticky: Bool = false) -> Bool {
    if isOthers(status) { return true }
    if status.kind == .symbolicLink { return false }
    if status.kind == .directory, status.mode & 0o1000 != 0, !countsSticky { return false }
    return status.mode & 0o002 != 0
      || (status.mode & 0o020 != 0 && PasswordFile.isShared(group: status.group, besides: batchUser))
  }

  /// Who the batch runs as: the user who runs the check, unless that is most likely the wrong one.
  private var batchUser: UInt32 { otherOwner ?? user }

  /// While it is not certain who the batch's user is, neither of the two is somebody else.
  private func isOthers(_ status: FileStatus) -> Bool {
    !TrustedOwners(user: user, spoolOwner: batchUser).contains(status.owner)
  }

  // MARK: The places

  /// A file or folder whose content decides what is run.
  private struct Place {
    let path: String
    /// What it is, for a message.
    let what: String
    /// Whether a new file in it is as bad as an exchanged one.
    var isSearched = true
    /// What helps if others can add files to it, which no mode corrects: it is `/tmp` or the like.
    let alternative: () -> String
  }

  private func homePlaces() -> [Place] {
    guard let home else { return [] }
    var places = [Place(path: home, what: "the home directory of the batch's user") { homeOfItsOwn }]
    if let folder = CurrentProcess.environment("XDG_CONFIG_HOME"), folder.hasPrefix("/") {
      places.append(
        Place(path: folder, what: "$XDG_CONFIG_HOME") { "name another folder in XDG_CONFIG_HOME" })
    } else if followed("\(home)/.config") != nil {
      places.append(
        Place(path: "\(home)/.config", what: "the folder of the batch's user's settings") { homeOfItsOwn })
    }
    return places
  }

  private func searchPathPlaces() -> [Place] {
    CurrentProcess.searchPath.split(separator: ":").filter { $0.hasPrefix("/") }.map {
      Place(path: String($0), what: "a folder of PATH") { "take it out of PATH" }
    }
  }

  private func configurationPlaces() -> [Place] {
    let alternative = { "move the configuration to a folder of its own, such as /etc/bobbin" }
    return [
      Place(
        path: configuration.file, what: "the configuration", isSearched: false, alternative: alternative),
      Place(path: configuration.directory, what: "the folder of the configuration", alternative: alternative),
    ]
  }

  private func programPlaces() -> [Place] {
    configuration.channels.filter(\.enabled).compactMap { channel in
      let program = channel.command[0]
      return PathQueries.program(program, searching: CurrentProcess.searchPath).map {
        Place(path: $0, what: "the program of channel \"\(channel.name)\"", isSearched: false) {
          "install it in another folder"
        }
      }
    }
  }

  /// `$HOME`, which programs go by; otherwise the home in `/etc/passwd`. Nil for one that is not absolute.
  private var home: String? {
    let home = CurrentProcess.environment("HOME") ?? PasswordFile.home(of: user)
    return home.flatMap { $0.hasPrefix("/") ? $0 : nil }
  }

  private var homeOfItsOwn: String {
    let user = PasswordFile.userName(user) ?? String(user)
    return "give the batch's user a home of its own: usermod --home /var/lib/bobbin \(user)"
  }

  // MARK: The judgement

  private func problem(_ step: PathClimb.Step, _ place: Place) -> SetupProblem? {
    let (path, status) = (step.path, step.status)
    guard isWritableByOthers(status, countsSticky: step.countsAdditions) else { return nil }
    let what = step.relation + place.what
    if isOthers(status) {
      let owner =
        PasswordFile.userName(status.owner).map { "\($0) (uid \(status.owner))" } ?? "uid \(status.owner)"
      return SetupProblem(
        kind: .permission, path: path,
        message: "belongs to \(owner), who can change \(what), and with it what is run",
        remedy: "chown \(batchUser) '\(path)' if you trust what is in it; otherwise \(place.alternative())")
    }
    if status.kind == .directory, status.mode & 0o1000 != 0 {
      return exposed(
        path, status, "others can add files to \(what), and so decide what is run",
        remedy: place.alternative())
    }
    return exposed(
      path, status, "others can change \(what), and with it what is run", remedy: "chmod go-w '\(path)'")
  }

  // MARK: Faults that no mode corrects

  private func homeInSpool() -> [SetupProblem] {
    guard let home, let found = try? PathQueries.resolved(home),
      let spool = try? PathQueries.resolved(configuration.spool),
      found == spool || found.hasPrefix("\(spool)/")
    else { return [] }
    return [
      SetupProblem(
        kind: .permission, path: home,
        message:
          "the home directory of the batch's user is \(found == spool ? "the spool" : "in the spool"): whoever may"
          + " add files there could decide what jobs do",
        remedy: homeOfItsOwn)
    ]
  }

  /// A job works in the folder of the configuration, so that is where such an entry leads.
  private func faultsOfSearchPath() -> [SetupProblem] {
    var entries: [String] = []
    for entry in CurrentProcess.searchPath.split(separator: ":", omittingEmptySubsequences: false)
    where !entry.hasPrefix("/") && !entries.contains(String(entry)) { entries.append(String(entry)) }
    return entries.map { entry in
      SetupProblem(
        kind: .permission, path: "PATH",
        message: (entry.isEmpty
          ? "has an empty entry, which means" : "has the relative entry '\(entry)', which begins at")
          + " whatever folder a program works in",
        remedy: "correct PATH; it is \(CurrentProcess.searchPath)")
    }
  }
}
