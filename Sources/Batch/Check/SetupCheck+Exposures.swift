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
    // Most places are below the same few folders.
    var judged: Set<[String]> = []
    var reported: Set<String> = []
    for place in places {
      for folder in judgements(on: place)
      where judged.insert([folder.path, folder.countsSticky ? "sticky" : ""]).inserted {
        guard let problem = problem(folder, place), reported.insert(folder.path).inserted else { continue }
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

  private func isOthers(_ status: FileStatus) -> Bool {
    !TrustedOwners(user: batchUser, spoolOwner: batchUser).contains(status.owner)
  }

  // MARK: The places

  /// A file or folder whose content decides what is run.
  private struct Place {
    let path: String
    /// What it is, for a message.
    let what: String
    /// What helps if others can add files to it, which no mode corrects: it is `/tmp` or the like.
    let alternative: String
    /// Whether a new file in it is as bad as an exchanged one.
    var isSearched = true
  }

  private func homePlaces() -> [Place] {
    guard let home else { return [] }
    let alternative = "give the batch's user a home of its own: usermod --home /var/lib/bobbin \(userName)"
    var places = [Place(path: home, what: "the home directory of the batch's user", alternative: alternative)]
    if let folder = CurrentProcess.environment("XDG_CONFIG_HOME"), folder.hasPrefix("/") {
      places.append(
        Place(path: folder, what: "$XDG_CONFIG_HOME", alternative: "name another folder in XDG_CONFIG_HOME"))
    } else if followed("\(home)/.config") != nil {
      places.append(
        Place(
          path: "\(home)/.config", what: "the folder of the batch's user's settings", alternative: alternative
        ))
    }
    return places
  }

  private func searchPathPlaces() -> [Place] {
    CurrentProcess.searchPath.split(separator: ":").filter { $0.hasPrefix("/") }.map {
      Place(path: String($0), what: "a folder of PATH", alternative: "take it out of PATH")
    }
  }

  private func configurationPlaces() -> [Place] {
    let alternative = "move the configuration to a folder of its own, such as /etc/bobbin"
    return [
      Place(
        path: configuration.file, what: "the configuration", alternative: alternative, isSearched: false),
      Place(
        path: configuration.directory, what: "the folder of the configuration", alternative: alternative),
    ]
  }

  private func programPlaces() -> [Place] {
    configuration.channels.filter(\.enabled).compactMap { channel in
      let program = channel.command[0]
      return PathQueries.program(program, searching: CurrentProcess.searchPath).map {
        Place(
          path: $0, what: "the program of channel \"\(channel.name)\"",
          alternative: "install it in another folder", isSearched: false)
      }
    }
  }

  /// `$HOME`, which programs go by; otherwise the home in `/etc/passwd`. Nil for one that is not absolute.
  private var home: String? {
    let home = CurrentProcess.environment("HOME") ?? PasswordFile.home(of: user)
    return home.flatMap { $0.hasPrefix("/") ? $0 : nil }
  }

  private var userName: String { PasswordFile.userName(user) ?? String(user) }

  // MARK: The judgement

  /// One file or folder to be examined.
  private struct Judgement {
    let path: String
    let status: FileStatus
    /// Whether it is a fault that others can add files, although they cannot exchange any.
    let countsSticky: Bool
    /// How it relates to its place: empty for the place itself.
    let relation: String
  }

  /// The place, and every folder above it: whoever can write to one of these can put another file in the place of what
  /// is below. If the path has links, the folders that they are in count as much as those that they lead to.
  private func judgements(on place: Place) -> [Judgement] {
    var paths = [place.path]
    if let resolved = try? PathQueries.resolved(place.path), resolved != place.path { paths.append(resolved) }
    return paths.flatMap { path -> [Judgement] in
      var found: [Judgement] = []
      var next = path
      var isMissing = false
      while true {
        if let target = followed(next) {
          let isPlace = next == path
          // Where a name is still free, adding it is all that it takes.
          let isFree = isMissing && found.isEmpty
          // Only its owner can change a link itself. What it leads to is on the other path.
          let status = isFree ? target : (try? PathQueries.status(next)) ?? target
          let relation = isPlace ? "" : isFree ? "the folder for " : "a folder above "
          let countsSticky = isFree || (isPlace && place.isSearched)
          found.append(Judgement(path: next, status: status, countsSticky: countsSticky, relation: relation))
        } else {
          isMissing = true
        }
        if next == "/" { return found }
        next = PathText.split(next).folder
      }
    }
  }

  private func problem(_ judgement: Judgement, _ place: Place) -> SetupProblem? {
    let (path, status) = (judgement.path, judgement.status)
    guard isWritableByOthers(status, countsSticky: judgement.countsSticky) else { return nil }
    let what = judgement.relation + place.what
    if isOthers(status) {
      let owner =
        PasswordFile.userName(status.owner).map { "\($0) (uid \(status.owner))" } ?? "uid \(status.owner)"
      return SetupProblem(
        kind: .permission, path: path,
        message: "belongs to \(owner), who can change \(what), and with it what is run",
        remedy: "chown \(batchUser) '\(path)' if you trust what is in it; otherwise \(place.alternative)")
    }
    if status.kind == .directory, status.mode & 0o1000 != 0 {
      return exposed(
        path, status, "others can add files to \(what), and so decide what is run", remedy: place.alternative)
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
        remedy: "give the batch's user a home of its own: usermod --home /var/lib/bobbin \(userName)")
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
